"""The report of a run, read back from what was written."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

import polars as pl

from harmonization.core.binding import Binding
from harmonization.core.cells import fold, folded
from harmonization.core.report import (
    AttributedTotal,
    CurrencyTotal,
    HarmonizeReport,
    QuarantinedRule,
    QuarantineExample,
    Warned,
)
from harmonization.core.rmis import MONEY_METRICS
from harmonization.core.rules import Violation
from harmonization.core.source_file import SOURCE_ROW, OpenedFile

EXAMPLES: Final = 5
_WIDE: Final = pl.Decimal(38, 6)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The files of one run; `rules_not_applied` lists rules whose columns the file lacks."""

    events: Path
    quarantine: Path
    skipped: Path
    warnings: tuple[Violation, ...]
    rules_not_applied: tuple[str, ...]


def summarise(
    outcome: Outcome,
    binding: Binding,
    file_name: str,
    opened: OpenedFile,
    header_row: int,
    rows_in: int,
    out_dir: Path | None,
    *,
    currency_assumed: bool,
) -> HarmonizeReport:
    """Totals, quarantine by rule and warnings of one run."""
    contract = binding.contract
    events = pl.scan_parquet(outcome.events)
    columns = [bound.attribution.column for bound in binding.attributions]
    by_currency = (
        events.group_by("currency")
        .agg(
            pl.len().alias("rows"),
            pl.col("impressions", "clicks").sum(),
            pl.col("spend", *columns).cast(_WIDE).sum(),
            pl.col("period_start").min(),
            pl.col("period_end").max(),
        )
        .sort("currency")
        .collect(engine="streaming")
    )
    reasons = _counts(pl.scan_parquet(outcome.skipped), "reason")
    quarantined = pl.scan_parquet(outcome.quarantine)
    return HarmonizeReport(
        contract=contract.name,
        contract_version=contract.version,
        contract_digest=contract.digest,
        network=contract.network,
        report=contract.report,
        coverage_rank=contract.coverage.rank,
        coverage_impressions=contract.coverage.impressions,
        file_name=file_name,
        file_kind=opened.head.kind,
        encoding=opened.head.encoding,
        sheet=opened.head.sheet,
        header_row=header_row,
        rows_in=rows_in,
        rows_out=int(by_currency["rows"].sum()),
        rows_quarantined=count_rows(quarantined),
        rows_skipped=sum(reasons.values()),
        skipped_by_reason=reasons,
        totals=tuple(
            CurrencyTotal(row["currency"], row["impressions"], row["clicks"], row["spend"])
            for row in by_currency.iter_rows(named=True)
        ),
        attributed=_attributed(by_currency, binding),
        default_attribution=binding.default_attribution,
        headers=binding.matches,
        unknown_headers=tuple(binding.unknown_headers),
        quarantine=_quarantine(quarantined),
        spend_quarantined=_spend(quarantined),
        warnings=_warnings(outcome, binding, opened, rows_in, currency_assumed=currency_assumed),
        rules_not_applied=outcome.rules_not_applied,
        unmapped_values=_unmapped(events, binding),
        period_start=by_currency["period_start"].min(),  # type: ignore[arg-type]
        period_end=by_currency["period_end"].max(),  # type: ignore[arg-type]
        retailers=_distinct(events, "retailer_id"),
        accounts=_distinct(events, "account_id"),
        events_path=out_dir / outcome.events.name if out_dir else None,
        quarantine_path=out_dir / outcome.quarantine.name if out_dir else None,
        skipped_path=out_dir / outcome.skipped.name if out_dir else None,
    )


def _attributed(by_currency: pl.DataFrame, binding: Binding) -> tuple[AttributedTotal, ...]:
    totals = []
    for bound in binding.attributions:
        column = bound.attribution.column
        is_default = column in binding.default_attribution.values()
        if bound.attribution.metric in MONEY_METRICS:
            totals += [
                AttributedTotal(bound.attribution, row["currency"], row[column], is_default)
                for row in by_currency.iter_rows(named=True)
            ]
        else:
            total = sum(by_currency[column].to_list(), start=Decimal(0))
            totals.append(AttributedTotal(bound.attribution, None, total, is_default))
    return tuple(totals)


