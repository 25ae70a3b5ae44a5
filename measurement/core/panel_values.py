"""Dates, numbers and currencies as they are written in panel files."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import polars as pl

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
            f"{len(bad)} cells of {column!r} are no dates, {text[int(bad[0])]!r} first.",
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


def numbers_of(cells: pl.Series, *, column: str, decimal_comma: bool) -> tuple[pl.Series, str]:
    """Numbers, null where the cell is empty, and the currency that signs in the cells tell (empty where none).

    Args:
        decimal_comma: whether 12,5 may be a number: not where commas separate columns without quotes.

    Raises:
        UnreadableValues: text, or a number that is not finite. MixedCurrencies: two signs in one column.
    """
    text = cells.str.strip_chars().fill_null("")
    signs = {code for sign, code in _SIGNS.items() if text.str.contains(re.escape(sign)).any()}
    if len(signs) > 1:
        raise MixedCurrencies(
            f"The column {column!r} holds {', '.join(sorted(signs))}.",
            where=f"column {column!r}",
            fix="Convert amounts to one currency before the analysis.",
        )
    bare = text.str.replace_all(r"[$€£¥\s\u00a0]", "")
    grouped = bare.str.contains(r"^-?\d{1,3}(,\d{3})+(\.\d+)?$")
    comma = bare.str.contains(r"^-?\d+,\d+$") & (~grouped if not decimal_comma else True)
    if decimal_comma and bool((comma & grouped).any()) and not bool((comma & ~grouped).any()):
        # 1,234 alone tells neither thousands nor a decimal.
        raise UnreadableValues(
            f"The column {column!r} does not tell a decimal comma from thousands, "
            f"{text[int(np.flatnonzero((comma & grouped).to_numpy())[0])]!r} first.",
            where=f"column {column!r}",
            fix="Write numbers with a decimal point and without separators of thousands.",
        )
    if decimal_comma and comma.any():
        bare = bare.str.replace(",", ".")
    else:
        bare = pl.select(pl.when(grouped).then(bare.str.replace_all(",", "")).otherwise(bare)).to_series()
    gone = bare.str.to_lowercase().is_in(["", "na", "n/a", "null", "none"])
    parsed = bare.cast(pl.Float64, strict=False)
    bad = np.flatnonzero((~gone & ~parsed.is_finite().fill_null(value=False)).to_numpy())
    if len(bad):
        raise UnreadableValues(
            f"{len(bad)} cells of {column!r} are no finite numbers, {text[int(bad[0])]!r} first.",
            where=lines_text(bad),
            fix="Write numbers such as 1234.5, and leave the cell empty where there is none.",
        )
    return parsed, signs.pop() if signs else ""


def is_currency(code: str) -> bool:
    """Whether a text is written as a currency code: three letters."""
    return len(code) == 3 and code.isascii() and code.isalpha()


def lines_text(rows: np.ndarray) -> str:
    """The lines of rows counted from 0 under a header, the first few named."""
    named = ", ".join(str(int(row) + 2) for row in rows[:_NAMED])
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return ("line " if len(rows) == 1 else "lines ") + named + more
