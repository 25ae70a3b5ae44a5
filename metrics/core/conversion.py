"""Money in one currency: each row at the rate of its last day.

The rate of a day is the last one known on that day or before, at most `OLDEST_RATE_DAYS` earlier. A row without a rate
keeps its own currency and is told: it is never added to the others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import polars as pl

from harmonization.core.currency import MAX_AGE_DAYS
from harmonization.core.rmis import MONEY
from metrics.core.request import Period

OLDEST_RATE_DAYS: Final = MAX_AGE_DAYS
RATE: Final = "rmn_rate"


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of a currency was worth in the base currency on a day."""

    day: date
    currency: str
    rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Rates to one base currency."""

    base: str
    rates: tuple[Rate, ...] = ()

    def daily(self, target: str, periods: Iterable[Period]) -> pl.LazyFrame:
        """`currency`, `period_end`, `rmn_rate`: what to multiply money of each day by, for every day of the periods.

        Between two currencies that are both not the base, the rate is the one of the other divided by the target's.
        """
        spans = list(periods)
        first, last = min(span.start for span in spans), max(span.end for span in spans)
        series = self._series()
        rows = []
        for currency in sorted({*series, self.base} - {target}):
            for offset in range((last - first).days + 1):
                day = first + timedelta(days=offset)
                own, other = self._on(series, currency, day), self._on(series, target, day)
                if own is not None and other is not None:
                    rows.append((currency, day, float(own / other)))
        return pl.LazyFrame(rows, schema={"currency": pl.String, "period_end": pl.Date, RATE: pl.Float64}, orient="row")

    def _series(self) -> dict[str, tuple[list[date], list[Decimal]]]:
        found: dict[str, tuple[list[date], list[Decimal]]] = {}
        for rate in sorted(self.rates, key=lambda rate: (rate.currency, rate.day)):
            days, values = found.setdefault(rate.currency, ([], []))
            days.append(rate.day)
            values.append(rate.rate)
        return found

    def _on(self, series: dict[str, tuple[list[date], list[Decimal]]], currency: str, day: date) -> Decimal | None:
        if currency == self.base:
            return Decimal(1)
        days, values = series.get(currency, ([], []))
        at = bisect_right(days, day) - 1
        if at < 0 or (day - days[at]).days > OLDEST_RATE_DAYS:
            return None
        return values[at]


def converted(amount: pl.Expr) -> pl.Expr:
    """Money of a row at its rate, rounded to what storage keeps; as it is where there is no rate."""
    turned = (amount.cast(pl.Float64) * pl.col(RATE)).round(6).cast(MONEY)
    return pl.when(pl.col(RATE).is_null()).then(amount).otherwise(turned)


def currency_after(target: str) -> pl.Expr:
    """The currency that a row's money is in after conversion."""
    return pl.when(pl.col(RATE).is_null()).then(pl.col("currency")).otherwise(pl.lit(target)).alias("currency")
