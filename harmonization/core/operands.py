"""Values inside expressions: what kind they are, and what can be done with them without a wrong or crashing result.

Whole numbers and decimals are exact. Where a result would not fit (64 bits, or 32 digits before the point) it is null:
engines wrap the one in silence and fail a whole file for the other. How many digits an operand can have is known from
its column, so that only operations which could overflow pay for the look.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal

import polars as pl

from tenants.core.problems import InvalidInput

Kind = Literal["whole", "decimal", "float", "text", "condition", "date", "instant", "null"]
WIDE: Final = pl.Decimal(38, 6)
_DIGITS: Final = {"whole": 18, "decimal": 31}
_LARGEST: Final = {"whole": 9.2e18, "decimal": 9.9e31}
_NUMBERS: Final = ("whole", "decimal", "float")
_WORDS: Final[dict[str, str]] = {
    "whole": "a number",
    "decimal": "a number",
    "float": "a number",
    "text": "text",
    "condition": "a condition",
    "date": "a date",
    "instant": "an instant",
    "null": "nothing",
}


class RefusedExpression(InvalidInput):
    """An expression that is not on the allow-list, too large, or mixes what does not go together."""

    code = "refused-expression"
    title = "The expression is not allowed"


@dataclass(frozen=True, slots=True)
class Operand:
    """A compiled part: `digits` bounds what stands before a number's point; `literal` is the text of a text literal."""

    value: pl.Expr
    kind: Kind
    digits: int = 0
    literal: str | None = None

    @property
    def words(self) -> str:
        return _WORDS[self.kind]


def of_column(value: pl.Expr, dtype: pl.DataType) -> Operand:
    """An operand of a column's type."""
    if isinstance(dtype, pl.Decimal):
        return Operand(value, "decimal", dtype.precision - dtype.scale)
    if dtype.is_integer():
        return Operand(value.cast(pl.Int64), "whole", 3 if dtype == pl.Int8() else 19)
    if dtype.is_float():
        return Operand(value.cast(pl.Float64), "float")
    kinds: dict[pl.DataType, Kind] = {pl.String(): "text", pl.Boolean(): "condition", pl.Date(): "date"}
    return Operand(value, kinds.get(dtype, "instant"))


def of_number(text: str) -> Operand:
    """A literal of up to 12 digits and 6 decimals."""
    if text.isdigit():
        # Polars would choose 32 bits for a small literal, and two small ones overflow when multiplied.
        return Operand(pl.lit(int(text), dtype=pl.Int64), "whole", len(text))
    return Operand(pl.lit(Decimal(text), dtype=pl.Decimal(18, 6)), "decimal", len(text.partition(".")[0]))


def of_text(text: str) -> Operand:
    return Operand(pl.lit(text), "text", literal=text)


NULL: Final = Operand(pl.lit(None), "null")


def common(parts: Sequence[Operand], doing: str) -> list[Operand]:
    """The parts as one kind: numbers become the widest of theirs, everything else has to be the same.

    Raises:
        RefusedExpression: the kinds do not go together.
    """
    kinds = {part.kind for part in parts if part.kind != "null"}
    if kinds == {"date", "text"} and all(part.kind == "date" or _is_day(part) for part in parts if part.kind != "null"):
        return [_as_day(part) for part in parts]
    if len(kinds) > 1 and not kinds <= set(_NUMBERS):
        words = " and ".join(sorted({_WORDS[kind] for kind in kinds}))
        raise RefusedExpression(
            f"{doing} takes one kind of value; {words} do not go together.", fix="Use values of one kind."
        )
    if "float" in kinds:
        return [replace(part, value=part.value.cast(pl.Float64), kind="float") for part in parts]
    if kinds == {"whole", "decimal"}:
        return [replace(part, value=part.value.cast(WIDE), kind="decimal") for part in parts]
    kind = kinds.pop() if kinds else "null"
    return [replace(part, kind=kind) for part in parts]


