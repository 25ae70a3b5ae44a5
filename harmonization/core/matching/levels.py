"""Of several columns that tell one thing at different levels, the one that is kept.

A row is of one status, one category, one place: the finest of several is its own, and the others would be lost or
counted twice. Of several accounts the advertiser's is the account.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from harmonization.core.matching.column import Column
from harmonization.core.matching.meaning import NOTHING, Candidate

_SURE: Final = 0.6
#: Objects from the widest to the finest; what names none is of the row itself.
_OBJECTS: Final = ("account", "portfolio", "campaign", "ad_group", "creative", "ad", "product", "sku", "keyword")
_PLACES: Final = ("geo_country", "geo_region", "geo_metro", "geo_city", "geo_postal")
Level = Callable[[Column], float | None]


def keep_the_finest(columns: Sequence[Column]) -> None:
    """Offer nothing to columns whose target another column tells at a finer level."""
    for target, (level, why) in _LEVELS.items():
        told = [(found, column) for column in columns if (found := level(column)) is not None]
        mine = [(found, column) for found, column in told if _is(column, target)]
        top = max((found for found, column in told if _wants(column, target)), default=0.0)
        for found, column in mine:
            if found < top:
                give_nothing(column, why)


def give_nothing(column: Column, why: str) -> None:
    """Put saying nothing before all that the column may mean."""
    others = [replace(c, score=min(c.score, 0.99)) for c in column.candidates if c.meaning != NOTHING]
    column.candidates = [Candidate(NOTHING, 0.999, why), *others]


def _is(column: Column, target: str) -> bool:
    return column.best is not None and column.best.score >= _SURE and column.best.meaning.target == target


def _wants(column: Column, target: str) -> bool:
    """Whether the column means the target, or would if nothing else did."""
    return any(candidate.meaning.target == target and candidate.score >= _SURE for candidate in column.candidates)


def _status(column: Column) -> float | None:
    if column.reading.traits != ["status"]:
        return None
    named = [_OBJECTS.index(thing) for thing in column.reading.things if thing in _OBJECTS]
    return float(max(named, default=len(_OBJECTS)))


def _category(column: Column) -> float | None:
    if column.reading.things[-1:] != ["category"]:
        return None
    words = column.words.words
    numbers = [int(word) for word in words if word.isdigit() and len(word) == 1]
    return float(max(numbers, default=3 if "subcategory" in words else 0 if "department" in words else 1))


def _place(column: Column) -> float | None:
    thing = column.reading.things[-1:]
    if thing not in (["placement"], ["ad_network"]):
        return None
    words = column.words.words
    numbers = [int(word) for word in words if word.isdigit() and len(word) == 1]
    coarse = 1.0 if thing == ["ad_network"] else 2.0 if "page" in words and "type" in words else 3.0
    return coarse + 0.1 * max(numbers, default=0)


def _geo(column: Column) -> float | None:
    things = column.reading.things
    return float(_PLACES.index(things[0])) if len(things) == 1 and things[0] in _PLACES else None


def _device(column: Column) -> float | None:
    if column.reading.things[-1:] != ["device"]:
        return None
    words = column.words.words
    return 3.0 if "device" in words else 2.0 if "environment" in words else 1.0


def _match_type(column: Column) -> float | None:
    if column.reading.things[-1:] != ["match_type"]:
        return None
    return 2.0 if {"bid", "keyword", "target", "targeting"} & set(column.words.words) else 1.0


def _account(trait: str) -> Level:
    def level(column: Column) -> float | None:
        reading = column.reading
        if reading.things not in (["account"], ["customer"], ["campaign", "account"]) or trait not in reading.traits:
            return None
        words = set(column.words.words)
        if reading.unknown:
            return 0.0
        if words & {"advertiser", "client"} and "account" not in words:
            return 4.0
        return 2.0 if words & {"number", "code", "no", "nr"} else 3.0 if "account" in words else 1.0

    return level


_LEVELS: Final[dict[str, tuple[Level, str]]] = {
    "status": (_status, "the status of something wider than another column tells of"),
    "product_category": (_category, "a wider category than another column tells"),
    "placement": (_place, "a wider place of ads than another column tells"),
    "geo": (_geo, "a coarser place than another column tells"),
    "device": (_device, "another column tells the device itself"),
    "match_type": (_match_type, "another column tells how the keyword was bid on"),
    "account_id": (_account("id"), "another column tells the advertiser's account"),
    "account_name": (_account("name"), "another column tells the advertiser's account"),
}
