"""From published events to a table of figures, lazily and in two passes over the rows.

The first pass asks what there is: which report of which account has rows for which days, and what they tell. From it
follows which report is read (`metrics.core.coverage`). The second pass sums only those rows, by the dimensions asked
for. Both run on the streaming engine, so memory follows the number of groups and not the number of rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Protocol

import polars as pl

from harmonization.core.rmis import MONEY
from metrics.core.attribution_notices import attribution_notices
from metrics.core.conversion import Rates, currency_after
from metrics.core.coverage import Coverage, Slice, choose_reports
from metrics.core.definitions import DIMENSIONS, METRICS, additive_parts
from metrics.core.incrementality import Factor
from metrics.core.metric import ROWS, SUM
from metrics.core.notices import notices_for
from metrics.core.parts import Sources, finished, is_sum, parts_of, restricted
from metrics.core.request import NATIVE, MetricRequest
from metrics.core.scaling import Scaling
from metrics.core.sources import attributions_used, sources_of
from metrics.core.table import CURRENCY, PREVIOUS, MetricTable, Notice, Provenance, Restating, roll_up, sum_of_known


class FinalityOf(Protocol):
    """Until when an account may be restated."""

    @property
    def network(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def restating_until(self) -> date: ...


class Events(Protocol):
    """Published events; `harmonization.selectors.EventView` is one."""

    @property
    def rows(self) -> pl.LazyFrame: ...
    @property
    def version(self) -> int: ...
    @property
    def headline(self) -> Mapping[str, Mapping[str, str]]: ...
    @property
    def outcomes(self) -> Mapping[str, Collection[str]]: ...
    @property
    def finality(self) -> Sequence[FinalityOf]: ...
    @property
    def as_of(self) -> datetime: ...


def query(
    events: Events | None, request: MetricRequest, *, factors: Sequence[Factor] = (), rates: Rates | None = None
) -> MetricTable:
    """Answer a request. `None` for events answers with an empty table and a notice that says so.

    Args:
        factors: incrementality factors that were published; those in force are applied where a figure asks for them.
        rates: exchange rates, for a request whose money is converted.
    """
    if events is None:
        return _nothing(request)
    known = frozenset(events.rows.collect_schema().names())
    rows = _filtered(events.rows, request, known, of_account=True)
    slices = _slices(rows, request, known)
    dimensions = _deciding(request)
    coverages = [choose_reports(slices, period, dimensions, filtered=request.filters) for period in request.periods]
    asked = _Asked(
        known=known,
        sources=tuple(sources_of(events, request, coverage, known) for coverage in coverages),
        scaling=Scaling.of(request, factors),
        rates=rates or Rates(base=request.money),
    )
    ratios = restricted(request, asked.sources)
    passes = [_sums(rows, request, asked, at, coverage, ratios) for at, coverage in enumerate(coverages)]
    lines = _side_by_side(pl.collect_all(passes, engine="streaming"), request)
    lines = _ordered(finished(lines, request), request)
    current = coverages[0]
    provenance = _provenance(events, request, asked, current)
    totals = roll_up(lines, request, ()).sort(CURRENCY, nulls_last=True)
    notices = (
        *notices_for(request, lines, current, provenance.attributions, *coverages[1:]),
        *attribution_notices(request, totals, provenance, asked.scaling.factors),
    )
    return _cut(lines, totals, request, notices, provenance)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a query was found to rest on; `sources` are of the period and of the one compared with."""

    known: frozenset[str]
    sources: tuple[Sources, ...]
    scaling: Scaling
    rates: Rates


def _nothing(request: MetricRequest) -> MetricTable:
    columns: dict[str, pl.DataType] = {name: pl.String() for name in request.dimensions}
    columns |= {DIMENSIONS[name].label_name: pl.String() for name in _labelled(request)}
    columns |= {CURRENCY: pl.String()}
    prefixes = ("", PREVIOUS) if request.compare != "none" else ("",)
    people = [prefix + name for name in request.metrics if METRICS[name].unique for prefix in (SUM, ROWS)]
    parts = [*additive_parts(request.metrics), *people]
    columns |= {prefix + name: MONEY for prefix in prefixes for name in parts}
    empty = finished(pl.DataFrame(schema=columns), request)
    notice = Notice(code="no_data", severity="info", text="No report has been published for these brands yet.")
    return MetricTable(request=request, lines=empty, rest=empty, totals=empty, line_count=0, notices=(notice,))


