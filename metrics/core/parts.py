"""What is summed to answer a request: the additive figures, and what ratios over partly told figures need besides.

A ratio is taken over the rows that tell both of its parts: the spend of a network that reports no new-to-brand sales
does not belong under those of the others. Where every row tells both, as usual, the sums of the parts serve.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from harmonization.core.rmis import MONEY
from metrics.core.attribution import Reading
from metrics.core.conversion import converted
from metrics.core.definitions import METRICS, Metric, additive_parts
from metrics.core.metric import BOTTOM, PREVIOUS, ROWS, SUM, TOP, Basis
from metrics.core.request import NATIVE, MetricRequest

#: Hidden sums of spend: of rows whose sales are exactly or nearly under the common rule, whose factor was published,
#: and whose factor an experiment found.
EXACT, NEAREST, MEASURED, TESTED = "spend.exact", "spend.nearest", "spend.measured", "spend.tested"
SHARES: Final = (EXACT, NEAREST, MEASURED, TESTED)
#: Hidden sum of orders as reported, which tells whether a line is of too few buyers to be shown.
CELL: Final = Metric(
    name="cell.orders",
    label="Orders",
    unit="count",
    outcome="orders",
    basis="as_reported",
    description="Orders that decide whether figures of a line are withheld.",
    standard="",
    standing="not covered",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One sum.

    Attributes:
        value: of a row.
        money: it is converted with the rest of the row's money.
        factor: (outcome, bound) of the incrementality factor that it is multiplied with.
    """

    name: str
    value: pl.Expr
    money: bool = False
    factor: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the figures of one period are read from.

    Attributes:
        known: columns of the events.
        readings: (basis, outcome, ntb) -> the columns of the loads.
        untested: outcomes for which no factor is in force; they are read as they are.
    """

    known: frozenset[str]
    readings: Mapping[tuple[Basis, str, str], Reading]

    def reading(self, metric: Metric, request: MetricRequest) -> Reading:
        """How an attributed figure is read; incremental ones start from what the networks report."""
        return self.readings[reading_key(metric, request)]


def basis_of(metric: Metric, request: MetricRequest) -> Basis:
    """The attribution that a figure rests on in a request."""
    return metric.basis or request.attribution


def reading_key(metric: Metric, request: MetricRequest) -> tuple[Basis, str, str]:
    """Figures with the same key are read from the same columns."""
    basis = basis_of(metric, request)
    return "as_reported" if basis == "incremental" else basis, metric.outcome, metric.ntb


def outcomes_of(request: MetricRequest) -> list[Metric]:
    """Attributed figures that a request needs."""
    asked = [METRICS[name] for name in additive_parts(request.metrics) if METRICS[name].outcome]
    # Without an outcome asked for there is nothing about buyers to withhold.
    return [*asked, CELL] if asked and request.smallest_cell else asked


def restricted(request: MetricRequest, sources: Sequence[Sources]) -> list[str]:
    """Ratios of a request that have rows which tell only one of their parts, in one of the periods."""
    found = []
    for name in request.metrics:
        metric = METRICS[name]
        if not metric.ratio:
            continue
        both = [METRICS[part] for part in (metric.numerator, metric.denominator)]
        if any(_partly_told(part, request, source) for source in sources for part in both) or (
            request.smallest_cell and any(part.outcome for part in both)
        ):
            found.append(name)
    return found


def _partly_told(metric: Metric, request: MetricRequest, sources: Sources) -> bool:
    if metric.outcome:
        reading = sources.reading(metric, request)
        return not reading.complete and not reading.silent
    return metric.optional and metric.column in sources.known


def parts_of(request: MetricRequest, sources: Sources, ratios: Iterable[str]) -> list[Part]:
    """Everything to sum.

    Args:
        ratios: of `restricted`, over both periods, so that both have the same columns.
    """
    parts = [_part(METRICS[name], request, sources) for name in additive_parts(request.metrics)]
    for name in ratios:
        parts += _of_ratio(METRICS[name], request, sources)
    for name in request.metrics:
        if METRICS[name].unique:
            parts += _of_people(METRICS[name], sources)
    if CELL in outcomes_of(request):
        parts.append(_part(CELL, request, sources))
    return [*parts, *_shares(request, sources)]


def _value(metric: Metric, request: MetricRequest, sources: Sources) -> pl.Expr:
    if metric.outcome:
        value = sources.reading(metric, request).value
    elif metric.column in sources.known:
        value = pl.col(metric.column)
    else:
        value = pl.lit(None, MONEY if metric.unit == "money" else pl.Int64)
    return converted(value) if metric.unit == "money" and request.money != NATIVE else value


def _factor(metric: Metric, request: MetricRequest) -> tuple[str, str] | None:
    return (metric.outcome, metric.bound) if metric.outcome and basis_of(metric, request) == "incremental" else None


def _part(metric: Metric, request: MetricRequest, sources: Sources) -> Part:
    return Part(
        name=metric.name,
        value=_value(metric, request, sources),
        money=metric.unit == "money",
        factor=_factor(metric, request),
    )


def _told(metric: Metric, request: MetricRequest, sources: Sources) -> pl.Expr:
    if metric.outcome:
        return sources.reading(metric, request).of_fit("headline", "exact", "nearest")
    return pl.col(metric.column).is_not_null() if metric.column in sources.known else pl.lit(False)


def _of_ratio(ratio: Metric, request: MetricRequest, sources: Sources) -> list[Part]:
    both = [METRICS[part] for part in (ratio.numerator, ratio.denominator)]
    told = pl.all_horizontal(_told(metric, request, sources) for metric in both if metric.outcome or metric.optional)
    return [
        Part(
            name=prefix + ratio.name,
            value=pl.when(told).then(_value(metric, request, sources)),
            money=metric.unit == "money",
            factor=_factor(metric, request),
        )
        for prefix, metric in zip((TOP, BOTTOM), both, strict=True)
    ]


def _of_people(metric: Metric, sources: Sources) -> list[Part]:
    value = pl.col(metric.column) if metric.column in sources.known else pl.lit(None, pl.Int64)
    return [
        Part(name=SUM + metric.name, value=value),
        Part(name=ROWS + metric.name, value=value.is_not_null().cast(pl.Int64)),
    ]


def _shares(request: MetricRequest, sources: Sources) -> list[Part]:
    spend = _value(METRICS["spend"], request, sources)
    parts = []
    for metric in outcomes_of(request):
        if basis_of(metric, request) == "common_window":
            reading = sources.reading(metric, request)
            parts += [
                Part(name=EXACT, value=pl.when(reading.of_fit("exact")).then(spend), money=True),
                Part(name=NEAREST, value=pl.when(reading.of_fit("nearest")).then(spend), money=True),
            ]
            break
    return parts


def finished(frame: pl.DataFrame, request: MetricRequest) -> pl.DataFrame:
    """Sums with the figures asked for that are made of them: ratios, and people where one row tells them."""
    prefixes = ("", PREVIOUS) if request.compare != "none" else ("",)
    made = []
    for prefix in prefixes:
        for name in request.metrics:
            metric = METRICS[name]
            if metric.ratio:
                made.append(_ratio(metric, frozenset(frame.columns), prefix))
            elif metric.unique:
                one = pl.col(f"{prefix}{ROWS}{name}") == 1
                made.append(pl.when(one).then(pl.col(f"{prefix}{SUM}{name}")).alias(prefix + name))
    return frame.with_columns(made)


def _ratio(metric: Metric, columns: frozenset[str], prefix: str) -> pl.Expr:
    """Float64, null where a part is missing or the denominator is 0."""
    own = f"{prefix}{TOP}{metric.name}"
    names = (
        (own, f"{prefix}{BOTTOM}{metric.name}")
        if own in columns
        else (
            prefix + metric.numerator,
            prefix + metric.denominator,
        )
    )
    top, bottom = (pl.col(name) for name in names)
    quotient = top.cast(pl.Float64) / bottom.cast(pl.Float64) * metric.scale
    return pl.when(bottom.is_not_null() & (bottom != 0)).then(quotient).alias(prefix + metric.name)


def is_sum(column: str, request: MetricRequest) -> bool:
    """Whether a column of a table, of either period, may be added over its lines."""
    name = column.removeprefix(PREVIOUS)
    return (
        name in additive_parts(request.metrics)
        or name in SHARES
        or name == CELL.name
        or any(name.startswith(prefix) for prefix in (TOP, BOTTOM, ROWS, SUM))
    )
