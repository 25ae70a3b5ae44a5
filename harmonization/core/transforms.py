"""Text cells to typed values, one function per transform.

Each takes and returns a `pl.Series` of equal length; null stands for "no value" on the way in and for "not readable"
on the way out, which the plan tells apart. Plain values take a vectorised fast path; the slower reading of currency
signs, grouped thousands and bracketed negatives runs only on batches that need it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

import polars as pl

from harmonization.core.rmis import MONEY

_SIGN = r"(?:rs\.?|[a-z]{3}|us\$|ca\$|a\$|[$€£¥₹₺]|zł)"
_AMOUNT = (
    r"(?i)^(?P<open>\()?\s*(?P<minus>[-−+])?\s*"
    rf"{_SIGN}?\s*(?P<minus2>[-−+])?\s*(?P<digits>(?:\d|[.,]\d)[\d.,' \u{{a0}}\u{{202f}}]*)"
    rf"\s*{_SIGN}?\s*(?P<close>\))?$"
)
_MIDNIGHT = r"[T ]00:00(:00(\.0+)?)?Z?$"
_EXCEL_EPOCH = pl.date(1899, 12, 30)


def clean_text(column: pl.Expr, null_tokens: Sequence[str]) -> pl.Expr:
    """Outer white space removed; empty cells and the contract's null tokens become null."""
    trimmed = column.str.strip_chars()
    return pl.when(~trimmed.is_in(["", *null_tokens])).then(trimmed)


@lru_cache(maxsize=64)
def _number_form(decimal_sign: str, thousands_sign: str) -> str:
    """Digits, grouped correctly or not at all: `12,5` is no number where the comma groups thousands."""
    point, group = re.escape(decimal_sign), re.escape(thousands_sign)
    whole = r"\d+"
    if thousands_sign:
        whole = rf"(?:\d+|\d{{1,3}}(?:{group}\d{{2,3}})*{group}\d{{3}})"
    return rf"^(?:{whole}(?:{point}\d*)?|{point}\d+)$"


def to_decimal(cells: pl.Series, decimal_sign: str = ".", thousands_sign: str = ",") -> pl.Series:
    """Amounts such as `201.68`, `Rs.201.68`, `$6.0`, `₹1,23,456.70`, `(12.00)`, `1.234,56 €` to Decimal(18, 6).

    Amounts finer than a millionth are rounded: spreadsheet cells hold binary fractions whose text can be
    `201.67999999999998`.
    """
    if decimal_sign == ".":
        return rescued(
            cells, cells.cast(MONEY, strict=False), lambda rest: _written_amounts(rest, decimal_sign, thousands_sign)
        )
    return _written_amounts(cells, decimal_sign, thousands_sign)


