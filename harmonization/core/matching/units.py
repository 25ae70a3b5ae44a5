"""How a column's cells are to be read: unit, transforms, date formats, and the file's currency and number signs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from harmonization.core import rmis
from harmonization.core.matching.arithmetic import agreement, looks_like_micros
from harmonization.core.matching.decision import Decision
from harmonization.core.matching.evidence import Numbers
from harmonization.core.matching.meaning import Unit

Transform = str | dict[str, list[str]]
_RATIO_TARGETS: Final = frozenset(
    {"reported_ctr", "reported_cvr", "reported_ntb_sales_rate", "reported_ntb_units_rate"}
)
#: Day and month can be told apart only in these pairs when a day is above 12.
_AMBIGUOUS: Final = {"%m/%d/%Y": "%d/%m/%Y", "%m/%d/%y": "%d/%m/%y", "%m-%d-%Y": "%d-%m-%Y"}


@dataclass(frozen=True, slots=True)
class Currency:
    """Where the file's currency is told: `column`, `header`, `symbol`, or `none`; `code` where it is one and known."""

    how: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Reads:
    """How one column is read."""

    unit: Unit | None
    transforms: tuple[Transform, ...] = ()
    formats: tuple[str, ...] = ()
    note: str | None = None


def how_to_read(decisions: Sequence[Decision]) -> list[Reads]:
    """For each decision how its cells become canonical values."""
    known = _numbers(decisions)
    micros = _spend_in_micros(decisions, known)
    return [_reads(decision, known, micros=micros) for decision in decisions]


def _numbers(decisions: Sequence[Decision]) -> dict[str, list[Numbers]]:
    known: dict[str, list[Numbers]] = {}
    for decision in decisions:
        target = decision.meaning.target
        if target in ("impressions", "clicks", "spend", "sales", "orders") and decision.column.profile.is_number:
            known.setdefault(target, []).append(decision.column.profile.numbers)
    return known


def _spend_in_micros(decisions: Sequence[Decision], known: dict[str, list[Numbers]]) -> bool:
    for decision in decisions:
        if decision.meaning.target == "spend" and decision.meaning.outcome is None:
            if decision.column.reading.has("micro"):
                return True
            return looks_like_micros(
                decision.column.profile.numbers, known.get("clicks", []), known.get("impressions", [])
            )
    return False


def _reads(decision: Decision, known: dict[str, list[Numbers]], *, micros: bool) -> Reads:
    meaning = decision.meaning
    if meaning.target is None:
        return Reads(None)
    if meaning.outcome is not None:
        if meaning.outcome.metric in rmis.MONEY_METRICS:
            return _money(decision, known, micros=False)
        return Reads("count", ("to_decimal",))
    kind = rmis.COLUMNS[meaning.target].unit
    if kind == "date":
        return _date(decision)
    if kind == "instant":
        formats = _instants(decision)
        return Reads("datetime", ({"to_utc": list(formats)},), formats)
    if kind == "money":
        return _money(decision, known, micros=micros)
    if kind == "fraction":
        percent = _is_percent(decision)
        return Reads("percent" if percent else "fraction", ("percent",) if percent else ("to_decimal",))
    if kind == "hour":
        return Reads(None, ("to_integer",))
    if kind in ("count", "rate"):
        return Reads("count", ("to_decimal",) if meaning.target == "frequency" else ("to_integer",))
    if meaning.target in ("gtin14", "purchased_gtin"):
        return Reads("gtin", ("gtin14",))
    if meaning.target == "currency":
        return Reads("text", ("upper",))
    coded = meaning.target.endswith("_id") or meaning.target == "seller_sku"
    return Reads("id", ("identifier",)) if coded else Reads("text", ("trim",))


def _money(decision: Decision, known: dict[str, list[Numbers]], *, micros: bool) -> Reads:
    column, target = decision.column, decision.meaning.target
    if column.reading.has("micro"):
        return Reads("micros", ("micros",))
    if column.reading.has("cent"):
        return Reads("cents", ("cents",))
    if micros and target == "spend":
        return Reads(
            "micros", ("micros",), note="no header says so: the cost of a click is too large to be anything else"
        )
    if micros and target is not None and target.startswith("reported_"):
        # The quotient is in millionths as the cost is, if it equals the quotient of the raw figures; without rows it
        # is taken to be, for a network has one unit of money.
        empty = column.profile.is_empty
        if empty or agreement(target, column.profile.numbers, known) is not None:
            return Reads("micros", ("micros",), note="taken to be in millionths, as the cost is" if empty else None)
    return Reads("money", ("to_decimal",))


def _is_percent(decision: Decision) -> bool:
    column, target = decision.column, decision.meaning.target
    if decision.agreement is not None:
        return decision.agreement.scale == "percent" or column.profile.percent > 0.5
    if column.profile.percent > 0.5 or column.words.unit == "%":
        return True
    finite = column.profile.numbers[np.isfinite(column.profile.numbers)]
    return target in _RATIO_TARGETS and bool(len(finite)) and float(np.max(finite)) > 1.0


def _date(decision: Decision) -> Reads:
    profile = decision.column.profile
    formats = profile.dates
    if not formats:
        if profile.instants or profile.epoch:
            found = _instants(decision)
            return Reads("date", ({"to_date": list(found)},), found)
        return Reads("date", ({"to_date": ["%Y-%m-%d"]},), ("%Y-%m-%d",))
    first = formats[0]
    note = None
    if _AMBIGUOUS.get(first) in formats:
        note = f"every date reads as {first} and as {_AMBIGUOUS[first]}: day and month cannot be told apart"
    return Reads("date", ({"to_date": [first]},), (first,), note)


def _instants(decision: Decision) -> tuple[str, ...]:
    profile = decision.column.profile
    if profile.epoch:
        return ("epoch_ms",) if profile.epoch == 13 else ("epoch_s",)
    found = profile.instants[:1] or profile.dates[:1]
    return ("iso",) if not found or found[0].startswith("%Y-%m-%d") else found


def find_currency(decisions: Sequence[Decision]) -> Currency:
    """Where the file tells its currency."""
    for decision in decisions:
        if decision.meaning.target == "currency":
            profile = decision.column.profile
            return Currency("column", profile.only.upper() if profile.only is not None else None)
    codes = Counter(
        unit for decision in decisions if (unit := decision.column.words.unit) is not None and len(unit) == 3
    )
    if codes:
        return Currency("header", codes.most_common(1)[0][0] if len(codes) == 1 else None)
    signs = Counter(sign for decision in decisions if (sign := decision.column.profile.sign) is not None)
    if signs:
        sign = signs.most_common(1)[0][0]
        return Currency("symbol", sign if len(sign) == 3 else None)
    return Currency("none")


def decimal_sign(decisions: Sequence[Decision]) -> str:
    """`,` where cells can only be read so, else `.`."""
    comma = sum(decision.column.profile.decimal_comma for decision in decisions)
    point = sum(decision.column.profile.decimal_point for decision in decisions)
    return "," if comma > point else "."


def grain(decisions: Sequence[Decision]) -> str:
    """`event`, `hour`, `day` or, where rows name their last day, `from_dates`."""
    targets = {decision.meaning.target for decision in decisions}
    if "event_id" in targets or ("event_ts_utc" in targets and "impressions" not in targets):
        return "event"
    if "event_hour" in targets:
        return "hour"
    return "from_dates" if "period_end" in targets else "day"
