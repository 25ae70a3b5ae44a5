"""What other methods say of the same pairs: shown beside a reading, so that a reader sees what hangs on the method."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from measurement.core.ancova import ancova_row
from measurement.core.answers import Estimate, Sensitivity
from measurement.core.inversion import Reassigned
from measurement.core.log_effects import effect_of, lift_of_log, over_rest, scaled
from measurement.core.pair_panel import PairedTest
from measurement.core.signflip import sign_flip
from measurement.core.trimmed_match import trimmed_match
from tenants.core.problems import InvalidInput, Problem


def beside_pairs(test: PairedTest, chosen: str, *, alpha: float, seed: int) -> tuple[Sensitivity, ...]:
    """Log growth and levels by the sign-flip test, trimmed match where spend is known, and the analysis of covariance,
    without the one chosen."""
    asked: dict[str, Callable[[], Sensitivity]] = {
        "pairs": lambda: _logs(test, alpha, seed),
        "did": lambda: _levels(test, alpha, seed),
        "trimmed_match": lambda: _trimmed(test, alpha),
        "ancova": lambda: _ancova(test, alpha),
    }
    found = []
    for method, ask in asked.items():
        if method == chosen or (method == "trimmed_match" and test.panel.cost is None):
            continue
        try:
            found.append(ask())
        except Problem as problem:
            found.append(Sensitivity(method, None, None, str(problem)))
    return tuple(found)


def log_sign_flip(test: PairedTest, first: int, last: int, seed: int) -> Reassigned | None:
    """The sign-flip test of log growth in a window; None where a unit sold nothing in it."""
    differences = test.log_differences(first, last)
    return sign_flip(differences, seed=seed) if np.isfinite(differences).all() else None


def require_sales(test: PairedTest) -> None:
    """A log needs sales before and in the test."""
    for words, window in (
        ("before the test", slice(0, test.start)),
        ("in the test", slice(test.start, test.cooldown_end + 1)),
    ):
        sold = test.panel.outcome[:, window].sum(axis=1)
        for row in (*test.treated, *test.control):
            if sold[row] <= 0.0:
                raise InvalidInput(
                    f"{test.panel.units[row]!r} sold nothing {words}.",
                    where=f"unit {test.panel.units[row]}",
                    fix="Leave its pair out, or pool it with a neighbour.",
                )


def _logs(test: PairedTest, alpha: float, seed: int) -> Sensitivity:
    require_sales(test)
    found = log_sign_flip(test, test.start, test.cooldown_end, seed)
    assert found is not None
    return Sensitivity("pairs", lift_of_log(effect_of(found, alpha)), found.p_value(), "each pair counts alike")


def _levels(test: PairedTest, alpha: float, seed: int) -> Sensitivity:
    found = sign_flip(test.level_differences(test.panel.outcome), seed=seed)
    note = "in levels, sign-flip test of the pairs: large ones count more"
    return _over_sold(test, "did", scaled(effect_of(found, alpha), len(test.treated)), found.p_value(), note)


def _trimmed(test: PairedTest, alpha: float) -> Sensitivity:
    assert test.panel.cost is not None
    spend = test.level_differences(test.panel.cost)
    found = trimmed_match(test.level_differences(test.panel.outcome), spend, alpha=alpha, reference="t")
    incremental = scaled(Estimate(found.iroas, found.low, found.high), float(spend.sum()))
    note = f"{found.trimmed} pairs trimmed from each side"
    return _over_sold(test, "trimmed_match", incremental, found.p_value, note)


def _ancova(test: PairedTest, alpha: float) -> Sensitivity:
    rows = np.concatenate([test.treated, test.control])
    kinds = np.arange(len(rows)) < len(test.treated)
    return ancova_row(test.panel.outcome[rows], kinds, start=test.start, last=test.cooldown_end, alpha=alpha)


def _over_sold(test: PairedTest, method: str, incremental: Estimate, p_value: float, note: str) -> Sensitivity:
    window = test.panel.outcome[test.treated][:, test.start : test.cooldown_end + 1]
    lift = over_rest(incremental, float(window.sum()))
    if not np.isfinite(lift.value):
        return Sensitivity(method, None, p_value, "no lift: nothing would have been sold by this method")
    return Sensitivity(method, lift, p_value, note)
