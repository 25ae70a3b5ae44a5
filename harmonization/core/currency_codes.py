"""Currencies as exports write them: codes, signs and names, read as ISO 4217 codes."""

from __future__ import annotations

from typing import Final

import polars as pl

from harmonization.core.headers import CURRENCY_CODES, CURRENCY_SIGNS

#: Signs and names that mean one currency. A bare `$`, `¥` or `kr` is of several, and stays unread.
_WORDS: Final[dict[str, str]] = {
    **{sign: code for sign, code in CURRENCY_SIGNS.items() if sign != "¥"},
    "us$": "USD",
    "ca$": "CAD",
    "c$": "CAD",
    "a$": "AUD",
    "au$": "AUD",
    "mx$": "MXN",
    "r$": "BRL",
    "rs": "INR",
    "rs.": "INR",
    "us dollar": "USD",
    "us dollars": "USD",
    "u.s. dollar": "USD",
    "canadian dollar": "CAD",
    "australian dollar": "AUD",
    "euro": "EUR",
    "euros": "EUR",
    "pound sterling": "GBP",
    "british pound": "GBP",
    "indian rupee": "INR",
    "japanese yen": "JPY",
    "mexican peso": "MXN",
    "brazilian real": "BRL",
    "swiss franc": "CHF",
    "polish zloty": "PLN",
    "swedish krona": "SEK",
}
_KNOWN: Final = {code.lower(): code for code in CURRENCY_CODES} | _WORDS


def currency_code(cells: pl.Series) -> pl.Series:
    """ISO 4217 codes of `cells`, null where the currency cannot be told."""
    distinct = cells.unique().to_list()
    meant = {cell: _KNOWN.get(" ".join(cell.lower().split())) for cell in distinct if cell is not None}
    known = {cell: code for cell, code in meant.items() if code is not None}
    if not known:
        return pl.Series(cells.name, [None] * len(cells), dtype=pl.String)
    return cells.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.String)
