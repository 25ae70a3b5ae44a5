"""Figures of an experiment in words: for sentences, labels of pictures and files alike.

Missing is a dash, never 0. Minus is U+2212; `plain_minus` turns it into a hyphen where a font lacks it.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Final

from measurement.core.answers import Estimate

MINUS: Final = "\N{MINUS SIGN}"
MISSING: Final = "\N{EM DASH}"
_SIGNS: Final = {"USD": "$", "EUR": "€", "GBP": "£"}

#: How the methods are called where people read of them.
METHODS: Final = {
    "sc_indexed": "Indexed synthetic control",
    "sc": "Synthetic control",
    "asc": "Augmented synthetic control",
    "sdid": "Synthetic DiD",
    "did": "Difference in differences",
    "log_did": "Log-DiD",
    "conformal_iid": "Conformal, days swapped",
    "conformal_block": "Conformal, days shifted",
    "regression": "Regression",
    "tbr": "Time-based regression",
    "sc_t": "Synthetic-control t-test",
    "pairs": "Matched-pair log-DiD",
    "trimmed_match": "Trimmed match",
    "strata": "Growth within strata",
    "strata_log": "Growth within strata, in logs",
    "strata_share": "Growth within strata, in shares",
    "switchback": "Switchback",
    "ab": "Two groups of users",
    "ancova": "ANCOVA on the period before",
}


def method_name(key: str) -> str:
    """What a method is called; a key that is not known stays as it is."""
    return METHODS.get(key, key.replace("_", " "))


def percent(fraction: float | None, digits: int = 1, *, signed: bool = False) -> str:
    """0.084 -> 8.4%, or +8.4%."""
    if fraction is None or math.isnan(fraction):
        return MISSING
    text = f"{abs(100 * fraction):,.{digits}f}%"
    return _sign(fraction, text, signed=signed)


def ratio(value: float | None, digits: int = 2) -> str:
    """1.7412 -> 1.74."""
    return MISSING if value is None or math.isnan(value) else _sign(value, f"{abs(value):,.{digits}f}")


def money(value: float | None, currency: str, *, digits: int = 0) -> str:
    """320500.4 -> $320,500; without a currency 320,500."""
    if value is None or math.isnan(value):
        return MISSING
    return _sign(value, f"{_before(currency)}{abs(value):,.{digits}f}")


def short_money(value: float | None, currency: str) -> str:
    """For labels in a picture: $321k."""
    if value is None or math.isnan(value):
        return MISSING
    size = abs(value)
    for scale, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        # What rounds up to the scale belongs to it: 999,950 is 1M, not 1000k.
        if size >= 0.9995 * scale:
            scaled = size / scale
            digits = f"{scaled:.0f}" if scaled >= 99.95 else f"{scaled:.3g}"
            return _sign(value, f"{_before(currency)}{digits}{letter}")
    return _sign(value, f"{_before(currency)}{size:,.0f}")


def p_text(p_value: float) -> str:
    """0.0166 -> 0.017; below a thousandth it says so."""
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def percent_range(estimate: Estimate | None, digits: int = 1) -> str:
    """5.7 to 11.2%; an open end is said."""
    if estimate is None:
        return MISSING
    return between(percent(estimate.low, digits), percent(estimate.high, digits))


def money_range(estimate: Estimate | None, currency: str) -> str:
    """$217k to $425k."""
    if estimate is None:
        return MISSING
    return between(short_money(estimate.low, currency), short_money(estimate.high, currency))


def ratio_range(estimate: Estimate | None) -> str:
    """1.18 to 2.31."""
    return MISSING if estimate is None else between(ratio(estimate.low), ratio(estimate.high))


def between(low: str, high: str) -> str:
    """Two ends in words; the dash of a missing end is an end that the data do not bound."""
    if low == MISSING and high == MISSING:
        return "not bounded"
    if low == MISSING:
        return f"up to {high}"
    if high == MISSING:
        return f"{low} or more"
    return f"{low} to {high}"


def period_text(period: dt.date | int) -> str:
    """A day as 14 Sep 2026, a period's number as period 91."""
    return f"{period:%-d %b %Y}" if isinstance(period, dt.date) else f"period {period}"


def count_of(number: int, noun: str) -> str:
    """12 states, 1 state, 2 cities."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """states, cities, SKUs, stretches."""
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"


def _before(currency: str) -> str:
    return _SIGNS.get(currency, f"{currency} " if currency else "")


def _sign(value: float, text: str, *, signed: bool = False) -> str:
    shown = any(digit in text for digit in "123456789")
    if value < 0 and shown:
        return f"{MINUS}{text}"
    return f"+{text}" if signed and shown else text
