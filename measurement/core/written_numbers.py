"""Amounts as people and spreadsheets write them: which sign stands before decimals, and which between thousands.

A cell such as 5.234 says neither. What other cells of the column say decides, then those of the file's other amounts,
then the separator of the file: where commas part the columns, a point stands before decimals. Else it is refused, for
a wrong guess is wrong by a factor of a thousand. Cells with signs of thousands are read by the transform that reads
retailers' reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import polars as pl

from harmonization.core.transforms import to_decimal

DecimalSign = Literal[".", ","]
#: Numbers that Python and files of machines write.
_PLAIN: Final = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"
_WRITTEN: Final = r"^\(?[-+−]?[\d.,' ]*\d[.,]?\)?$"
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
    cells = pl.select(pl.when(cells.str.contains(_WRITTEN)).then(cells)).to_series()
    found = pl.Series([None] * len(cells), dtype=pl.Float64)
    for group in (_OTHER[decimal], "'", " "):
        written = to_decimal(cells, decimal, group).cast(pl.Float64, strict=False)
        found = pl.select(pl.coalesce(found, written)).to_series()
    return read.scatter(rest, found)
