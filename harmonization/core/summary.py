"""The report of a run, from what was counted as it was written."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

import polars as pl

from harmonization.core.binding import Binding
from harmonization.core.report import (
    AttributedTotal,
    CurrencyTotal,
    HarmonizeReport,
    QuarantinedRule,
    QuarantineExample,
    Warned,
)
from harmonization.core.rmis import MONEY_METRICS
from harmonization.core.rules import FX_RATE_KNOWN, to_reconcile
from harmonization.core.source_file import SOURCE_ROW, OpenedFile
from harmonization.core.tally import Sums, Tally

EXAMPLES: Final = 5
_WIDE: Final = pl.Decimal(38, 6)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: what its good rows add up to, and the files of all rows.

    `rules_not_applied` lists rules whose columns the file lacks; `columns` are those of the good rows.
    """

    tally: Tally
    events: Path
    quarantine: Path
    skipped: Path
    rows_in: int
    rules_not_applied: tuple[str, ...]
    columns: tuple[str, ...]


def summarise(
    outcome: Outcome,
    binding: Binding,
    file_name: str,
    opened: OpenedFile,
    header_row: int,
    out_dir: Path | None,
    *,
    currency_assumed: bool,
) -> HarmonizeReport:
    """Totals, quarantine by rule and warnings of one run."""
    contract, tally = binding.contract, outcome.tally
    by_currency = sorted(tally.by_currency.items(), key=lambda item: (item[0] is not None, item[0]))
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
        rows_in=outcome.rows_in,
        rows_out=tally.rows,
        rows_quarantined=count_rows(quarantined),
        rows_skipped=sum(reasons.values()),
        skipped_by_reason=reasons,
        totals=tuple(
            CurrencyTotal(currency, sums.impressions, sums.clicks, sums.money["spend"])
            for currency, sums in by_currency
        ),
        attributed=_attributed(by_currency, binding),
        default_attribution=binding.default_attribution,
        headers=binding.matches,
        unknown_headers=tuple(binding.unknown_headers),
        quarantine=_quarantine(quarantined),
        spend_quarantined=_spend(quarantined),
        warnings=_warnings(tally, binding, opened, outcome.rows_in, currency_assumed=currency_assumed),
        rules_not_applied=outcome.rules_not_applied,
        reconciles_with=to_reconcile(binding, set(outcome.columns)),
        unmapped_values={
            target: dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]), reverse=False))
            for target, counts in tally.unmapped.items()
        },
        period_start=min((sums.period_start for _, sums in by_currency if sums.period_start), default=None),
        period_end=max((sums.period_end for _, sums in by_currency if sums.period_end), default=None),
        retailers=tuple(sorted(tally.named["retailer_id"])),
        accounts=tuple(sorted(tally.named["account_id"])),
        events_path=out_dir / outcome.events.name if out_dir else None,
        quarantine_path=out_dir / outcome.quarantine.name if out_dir else None,
        skipped_path=out_dir / outcome.skipped.name if out_dir else None,
    )


def _attributed(by_currency: list[tuple[str | None, Sums]], binding: Binding) -> tuple[AttributedTotal, ...]:
    totals = []
    for bound in binding.attributions:
        column = bound.attribution.column
        is_default = column in binding.default_attribution.values()
        if bound.attribution.metric in MONEY_METRICS:
            totals += [
                AttributedTotal(bound.attribution, currency, sums.money[column], is_default)
                for currency, sums in by_currency
            ]
        else:
            total = sum((sums.money[column] for _, sums in by_currency), start=Decimal(0))
            totals.append(AttributedTotal(bound.attribution, None, total, is_default))
    return tuple(totals)


def _quarantine(quarantined: pl.LazyFrame) -> tuple[QuarantinedRule, ...]:
    findings = quarantined.explode("findings").unnest("findings")
    rows = (
        findings.group_by("rule")
        .agg(
            pl.col(SOURCE_ROW).n_unique().alias("rows"),
            pl.struct(SOURCE_ROW, "column", "value").bottom_k_by([SOURCE_ROW, "column"], EXAMPLES).alias("examples"),
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
    tally: Tally, binding: Binding, opened: OpenedFile, rows_in: int, *, currency_assumed: bool
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
    unread = {f"readable_{column}": broken for column, broken in sorted(tally.unread.items())}
    order = [FX_RATE_KNOWN, *(rule.id for rule in binding.contract.rules)]
    warned = {rule: tally.warned[rule] for rule in order if rule in tally.warned}
    for broken, what in ((unread, "could not be read and is empty"), (warned, "does not hold")):
        found += [
            Warned(rule, f"{rule} {what} in {each.rows} rows.", each.rows, each.first_row)
            for rule, each in broken.items()
        ]
    return tuple(found)


def _counts(frame: pl.LazyFrame, column: str) -> dict[str, int]:
    counted = frame.group_by(column).len().sort("len", column, descending=[True, False]).collect(engine="streaming")
    return dict(counted.iter_rows())


def count_rows(frame: pl.LazyFrame) -> int:
    return int(frame.select(pl.len()).collect(engine="streaming").item())
