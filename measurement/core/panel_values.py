"""Dates, numbers and currencies as they are written in panel files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from measurement.core.words import count_of
from measurement.core.written_numbers import DecimalSign, amounts_of, proof, unproven
from tenants.core.problems import InvalidInput

_SIGNS: Final = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_NAMED: Final = 5


class UnreadableValues(InvalidInput):
    """Cells that are no date or no number."""

    code = "unreadable-values"
    title = "The panel cannot be used"


class MixedCurrencies(InvalidInput):
    """Amounts in several currencies, which must not be added."""

    code = "mixed-currencies"
    title = "The panel mixes currencies"


def dates_of(cells: pl.Series, *, column: str) -> pl.Series:
    """Dates or whole numbers: 2021-04-15, 2021/04/15, 20210415, 15.04.2021 or a number of the period.

    A date with slashes and the year last is read where one part is above 12 and so tells day from month; else refused.

    Raises:
        UnreadableValues: with the lines.
    """
    text = cells.str.strip_chars().fill_null("")
    if text.str.contains(r"^\d{8}$").all():
        parsed = text.str.to_date("%Y%m%d", strict=False)
    elif text.str.contains(r"^-?\d{1,7}$").all():
        return text.cast(pl.Int64)
    elif text.str.contains(r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}([T ]00:00(:00(\.0+)?)?Z?)?$").all():
        parsed = (
            text.str.replace_all("/", "-")
            .str.extract(r"^(\d{4}-\d{1,2}-\d{1,2})")
            .str.to_date("%Y-%m-%d", strict=False)
        )
    elif text.str.contains(r"^\d{1,2}\.\d{1,2}\.\d{4}$").all():
        parsed = text.str.to_date("%d.%m.%Y", strict=False)
    elif text.str.contains(r"^\d{1,2}/\d{1,2}/\d{4}$").all():
        parsed = _slashed(text, column)
    else:
        parsed = text.str.to_date("%Y-%m-%d", strict=False)
    bad = np.flatnonzero(parsed.is_null().to_numpy())
    if len(bad):
        raise UnreadableValues(
            f"No date in {count_of(len(bad), 'cell')} of {column!r}, {text[int(bad[0])]!r} first.",
            where=lines_text(bad),
            fix="Write dates as 2021-04-15, or number the periods, in one form throughout.",
        )
    return parsed


def _slashed(text: pl.Series, column: str) -> pl.Series:
    parts = text.str.split("/").list.eval(pl.element().cast(pl.Int32))
    day_first = bool((parts.list.get(0) > 12).any())
    month_first = bool((parts.list.get(1) > 12).any())
    if day_first == month_first:
        raise UnreadableValues(
            f"The dates of {column!r} do not tell day from month, {text[0]!r} first.",
            where=f"column {column!r}",
            fix="Write dates as 2021-04-15.",
        )
    return text.str.to_date("%d/%m/%Y" if day_first else "%m/%d/%Y", strict=False)


def numbers_of(
    cells: pl.Series, *, column: str, comma_file: bool, beside: Sequence[pl.Series] = ()
) -> tuple[pl.Series, str]:
    """Numbers, null where the cell is empty, and the currency that signs in the cells tell (empty where none).

    1,234.50 and 1.234,50, 1'234.50 and 1 234,50 are read by the sign that stands before decimals, see
    `written_numbers`.

    Args:
        comma_file: whether commas part the columns of the file: then 1.234 has decimals where no cell says otherwise.
        beside: other amounts of the file, which say how it is written where the column does not.

    Raises:
        UnreadableValues: text, a number that is not finite, or one that may be a thousand times as large.
        MixedCurrencies: two signs in one column.
    """
    text = cells.str.strip_chars().fill_null("")
    signs = {code for sign, code in _SIGNS.items() if text.str.contains(re.escape(sign)).any()}
    if len(signs) > 1:
        raise MixedCurrencies(
            f"The column {column!r} holds {', '.join(sorted(signs))}.",
            where=f"column {column!r}",
            fix="Convert amounts to one currency before the analysis.",
        )
    decimal = _decimal_sign(text, column, comma_file, beside)
    bare = text.str.replace_all(r"[$€£¥]", "").str.strip_chars()
    gone = bare.str.to_lowercase().is_in(["", "na", "n/a", "null", "none"])
    parsed = amounts_of(pl.select(pl.when(gone).then(pl.lit("")).otherwise(bare)).to_series(), decimal)
    bad = np.flatnonzero((~gone & ~parsed.is_finite().fill_null(value=False)).to_numpy())
    if len(bad):
        raise UnreadableValues(
            f"No finite number in {count_of(len(bad), 'cell')} of {column!r}, {text[int(bad[0])]!r} first.",
            where=lines_text(bad),
            fix="Write numbers such as 1234.5, and leave the cell empty where there is none.",
        )
    return parsed, signs.pop() if signs else ""


def _decimal_sign(text: pl.Series, column: str, comma_file: bool, beside: Sequence[pl.Series]) -> DecimalSign:
    """What stands before decimals in a column."""
    own = proof([text])
    unclear = unproven(text)
    if len(own) > 1:
        raise UnreadableValues(
            f"Some cells of {column!r} have a decimal point and some a decimal comma.",
            where=f"column {column!r}",
            fix="Write all numbers of a column in one way, such as 1234.5.",
        )
    if own:
        return own.pop()
    file = proof([other.str.strip_chars().fill_null("") for other in beside])
    if len(file) == 1:
        return file.pop()
    if unclear is not None and not comma_file:
        raise UnreadableValues(
            f"The column {column!r} does not tell decimals from thousands, {text[unclear]!r} first.",
            where=lines_text(np.array([unclear])),
            fix="Write a decimal point and nothing between thousands, and part the columns by commas.",
        )
    return "."


def is_currency(code: str) -> bool:
    """Whether a text is written as a currency code: three letters."""
    return len(code) == 3 and code.isascii() and code.isalpha()


def lines_text(rows: np.ndarray) -> str:
    """The lines of rows counted from 0 under a header, the first few named."""
    named = ", ".join(str(int(row) + 2) for row in rows[:_NAMED])
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return ("line " if len(rows) == 1 else "lines ") + named + more
