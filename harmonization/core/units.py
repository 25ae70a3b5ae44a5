"""Numbers that a network writes in another unit than the schema keeps: micros, cents, thousands, percent."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import polars as pl

from harmonization.core import transforms
from harmonization.core.contract_parts import NumberUnit
from harmonization.core.rmis import MONEY

#: Units that each kind of canonical column can be read from.
OF_MONEY: Final[tuple[NumberUnit, ...]] = ("units", "micros", "cents", "thousands")
OF_COUNTS: Final[tuple[NumberUnit, ...]] = ("units", "thousands")
OF_FRACTIONS: Final[tuple[NumberUnit, ...]] = ("units", "percent")

_WIDE: Final = pl.Decimal(38, 6)
_DIVISOR: Final[dict[NumberUnit, Decimal]] = {"micros": Decimal(1_000_000), "cents": Decimal(100)}


def to_money(cells: pl.Series, unit: NumberUnit, decimal_sign: str, thousands_sign: str) -> pl.Series:
    """Amounts in `unit` as Decimal(18, 6) of the currency's main unit; what is finer than a millionth is rounded."""
    if unit == "units":
        return transforms.to_decimal(cells, decimal_sign, thousands_sign)
    # Micros of a large amount have more digits than the amount itself may have: whole numbers are read apart.
    whole = cells.cast(pl.Int64, strict=False).cast(_WIDE)
    if whole.null_count() > cells.null_count():
        rest = transforms.to_decimal(cells, decimal_sign, thousands_sign).cast(_WIDE)
        whole = whole.zip_with(whole.is_not_null(), rest)
    scaled = whole / _DIVISOR[unit] if unit in _DIVISOR else whole * Decimal(1000)
    return scaled.cast(MONEY, strict=False).alias(cells.name)


def to_count(cells: pl.Series, unit: NumberUnit, decimal_sign: str, thousands_sign: str) -> pl.Series:
    """Counts in `unit` as whole numbers; what is no whole number is not readable."""
    if unit == "units":
        return transforms.to_integer(cells, decimal_sign, thousands_sign)
    amount = to_money(cells, unit, decimal_sign, thousands_sign)
    count = amount.cast(pl.Int64, strict=False)
    return count.set((count.cast(MONEY, strict=False) != amount).fill_null(True), None).alias(cells.name)


def to_fraction(cells: pl.Series, unit: NumberUnit, decimal_sign: str, thousands_sign: str) -> pl.Series:
    """Ratios as fractions of one; a cell with a percent sign is read as percent whatever the unit."""
    bare = "percent" if unit == "percent" else "fraction"
    return transforms.to_fraction(cells, decimal_sign, thousands_sign, bare)