def _quarantine(quarantined: pl.LazyFrame) -> tuple[QuarantinedRule, ...]:
    findings = quarantined.explode("findings").unnest("findings")
    rows = (
        findings.group_by("rule")
        .agg(
            pl.col(SOURCE_ROW).n_unique().alias("rows"),
            pl.struct(SOURCE_ROW, "column", "value").bottom_k_by(SOURCE_ROW, EXAMPLES).alias("examples"),
        )
        .sort("rows", "rule", descending=[True, False])
        .collect(engine="streaming")
    )
    per_rule = (
        findings.unique([SOURCE_ROW, "rule"])
        .group_by("rule", "currency")
        .agg(pl.col("spend").cast(_WIDE).sum())
        .filter(pl.col("spend") != 0)
        .collect(engine="streaming")
    )
    spend: dict[str, dict[str, Decimal]] = {}
    for row in per_rule.iter_rows(named=True):
        spend.setdefault(row["rule"], {})[row["currency"] or "unknown"] = row["spend"]
    return tuple(
        QuarantinedRule(
            rule=row["rule"],
            rows=row["rows"],
            spend=spend.get(row["rule"], {}),
            examples=tuple(QuarantineExample(**example) for example in row["examples"]),
        )
        for row in rows.iter_rows(named=True)
    )


def _spend(quarantined: pl.LazyFrame) -> dict[str, Decimal]:
    sums = (
        quarantined.group_by("currency").agg(pl.col("spend").cast(_WIDE).sum()).filter(pl.col("spend") != 0).collect()
    )
    return {row["currency"] or "unknown": row["spend"] for row in sums.iter_rows(named=True)}


def _warnings(
    outcome: Outcome, binding: Binding, opened: OpenedFile, rows_in: int, *, currency_assumed: bool
) -> tuple[Warned, ...]:
    found = [Warned("file", detail) for detail in opened.warnings]
    limit = binding.contract.source.row_limit
    if limit is not None and rows_in >= limit:
        found.append(Warned("possibly_cut_off", f"The network cuts exports off at {limit:,} rows.", rows_in))
    if currency_assumed:
        assumed = binding.contract.source.currency
        found.append(Warned("currency_assumed", f"Neither file nor load names a currency; {assumed} is assumed."))
    if binding.unknown_headers:
        found.append(Warned("unknown_columns", f"Not mapped: {', '.join(binding.unknown_headers)}."))
    events = pl.scan_parquet(outcome.events)
    unread = events.select(pl.col("unread").drop_nulls().str.split(",").explode()).collect(engine="streaming")
    broken: dict[str, tuple[pl.Expr, str]] = {
        f"readable_{column}": (pl.col("unread").str.split(",").list.contains(column), "could not be read and is empty")
        for column in unread["unread"].unique().sort()
    }
    for warning in outcome.warnings:
        expression = warning.broken.fill_null(False)
        if warning.rule in broken:
            expression = expression | broken[warning.rule][0]
        broken[warning.rule] = (expression, "does not hold")
    counted = events.select(
        *(expression.sum().alias(rule) for rule, (expression, _) in broken.items()),
        *(pl.col(SOURCE_ROW).filter(expression).min().alias(f"{rule}@") for rule, (expression, _) in broken.items()),
    )
    counts = counted.collect(engine="streaming").row(0, named=True) if broken else {}
    found += [
        Warned(rule, f"{rule} {what} in {counts[rule]} rows.", counts[rule], counts[f"{rule}@"])
        for rule, (_, what) in broken.items()
        if counts[rule]
    ]
    return tuple(found)


def _unmapped(events: pl.LazyFrame, binding: Binding) -> dict[str, dict[str, int]]:
    """Source values that fell to a value map's default, with their rows: counted and shown, never guessed."""
    unmapped = {}
    for bound in binding.fields:
        value_map = bound.spec.value_map
        if value_map is None or value_map.default is None or value_map.keep_raw_in is None:
            continue
        known = {fold(raw) for raw in value_map.values}
        raw = pl.col(value_map.keep_raw_in)
        counts = _counts(events.filter(raw.is_not_null() & ~folded(raw).is_in(known)), value_map.keep_raw_in)
        if counts:
            unmapped[bound.spec.target] = counts
    return unmapped


def _counts(frame: pl.LazyFrame, column: str) -> dict[str, int]:
    counted = frame.group_by(column).len().sort("len", column, descending=[True, False]).collect(engine="streaming")
    return dict(counted.iter_rows())


def count_rows(frame: pl.LazyFrame) -> int:
    return int(frame.select(pl.len()).collect(engine="streaming").item())


def _distinct(events: pl.LazyFrame, column: str) -> tuple[str, ...]:
    values = events.select(pl.col(column).drop_nulls().unique().sort()).collect(engine="streaming").to_series()
    return tuple(values.to_list())
