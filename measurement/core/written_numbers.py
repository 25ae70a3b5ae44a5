"""Amounts as people and spreadsheets write them: which sign stands before decimals, and which between thousands.

A cell such as 5.234 says neither. What other cells of the column say decides, then those of the file's other amounts,
then the separator of the file: where commas part the columns, a point stands before decimals. Else it is refused, for
a wrong guess is wrong by a factor of a thousand. However a number is written, it is the nearest float.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import polars as pl

DecimalSign = Literal[".", ","]
#: Numbers that Python and files of machines write.
_PLAIN: Final = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"
_SPACES: Final = r"[\u{a0}\u{202f}\u{2009}\s]"
_OTHER: Final[dict[str, DecimalSign]] = {".": ",", ",": "."}


def proof(texts: Sequence[pl.Series]) -> set[DecimalSign]:
    """Signs that stand before decimals by what some cell of these says alone; both where cells contradict."""
    found: set[DecimalSign] = set()
    for text in texts:
        bare = text.str.replace_all(r"[-+−()$€£¥\s\u{a0}\u{202f}\u{2009}']", "")
        for sign, group in _OTHER.items():
            point, comma = f"\\{sign}", f"\\{group}"
            forms = (
                rf"^\d*{point}(\d{{1,2}}|\d{{4,}})$",  # 12.5 and .2345
                rf"^(0\d*|\d{{4,}}){point}\d{{3}}$",  # 0.234 and 5234.125
                rf"^\d{{1,3}}({comma}\d{{2,3}})*{comma}\d{{3}}{point}\d*$",  # 1,234.5
                rf"^\d{{1,3}}({comma}\d{{2,3}})+{comma}\d{{3}}$",  # 1,234,567
                rf"^\d*{point}\d+[eE][-+]?\d+$",
            )
            if bare.str.contains("|".join(forms)).any():
                found.add(sign)  # type: ignore[arg-type]
    return found


def unproven(text: pl.Series) -> int | None:
    """Position of the first cell that reads as decimals and as thousands alike, such as 5.234; None without one."""
    bare = text.str.replace_all(r"[-+−()$€£¥\s\u{a0}\u{202f}\u{2009}]", "")
    places = np.flatnonzero(bare.str.contains(r"^[1-9]\d{0,2}[.,]\d{3}$").to_numpy())
    return int(places[0]) if len(places) else None


def amounts_of(text: pl.Series, decimal: DecimalSign) -> pl.Series:
    """Numbers in cells without signs of currency, as Float64; null where a cell is no number written so."""
    plain = text.str.contains(_PLAIN)
    if decimal == ",":
        plain &= ~text.str.contains(".", literal=True)
    read = pl.select(pl.when(plain).then(text)).to_series().cast(pl.Float64, strict=False)
    rest = np.flatnonzero((~plain & (text != "")).to_numpy())
    if not len(rest):
        return read
    cells = text.gather(rest).str.replace_all(_SPACES, " ").str.replace_all("’", "'").str.strip_chars()
    found = pl.Series([None] * len(cells), dtype=pl.Float64)
    for group in (_OTHER[decimal], "'", " "):
        found = pl.select(pl.coalesce(found, _written(cells, decimal, group))).to_series()
    return read.scatter(rest, found)


def _written(cells: pl.Series, decimal: DecimalSign, group: str) -> pl.Series:
    """Numbers whose thousands stand apart by one sign, negative with a minus or in brackets; null where none is.

    The last group has three digits, those before two or three: 1,23,456.70 as well as 123,456.70.
    """
    point, mark = re.escape(decimal), re.escape(group)
    whole = rf"(?:\d+|\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}})"
    amount = rf"(?P<amount>(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][-+]?\d+)?)"
    parts = cells.str.extract_groups(rf"^(?P<open>\( *)?(?P<sign>[-+−])? *{amount}(?P<close> *\))?$").struct.unnest()
    plain = parts["amount"].str.replace_all(group, "", literal=True).str.replace(decimal, ".", literal=True)
    value = plain.cast(pl.Float64, strict=False)
    opened, closed = parts["open"].is_not_null(), parts["close"].is_not_null()
    below = opened | parts["sign"].is_in(["-", "−"]).fill_null(value=False)
    return pl.select(pl.when(opened == closed).then(pl.when(below).then(-value).otherwise(value))).to_series()
