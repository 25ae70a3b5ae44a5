"""GTINs of every form against python-stdnum and a reading of the rules digit by digit."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean, isbn

from harmonization.core.gtin import is_gtin, isbn10_to_gtin14, to_gtin14

digits = st.text("0123456789", min_size=1, max_size=20)
bodies = st.one_of([st.text("0123456789", min_size=size, max_size=size) for size in (7, 11, 12, 13)])
right = bodies.map(lambda body: body + ean.calc_check_digit(body))
anything = st.one_of(digits, right, st.text(max_size=16), st.just("7.61E+12"), st.just("+12345670"))


def expand(upc_e: str) -> str:
    """The UPC-A of a UPC-E, as the table of the standard reads."""
    system, body, check = upc_e[0], upc_e[1:7], upc_e[7]
    last = body[5]
    if last in "012":
        return system + body[:2] + last + "0000" + body[2:5] + check
    if last == "3":
        return system + body[:3] + "00000" + body[3:5] + check
    if last == "4":
        return system + body[:4] + "00000" + body[4] + check
    return system + body[:5] + "0000" + last + check


def is_right(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) in (8, 12, 13, 14) and ean.is_valid(text) and int(text) > 0


def normalised(text: str) -> str | None:
    """One cell by python-stdnum alone."""
    long = expand(text) if len(text) == 8 and text.isascii() and text.isdigit() and text[0] in "01" else None
    if long is not None and is_right(long) and (text[0] == "0" or not is_right(text)):
        return long.zfill(14)
    return text.zfill(14) if is_right(text) else None


@given(st.lists(anything, max_size=30))
def test_every_text_is_judged_as_stdnum_does(cells: list[str]) -> None:
    judged = is_gtin(pl.Series(cells, dtype=pl.String)).to_list()
    assert judged == [is_right(cell) for cell in cells]


@given(st.lists(anything.map(lambda text: text.replace(" ", "").replace("\u00a0", "").replace("-", "")), max_size=30))
def test_every_form_becomes_fourteen_digits(cells: list[str]) -> None:
    assert to_gtin14(pl.Series(cells, dtype=pl.String)).to_list() == [normalised(cell) for cell in cells]


@given(st.text("0123456789", min_size=6, max_size=6), st.sampled_from("01"))
def test_upc_e_is_what_it_stands_for(body: str, system: str) -> None:
    check = ean.calc_check_digit(expand(system + body + "0")[:-1])
    short = system + body + check
    long = expand(short)
    if int(long) == 0 or (system == "1" and ean.is_valid(short)):
        return
    assert to_gtin14(pl.Series([short])).to_list() == [long.zfill(14)]


@pytest.mark.parametrize(
    ("cell", "gtin"),
    [
        ("036000291452", "00036000291452"),
        ("0-36000-29145-2", "00036000291452"),
        ("0 36000 29145 2", "00036000291452"),
        ("4006381333931", "04006381333931"),
        ("96385074", "00000096385074"),
        ("04252614", "00042100005264"),
        ("10614141000415", "10614141000415"),
        ("36000291452", None),
        ("036000291453", None),
        ("7.61E+12", None),
        ("00000000000000", None),
        ("B07XYZ1234", None),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", None),
        ("036000291452.0", None),
        ("", None),
        (None, None),
    ],
)
def test_cells_as_files_have_them(cell: str | None, gtin: str | None) -> None:
    assert to_gtin14(pl.Series([cell], dtype=pl.String)).to_list() == [gtin]


def test_nulls_stay_null() -> None:
    assert is_gtin(pl.Series([None, "4006381333931"])).to_list() == [None, True]
    assert to_gtin14(pl.Series([None, None], dtype=pl.String)).to_list() == [None, None]
    assert to_gtin14(pl.Series([], dtype=pl.String)).to_list() == []


@given(st.lists(st.text("0123456789", min_size=9, max_size=9), min_size=1))
def test_books_are_known_by_their_isbn(stems: list[str]) -> None:
    cells = [stem + isbn._calc_isbn10_check_digit(stem) for stem in stems]
    assert isbn10_to_gtin14(pl.Series(cells)).to_list() == [isbn.to_isbn13(cell).zfill(14) for cell in cells]


@pytest.mark.parametrize("cell", ["0306406153", "B07XYZ1234", "030640615", "x306406152", None])
def test_what_is_no_isbn_is_no_gtin(cell: str | None) -> None:
    assert isbn10_to_gtin14(pl.Series([cell, "0306406152"], dtype=pl.String)).to_list() == [None, "09780306406157"]
