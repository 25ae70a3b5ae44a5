"""Spend in the base currency, at the rate of the row's own day, against Decimal alone."""

from __future__ import annotations

import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmonization.core.currency import (
    MAX_AGE_DAYS,
    InvalidRates,
    Rate,
    rates_by_day,
    rates_to_base,
    with_base_currency,
)
from harmonization.core.engine import harmonize_file
from harmonization.core.library import find_contract
from harmonization.core.load_context import LoadContext
from harmonization.core.rmis import MONEY
from tests.harmonization.core.exports import SEARCH_TERM, search_term_row, write_csv

FRIDAY = datetime.date(2024, 3, 1)
days = st.integers(0, 40).map(lambda ahead: FRIDAY + datetime.timedelta(days=ahead))
codes = st.sampled_from(["USD", "EUR", "JPY"])
rate_values = st.decimals(Decimal("0.000039"), Decimal(2000), places=12)
rate_lists = st.dictionaries(st.tuples(days, codes), rate_values, max_size=30).map(
    lambda known: [(day, code, rate) for (day, code), rate in known.items()]
)


def rate_on(day: datetime.date, currency: str, rates: list[Rate]) -> tuple[Decimal, datetime.date] | None:
    """The last one on or before the day that is not too old: the definition, read aloud."""
    known = [(published, rate) for published, code, rate in rates if code == currency and published <= day]
    if not known or (day - max(known)[0]).days > MAX_AGE_DAYS:
        return None
    return max(known)[1], max(known)[0]


@given(rate_lists, st.lists(st.tuples(days, codes | st.none(), st.decimals(-(10**6), 10**6, places=6)), min_size=1))
def test_every_row_takes_the_last_rate_known_on_its_day(
    rates: list[Rate], rows: list[tuple[datetime.date, str | None, Decimal]]
) -> None:
    schema = {"period_end": pl.Date(), "currency": pl.String(), "spend": MONEY}
    frame = pl.LazyFrame(rows, schema=schema, orient="row")
    got = with_base_currency(frame, "EUR", rates).collect(engine="streaming")
    for (day, currency, spend), row in zip(rows, got.iter_rows(named=True), strict=True):
        found = (Decimal(1), day) if currency == "EUR" else rate_on(day, str(currency), rates)
        assert (row["fx_rate"], row["fx_date"]) == (found or (None, None))
        exact = (spend * found[0]).quantize(Decimal("1e-12"), ROUND_HALF_EVEN) if found else None
        assert row["spend_base"] == (exact.quantize(Decimal("1e-6"), ROUND_HALF_EVEN) if exact is not None else None)


@pytest.mark.parametrize("rate", ["0", "-1", "NaN", "Infinity", "1e12"])
def test_what_is_no_rate_is_refused(rate: str) -> None:
    with pytest.raises(InvalidRates, match="no rate"):
        rates_by_day([(FRIDAY, "USD", Decimal(rate))])


def test_two_rates_of_a_day_are_refused_and_one_told_twice_is_not() -> None:
    one = (FRIDAY, "USD", Decimal("0.9"))
    assert len(rates_by_day([one, one])) == MAX_AGE_DAYS + 1
    with pytest.raises(InvalidRates) as caught:
        rates_by_day([one, (FRIDAY, "USD", Decimal("0.91"))])
    assert caught.value.where == "USD, 2024-03-01"


def test_rates_quoted_in_another_currency_become_rates_to_the_base() -> None:
    quotes = {FRIDAY: {"USD": Decimal("1.25"), "JPY": Decimal(150)}, datetime.date(2024, 3, 4): {"JPY": Decimal(151)}}
    assert rates_to_base(quotes, quoted_in="EUR", base="USD") == [
        (FRIDAY, "EUR", Decimal("1.25")),
        (FRIDAY, "JPY", Decimal("0.008333333333")),
    ]


def test_a_load_keeps_both_amounts_and_tells_which_rows_have_no_rate(tmp_path: Path) -> None:
    rows = [
        search_term_row("chips", day="Feb 1, 2020", spend="$2.00"),
        search_term_row("crisps", day="Feb 9, 2020", spend="$3.00"),
        search_term_row("dips", day="Feb 1, 2020", spend="€5.00", currency="EUR"),
    ]
    path = write_csv(tmp_path / "st.csv", [SEARCH_TERM, *rows])
    context = LoadContext(base_currency="EUR", fx_rates=((datetime.date(2020, 1, 31), "USD", Decimal("0.9")),))
    report = harmonize_file(path, find_contract("amazon_sp_search_term"), out_dir=tmp_path / "out", context=context)
    events = pl.read_parquet(tmp_path / "out" / "events.parquet")
    assert events["spend"].to_list() == [Decimal(2), Decimal(3), Decimal(5)]
    assert events["spend_base"].to_list() == [Decimal("1.8"), None, Decimal(5)]
    assert events["fx_date"].to_list() == [datetime.date(2020, 1, 31), None, datetime.date(2020, 2, 1)]
    assert ("fx_rate_known", 1, 3) in [(each.code, each.rows, each.first_row) for each in report.warnings]


def test_without_a_base_currency_no_column_appears(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "st.csv", [SEARCH_TERM, search_term_row("chips")])
    harmonize_file(path, find_contract("amazon_sp_search_term"), out_dir=tmp_path / "out")
    assert "fx_rate" not in pl.read_parquet(tmp_path / "out" / "events.parquet").columns
