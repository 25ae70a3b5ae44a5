"""Sample-ratio mismatch: groups whose sizes chance does not explain (Fabijan et al., KDD 2019).

A test whose groups came out in another ratio than was assigned has lost or gained users by group, and its means are of
different people. Such a reading is not to be used until the cause is known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from tenants.core.problems import InvalidInput

#: Below this p the groups are called mismatched: a check that every test passes through must seldom cry wolf.
ALARM: Final = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """Group sizes against those assigned.

    Attributes:
        counts, expected: units per group, as they came and as assigned.
        p_value: of the chi-square test of goodness of fit. mismatch: p below `ALARM`.
    """

    counts: dict[str, int]
    expected: dict[str, float]
    chi_square: float
    p_value: float
    mismatch: bool

    @property
    def text(self) -> str:
        """One sentence for a reader."""
        groups = ", ".join(f"{name} {count:,} of {self.expected[name]:,.0f}" for name, count in self.counts.items())
        if self.mismatch:
            return f"The groups do not have the sizes assigned ({groups}; p {self.p_value:.2g}): do not use the result."
        return f"The groups have the sizes assigned ({groups}; p {self.p_value:.2g})."


def check_sample_ratio(counts: Mapping[str, int], shares: Mapping[str, float] | None = None) -> SampleRatio:
    """Chi-square test of group sizes.

    Args:
        counts: units per group, two groups or more.
        shares: of the assignment, in any unit; equal without them.

    Raises:
        InvalidInput: fewer than two groups, a count that is no whole number from 0 on, nobody at all, or shares that
            are not positive or not of the same groups.
    """
    if len(counts) < 2:
        raise InvalidInput("One group has no ratio.", where="counts", fix="Give the sizes of all groups.")
    for name, count in counts.items():
        if count < 0 or count != int(count):
            raise InvalidInput(f"The size is {count}.", where=f"group {name}", fix="Give a whole number from 0 on.")
    total = sum(counts.values())
    if total == 0:
        raise InvalidInput("All groups are empty.", where="counts", fix="Check the assignment.")
    weights = dict.fromkeys(counts, 1.0) if shares is None else dict(shares)
    if set(weights) != set(counts):
        raise InvalidInput(
            f"Shares are given for {_listed(weights)}, sizes for {_listed(counts)}.",
            where="shares",
            fix="Give a share for every group.",
        )
    for name, weight in weights.items():
        if not (math.isfinite(weight) and weight > 0.0):
            raise InvalidInput(f"The share is {weight:g}.", where=f"group {name}", fix="Give a positive share.")
    whole = sum(weights.values())
    expected = {name: total * weights[name] / whole for name in counts}
    seen, wanted = np.array([counts[name] for name in counts], float), np.array([expected[name] for name in counts])
    chi_square = float(((seen - wanted) ** 2 / wanted).sum())
    p_value = float(stats.chi2.sf(chi_square, len(counts) - 1))
    return SampleRatio(
        counts={name: int(count) for name, count in counts.items()},
        expected=expected,
        chi_square=chi_square,
        p_value=p_value,
        mismatch=p_value < ALARM,
    )


def _listed(groups: Mapping[str, float]) -> str:
    return ", ".join(sorted(groups)) or "none"
