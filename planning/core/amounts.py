"""Money as people write it in a sentence or a label. Pure: the pages' own formats lie a floor above."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

_ABOUT: Final = {"USD": "$", "EUR": "€", "GBP": "£"}


def sign_of(currency: str) -> str:
    """What stands before an amount: $, or the code and a space."""
    return _ABOUT.get(currency, f"{currency} " if currency else "")


def amount_text(amount: Decimal, currency: str = "") -> str:
    """To the cent, without cents where there are none: $181,080 and $28,168.05; no sign where no currency is given."""
    whole = amount == amount.to_integral_value()
    return f"{sign_of(currency)}{amount:,.{0 if whole else 2}f}"


def short_money(amount: float, currency: str) -> str:
    """For labels in a picture: $131k."""
    for scale, letter in ((1e6, "M"), (1e3, "k")):
        if amount >= scale:
            scaled = amount / scale
            digits = f"{scaled:.0f}" if scaled >= 100 else f"{scaled:.3g}"
            return f"{sign_of(currency)}{digits}{letter}"
    return f"{sign_of(currency)}{amount:,.0f}"
