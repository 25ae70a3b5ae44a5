"""What a person asks of an experiment, read and checked field by field; every wrong field is told at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from tenants.core.problems import InvalidInput

KINDS: Final = ("geo", "sku", "switchback", "ab")
ACTIONS: Final = ("holdback", "go_dark", "heavy_up")
LOOKS: Final = ("", "group_sequential", "always_valid")
#: Kinds whose results can be looked at before the end. A switchback is drawn as a whole, and always-valid intervals
#: need an error that shrinks user by user.
LOOKABLE: Final[Mapping[str, tuple[str, ...]]] = {
    "group_sequential": ("geo", "sku", "ab"), "always_valid": ("ab",),
}  # fmt: skip
_FEW: Final = (
    ": an interval for any moment needs hundreds of independent outcomes, and the days of few units are not that"
)
_PLANNED: Final = "Plan its looks instead: group_sequential, with their days in settings.look_at. "
_TOSSED: Final = ": its coin is tossed for the whole log, and the error of a part does not shrink as theory asks"
_AT_ITS_END: Final = "Read it at its end, or plan two shorter ones, each with an alpha of its own. "
#: Why a kind cannot be looked at so, and what can be done.
_NO_LOOKS: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("always_valid", "geo"): (_FEW, _PLANNED),
    ("always_valid", "sku"): (_FEW, _PLANNED),
    ("always_valid", "switchback"): (_TOSSED, _AT_ITS_END),
    ("group_sequential", "switchback"): (_TOSSED, _AT_ITS_END),
}
#: Methods that read a panel of units; a plan may name the same.
OVER_UNITS: Final = (
    "auto", "sc_indexed", "sc", "asc", "sdid", "did", "log_did", "tbr", "sc_t", "pairs", "trimmed_match", "strata",
)  # fmt: skip
METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "geo": OVER_UNITS,
    "sku": OVER_UNITS,
    "switchback": ("auto",),
    "ab": ("auto",),
}
#: How the treated units come about: searched for among markets, or drawn by lot within like units.
DESIGNS: Final = ("search", "pairs", "stratified", "cells")
FIELDS: Final = (
    "name", "hypothesis", "kind", "action", "retailer", "placement", "outcome", "currency", "start_date", "end_date",
    "cooldown_days", "planned_spend", "method", "alpha", "seed", "looks", "settings",
)  # fmt: skip
#: A test that is longer is another business by its end.
LONGEST_DAYS: Final = 366
#: Days outside are typing errors, and too near to where calendars end to be counted on from.
EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(2100, 12, 31)
LARGEST_SEED: Final = 2**31 - 1
_MOST_ENTRIES: Final = 500


@dataclass(frozen=True, kw_only=True)
class ExperimentTerms:
    """A checked question; `read_terms` makes it. `settings` holds only keys of `SETTINGS` that were given."""

    name: str
    kind: str
    hypothesis: str = ""
    action: str = "heavy_up"
    retailer: str = ""
    placement: str = ""
    outcome: str = "sales"
    currency: str = ""
    start_date: date | None = None
    end_date: date | None = None
    cooldown_days: int = 0
    planned_spend: Decimal | None = None
    method: str = "auto"
    alpha: float = 0.05
    seed: int = 1
    looks: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


class _Reader:
    def __init__(self, given: Mapping[str, Any], prefix: str = "") -> None:
        self.given, self.prefix = given, prefix
        self.errors: list[dict[str, str]] = []

    def refuse(self, name: str, detail: str, fix: str) -> None:
        self.errors.append({"where": f"{self.prefix}{name}", "detail": detail, "fix": fix})

    def _raw(self, name: str) -> Any:
        value = self.given.get(name)
        return None if value == "" else value

    def text(self, name: str, most: int, *, required: bool = False) -> str:
        value = self._raw(name)
        if isinstance(value, Mapping | list | tuple):
            self.refuse(name, "Text is expected.", "Send one text.")
            return ""
        text = str(value or "").strip()
        if required and not text:
            self.refuse(name, "It is missing.", "Give it a few words.")
        if not storable(text):
            self.refuse(name, "It holds characters that are no text.", "Use printable characters.")
        elif len(text) > most:
            self.refuse(name, f"{len(text)} characters are too many.", f"Use at most {most} printable characters.")
        return text

    def choice(self, name: str, options: Sequence[str], usual: str) -> str:
        value = self.given.get(name, usual)
        value = usual if value is None else str(value)
        if value not in options:
            told = ", ".join(option or "(empty)" for option in options)
            self.refuse(name, f"{value[:40]!r} is not known.", f"Use one of {told}.")
            return usual
        return value

    def day(self, name: str) -> date | None:
        value = self._raw(name)
        if value is None:
            return None
        try:
            day = value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            self.refuse(name, f"{str(value)[:40]!r} is not a day.", "Write it as YYYY-MM-DD.")
            return None
        if not EARLIEST <= day <= LATEST:
            self.refuse(name, f"{day} is out of range.", f"Give a day from {EARLIEST} to {LATEST}.")
            return None
        return day

    def number(
        self, name: str, value: Any, *, least: float, most: float, open_low: bool = False, open_high: bool = False
    ) -> float | None:
        """A finite number within bounds; None where it is refused."""
        try:
            number = math.nan if isinstance(value, bool) else float(str(value).replace(",", ""))
        except ValueError:
            number = math.nan
        inside = (least < number if open_low else least <= number) and (number < most if open_high else number <= most)
        if not math.isfinite(number) or not inside:
            low, high = ("above" if open_low else "from"), ("below" if open_high else "to")
            self.refuse(
                name, f"{str(value)[:40]!r} is out of range.", f"Give a number {low} {least:g} {high} {most:g}."
            )
            return None
        return number

    def count(self, name: str, value: Any, *, least: int, most: int) -> int | None:
        number = self.number(name, value, least=least, most=most)
        if number is not None and number != int(number):
            self.refuse(name, f"{value!r} is no whole number.", f"Give a whole number from {least} to {most}.")
            return None
        return None if number is None else int(number)

    def entries(self, name: str) -> list[Any]:
        value = self._raw(name)
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if value is None:
            return []
        if not isinstance(value, list | tuple) or len(value) > _MOST_ENTRIES:
            self.refuse(name, "A list is expected.", f"Give at most {_MOST_ENTRIES} entries.")
            return []
        return list(value)


def _counts(least: int, most: int) -> Callable[[_Reader, str], Any]:
    def read(reader: _Reader, name: str) -> list[int]:
        found = [reader.count(name, one, least=least, most=most) for one in reader.entries(name)]
        return sorted({one for one in found if one is not None})

    return read


def _numbers(least: float, most: float) -> Callable[[_Reader, str], Any]:
    def read(reader: _Reader, name: str) -> list[float]:
        found = [reader.number(name, one, least=least, most=most) for one in reader.entries(name)]
        return sorted({one for one in found if one is not None})

    return read


def _names(reader: _Reader, name: str) -> list[str]:
    given = reader.entries(name)
    if any(isinstance(one, Mapping | list | tuple) for one in given):
        reader.refuse(name, "A list of names is expected.", "Give names as the data have them.")
        return []
    found = [str(one).strip() for one in given]
    if any(not one or len(one) > 120 or not storable(one) for one in found):
        reader.refuse(
            name, "A name is empty, no text, or longer than 120 characters.", "Give names as the data have them."
        )
    return list(dict.fromkeys(found))


def _effects(reader: _Reader, name: str) -> list[float]:
    found: list[float] = _numbers(-0.95, 10.0)(reader, name)
    if found and not any(found):
        reader.refuse(name, "No effect at all is nothing to look for.", "Give lifts such as 0.05.")
    return found


def _fraction(open_low: bool = True, open_high: bool = True) -> Callable[[_Reader, str], Any]:
    def read(reader: _Reader, name: str) -> float | None:
        return reader.number(name, reader.given[name], least=0, most=1, open_low=open_low, open_high=open_high)

    return read


def _one_count(least: int, most: int) -> Callable[[_Reader, str], Any]:
    return lambda reader, name: reader.count(name, reader.given[name], least=least, most=most)


def _one_number(least: float, most: float) -> Callable[[_Reader, str], Any]:
    return lambda reader, name: reader.number(name, reader.given[name], least=least, most=most)


def _flag(reader: _Reader, name: str) -> bool:
    return reader.given[name] in (True, "true", "1", "on", 1)


#: Constraints of a design: key -> how it is read. What is not given is left to the design's defaults.
SETTINGS: Final[Mapping[str, Callable[[_Reader, str], Any]]] = {
    "design": lambda reader, name: reader.choice(name, DESIGNS, "search"),
    "durations": _counts(1, LONGEST_DAYS),
    "effects": _effects,
    "treated_counts": _counts(1, 1000),
    "include": _names,
    "exclude": _names,
    "max_holdout": _fraction(open_high=False),
    "max_treated_share": _fraction(open_high=False),
    "budget": _one_number(0, 1e12),
    "cost_per_incremental": _one_number(0, 1e9),
    "spend_change": _one_number(-1, 100),
    "keep_apart": _flag,
    "power": _fraction(),
    "treated_share": _fraction(),
    "strata": _one_count(1, 500),
    "cells": _names,
    "carryover": _one_count(0, 60),
    "periods": _one_count(2, 2000),
    "expected_share": _fraction(),
    "baseline_rate": _fraction(),
    "baseline_mean": _one_number(1e-9, 1e12),
    "baseline_sd": _one_number(1e-9, 1e12),
    "daily_users": _one_count(2, 10**9),
    "look_at": _counts(1, LONGEST_DAYS),
}


def read_terms(given: Mapping[str, Any]) -> ExperimentTerms:
    """The question that the fields of `FIELDS` ask.

    Raises:
        InvalidInput: lists everything that is wrong, by field.
    """
    reader = _Reader(given)
    for name in given:
        if name not in FIELDS:
            reader.refuse(str(name), "There is no such field.", f"Use some of {', '.join(FIELDS)}.")
    kind = reader.choice("kind", KINDS, "geo")
    settings = _settings(reader)
    start, end = reader.day("start_date"), reader.day("end_date")
    if start and end and not timedelta(0) <= end - start < timedelta(LONGEST_DAYS):
        reader.refuse("end_date", f"{end} is no end for a start on {start}.", f"Give 1 to {LONGEST_DAYS} days.")
    cooldown, seed, alpha = (given.get(name) for name in ("cooldown_days", "seed", "alpha"))
    terms = ExperimentTerms(
        name=reader.text("name", 120, required=True),
        kind=kind,
        hypothesis=reader.text("hypothesis", 2000),
        action=reader.choice("action", ACTIONS, "heavy_up"),
        retailer=reader.text("retailer", 64),
        placement=reader.text("placement", 40),
        outcome=reader.text("outcome", 40) or "sales",
        currency=_currency(reader),
        start_date=start,
        end_date=end,
        cooldown_days=0 if cooldown in (None, "") else reader.count("cooldown_days", cooldown, least=0, most=366) or 0,
        planned_spend=_money(reader, "planned_spend"),
        method=reader.choice("method", METHODS[kind], "auto"),
        alpha=0.05 if alpha in (None, "") else reader.number("alpha", alpha, least=0.001, most=0.4) or 0.05,
        seed=1 if seed in (None, "") else reader.count("seed", seed, least=0, most=LARGEST_SEED) or 0,
        looks=reader.choice("looks", LOOKS, ""),
        settings=settings,
    )
    if terms.looks and kind not in LOOKABLE[terms.looks]:
        why, instead = _NO_LOOKS.get((terms.looks, kind), ("", ""))
        reader.refuse(
            "looks",
            f"{'An A/B' if kind == 'ab' else f'A {kind}'} test cannot be looked at like this{why}.",
            f"{instead}Use it for {', '.join('A/B' if one == 'ab' else one for one in LOOKABLE[terms.looks])}.",
        )
    if terms.looks == "group_sequential" and len(settings.get("look_at", ())) < 1:
        reader.refuse("settings.look_at", "Planned looks are missing.", "Give the days of the test they fall on.")
    if reader.errors:
        first = reader.errors[0]
        raise InvalidInput(first["detail"], where=first["where"], fix=first["fix"], errors=reader.errors)
    return terms


def _settings(reader: _Reader) -> dict[str, Any]:
    given = reader.given.get("settings") or {}
    if not isinstance(given, Mapping):
        reader.refuse("settings", "An object is expected.", f"Use keys such as {', '.join(list(SETTINGS)[:4])}.")
        return {}
    inner = _Reader(given, prefix="settings.")
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in SETTINGS:
            inner.refuse(str(name), "There is no such constraint.", f"Use some of {', '.join(SETTINGS)}.")
        elif value not in (None, "", [], ()):
            read = SETTINGS[name](inner, name)
            if read is not None:
                found[name] = read
    twice = {one.casefold() for one in found.get("include", ())} & {one.casefold() for one in found.get("exclude", ())}
    if twice:
        inner.refuse("exclude", f"{min(twice)!r} is to be treated and left out.", "Take it off one of the lists.")
    reader.errors += inner.errors
    return found


def storable(text: str) -> bool:
    """Whether a database keeps the text: no NUL, and no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _currency(reader: _Reader) -> str:
    text = reader.text("currency", 3).upper()
    if text and not (len(text) == 3 and text.isascii() and text.isalpha()):
        reader.refuse("currency", f"{text!r} is no currency.", "Give an ISO 4217 code such as USD.")
    return text


def _money(reader: _Reader, name: str) -> Decimal | None:
    value = reader.given.get(name)
    if value is None or value == "":
        return None
    if reader.number(name, value, least=0, most=999_999_999_999.99) is None:
        return None
    try:
        return Decimal(str(value).replace(",", "")).quantize(Decimal("0.01"))
    except InvalidOperation:
        reader.refuse(name, f"{str(value)[:40]!r} is no amount.", "Give a number such as 1200.50.")
        return None
