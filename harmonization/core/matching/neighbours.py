"""What columns say of each other by standing in one file: the date of the rows, a campaign's flight, bare names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from harmonization.core import rmis
from harmonization.core.matching.column import Column
from harmonization.core.matching.figures import compare_figures
from harmonization.core.matching.levels import give_nothing, keep_the_finest
from harmonization.core.matching.meaning import NOTHING, Candidate, Meaning, Outcome

_SURE: Final = 0.7
#: Things whose names stand beside their ids.
_NAMED: Final = ("campaign", "ad_group", "creative", "brand", "retailer", "product", "account")
_IDS: Final = {"product": ("sku_id", "seller_sku", "gtin14")}


def hear_neighbours(columns: Sequence[Column], *, delivers: bool) -> None:
    """Add and temper candidates by the other columns. `delivers`: whether the file counts impressions or clicks."""
    for column in columns:
        _money(column)
    _only_dates(columns)
    _flights(columns)
    _creations(columns, delivers=delivers)
    keep_the_finest(columns)
    _bought_products(columns)
    _customers(columns, delivers=delivers)
    _insertion_orders(columns)
    _only_skus(columns)
    _bare_names(columns)
    _bare_values(columns, delivers=delivers)
    _actions(columns)
    compare_figures(columns)


def _offer(column: Column, candidate: Candidate) -> None:
    others = [
        other for other in column.candidates if other.meaning != candidate.meaning or other.score > candidate.score
    ]
    column.candidates = sorted([*others, candidate], key=lambda other: -other.score)


def _is(column: Column, target: str) -> bool:
    return column.best is not None and column.best.score >= _SURE and column.best.meaning.target == target


def _money(column: Column) -> None:
    """A header or cells with a currency are money, and nothing else."""
    unit = column.words.unit or ""
    if len(unit) != 3 and column.profile.sign is None:
        return
    tempered = []
    for candidate in column.candidates:
        target, outcome = candidate.meaning.target, candidate.meaning.outcome
        kind = "money" if outcome is not None and outcome.metric in rmis.MONEY_METRICS else "count"
        if outcome is None and target is not None:
            kind = rmis.COLUMNS[target].unit
        if target is None or target == "currency" or kind == "money":
            tempered.append(candidate)
        else:
            tempered.append(replace(candidate, score=round(0.3 * candidate.score, 4), why=f"{candidate.why}; is money"))
    column.candidates = sorted(tempered, key=lambda candidate: -candidate.score)


def _only_dates(columns: Sequence[Column]) -> None:
    """The only column of dates that says nothing else is the date of the rows."""
    dated = [c for c in columns if c.profile.dates and not c.profile.is_number and not c.reading.foreign]
    if len(dated) == 1 and dated[0].reading.is_empty and not any(_is(column, "period_start") for column in columns):
        _offer(dated[0], Candidate(Meaning("period_start"), 0.82, "the only column of dates"))


def _flights(columns: Sequence[Column]) -> None:
    """Beside the day of the row, a start and an end are a campaign's."""
    days = [column for column in columns if column.reading.things == ["day"] and _is(column, "period_start")]
    edges = [c for c in columns if c.reading.things in (["start"], ["end"]) and not c.words.prefix]
    if not days or {column.reading.things[0] for column in edges} != {"start", "end"}:
        return
    for column in edges:
        _offer(column, Candidate(NOTHING, 0.99, "beside a day: when a campaign runs, which RMIS does not keep"))


def _creations(columns: Sequence[Column], *, delivers: bool) -> None:
    """In a report with a day of its own, the instant of a creation is that of a campaign or of the record."""
    if not delivers or not any(_is(column, "period_start") for column in columns):
        return
    for column in columns:
        if _is(column, "event_ts_utc") and {"created", "creation"} & set(column.words.words):
            give_nothing(column, "when something was created, beside the day of the row")


def _bought_products(columns: Sequence[Column]) -> None:
    """Where rows name the product that was bought and no advertised one, what they tell of a product is of that one."""
    if not any(_is(column, "purchased_sku_id") or _is(column, "purchased_gtin") for column in columns):
        return
    if any(_is(column, target) for column in columns for target in ("sku_id", "seller_sku", "gtin14")):
        return
    for column in columns:
        if _is(column, "product_name") or _is(column, "product_category"):
            give_nothing(column, "of the product that was bought, which RMIS does not describe")


