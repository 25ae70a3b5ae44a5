"""Money in the tenant's base currency, at the rate of the row's own day.

Native amounts are never touched: `fx_rate`, `fx_date` and `spend_base` stand beside them. Central banks publish no
rates on weekends and holidays, so a day takes the last rate known on or before it, up to `MAX_AGE_DAYS` old. Where none
is known the three columns are null and the load warns: an old rate is no rate of that day.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import polars as pl

from harmonization.core.rmis import MONEY, RATE
from tenants.core.problems import InvalidInput

#: Longest run of days without a published rate (Easter with days around it) and a day in reserve.
MAX_AGE_DAYS: Final = 7
COLUMNS: Final = ("fx_rate", "fx_date", "spend_base")
#: Day, ISO 4217 code, units of the base currency for one unit of it.
Rate = tuple[datetime.date, str, Decimal]

_LARGEST: Final = Decimal(10) ** 9
_STEP: Final = Decimal(1).scaleb(-12)


class InvalidRates(InvalidInput):
    """Exchange rates that cannot be used: not positive, or two for one day."""

    code = "invalid-rates"
    title = "The exchange rates are not valid"


def rates_by_day(rates: Iterable[Rate], *, max_age_days: int = MAX_AGE_DAYS) -> pl.DataFrame:
    """The rate that holds on each day: `fx_day`, `fx_currency`, `fx_rate`, `fx_date` (the day it was published).

    A few hundred bytes for each currency and month, so that a load joins it as a small table.

    Raises:
        InvalidRates: a rate is not above 0 and finite, or a day has two of one currency.
    """
    known: dict[str, dict[datetime.date, Decimal]] = {}
    for day, currency, rate in rates:
        if not rate.is_finite() or not 0 < rate < _LARGEST:
            raise InvalidRates(f"{rate} is no rate.", where=f"{currency}, {day}", fix="Rates are above 0 and finite.")
        if known.setdefault(currency, {}).setdefault(day, rate) != rate:
            raise InvalidRates("There are two rates.", where=f"{currency}, {day}", fix="Keep one of the two.")
    rows: list[tuple[datetime.date, str, Decimal, datetime.date]] = []
    for currency, published in known.items():
        days = sorted(published)
        for day, following in zip(days, [*days[1:], None], strict=True):
            until = max_age_days + 1 if following is None else min((following - day).days, max_age_days + 1)
            rate = published[day].quantize(_STEP, ROUND_HALF_EVEN)
            rows += [(day + datetime.timedelta(days=age), currency, rate, day) for age in range(until)]
    schema = {"fx_day": pl.Date(), "fx_currency": pl.String(), "fx_rate": RATE, "fx_date": pl.Date()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def with_base_currency(
    frame: pl.LazyFrame, base: str, rates: Iterable[Rate], *, max_age_days: int = MAX_AGE_DAYS
) -> pl.LazyFrame:
    """`frame` with `fx_rate`, `fx_date` and `spend_base`, by its `currency` and `period_end`.

    Amounts in the base currency itself have the rate 1. The product is rounded half to even, to twelve decimals and
    then to six.

    Raises:
        InvalidRates: as `rates_by_day`.
    """
    table = rates_by_day(rates, max_age_days=max_age_days).filter(pl.col("fx_currency") != base)
    joined = frame.join(
        table.lazy(),
        left_on=["period_end", "currency"],
        right_on=["fx_day", "fx_currency"],
        how="left",
        maintain_order="left",
    )
    is_base = pl.col("currency") == base
    return joined.with_columns(
        pl.when(is_base).then(pl.lit(Decimal(1), dtype=RATE)).otherwise(pl.col("fx_rate")).alias("fx_rate"),
        pl.when(is_base).then(pl.col("period_end")).otherwise(pl.col("fx_date")).alias("fx_date"),
    ).with_columns((pl.col("spend") * pl.col("fx_rate")).cast(MONEY, strict=False).alias("spend_base"))


def rates_to_base(
    quotes: Mapping[datetime.date, Mapping[str, Decimal]], *, quoted_in: str, base: str
) -> Sequence[Rate]:
    """Rates to `base` from a bank's quotes: by day and currency, units of the currency for one of `quoted_in`.

    A day that does not quote `base` gives no rates: those of another day are not those of this one.
    """
    rates: list[Rate] = []
    for day, quoted in sorted(quotes.items()):
        all_of_day = {**quoted, quoted_in: Decimal(1)}
        if base not in all_of_day:
            continue
        rates += [
            (day, currency, (all_of_day[base] / units).quantize(_STEP, ROUND_HALF_EVEN))
            for currency, units in sorted(all_of_day.items())
            if currency != base
        ]
    return rates