def _labelled(request: MetricRequest) -> list[str]:
    return [name for name in request.dimensions if DIMENSIONS[name].label_columns]


def _deciding(request: MetricRequest) -> tuple[str, ...]:
    """Dimensions that some reports of an account tell and others do not."""
    asked = dict.fromkeys((*request.dimensions, *request.filters))
    return tuple(name for name in asked if not DIMENSIONS[name].of_account)


def _filtered(rows: pl.LazyFrame, request: MetricRequest, known: frozenset[str], *, of_account: bool) -> pl.LazyFrame:
    for name, members in request.filters.items():
        dimension = DIMENSIONS[name]
        if dimension.of_account is of_account:
            rows = rows.filter(dimension.expression(known).is_in(members))
    return rows


_OF_LOAD: Final = {
    "account_id": "rmn_account_id",
    "account": "rmn_account",
    "network": "rmn_network",
    "report": "rmn_report",
    "rank": "rmn_report_rank",
    "impressions": "rmn_report_impressions",
}


def _slices(rows: pl.LazyFrame, request: MetricRequest, known: frozenset[str]) -> list[Slice]:
    """What there is: one slice per load, period and currency, of both periods."""
    touching = pl.any_horizontal(
        (pl.col("period_start") <= period.end) & (pl.col("period_end") >= period.start) for period in request.periods
    )
    deciding = _deciding(request)
    found = (
        rows.filter(touching)
        .group_by("load_id", "period_start", "period_end", CURRENCY)
        .agg(
            *(pl.col(column).first().alias(name) for name, column in _OF_LOAD.items()),
            pl.len().alias("rows"),
            pl.col("spend").sum(),
            *(DIMENSIONS[name].expression(known).count().alias(f"told_{name}") for name in deciding),
        )
        .collect(engine="streaming")
        .sort("load_id", "period_start", "period_end", CURRENCY)
    )
    return [
        Slice(
            load_id=row["load_id"],
            account_id=row["account_id"],
            account=row["account"],
            network=row["network"],
            report=row["report"],
            rank=row["rank"],
            all_impressions=row["impressions"] == "all",
            start=row["period_start"],
            end=row["period_end"],
            currency=row[CURRENCY],
            rows=row["rows"],
            spend=row["spend"] or Decimal(0),
            present=tuple(row[f"told_{name}"] > 0 for name in deciding),
        )
        for row in found.iter_rows(named=True)
    ]


def _sums(
    rows: pl.LazyFrame, request: MetricRequest, asked: _Asked, at: int, coverage: Coverage, ratios: Sequence[str]
) -> pl.LazyFrame:
    """Sums of one period by the dimensions asked for, and by currency. `at` is the place of the period."""
    period, sources, known = request.periods[at], asked.sources[at], asked.known
    inside = (pl.col("period_start") >= period.start) & (pl.col("period_end") <= period.end)
    chosen = _filtered(_without(rows.filter(inside), coverage), request, known, of_account=False)
    if request.money != NATIVE:
        chosen = chosen.join(asked.rates.daily(request.money, request.periods), on=[CURRENCY, "period_end"], how="left")
    keys = list(dict.fromkeys((*request.dimensions, CURRENCY)))
    labels = [DIMENSIONS[name].label_expression(known) for name in _labelled(request)]
    parts = [*parts_of(request, sources, ratios), *asked.scaling.shares(request, sources)]
    selected = chosen.select(
        *(_key(name, request, known, shift_days=request.shift_days if at else 0) for name in keys),
        *labels,
        *asked.scaling.indices(known),
        *(part.value.alias(part.name) for part in parts),
    )
    summed = selected.group_by([*keys, *asked.scaling.names]).agg(
        *(pl.col(DIMENSIONS[name].label_name).max() for name in _labelled(request)),
        *(sum_of_known(pl.col(part.name)) for part in parts),
    )
    if not asked.scaling.names:
        return summed
    return (
        asked.scaling.applied(summed, parts)
        .group_by(keys)
        .agg(
            *(pl.col(DIMENSIONS[name].label_name).max() for name in _labelled(request)),
            *(sum_of_known(pl.col(part.name)) for part in parts),
        )
    )