def _insertion_orders(columns: Sequence[Column]) -> None:
    """Above line items, and without campaigns, an order that has a name is no purchase: it is the campaign."""
    lines = any("line" in column.words.words and column.reading.things[-1:] == ["ad_group"] for column in columns)
    if not lines or any(_is(column, target) for column in columns for target in ("campaign_id", "campaign_name")):
        return
    ordered = [column for column in columns if column.words.words[:1] == ("order",) and len(column.words.words) == 2]
    if "name" not in {column.words.words[1] for column in ordered}:
        return
    for column in ordered:
        if column.words.words[1] in ("id", "name"):
            target = f"campaign_{column.words.words[1]}"
            _offer(column, Candidate(Meaning(target), 0.9, "an order of line items is a campaign"))


def _only_skus(columns: Sequence[Column]) -> None:
    """The only product code of a file is the product's id, whatever a contract takes a code like it for."""
    if any(_is(column, target) for column in columns for target in ("sku_id", "gtin14")):
        return
    for column in columns:
        if column.reading.things == ["sku"] and _is(column, "seller_sku"):
            _offer(column, Candidate(Meaning("sku_id"), 0.999, "the only code of the product"))


def _customers(columns: Sequence[Column], *, delivers: bool) -> None:
    """In a report of what was delivered the customer is the network's: the advertiser."""
    if not delivers or any(_is(column, "account_id") for column in columns):
        return
    for column in columns:
        if column.reading.things == ["customer"] and column.reading.traits == ["id"]:
            for candidate in column.candidates:
                if candidate.meaning.target == "account_id":
                    _offer(column, replace(candidate, score=max(candidate.score, 0.85)))
                    break


def _bare_names(columns: Sequence[Column]) -> None:
    """`name` beside `campaign_id`, with no other name of the campaign, is the campaign's."""
    bare = [c for c in columns if c.reading.traits == ["name"] and not _says_more(c)]
    if len(bare) != 1:
        return
    taken = {column.best.meaning.target for column in columns if column.best is not None and column is not bare[0]}
    distances = {}
    for thing in _NAMED:
        ids = _IDS.get(thing, (f"{thing}_id",))
        places = [column.position for column in columns if any(_is(column, target) for target in ids)]
        if places:
            distances[thing] = min(abs(place - bare[0].position) for place in places)
    beside = [thing for thing, distance in distances.items() if distance == 1]
    if "title" in bare[0].words.words and "product" in distances:
        # Products have titles; campaigns, accounts and brands have names.
        beside = ["product"]
    chosen = beside or list(distances)
    if len(chosen) == 1 and f"{chosen[0]}_name" not in taken:
        _offer(bare[0], Candidate(Meaning(f"{chosen[0]}_name"), 0.85, f"a name beside the id of the {chosen[0]}"))


def _says_more(column: Column) -> bool:
    reading = column.reading
    return bool(reading.things or reading.measures or reading.unknown or reading.foreign or reading.ratios)


def _bare_values(columns: Sequence[Column], *, delivers: bool) -> None:
    """In a list of purchases, a value beside the number of units is what they were sold for."""
    if delivers or not any(_is(column, "units") for column in columns):
        return
    if any(_is(column, "sales") for column in columns):
        return
    for column in columns:
        if column.reading.measures == ["value"] and not column.reading.foreign and column.best is not None:
            for candidate in column.candidates:
                if candidate.meaning.target == "sales":
                    _offer(column, replace(candidate, score=0.7, why="a value beside the units that were bought"))
                    break


def _actions(columns: Sequence[Column]) -> None:
    """Rows of one action each: figures that are named by their window alone tell of it, money where they have cents."""
    values = [column for column in columns if column.reading.measures == ["value"] and not column.reading.scopes]
    kinds = [
        c for c in columns if {"type", "action"} <= set(c.words.words) or {"type", "conversion"} <= set(c.words.words)
    ]
    if len(values) != 1 or len(kinds) != 1:
        return
    value = values[0]
    if not value.profile.is_number:
        return
    metric: rmis.Metric = "orders" if value.profile.whole >= 0.95 else "sales"
    why = "a value" if metric == "sales" else "a count"
    _offer(value, Candidate(Meaning(metric, Outcome(metric)), 0.7, f"{why} of the row's action"))
    for column in columns:
        words, named = column.words, set(column.words.words)
        if not (words.click_days or words.view_days) or not named or not named <= {"click", "view"}:
            continue
        touch: rmis.Touch = "both" if len(named) == 2 else "view" if "view" in named else "click"
        outcome = Outcome(metric, words.click_days, words.view_days, touch=touch)
        _offer(column, Candidate(Meaning(metric, outcome), 0.92, f"{why} of the row's action, by its window"))
