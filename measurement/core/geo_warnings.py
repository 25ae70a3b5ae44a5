"""What a reader of a test must know before believing its figures."""

from __future__ import annotations

from typing import Final

import numpy as np

from measurement.core.arrays import Floats
from measurement.core.geo_methods import INDEXED
from measurement.core.panel import Panel
from measurement.core.treated_panel import Finding, TreatedPanel

#: Misfit before the test over that of equal weights from which weights help little.
POOR_FIT: Final = 0.7
#: Robust deviations from which a value counts as an outlier.
FAR: Final = 10.0
_PLACEBO_METHODS: Final = (INDEXED, "sc", "asc", "sdid", "did", "log_did")
_WEIGHING: Final = (INDEXED, "sc", "sc_t", "asc")
_NAMED: Final = 3
#: One part of so many of all units, by size, is an end.
_END: Final = 6


def test_warnings(
    panel: Panel, test: TreatedPanel, finding: Finding, method: str, alpha: float, *, drawn: bool
) -> list[str]:
    """Warnings of one analysis, each a sentence or two.

    Args:
        drawn: whether the treated units were drawn by lot.
    """
    told = []
    if method == "sc_t":
        told.append(
            "The t-test has two degrees of freedom: low power, it sees large effects only (about one in four of 5 %), "
            "and where sales drift it rejects up to 8 % of tests without effect at a nominal 5 %. Treat more markets."
        )
    if method in _PLACEBO_METHODS:
        sets = int(finding.details.get("placebos", 0)) + 1
        if 1.0 / sets >= alpha:
            told.append(
                f"With {sets - 1} placebo sets p cannot go below {1.0 / sets:.3f}: no effect can be shown at {alpha}, "
                "and intervals are unbounded."
            )
        elif sets < 100:
            told.append(f"With {sets - 1} placebo sets p cannot go below {1.0 / sets:.3f}.")
    if len(test.treated) == 1 and method != "sc_t":
        told.append(
            "One market is treated: whatever else happened there in the test counts as its effect, and only large "
            "effects can be seen. Treat more markets to see small ones."
        )
    end = "" if drawn or method not in _PLACEBO_METHODS else _end_of_sizes(test)
    if end:
        told.append(
            f"The treated markets are among the {end} and were not drawn: placebo sets are of other sizes. Where noise "
            "or growth depends on size, p is too small and the interval too narrow. Draw the markets of the next test."
        )
    if finding.scaled_l2 is not None and finding.scaled_l2 > POOR_FIT:
        told.append(
            f"The fit before the test is poor: its misfit is {finding.scaled_l2:.0%} of what equal weights leave."
        )
    outside = _outside(test, indexed=method == INDEXED) if method in _WEIGHING else 0.0
    if outside > 0.05:
        told.append(
            f"In {outside:.0%} of the periods before the test the treated markets, "
            f"{'over' if method == 'sc_indexed' else 'about'} their mean, lie outside of all controls: no weights can "
            "follow them there."
        )
    told += _outliers(panel, test)
    return told


def _end_of_sizes(test: TreatedPanel) -> str:
    """`smallest` or `largest` where all treated units are at that end by a factor of two or more; else empty."""
    level = test.pre.mean(axis=1)
    order = np.argsort(level, kind="stable")
    reach = max(len(test.treated), len(level) // _END)
    usual = float(np.median(level[test.controls]))
    if np.isin(test.treated, order[:reach]).all() and 2.0 * level[test.treated].max() <= usual:
        return "smallest"
    if np.isin(test.treated, order[-reach:]).all() and level[test.treated].min() >= 2.0 * usual:
        return "largest"
    return ""


def _outside(test: TreatedPanel, *, indexed: bool) -> float:
    """Share of the periods before the test in which the treated mean lies outside the hull of the controls."""
    own, others = test.pre[test.treated].mean(axis=0), test.pre[test.controls]
    level = others.mean(axis=1, keepdims=True)
    own, others = (own / own.mean(), others / level) if indexed else (own - own.mean(), others - level)
    return float(np.mean((own > others.max(axis=0)) | (own < others.min(axis=0))))


def _outliers(panel: Panel, test: TreatedPanel) -> list[str]:
    """Values far off what unit and period make of them; kept, since placebo sets may hold them as well."""
    told = []
    scores = outlier_scores(test.outcome)
    # In the test a treated market may well be far off: that is the effect.
    scores[test.treated, test.start :] = 0.0
    rows, periods = np.nonzero(np.abs(scores) > FAR)
    if len(rows):
        order = np.argsort(-np.abs(scores[rows, periods]), kind="stable")[:_NAMED]
        named = ", ".join(
            f"{test.names[rows[place]]} at {panel.periods[periods[place]]} ({scores[rows[place], periods[place]]:+.0f})"
            for place in order
        )
        told.append(
            f"{len(rows)} values lie more than {FAR:.0f} robust deviations off what unit and period make of them; they "
            f"are kept: {named}{' and more' if len(rows) > _NAMED else ''}."
        )
    total = test.outcome.sum(axis=0)
    steps = np.abs(_robust(total - _smooth(total)))
    told += [
        f"The sum of all markets at {panel.periods[place]} is far off its neighbours; it is kept."
        for place in np.flatnonzero(steps > FAR)[:_NAMED]
    ]
    return told


def outlier_scores(outcome: Floats) -> Floats:
    """Robust deviations of each value from the median course of all units at the unit's own level, same shape."""
    level = np.maximum(np.median(np.abs(outcome), axis=1, keepdims=True), 1e-12)
    shares = outcome / level
    rest = shares - np.median(shares, axis=0)
    middle = np.median(rest, axis=1, keepdims=True)
    spread = 1.4826 * np.median(np.abs(rest - middle), axis=1, keepdims=True)
    return np.where(spread > 1e-12, (rest - middle) / np.maximum(spread, 1e-12), 0.0)


def _robust(values: Floats) -> Floats:
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    return (values - middle) / spread if spread > 0.0 else np.zeros_like(values)


def _smooth(values: Floats, reach: int = 7) -> Floats:
    """Median of the neighbours."""
    wide = np.pad(values, reach, mode="edge")
    return np.asarray(
        np.median(np.lib.stride_tricks.sliding_window_view(wide, 2 * reach + 1), axis=1), dtype=np.float64
    )
