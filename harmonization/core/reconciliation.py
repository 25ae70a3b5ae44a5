"""Reports of one account and period, compared: what agrees, what differs and why, what nobody can explain.

Networks report the same activity several times (by search term, by product, by campaign), and the reports do not all
agree. Two reports are compared over stretches of days that both cover whole, per campaign and in total; a difference
is either within tolerance, explained by something known of the reports, or flagged with its days and money.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

import polars as pl

from harmonization.core.findings import Found

Verdict = Literal["agrees", "explained", "flagged", "not_comparable"]

TOLERANCE: Final = Decimal("0.002")
TRAFFIC: Final = ("impressions", "clicks", "spend")
OUTCOMES: Final = ("sales", "orders", "units")
MONEY: Final = frozenset({"spend", "sales"})
_SUM: Final = pl.Decimal(38, 6)
_HALF_A_CENT: Final = Decimal("0.005")
_LONGEST_LIST: Final = 20


@dataclass(frozen=True, slots=True)
class Side:
    """One report of the account: its sums, and what is known of how it is made.

    Attributes:
        report: the network's report.
        spans: one row per period_start, period_end, currency and campaign, as `spans_of` makes them.
        outcomes: metric -> attribution column of the network's own figure, for outcomes of the same definition only.
        clicked_only: holds only impressions of items that were clicked.
        timezone: of its days.
        exported_at: when the newest file of it arrived; `restatement_days` how long its figures may still move.
    """

    report: str
    spans: pl.DataFrame
    outcomes: Mapping[str, str] = field(default_factory=dict)
    clicked_only: bool = False
    timezone: str = ""
    exported_at: datetime | None = None
    restatement_days: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """One metric of two reports over the stretches of days that both cover.

    Attributes:
        explanation: a word for why it differs: clicked_only, rounding, time_zone, restatement, tolerance; or empty.
        detail: the same as a sentence.
        rows: source rows of both reports in the stretches that differ by more than the tolerance.
        evidence: the stretches and campaigns that differ most.
    """

    report_a: str
    report_b: str
    metric: str
    currency: str | None
    first_day: date | None
    last_day: date | None
    total_a: Decimal
    total_b: Decimal
    verdict: Verdict
    explanation: str = ""
    detail: str = ""
    rows: int = 0
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def difference(self) -> Decimal:
        """B less A."""
        return self.total_b - self.total_a

    @property
    def share(self) -> Decimal | None:
        """The difference as a fraction of the larger total; None where both are 0."""
        larger = max(abs(self.total_a), abs(self.total_b))
        return self.difference / larger if larger else None


def spans_of(events: pl.LazyFrame, *, outcomes: Mapping[str, str]) -> pl.DataFrame:
    """Sums per period, currency and campaign name, in one streaming pass.

    Args:
        outcomes: metric -> attribution column; columns that the rows lack are left out.
    """
    columns = events.collect_schema().names()
    known = {metric: column for metric, column in outcomes.items() if column in columns}
    named = [name for name in ("campaign_name", "campaign_id") if name in columns]
    return (
        events.group_by(
            "period_start",
            "period_end",
            pl.col("currency").fill_null("unknown"),
            pl.coalesce(*named, pl.lit("")).alias("campaign"),
        )
        .agg(
            pl.len().cast(pl.Int64).alias("rows"),
            *(pl.col(name).fill_null(0).cast(_SUM).sum().alias(name) for name in TRAFFIC),
            *(pl.col(column).fill_null(0).cast(_SUM).sum().alias(metric) for metric, column in known.items()),
        )
        .collect(engine="streaming")
    )


def stretches(a: Iterable[tuple[date, date]], b: Iterable[tuple[date, date]]) -> list[tuple[date, date]]:
    """The shortest stretches of days of which neither side's periods reach over an edge, and which both cover whole.

    Days against days give days; days against weeks give the weeks.
    """
    spans_a, spans_b = set(a), set(b)
    joined: list[tuple[date, date]] = []
    for first, last in sorted(spans_a | spans_b):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return [stretch for stretch in joined if _covers(spans_a, stretch) and _covers(spans_b, stretch)]


def _covers(spans: set[tuple[date, date]], stretch: tuple[date, date]) -> bool:
    day, end = stretch
    for first, last in sorted(span for span in spans if stretch[0] <= span[0] <= stretch[1]):
        if first > day:
            return False
        day = max(day, last + timedelta(days=1))
    return day > end


def compare(a: Side, b: Side, *, tolerances: Mapping[str, Decimal] | None = None) -> list[Compared]:
    """Compare two reports of one account, metric by metric and currency by currency.

    Args:
        tolerances: metric -> largest relative difference that is agreement, 0.002 unless given.
    """
    common = stretches(_spans(a.spans), _spans(b.spans))
    if not common:
        return [
            Compared(
                a.report, b.report, "spend", None, None, None, Decimal(0), Decimal(0), "not_comparable",
                "no_common_days", "There are no days that both reports cover whole.",
            )
        ]  # fmt: skip
    cells = _cells(a, common).join(
        _cells(b, common), on=["stretch", "currency", "campaign"], how="full", coalesce=True, suffix="_b"
    )
    metrics = [*TRAFFIC, *_common_outcomes(a, b)]
    found = []
    for currency in sorted(set(cells["currency"].to_list())):
        part = cells.filter(pl.col("currency") == currency)
        for metric in metrics:
            tolerance = (tolerances or {}).get(metric, TOLERANCE)
            found.append(_compare_metric(a, b, metric, currency, part, common, tolerance))
    return found


def _spans(spans: pl.DataFrame) -> list[tuple[date, date]]:
    return list(spans.select("period_start", "period_end").unique().iter_rows())


def _common_outcomes(a: Side, b: Side) -> list[str]:
    # Sales of seven and of fourteen days differ by definition: only the same definition is compared.
    return [
        metric
        for metric in OUTCOMES
        if metric in a.spans.columns and metric in b.spans.columns and a.outcomes.get(metric) == b.outcomes.get(metric)
    ]


def _cells(side: Side, common: Sequence[tuple[date, date]]) -> pl.DataFrame:
    edges = pl.DataFrame(
        {"stretch": [first for first, _ in common], "until": [last for _, last in common]},
        schema={"stretch": pl.Date, "until": pl.Date},
    ).sort("stretch")
    inside = side.spans.sort("period_start").join_asof(edges, left_on="period_start", right_on="stretch")
    values = [name for name in (*TRAFFIC, *OUTCOMES) if name in side.spans.columns]
    return (
        inside.filter(pl.col("period_end") <= pl.col("until"))
        .group_by("stretch", "currency", "campaign")
        .agg(pl.col("rows", *values).sum())
    )


def _compare_metric(
    a: Side,
    b: Side,
    metric: str,
    currency: str,
    cells: pl.DataFrame,
    common: Sequence[tuple[date, date]],
    tolerance: Decimal,
) -> Compared:
    sides = [pl.col(metric).fill_null(0).alias("a"), pl.col(f"{metric}_b").fill_null(0).alias("b")]
    rows = (pl.col("rows").fill_null(0) + pl.col("rows_b").fill_null(0)).alias("rows")
    table = cells.select("stretch", "campaign", *sides, rows)
    total_a, total_b = (Decimal(table[name].sum() or 0) for name in "ab")
    off = _differing(table.group_by("stretch").agg(pl.col("a", "b", "rows").sum()), tolerance)
    verdict, explanation, detail = _judge(a, b, metric, total_a, total_b, table, off, tolerance)
    campaigns = _differing(table.group_by("campaign").agg(pl.col("a", "b", "rows").sum()), tolerance)
    return Compared(
        report_a=a.report,
        report_b=b.report,
        metric=metric,
        currency=currency,
        first_day=common[0][0],
        last_day=common[-1][1],
        total_a=total_a,
        total_b=total_b,
        verdict=verdict,
        explanation=explanation,
        detail=detail,
        rows=0 if verdict == "agrees" else int(off["rows"].sum()),
        evidence={
            "stretches": len(common),
            "stretches_that_differ": off.height,
            "largest": _largest(off, "stretch"),
            "campaigns": _largest(campaigns, "campaign"),
            "only_in_a": _only(table, "a", "b"),
            "only_in_b": _only(table, "b", "a"),
        },
    )


def _judge(
    a: Side,
    b: Side,
    metric: str,
    total_a: Decimal,
    total_b: Decimal,
    table: pl.DataFrame,
    off: pl.DataFrame,
    tolerance: Decimal,
) -> tuple[Verdict, str, str]:
    difference = total_b - total_a
    larger = max(abs(total_a), abs(total_b))
    if total_a == total_b and off.is_empty():
        return "agrees", "", "Equal, stretch by stretch."
    if off.is_empty():
        return "agrees", "tolerance", f"No stretch of days differs by more than {tolerance:.1%}."
    if metric == "impressions" and a.clicked_only != b.clicked_only:
        fewer, more = (a, b) if a.clicked_only else (b, a)
        less, all_of_them = (total_a, total_b) if a.clicked_only else (total_b, total_a)
        if less <= all_of_them:
            return (
                "explained",
                "clicked_only",
                f"{fewer.report} holds only impressions of what is clicked: {less / all_of_them:.0%} of {more.report}.",
            )
    if metric in MONEY and off.filter(pl.col("gap") > _HALF_A_CENT * pl.col("rows")).is_empty():
        return "explained", "rounding", "Not more than half a cent for each row: the reports round line by line."
    within = abs(difference) <= tolerance * larger
    if within and a.timezone != b.timezone:
        return "explained", "time_zone", f"Days begin at another hour ({a.timezone}, {b.timezone}); the sums agree."
    if within:
        return "agrees", "tolerance", f"The sums agree within {tolerance:.1%}; {off.height} stretches of days do not."
    if _restated(a, b, off, difference):
        return "explained", "restatement", "Only days differ that were still restating when the older one was made."
    return "flagged", "", f"Nothing known of the reports explains a difference of {abs(difference) / larger:.2%}."


def _restated(a: Side, b: Side, off: pl.DataFrame, difference: Decimal) -> bool:
    """Whether all differing days were young when the older export was made, and the newer one has more of them."""
    if a.exported_at is None or b.exported_at is None or a.exported_at == b.exported_at:
        return False
    older, newer_has_more = (a, difference > 0) if a.exported_at < b.exported_at else (b, difference < 0)
    assert older.exported_at is not None, "looked at above"
    open_from = older.exported_at.date() - timedelta(days=older.restatement_days)
    earliest = off["stretch"].min()
    return newer_has_more and isinstance(earliest, date) and earliest >= open_from


def _differing(table: pl.DataFrame, tolerance: Decimal) -> pl.DataFrame:
    gap, larger = (pl.col("b") - pl.col("a")).abs(), pl.max_horizontal(pl.col("a").abs(), pl.col("b").abs())
    # A cent is no difference, whatever the share.
    return table.with_columns(gap.alias("gap")).filter(
        (pl.col("gap").cast(pl.Float64) > larger.cast(pl.Float64) * float(tolerance))
        & (pl.col("gap") > Decimal("0.01"))
    )


def _largest(off: pl.DataFrame, name: str) -> list[dict[str, str]]:
    ranked = off.sort("gap", name, descending=[True, False]).head(_LONGEST_LIST)
    return [{name: str(row[name]), "a": str(row["a"]), "b": str(row["b"])} for row in ranked.to_dicts()]


def _only(table: pl.DataFrame, here: str, there: str) -> list[str]:
    sums = table.group_by("campaign").agg(pl.col("a", "b").sum())
    alone = sums.filter((pl.col(here) != 0) & (pl.col(there) == 0)).sort(here, descending=True)
    names: list[str] = alone["campaign"].head(_LONGEST_LIST).to_list()
    return names


def finding_of(compared: Compared) -> Found | None:
    """What people have to look at: differences that nothing explains."""
    if compared.verdict != "flagged":
        return None
    share = compared.share or Decimal(0)
    reports = f"{compared.report_a} and {compared.report_b}"
    in_money = {compared.currency or "unknown": abs(compared.difference)} if compared.metric in MONEY else {}
    return Found(
        kind="reconciliation",
        subject=f"{compared.metric} of {reports} in {compared.currency}",
        severity="critical" if compared.metric == "spend" and abs(share) > Decimal("0.02") else "warn",
        title=f"{compared.metric.capitalize()} of {reports} differ by {abs(share):.2%}",
        detail=f"{compared.total_a:,.2f} against {compared.total_b:,.2f} over the same days. {compared.detail}",
        rows=compared.rows,
        money=in_money,
        evidence=compared.evidence,
        first_day=compared.first_day,
        last_day=compared.last_day,
    )
