"""Exchange rate files: the table of the European Central Bank, or one rate a row.

Wide (ECB): `Date,USD,GBP,...`, units of each currency for one unit of the quoted one, EUR unless told otherwise.
Long: `date,currency,rate` with `base` where it is not the tenant's: units of `base` for one unit of `currency`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

from harmonization.core.currency import rates_to_base
from harmonization.core.record_file import Findings, Record, as_date, as_decimal, missing_columns, read_records

MAX_ROWS: Final = 20_000
QUOTED_IN: Final = "EUR"
_CODE: Final = re.compile(r"[A-Z]{3}")
_NOT_QUOTED: Final = ("", "n/a", "-")


@dataclass(frozen=True, slots=True)
class DayRate:
    """Units of the base currency for one unit of `currency` on a day."""

    day: date
    currency: str
    rate: Decimal


def read_rates(path: Path, *, base: str) -> list[DayRate]:
    """Read a file of rates and turn them into rates to `base`.

    Raises:
        InvalidInput: every finding with its row; or no rate to `base` can be had from the file.
    """
    header, records = read_records(path, what="file of rates", max_rows=MAX_ROWS)
    findings = Findings()
    if {"currency", "rate"} <= set(header):
        missing_columns(header, ("date", "currency", "rate"), what="file of rates")
        rates = list(_long(records, findings, base))
    else:
        missing_columns(header, ("date",), what="file of rates")
        rates = list(_wide(header, records, findings, base))
    findings.raise_if_any()
    if not rates:
        findings.add(1, "header", f"the file has no rate that leads to {base}")
        findings.raise_if_any()
    return rates


def _long(records: Iterator[Record], findings: Findings, base: str) -> Iterator[DayRate]:
    seen: dict[tuple[date, str], int] = {}
    for record in records:
        day, rate = as_date(record.get("date")), as_decimal(record.get("rate"))
        currency, own_base = record.get("currency").upper(), record.get("base").upper() or base
        if day is None:
            findings.add(record.row, "date", f"{record.get('date')!r} is not a date such as 2026-11-22")
        elif not _CODE.fullmatch(currency):
            findings.add(record.row, "currency", f"{record.get('currency')!r} is not an ISO 4217 code")
        elif rate is None or rate <= 0:
            findings.add(record.row, "rate", f"{record.get('rate')!r} is not a number above 0")
        elif own_base != base:
            findings.add(record.row, "base", f"the rate is in {own_base}, the tenant counts in {base}")
        elif seen.setdefault((day, currency), record.row) != record.row:
            findings.add(record.row, "currency", f"{currency} of {day} stands in row {seen[day, currency]} already")
        elif currency != base:
            yield DayRate(day, currency, rate)
        if findings.is_full:
            return


def _wide(header: Sequence[str], records: Iterator[Record], findings: Findings, base: str) -> Iterator[DayRate]:
    quotes: dict[date, dict[str, Decimal]] = {}
    for record in records:
        day = as_date(record.get("date"))
        if day is None:
            findings.add(record.row, "date", f"{record.get('date')!r} is not a date such as 2026-11-22")
            continue
        if day in quotes:
            findings.add(record.row, "date", f"{day} stands twice")
        quoted = quotes.setdefault(day, {})
        for name in header:
            text = record.get(name)
            if name in ("", "date") or text.lower() in _NOT_QUOTED:
                continue
            value = as_decimal(text)
            if not _CODE.fullmatch(name.upper()):
                findings.add(1, name, f"{name!r} is not an ISO 4217 code")
            elif value is None or value <= 0:
                findings.add(record.row, name, f"{text!r} is not a number above 0")
            else:
                quoted[name.upper()] = value
        if findings.is_full:
            return
    yield from (DayRate(*rate) for rate in rates_to_base(quotes, quoted_in=QUOTED_IN, base=base))