def _key(name: str, request: MetricRequest, known: frozenset[str], *, shift_days: int) -> pl.Expr:
    if name == CURRENCY and request.money != NATIVE:
        return currency_after(request.money)
    return DIMENSIONS[name].expression(known, shift_days=shift_days)


def _without(rows: pl.LazyFrame, coverage: Coverage) -> pl.LazyFrame:
    """Rows that are read. Loads that are left out whole are cheap to skip; of the others, the days left out are."""
    if not coverage.dropped:
        return rows
    whole = {load for load, _, _ in coverage.dropped} - coverage.loads
    rows = rows.filter(~pl.col("load_id").is_in(sorted(whole)))
    partly = sorted(key for key in coverage.dropped if key[0] not in whole)
    if not partly:
        return rows
    left_out = pl.LazyFrame(
        partly, schema={"load_id": pl.String, "period_start": pl.Date, "period_end": pl.Date}, orient="row"
    )
    return rows.join(left_out, on=list(left_out.collect_schema()), how="anti")


def _side_by_side(frames: list[pl.DataFrame], request: MetricRequest) -> pl.DataFrame:
    """Current figures and, under `previous.`, those compared with; a member of either period has a line."""
    current = frames[0]
    if len(frames) == 1:
        return current
    keys = list(dict.fromkeys((*request.dimensions, CURRENCY)))
    before = frames[1].rename({name: PREVIOUS + name for name in frames[1].columns if is_sum(name, request)})
    joined = current.join(before, on=keys, how="full", coalesce=True, nulls_equal=True, suffix="_before")
    labels = [DIMENSIONS[name].label_name for name in _labelled(request)]
    return joined.with_columns(pl.coalesce(label, f"{label}_before").alias(label) for label in labels).drop(
        f"{label}_before" for label in labels
    )


def _ordered(lines: pl.DataFrame, request: MetricRequest) -> pl.DataFrame:
    column, descending = request.order
    if column in DIMENSIONS and DIMENSIONS[column].label_columns:
        column = DIMENSIONS[column].label_name
    # Members by name after that, so that equal figures keep one order in every answer.
    by = list(dict.fromkeys((column, *request.dimensions, CURRENCY)))
    return lines.sort(by, descending=[descending] + [False] * (len(by) - 1), nulls_last=True)


def _cut(
    lines: pl.DataFrame,
    totals: pl.DataFrame,
    request: MetricRequest,
    notices: tuple[Notice, ...],
    provenance: Provenance,
) -> MetricTable:
    shown = lines if request.limit is None else lines.head(request.limit)
    return MetricTable(
        request=request,
        lines=shown,
        rest=roll_up(lines.slice(shown.height), request, ()),
        totals=totals,
        line_count=lines.height,
        notices=notices,
        provenance=provenance,
    )


def _provenance(events: Events, request: MetricRequest, asked: _Asked, coverage: Coverage) -> Provenance:
    used = {(item.network, item.account) for item in coverage.used}
    return Provenance(
        as_of=events.as_of,
        version=events.version,
        reports=coverage.used,
        left_out=coverage.left_out,
        gaps=coverage.gaps,
        attributions=attributions_used(request, coverage, asked.sources[0]),
        restating=tuple(
            Restating(network=item.network, account=item.account, until=item.restating_until)
            for item in events.finality
            if (item.network, item.account) in used
        ),
        factors=tuple(asked.scaling.factors),
    )
