"""Matched pairs of a test: those that were randomised, or the nearest ones where none are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from measurement.core.answers import PanelReading
from measurement.core.geo_question import InvalidTest
from measurement.core.pair_panel import unpaired
from measurement.core.pairs import analyze_pairs
from measurement.core.panel import Panel
from measurement.core.treated_panel import TreatedPanel
from measurement.core.trimmed_match_reading import analyze_trimmed_match
from measurement.core.words import count_of

#: Randomised pairs from which the sign-flip test is the default.
ENOUGH_PAIRS: Final = 8
FORMED: Final = (
    "Pairs were formed from the time before the test, since none are told: the coin was not thrown within them, and "
    "the sign-flip test takes it that it was. Name the pairs of the design where there are some."
)


def analyze_paired(
    panel: Panel,
    test: TreatedPanel,
    pairs: Sequence[tuple[str, str]] | None,
    *,
    method: str,
    why: str,
    alpha: float,
    seed: int,
    warnings: Sequence[str],
) -> PanelReading:
    """The reading of `pairs` or `trimmed_match` over (treated, control) pairs, formed here where None are told.

    Raises:
        InvalidTest: fewer than two pairs can be formed. Further, what those methods raise.
    """
    members = {name.casefold() for name in test.names}
    told = [pair for pair in pairs if {name.casefold() for name in pair} <= members] if pairs else nearest_pairs(test)
    dropped = [pair for pair in pairs or () if pair not in told]
    if dropped:
        named = ", ".join(" and ".join(pair) for pair in dropped[:5])
        warnings = (
            *warnings,
            f"{count_of(len(dropped), 'pair')} left out, since one of theirs takes no part: {named}"
            f"{' and more' if len(dropped) > 5 else ''}.",
        )
    if pairs and (lone := unpaired(test.names, [*told, *dropped])):
        warnings = (*warnings, lone)
    if len(told) < 2:
        raise InvalidTest(
            f"Of all pairs {len(told)} can be formed, or remain.",
            where="pairs",
            fix="Treat more units, or use another method.",
        )
    if method == "trimmed_match":
        found = analyze_trimmed_match(
            panel, pairs=told, start=test.start, end=test.end, cooldown=test.cooldown_end - test.end, alpha=alpha,
            why_method=why,
        )  # fmt: skip
    else:
        found = analyze_pairs(
            panel, pairs=told, start=test.start, end=test.end, cooldown=test.cooldown_end - test.end, alpha=alpha,
            seed=seed, why_method=why,
        )  # fmt: skip
    if pairs:
        return replace(found, warnings=(*found.warnings, *warnings))
    return replace(found, evidence="counterfactual", warnings=(*found.warnings, *warnings, FORMED))


def nearest_pairs(test: TreatedPanel) -> list[tuple[str, str]]:
    """(treated, control) names so that the sum of distances is least; as many as the smaller group has units.

    Distance: of the outcomes before the test over their mean, and of the logarithms of their means (of those positive).
    """
    means = test.pre.mean(axis=1)
    scale = np.maximum(np.abs(means), 1e-12)
    shapes = test.pre / scale[:, None]
    sizes = np.log(scale)
    treated, controls = test.treated, test.controls
    apart = ((shapes[treated][:, None, :] - shapes[controls][None, :, :]) ** 2).mean(axis=2)
    apart = apart / max(float(np.median(apart)), 1e-12)
    sized = (sizes[treated][:, None] - sizes[controls][None, :]) ** 2
    sized = sized / max(float(np.median(sized)), 1e-12)
    rows, columns = linear_sum_assignment(apart + sized)
    return [(test.names[treated[row]], test.names[controls[column]]) for row, column in zip(rows, columns, strict=True)]
