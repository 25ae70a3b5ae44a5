"""What a harmonisation found: counts that add up, totals, and what to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from harmonization.core.binding import HeaderMatch
from harmonization.core.rmis import Attribution


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    currency: str | None
    impressions: int
    clicks: int
    spend: Decimal


@dataclass(frozen=True, slots=True)
class AttributedTotal:
    """The sum of one attribution column over the good rows; money is per currency, counts are not split by it."""

    attribution: Attribution
    currency: str | None
    value: Decimal
    is_default: bool


@dataclass(frozen=True, slots=True)
class QuarantineExample:
    source_row: int
    column: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class QuarantinedRule:
    """Rows that broke one rule. A row that broke several is counted under each; `spend` is what they hold."""

    rule: str
    rows: int
    spend: dict[str, Decimal]
    examples: tuple[QuarantineExample, ...]


@dataclass(frozen=True, slots=True)
class Warned:
    """Something to look at that kept no row back; `first_row` is where it shows first."""

    code: str
    detail: str
    rows: int = 0
    first_row: int | None = None


@dataclass(frozen=True, slots=True)
class ToReconcile:
    """What the totals of another report should say: told by the contract, compared once both reports are there.

    `columns` are canonical, an attribution's those of all its windows; `tolerance` is a fraction.
    """

    rule: str
    report: str
    columns: tuple[str, ...]
    tolerance: Decimal


@dataclass(frozen=True, slots=True)
class HarmonizeReport:
    """The outcome of one file. rows_in = rows_out + rows_quarantined + rows_skipped, always."""

    contract: str
    contract_version: int
    contract_digest: str
    network: str
    report: str
    coverage_rank: int
    coverage_impressions: str
    file_name: str
    file_kind: str
    encoding: str | None
    sheet: str | None
    header_row: int
    rows_in: int
    rows_out: int
    rows_quarantined: int
    rows_skipped: int
    skipped_by_reason: dict[str, int]
    totals: tuple[CurrencyTotal, ...]
    attributed: tuple[AttributedTotal, ...]
    default_attribution: dict[str, str]
    headers: tuple[HeaderMatch, ...]
    unknown_headers: tuple[str, ...]
    quarantine: tuple[QuarantinedRule, ...]
    spend_quarantined: dict[str, Decimal]
    warnings: tuple[Warned, ...]
    rules_not_applied: tuple[str, ...]
    reconciles_with: tuple[ToReconcile, ...]
    unmapped_values: dict[str, dict[str, int]]
    period_start: date | None
    period_end: date | None
    retailers: tuple[str, ...]
    accounts: tuple[str, ...]
    events_path: Path | None = field(default=None)
    quarantine_path: Path | None = field(default=None)
    skipped_path: Path | None = field(default=None)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able: money as numbers whose text is the exact decimal, dates as ISO text."""
        plain: dict[str, Any] = _plain(asdict(self))
        plain["networks"] = [self.network]
        plain["attributed"] = [
            {name: value for name, value in total.attribution.qualifiers().items() if name != "view_match"}
            | ({"currency": total.currency} if len(self.totals) > 1 else {})
            | {"value": exact(total.value)}
            for total in self.attributed
        ]
        plain["attribution_columns"] = [
            {
                "column": total.attribution.column,
                "label": total.attribution.label,
                "view_match": total.attribution.view_match,
                "currency": total.currency,
                "is_default": total.is_default,
            }
            for total in self.attributed
        ]
        return plain


def exact(amount: Decimal) -> int | float | str:
    """A JSON value that reads back as the same decimal: a number up to 15 significant digits, text beyond."""
    if amount == amount.to_integral_value():
        return int(amount)
    return float(amount) if len(amount.normalize().as_tuple().digits) <= 15 else str(amount)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return exact(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
