"""How figures are written, on every page alike. Pure: values in, text out.

Missing is a dash, never 0. Minus is U+2212, which has the width of a plus sign. Rounding is half up, on decimals, so
that 0.125 and Decimal("0.125") are written the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

Number = int | float | Decimal

MINUS = "\N{MINUS SIGN}"
MISSING = "\N{EM DASH}"

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CAD": "CA$", "AUD": "A$", "MXN": "MX$", "BRL": "R$"}
_WITHOUT_CENTS = frozenset({"JPY", "KRW"})
_SCALES = ((Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))

Direction = Literal["up", "down", "flat"]
Tone = Literal["good", "bad", "flat"]
ChangeKind = Literal["percent", "points", "ratio", "number", "money"]


def _exact(value: Number) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _rounded(value: Decimal, digits: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def _signed(value: Decimal, text: str) -> str:
    return f"{MINUS}{text}" if value < 0 else text


def number(value: Number | None, digits: int = 0) -> str:
    """1048212 -> 1,048,212; digits after the point are fixed."""
    if value is None:
        return MISSING
    shown = _rounded(_exact(value), digits)
    return _signed(shown, f"{abs(shown):,.{digits}f}")


def compact(value: Number | None) -> str:
    """1142600 -> 1.14M: at most three significant digits, for headlines; the exact figure belongs in the title."""
    if value is None:
        return MISSING
    amount = _exact(value)
    for scale, letter in _SCALES:
        # 999,950 would be written 1000k: what rounds up to the scale belongs to it.
        if abs(amount) >= scale * Decimal("0.9995"):
            scaled = amount / scale
            digits = 0 if abs(scaled) >= 100 else 1 if abs(scaled) >= 10 else 2
            shown = _rounded(scaled, digits)
            text = f"{abs(shown):.{digits}f}"
            return _signed(shown, f"{text.rstrip('0').rstrip('.') if '.' in text else text}{letter}")
    whole = amount == amount.to_integral_value()
    return number(amount, 0 if whole or abs(amount) >= 100 else 2)


def money(value: Number | None, currency: str = "USD") -> str:
    """Decimal("388.1") -> $388.10, to the cent of the currency."""
    return _with_currency(value, number(value, 0 if currency in _WITHOUT_CENTS else 2), currency)


def money_whole(value: Number | None, currency: str = "USD") -> str:
    """Decimal("1142600.40") -> $1,142,600, for tables of large sums."""
    return _with_currency(value, number(value), currency)


def money_compact(value: Number | None, currency: str = "USD") -> str:
    """Decimal("1142600") -> $1.14M."""
    return _with_currency(value, compact(value), currency)


def _with_currency(value: Number | None, text: str, currency: str) -> str:
    if value is None:
        return MISSING
    digits = text.removeprefix(MINUS)
    symbol = _SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    return f"{MINUS if text.startswith(MINUS) else ''}{symbol}{digits}"


def percent(fraction: Number | None, digits: int = 1) -> str:
    """A fraction, 0.084 -> 8.4%."""
    return MISSING if fraction is None else f"{number(_exact(fraction) * 100, digits)}%"


def ratio(value: Number | None, digits: int = 2) -> str:
    """A return such as iROAS: 1.4816 -> 1.48."""
    return number(value, digits)


def duration(seconds: Number | None) -> str:
    """Seconds -> 0.4 s, 17 s, 2 min 5 s, 3 h 20 min."""
    if seconds is None:
        return MISSING
    total = _exact(seconds)
    if total < 10:
        return f"{number(total, 1)} s".replace(".0 s", " s")
    whole = int(_rounded(total, 0))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


@dataclass(frozen=True)
class Change:
    """A difference in the three ways that a reader needs it: sign, arrow and word; tone only colours them."""

    text: str
    direction: Direction
    tone: Tone
    word: str


def change(value: Number | None, kind: ChangeKind = "percent", good: str = "up", word: str = "") -> Change:
    """Describe a difference.

    Args:
        value: the difference; for `percent` and `points` a fraction (0.062 is +6.2%, or +6.2 pts).
        kind: how it is written; `money` is compact US dollars.
        good: the direction that is welcome, `up` or `down`; `none` where neither is (spend).
        word: said instead of up, down or level.
    """
    if value is None:
        return Change(MISSING, "flat", "flat", word or "no comparison")
    amount = _exact(value)
    written = {
        "percent": lambda: percent(amount),
        "points": lambda: f"{number(amount * 100, 1)} pts",
        "ratio": lambda: ratio(amount),
        "number": lambda: number(amount),
        "money": lambda: money_compact(amount),
    }[kind]()
    if not any(digit in written for digit in "123456789"):
        return Change(written, "flat", "flat", word or "level")
    direction: Direction = "up" if amount > 0 else "down"
    tone: Tone = "flat" if good == "none" else "good" if good == direction else "bad"
    return Change(written if amount < 0 else f"+{written}", direction, tone, word or direction)
