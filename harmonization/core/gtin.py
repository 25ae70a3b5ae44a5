"""Global Trade Item Numbers: reading every printed form as a GTIN-14, and checking the last digit.

GS1 General Specifications, section 7.9: the check digit makes the weighted sum of all digits a multiple of ten, the
weights being 1, 3, 1, 3, ... from the right. Leading zeros change nothing, so a UPC-A and its EAN-13 are one number.

A GTIN of eight digits is written like a zero-suppressed UPC-E. Numbers that begin with 0 are read as UPC-E first, for
GS1 gives out no GTIN-8 there; those that begin with 1 as GTIN-8 first, for UPC-E hardly occurs with that number system.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

LENGTHS: Final = (8, 12, 13, 14)
_CHUNK: Final = 100_000

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@lru_cache(maxsize=2)
def _weighted_sums(first_weight: int) -> npt.NDArray[np.uint8]:
    """Weighted digit sums, modulo ten, of 0 to 99,999; `first_weight` is that of the last digit."""
    numbers = np.arange(_CHUNK)
    total = np.zeros(_CHUNK, dtype=np.int64)
    weight = first_weight
    for _ in range(5):
        total += numbers % 10 * weight
        numbers //= 10
        weight = 4 - weight
    return (total % 10).astype(np.uint8)


def sums_to_ten(numbers: Numbers) -> Flags:
    """Whether the check digit of each number below 10^15 is right. Zero is nobody's number."""
    high, low = numbers // _CHUNK, numbers % _CHUNK
    top, middle = high // _CHUNK, high % _CHUNK
    total = _weighted_sums(1)[low] + _weighted_sums(3)[middle] + _weighted_sums(1)[top]
    flags: Flags = (total % 10 == 0) & (numbers != 0)
    return flags


def expand_upc_e(numbers: Numbers) -> Numbers:
    """UPC-E of eight digits (number system, six digits, check digit) as the UPC-A it stands for."""
    system, body, check = numbers // 10**7, numbers // 10 % 10**6, numbers % 10
    d1_to_3, d4, d5, d6 = body // 1000, body // 100 % 10, body // 10 % 10, body % 10
    d1_d2, d3 = d1_to_3 // 10, d1_to_3 % 10
    eleven = np.select(
        [d6 <= 2, d6 == 3, d6 == 4],
        [
            d1_d2 * 10**8 + d6 * 10**7 + d3 * 100 + d4 * 10 + d5,
            d1_to_3 * 10**7 + d4 * 10 + d5,
            (d1_to_3 * 10 + d4) * 10**6 + d5,
        ],
        (d1_to_3 * 100 + d4 * 10 + d5) * 10**5 + d6,
    )
    expanded: Numbers = (system * 10**10 + eleven) * 10 + check
    return expanded


def _digits(cells: pl.Series) -> tuple[Numbers, Numbers, Flags]:
    """The cells as numbers, how many digits they have, and whether they are so many digits as a GTIN and no more.

    What is not is 0 here.
    """
    # The cast takes a sign where there is one, and the length would count it.
    read = cells.cast(pl.Int64, strict=False)
    length = cells.str.len_bytes().fill_null(0).cast(pl.Int64).to_numpy()
    unsigned = read.is_not_null() & ~cells.str.contains("^[+-]").fill_null(True)
    good: Flags = unsigned.to_numpy() & np.isin(length, LENGTHS)
    return np.where(good, read.fill_null(0).to_numpy(), 0), length, good


def to_gtin14(cells: pl.Series) -> pl.Series:
    """GTIN-14 of UPC-E, UPC-A, EAN-8, EAN-13 and GTIN-14, hyphens and spaces passed over; null for anything else.

    A number with a wrong check digit, of another length (a leading zero was lost, say) or spoiled by a spreadsheet
    (`7.61E+12`) is not guessed at.
    """
    text = cells.str.replace_all("[ \u00a0-]", "")
    numbers, length, good = _digits(text)
    right = good & sums_to_ten(numbers)
    short = good & (length == 8) & (numbers < 2 * 10**7)
    if short.any():
        expanded = expand_upc_e(np.where(short, numbers, 0))
        expands = short & sums_to_ten(expanded)
        takes_long = expands & ((numbers < 10**7) | ~right)
        numbers = np.where(takes_long, expanded, numbers)
        right = right | takes_long
    out = pl.Series(cells.name, numbers).cast(pl.String).str.pad_start(14, "0")
    return out.set(pl.Series(~right), None)


def is_gtin(cells: pl.Series) -> pl.Series:
    """Whether each text is 8, 12, 13 or 14 digits with a right check digit; null stays null."""
    numbers, _, good = _digits(cells)
    flags = pl.Series(cells.name, good & sums_to_ten(numbers))
    return flags.set(cells.is_null(), None)


def isbn10_to_gtin14(cells: pl.Series) -> pl.Series:
    """GTIN-14 of ISBN-10s, such as the ASINs of books; null for anything else (other ASINs are no GTINs)."""
    valid = cells.str.contains("^[0-9]{9}[0-9X]$").fill_null(False)
    text = cells.set(~valid, "0000000000")
    body = text.str.head(9).cast(pl.Int64).to_numpy()
    last = text.str.tail(1).replace("X", "10").cast(pl.Int64).to_numpy()
    digits = [body // 10 ** (8 - place) % 10 for place in range(9)]
    right = sum(digit * (10 - place) for place, digit in enumerate(digits)) % 11 == (11 - last) % 11
    stem = 978 * 10**10 + body * 10
    check = (10 - sum(stem // 10**place % 10 * (3 if place % 2 else 1) for place in range(1, 13)) % 10) % 10
    out = pl.Series(cells.name, stem + check).cast(pl.String).str.pad_start(14, "0")
    return out.set(~(valid & pl.Series(right)), None)
