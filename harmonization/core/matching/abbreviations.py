"""Shortened words of headers: `Impr.`, `Conv`, `qty`, `acct`, `plcmt`, `adgrp`.

Three ways of shortening are understood: the ones that are only used (`kw`, `nm`), a beginning (`impr`, `interact`), and
the first letter with consonants of the rest (`qty`, `cmpgn`). A short form that could be several words is the first of
them in `WORDS`, which are ordered by how often reports shorten them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

#: Short forms that follow no rule, or that the rules would read as another word.
USED: Final = {
    short: tuple(words.split())
    for line in (
        "acc account", "acct account", "adv advertised", "advt advertiser", "ag ad group", "adgrp ad group",
        "amt amount", "atc add to cart", "attr attributed", "avg average", "ave average", "cat category",
        "cmp campaign", "cnt count", "cnv conversion", "cr conversion rate", "conv conversion", "crncy currency",
        "cur currency", "curr currency", "cust customer", "desc description", "dt date", "dpv detail page view",
        "dvc device", "freq frequency", "grp group", "imp impression", "impr impression", "inv invalid",
        "kw keyword", "mt match type", "vimp viewable impression",
        "loc location", "mgmt management", "mkt market", "nm name", "nb new to brand",
        "ord order", "pc post click", "pct percent", "perc percent", "plc placement", "pos position", "prod product",
        "pub publisher", "purch purchase", "pv post view", "qty quantity", "rev revenue", "sess session",
        "sls sale", "spd spend", "std standard", "typ type", "txt text", "pg page", "stts status",
        "trans transaction", "trx transaction", "txn transaction",
        "tgt target", "thru through", "val value", "vid video", "vtc view through conversion", "vw view", "wk week",
    )
    for short, words in [line.split(" ", 1)]
}  # fmt: skip
#: Words that reports shorten, the usual ones first.
WORDS: Final = (
    "impression", "conversion", "campaign", "click", "sale", "spend", "revenue", "order", "unit", "quantity",
    "amount", "average", "percent", "account", "group", "product", "keyword", "category", "currency",
    "placement", "device", "frequency", "advertiser", "advertised", "attributed", "brand", "retailer", "publisher",
    "creative", "name", "status", "type", "number", "description", "identifier", "position", "search", "query",
    "term", "match", "strategy", "bidding", "audience", "segment", "store", "online", "offline", "viewable",
    "invalid", "quartile", "complete", "video", "start", "view", "purchase", "transaction", "session", "request",
    "customer", "portfolio", "platform", "environment", "region", "country", "location", "value", "cost",
    "budget", "date", "period", "week", "month", "hour", "timestamp", "interaction", "engagement", "assisted",
    "reach", "share", "metric", "network", "midpoint", "purchased", "percentage", "delivery", "pickup", "shown",
    "served", "item", "total", "count", "promoted", "indirect",
    "direct", "existing", "shopper",
    "media", "channel", "targeting", "model", "objective",
)  # fmt: skip
#: Least letters of a beginning that is read without a dot.
_BEGINNING: Final = 4
#: Least share of a word's consonants in a short form of it.
_ENOUGH: Final = 0.5
_VOWELS = re.compile("(?<!^)[aeiou]")


@lru_cache(maxsize=4096)
def expand(word: str, *, cut: bool = False) -> tuple[str, ...]:
    """The words that a short form stands for; empty where it is none.

    `word` is in lower case and itself no word of the trade; `cut` tells that a dot followed.
    """
    if word in USED:
        return USED[word]
    if not word.isalpha() or not 2 <= len(word) <= 12:
        return ()
    if len(word) >= (2 if cut else _BEGINNING):
        for full in WORDS:
            if len(full) > len(word) + 1 and full.startswith(word):
                return (full,)
    if len(word) >= 3 and not _VOWELS.search(word):
        for full in WORDS:
            bones = _VOWELS.sub("", full)
            if _is_within(word, bones) and len(word) >= _ENOUGH * len(bones) and len(word) < len(full):
                return (full,)
    return ()


def _is_within(short: str, bones: str) -> bool:
    """Whether the letters of `short` stand in `bones` in their order, beginning with its first."""
    if short[0] != bones[0]:
        return False
    rest = iter(bones)
    return all(letter in rest for letter in short)