def _is_day(part: Operand) -> bool:
    if part.literal is None or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", part.literal):
        return False
    try:
        datetime.date.fromisoformat(part.literal)
    except ValueError:
        return False
    return True


def _as_day(part: Operand) -> Operand:
    if part.literal is None:
        return part
    return Operand(pl.lit(datetime.date.fromisoformat(part.literal)), "date")


def numbers(parts: Sequence[Operand], doing: str) -> list[Operand]:
    """`common` of numbers alone.

    Raises:
        RefusedExpression: one of them is no number.
    """
    for part in parts:
        if part.kind not in (*_NUMBERS, "null"):
            raise RefusedExpression(f"{doing} takes numbers, not {part.words}.", fix="Compute with numbers only.")
    unified = common(parts, doing)
    return [
        replace(part, kind="whole", value=part.value.cast(pl.Int64)) if part.kind == "null" else part
        for part in unified
    ]


def expect(part: Operand, kind: Kind, doing: str) -> pl.Expr:
    """The value of a part of one kind.

    Raises:
        RefusedExpression: it is of another kind.
    """
    if part.kind not in (kind, "null"):
        raise RefusedExpression(f"{doing} takes {_WORDS[kind]}, not {part.words}.", fix="See the list of operations.")
    dtype = pl.Boolean() if kind == "condition" else pl.String()
    return part.value.cast(dtype) if part.kind == "null" else part.value


def add(left: Operand, right: Operand, sign: Literal["+", "-"]) -> Operand:
    """Sum or difference; null where it does not fit."""
    left, right = numbers([left, right], sign)
    value, other = left.value, right.value
    digits = max(left.digits, right.digits) + 1
    if left.kind != "float" and digits > _DIGITS[left.kind]:
        fits = _size(value) + _size(other) < _LARGEST[left.kind]
        value, digits = pl.when(fits).then(value), _DIGITS[left.kind]
    return Operand(value + other if sign == "+" else value - other, left.kind, digits)


def multiply(left: Operand, right: Operand) -> Operand:
    """Product, of decimals rounded half to even to six places; null where it does not fit."""
    left, right = numbers([left, right], "*")
    value, digits = left.value, left.digits + right.digits
    if left.kind != "float" and digits > _DIGITS[left.kind]:
        fits = _size(value) * _size(right.value) < _LARGEST[left.kind]
        value, digits = pl.when(fits).then(value), _DIGITS[left.kind]
    return Operand(value * right.value, left.kind, digits)


def divide(left: Operand, right: Operand) -> Operand:
    """Quotient as a binary fraction; null where the divisor is 0."""
    left, right = numbers([left, right], "/")
    quotient = left.value.cast(pl.Float64) / right.value.cast(pl.Float64)
    return Operand(pl.when(right.value != 0).then(quotient), "float")


def _size(value: pl.Expr) -> pl.Expr:
    return value.cast(pl.Float64).abs()


def compare(left: Operand, right: Operand, sign: str, by: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> Operand:
    """A comparison; null where a side is."""
    left, right = common([left, right], sign)
    if left.kind == "condition" and sign not in ("=", "<>"):
        raise RefusedExpression("Conditions have no order.", fix="Compare them with = or <>.")
    return Operand(by(left.value, right.value), "condition")


def among(parts: Sequence[Operand], doing: str, pick: Callable[[list[pl.Expr]], pl.Expr]) -> Operand:
    """One of several values of a kind."""
    unified = common(parts, doing)
    digits = max(part.digits for part in unified)
    return Operand(pick([part.value for part in unified]), unified[0].kind, digits)


def rounded(part: Operand, places: int) -> Operand:
    """Rounded half away from zero."""
    (part,) = numbers([part], "ROUND")
    if part.kind == "whole":
        return part
    value = part.value.round(places, mode="half_away_from_zero")
    return Operand(value, part.kind, part.digits + 1)
