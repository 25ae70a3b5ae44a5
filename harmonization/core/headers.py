"""Matching a file's headers to the names a contract knows them by.

Exports of one report differ in case, spaces, punctuation and unit suffixes: `ACoS` and `ACOS`, `Spend `, `14 Day Total
Sales (₹)`. Two headers are the same when their compact forms are; a unit suffix is dropped only where it is a currency
or a unit, so that `Click-Thru Rate (CTR)` keeps its name. `{days}` in an alias stands for an attribution window.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

DAYS: Final = "{days}"
CURRENCY_SIGNS: Final = {"₹": "INR", "€": "EUR", "£": "GBP", "¥": "JPY", "₺": "TRY", "zł": "PLN"}
#: Currencies that a header may name in brackets; other three-letter suffixes (CTR, CPC) belong to the name.
CURRENCY_CODES: Final = frozenset(
    re.findall(
        "[A-Z]{3}",
        "AED AUD BRL CAD CHF CNY CZK DKK EGP EUR GBP HKD HUF IDR ILS INR JPY KRW MXN MYR NOK NZD PHP PLN RON SAR SEK"
        " SGD THB TRY TWD USD VND ZAR",
    )
)
_SUFFIX = re.compile(r"\(\s*(?P<unit>[^()]{1,6}?)\s*\)\s*$")
_NON_WORD = re.compile(r"[\W_]+")

How = Literal["exact", "normalised", "unit_suffix"]


def compact(header: str) -> str:
    """Case-folded letters and digits only (Unicode NFKC)."""
    return _NON_WORD.sub("", unicodedata.normalize("NFKC", header).casefold())


def split_unit(header: str) -> tuple[str, str | None]:
    """The header without its unit suffix, and the unit: a currency code, `%`, `#`, `$` or None."""
    found = _SUFFIX.search(header)
    if found is None:
        return header, None
    unit = found["unit"]
    bare = header[: found.start()]
    if unit in ("%", "#", "$"):
        return bare, unit
    if unit.upper() in CURRENCY_CODES:
        return bare, unit.upper()
    if unit in CURRENCY_SIGNS:
        return bare, CURRENCY_SIGNS[unit]
    if unit.casefold().rstrip(".") == "rs":
        return bare, "INR"
    return header, None


@dataclass(frozen=True, slots=True)
class AliasHit:
    """How one header fits one alias; `days` is the window that the header names, where the alias asks for one."""

    how: How
    alias: str
    days: int | None
    unit: str | None


def match_alias(header: str, alias: str) -> AliasHit | None:
    """Whether `header` is `alias`, and by how much it had to be normalised."""
    bare, unit = split_unit(header)
    alias_bare, _ = split_unit(alias)
    days: int | None = None
    spelled = alias
    for candidate, how in ((header, "normalised"), (bare, "unit_suffix")):
        target = alias if how == "normalised" else alias_bare
        if DAYS in target:
            before, after = (compact(part) for part in target.split(DAYS))
            found = re.fullmatch(f"{re.escape(before)}(\\d{{1,2}}){re.escape(after)}", compact(candidate))
            if found is None:
                continue
            days = int(found[1])
            spelled = alias.replace(DAYS, found[1])
        elif compact(candidate) != compact(target) or not compact(candidate):
            continue
        if header == spelled:
            return AliasHit("exact", alias, days, unit)
        added_unit = unit is not None and split_unit(alias)[1] is None
        return AliasHit("unit_suffix" if added_unit else "normalised", alias, days, unit)
    return None


def closest_header(aliases: Iterable[str], headers: Iterable[str]) -> str | None:
    """The header most like one of the aliases, for an error that helps; None when nothing is near."""
    by_form = {compact(header): header for header in headers if compact(header)}
    scored = [
        (difflib.SequenceMatcher(None, compact(alias.replace(DAYS, "")), form).ratio(), header)
        for alias in aliases
        for form, header in by_form.items()
    ]
    if not scored:
        return None
    score, header = max(scored)
    return header if score >= 0.5 else None
