"""The registry of metrics and dimensions: the one place that says what a figure means and how it adds up.

Additive metrics are sums of rows. Ratios are ratios of sums, never means of ratios, and b/0 is missing. Terms follow
the IAB/MRC Retail Media Measurement Guidelines (January 2024).
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from metrics.core.dimension import DIMENSIONS, Dimension, Grain
from metrics.core.metric import Basis, Better, ChangeKind, Metric, Unit
from metrics.core.metric_list import METRIC_LIST
from tenants.core.problems import InvalidInput

__all__ = [
    "DIMENSIONS",
    "METRICS",
    "Basis",
    "Better",
    "ChangeKind",
    "Dimension",
    "Grain",
    "Metric",
    "Unit",
    "additive_parts",
    "attributed_parts",
    "dimension_named",
    "metric_named",
]

METRICS: Final = MappingProxyType({metric.name: metric for metric in METRIC_LIST})


def metric_named(name: str) -> Metric:
    """One metric.

    Raises:
        InvalidInput: there is none of that name.
    """
    try:
        return METRICS[name]
    except KeyError:
        raise InvalidInput(
            f"There is no metric {name!r}.", where="metrics", fix=f"Use some of: {', '.join(METRICS)}."
        ) from None


def dimension_named(name: str, *, where: str = "dimensions") -> Dimension:
    """One dimension.

    Raises:
        InvalidInput: there is none of that name.
    """
    try:
        return DIMENSIONS[name]
    except KeyError:
        raise InvalidInput(
            f"There is no dimension {name!r}.", where=where, fix=f"Use some of: {', '.join(DIMENSIONS)}."
        ) from None


def additive_parts(names: Iterable[str]) -> tuple[str, ...]:
    """The additive metrics that these metrics are computed from, each once, in the registry's order."""
    wanted: set[str] = set()
    for name in names:
        metric = METRICS[name]
        if metric.ratio:
            wanted |= {metric.numerator, metric.denominator}
        elif metric.additive:
            wanted.add(name)
    return tuple(name for name in METRICS if name in wanted)


def attributed_parts(name: str) -> tuple[Metric, ...]:
    """The parts of a metric that rest on an attribution rule; none for what every report counts alike."""
    return tuple(METRICS[part] for part in additive_parts([name]) if METRICS[part].outcome)
