"""Each transform, on cells as exports write them."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmonization.core import transforms


def decimals(cells: list[str | None], decimal_sign: str = ".", thousands_sign: str = ",") -> list[Decimal | None]:
    return transforms.to_decimal(pl.Series(cells, dtype=pl.String), decimal_sign, thousands_sign).to_list()


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("201.68", "201.68"),
        ("Rs.201.68", "201.68"),
        ("Rs 201.68", "201.68"),
        ("$6.0", "6"),
        ("US$6.05", "6.05"),
        ("₹1,23,456.70", "123456.70"),
        ("£1,234", "1234"),
        ("USD 12.5", "12.5"),
        ("12.50 €", "12.5"),
        ("-$5.00", "-5"),
        ("$-5.00", "-5"),
        ("−5.00", "-5"),
        ("($12.00)", "-12"),
        ("+3", "3"),
        (".5", "0.5"),
        ("0.0000004", "0"),
        ("201.67999999999998", "201.68"),
    ],
)
def test_amounts(cell: str, amount: str) -> None:
    # The second cell sends the batch down the slow path, where the signs are understood.
    assert decimals([cell, "$1"])[0] == Decimal(amount)


@pytest.mark.parametrize(
    "cell", ["12,5", "1,2345", "1,,234", "abc", "$", "1.2.3", "(5", "5)", "12 5", "1 234", "NaN", "inf"]
)
def test_what_is_no_amount_stays_unread(cell: str) -> None:
    assert decimals([cell]) == [None]


def test_signs_of_continental_exports() -> None:
    assert decimals(["1.234,56 €", "0,5", "12"], ",", ".") == [Decimal("1234.56"), Decimal("0.5"), Decimal(12)]
    assert decimals(["1.5"], ",", ".") == [None]
    assert decimals(["1 234,50", "1\u00a0234,50"], ",", " ") == [Decimal("1234.50")] * 2


def test_nulls_stay_null() -> None:
    assert decimals([None, "$1", None]) == [None, Decimal(1), None]


@given(st.lists(st.decimals(-(10**11), 10**11, places=6), max_size=20))
def test_every_plain_amount_reads_exactly(amounts: list[Decimal]) -> None:
    assert decimals([f"{amount:f}" for amount in amounts]) == amounts
    assert decimals([f"{amount:,f}" for amount in amounts]) == amounts


def test_counts() -> None:
    cells = pl.Series(["5", "1,204", "1204.0", "1.5", "x", None])
    assert transforms.to_integer(cells).to_list() == [5, 1204, 1204, None, None, None]


def test_ratios_are_fractions_of_one() -> None:
    cells = pl.Series(["1.66%", "0.0166", "1.66 %", "x%", None])
    assert transforms.to_fraction(cells).to_list() == [0.0166, 0.0166, 0.0166, None, None]
    assert transforms.to_fraction(pl.Series(["1.66"]), bare="percent").to_list() == [0.0166]


def test_dates_in_every_form_of_the_console() -> None:
    formats = ["%b %d, %Y", "%m/%d/%y", "%m/%d/%Y"]
    cells = ["Feb 1, 2020", "11/13/18", "11/13/2018", "2020-02-01", "2020-02-01 00:00:00", "43862", "43862.0"]
    first = datetime.date(2020, 2, 1)
    thirteenth = datetime.date(2018, 11, 13)
    read = transforms.to_date(pl.Series(cells), formats).to_list()
    assert read == [first, thirteenth, thirteenth, first, first, first, first]


def test_what_is_no_date_stays_unread() -> None:
    cells = ["2020-02-30", "13/13/18", "yesterday", "2020-02-01 09:30:00", None]
    assert transforms.to_date(pl.Series(cells), ["%m/%d/%y"]).to_list() == [None] * 5


def test_instants_come_from_their_zone() -> None:
    cells = pl.Series(["2024-01-03 06:00:00", "2024-07-03 06:00:00", "soon"])
    read = transforms.to_instant(cells, ["%Y-%m-%d %H:%M:%S"], "America/Los_Angeles").to_list()
    assert [moment and moment.hour for moment in read] == [14, 13, None]


def test_empty_cells_and_null_tokens_are_no_values() -> None:
    frame = pl.DataFrame({"cell": [" a ", "", "  ", "-", "--", None, "a-b", "\u00a0x"]})
    cleaned = frame.select(transforms.clean_text(pl.col("cell"), ["-", "--"])).to_series().to_list()
    assert cleaned == ["a", None, None, None, None, None, "a-b", "x"]


def test_ids_that_a_spreadsheet_made_numbers() -> None:
    frame = pl.DataFrame({"cell": ["123456.0", "123.40", "SKU-1.0"]})
    assert frame.select(transforms.identifier(pl.col("cell"))).to_series().to_list() == ["123456", "123.40", "SKU-1.0"]


# Amounts as people and spreadsheets write them, and the amount they mean.
signs = st.sampled_from(["", "$", "₹", "£", "Rs.", "Rs ", "US$", "USD ", "€"])
written = st.tuples(st.decimals(-(10**9), 10**9, places=2), signs, st.sampled_from(["{}", "({})", "-{}", "+{}", "−{}"]))


@given(st.lists(written, max_size=8), st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'"), (".", "")]))
def test_every_written_amount_reads_exactly(amounts: list[tuple[Decimal, str, str]], marks: tuple[str, str]) -> None:
    point, group = marks
    cells = []
    for amount, sign, form in amounts:
        digits = f"{abs(amount):,.2f}".translate({ord(","): group, ord("."): point})
        cells.append(form.format(sign + digits))
    meant = [-abs(amount) if form in ("({})", "-{}", "−{}") else abs(amount) for amount, _, form in amounts]
    assert decimals(cells, point, group) == meant


@given(st.lists(st.text(max_size=12) | st.text("0123456789.,-()$% ", max_size=8), max_size=8))
def test_an_amount_that_is_read_has_the_digits_that_are_written(cells: list[str]) -> None:
    for cell, amount in zip(cells, decimals(list(cells)), strict=True):
        if re.fullmatch(r"-?[0-9]{1,11}(\.[0-9]{1,6})?", cell):
            assert amount == Decimal(cell)
        if amount is not None and len(cell.partition(".")[2]) <= 6:
            assert f"{abs(amount):f}".replace(".", "").strip("0") == re.sub(r"[^0-9]", "", cell).strip("0")


@given(st.lists(st.integers(-(10**17), 10**17), max_size=8), st.sampled_from(["{}", "{:,}", "{}.0", "{}.00"]))
def test_every_count_reads_exactly(counts: list[int], form: str) -> None:
    # Beyond twelve digits an amount does not fit, and a count that has to be read as one is not readable.
    cells = pl.Series([form.format(count) for count in counts], dtype=pl.String)
    expected = [count if form == "{}" or abs(count) < 10**12 else None for count in counts]
    if form == "{}" or all(abs(count) < 10**12 for count in counts):
        assert transforms.to_integer(cells).to_list() == expected


FORMATS = ["%d.%m.%Y", "%m/%d/%y", "%b %d, %Y", "%d-%b-%Y", "%Y%m%d"]


@given(st.lists(st.dates(datetime.date(1970, 1, 1), datetime.date(2068, 12, 31)), max_size=8), st.sampled_from(FORMATS))
def test_every_day_reads_back(days: list[datetime.date], form: str) -> None:
    cells = pl.Series([day.strftime(form) for day in days], dtype=pl.String)
    assert transforms.to_date(cells, [form]).to_list() == days
    excel = pl.Series([str((day - datetime.date(1899, 12, 30)).days) for day in days], dtype=pl.String)
    assert transforms.to_date(excel, []).to_list() == days


@given(st.lists(st.text("ab- \t\u00a0–", max_size=6) | st.none(), max_size=10))
def test_clean_text_is_strip_and_tokens(cells: list[str | None]) -> None:
    frame = pl.DataFrame({"cell": pl.Series(cells, dtype=pl.String)})
    stripped = [None if cell is None else cell.strip() for cell in cells]
    expected = [None if text in (None, "", "-", "--") else text for text in stripped]
    assert frame.select(transforms.clean_text(pl.col("cell"), ["-", "--"])).to_series().to_list() == expected