def rescued(cells: pl.Series, read: pl.Series, careful: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """`read` with `careful` applied to the cells alone that it leaves null: what a cell says depends on no other."""
    if read.null_count() == cells.null_count():
        return read
    missed = (read.is_null() & cells.is_not_null()).arg_true()
    return read.scatter(missed, careful(cells.gather(missed)).cast(read.dtype))


def _written_amounts(cells: pl.Series, decimal_sign: str, thousands_sign: str) -> pl.Series:
    """Amounts as people write them, with signs, groups and brackets."""
    parts = cells.str.extract_groups(_AMOUNT).struct.unnest()
    digits = parts["digits"].str.replace_all(r"[\u{a0}\u{202f}]", " ").str.strip_chars_end()
    digits = digits.set(~digits.str.contains(_number_form(decimal_sign, thousands_sign)).fill_null(True), None)
    if thousands_sign:
        digits = digits.str.replace_all(thousands_sign, "", literal=True)
    if decimal_sign != ".":
        digits = digits.str.replace(decimal_sign, ".", literal=True)
    amount = digits.cast(MONEY, strict=False)
    bracketed = parts["open"].is_not_null() & parts["close"].is_not_null()
    half_bracketed = parts["open"].is_not_null() ^ parts["close"].is_not_null()
    minus = parts["minus"].is_in(["-", "−"]).fill_null(False) | parts["minus2"].is_in(["-", "−"]).fill_null(False)
    negative = bracketed | minus
    frame = pl.DataFrame({"amount": amount, "negative": negative, "broken": half_bracketed})
    return frame.select(
        pl.when(pl.col("broken"))
        .then(None)
        .when(pl.col("negative"))
        .then(-pl.col("amount"))
        .otherwise(pl.col("amount"))
        .cast(MONEY)
        .alias(cells.name)
    ).to_series()


def to_integer(cells: pl.Series, decimal_sign: str = ".", thousands_sign: str = ",") -> pl.Series:
    """Counts such as `1234`, `1,234`, `1234.0`; a fraction is not readable as a count."""
    return rescued(
        cells,
        cells.cast(pl.Int64, strict=False),
        lambda rest: _written_counts(rest, decimal_sign, thousands_sign),
    )


def _written_counts(cells: pl.Series, decimal_sign: str, thousands_sign: str) -> pl.Series:
    amount = to_decimal(cells, decimal_sign, thousands_sign)
    whole = amount.cast(pl.Int64, strict=False)
    return whole.set((whole.cast(MONEY, strict=False) != amount).fill_null(True), None).alias(cells.name)


def to_fraction(
    cells: pl.Series, decimal_sign: str = ".", thousands_sign: str = ",", bare: str = "fraction"
) -> pl.Series:
    """Ratios as fractions of one: `1.66%` is 0.0166; `bare` says what a number without the sign is."""
    marked = cells.str.ends_with("%")
    number = to_decimal(cells.str.strip_suffix("%").str.strip_chars_end(), decimal_sign, thousands_sign).cast(
        pl.Float64
    )
    frame = pl.DataFrame({"number": number, "marked": marked})
    percent = pl.col("marked") if bare == "fraction" else pl.lit(True)
    return frame.select(
        pl.when(percent).then(pl.col("number") / 100).otherwise(pl.col("number")).alias(cells.name)
    ).to_series()


def to_date(cells: pl.Series, formats: Sequence[str]) -> pl.Series:
    """Dates in the first format that reads them whole; midnight times and Excel's day numbers are understood."""
    distinct = cells.unique()
    text = distinct.str.replace(_MIDNIGHT, "")
    read = pl.Series(distinct.name, [None] * len(distinct), dtype=pl.Date)
    for form in ("%Y-%m-%d", *formats):
        if read.null_count() == distinct.null_count():
            break
        read = read.zip_with(read.is_not_null(), text.str.to_date(form, strict=False))
    if read.null_count() > distinct.null_count():
        serial = text.str.extract(r"^(\d{5})(?:\.0+)?$").cast(pl.Int32)
        days = pl.DataFrame({"n": serial}).select(_EXCEL_EPOCH + pl.duration(days=pl.col("n"))).to_series()
        read = read.zip_with(read.is_not_null(), days.cast(pl.Date))
    found = pl.DataFrame({"cell": distinct, "date": read})
    joined = pl.DataFrame({"cell": cells}).join(found, on="cell", how="left", maintain_order="left")
    return joined["date"].alias(cells.name)


def to_instant(cells: pl.Series, formats: Sequence[str], zone: str) -> pl.Series:
    """Local instants in `zone` to UTC. An hour that a clock change repeats is read as the earlier one."""
    read = pl.Series(cells.name, [None] * len(cells), dtype=pl.Datetime("us"))
    for form in formats:
        if read.null_count() == cells.null_count():
            break
        read = read.zip_with(read.is_not_null(), cells.str.to_datetime(form, strict=False, time_unit="us"))
    local = read.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC")


def collapse_spaces(cells: pl.Expr) -> pl.Expr:
    return cells.str.replace_all(r"\s+", " ")


def identifier(cells: pl.Expr) -> pl.Expr:
    """Ids that a spreadsheet turned into numbers: `123456.0` is `123456`."""
    return cells.str.replace(r"^(\d+)\.0+$", "$1")
