"""What the fields and figures of a contract must satisfy: each step, unit and format has to suit its column."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from harmonization.core import moments, rmis, units
from harmonization.core.contract_parts import DATE_WORDS, StepCall
from harmonization.core.headers import DAYS

if TYPE_CHECKING:
    from harmonization.core.contract import AttributionSpec, Contract, FieldSpec

Path = tuple[str | int, ...]
Finding = tuple[Path, str, str]
FROM_HEADER: Final = "from_header"
#: Column of GTINs that `resolver: gtin` fills, by the column of ids that asks for it.
GTIN_OF: Final = {"sku_id": "gtin14", "purchased_sku_id": "purchased_gtin"}
RESOLVABLE: Final = {"placement": ("placement",), "currency": ("currency",), "gtin": tuple(GTIN_OF)}
_DATED: Final = ("date", "instant", "hour")


def nearest(name: str, known: set[str]) -> str:
    """Advice for a name that is not known."""
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"Did you mean {near[0]!r}?" if near else "See the list of canonical columns."


def check_zone(path: Path, zone: str) -> Iterator[Finding]:
    """An IANA zone."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield path, f"{zone!r} is no IANA zone.", "Write e.g. America/New_York."


def check_pattern(path: Path, pattern: str, *, groups: int | None = None) -> Iterator[Finding]:
    """A pattern of the engine that runs it, which matches in linear time and so knows no look-around."""
    if re.search(r"\(\?[=!]|\(\?<[=!]|\\[1-9]", pattern):
        yield path, "Look-around and back-references are not supported.", "Write a plain pattern."
        return
    try:
        found = pl.Series([""]).str.extract_groups(pattern)
    except pl.exceptions.PolarsError as error:
        reason = " ".join(str(error).split())[-120:]
        yield path, f"Not a regular expression: {reason}.", "Correct the pattern."
        return
    count = len(found.struct.fields) if isinstance(found.dtype, pl.Struct) else 0
    if groups is not None and count != groups:
        yield path, f"The pattern has {count} groups; it must have {groups}.", "Write (?:...) for the others."


def check_fields(contract: Contract) -> Iterator[Finding]:
    """Every field on its own, and that no column is fed twice."""
    seen: set[str] = set()
    for index, field in enumerate(contract.fields):
        path = ("fields", index)
        column = rmis.COLUMNS.get(field.target)
        if column is None:
            known = set(rmis.COLUMNS)
            yield (*path, "target"), f"There is no canonical column {field.target!r}.", nearest(field.target, known)
            continue
        if field.target in rmis.MADE:
            yield (*path, "target"), f"{field.target!r} is written by harmonising itself.", "Map another column."
        if field.target in seen:
            yield (*path, "target"), f"{field.target!r} is mapped twice.", "Put the headers into one field."
        seen.add(field.target)
        yield from _dates(path, field, column)
        yield from _unit((*path, "unit"), field.unit, _units_of(column), field.target)
        yield from _steps((*path, "transforms"), field, column)
        yield from _resolver(path, field)
        if field.join and (field.coalesce or column.unit != "text"):
            yield (*path, "join"), "Only texts are joined, and only where coalesce takes none.", "Remove join."
        if field.value_map:
            if column.unit != "text":
                yield (*path, "value_map"), f"{field.target} is no text column.", "Remove the value_map."
            yield from _value_map((*path, "value_map"), field)


def _dates(path: Path, field: FieldSpec, column: rmis.Column) -> Iterator[Finding]:
    if column.unit in ("date", "instant") and not field.date_formats:
        yield path, f"{field.target} is a date and has no date_formats.", "Add date_formats."
    if column.unit not in _DATED:
        for key in ("date_formats", "timezone"):
            if getattr(field, key):
                yield (*path, key), f"{field.target} is no date.", f"Remove {key}."
    for position, form in enumerate(field.date_formats):
        if form in DATE_WORDS:
            continue
        place = (*path, "date_formats", position)
        if "%" not in form:
            yield place, f"{form!r} is no date format.", f"Write a strptime pattern, or {', '.join(DATE_WORDS)}."
            continue
        if not _reads_back(form, column.unit):
            yield place, f"{form!r} is no date format of a {column.unit}.", "Write a strptime pattern such as %d.%m.%Y."
    if field.timezone is not None:
        yield from check_zone((*path, "timezone"), field.timezone)


def _reads_back(form: str, unit: str) -> bool:
    """Whether the pattern is one, and tells as much as a day (or an instant) takes."""
    day = datetime.date(2024, 11, 28)
    moment = pl.Series([day]).cast(pl.Datetime("us")).dt.offset_by("15h45m30s")
    try:
        text = (moment.dt.replace_time_zone("UTC") if "%z" in form else moment).dt.strftime(form)
        if unit == "date" and not moments.tells_time(form):
            read = text.str.to_date(form, strict=False)
        else:
            read = moments.to_instant(text, [form], "UTC").dt.date()
    except pl.exceptions.PolarsError:
        return False
    return read.to_list() == [day]


def _units_of(column: rmis.Column) -> tuple[str, ...]:
    if column.unit == "money":
        return units.OF_MONEY
    if column.unit == "fraction":
        return units.OF_FRACTIONS
    return units.OF_COUNTS if column.unit == "count" and column.dtype.is_integer() else ("units",)


def _unit(path: Path, unit: str, allowed: tuple[str, ...], name: str) -> Iterator[Finding]:
    if unit not in allowed:
        yield path, f"{name} is not written in {unit}.", f"Use one of {', '.join(allowed)}."


def _steps(path: Path, field: FieldSpec, column: rmis.Column) -> Iterator[Finding]:
    for position, step in enumerate(field.transforms):
        place = (*path, position)
        if step == "gtin14" and column.unit != "text":
            yield place, f"{field.target} is no text column.", "Remove gtin14."
        if not isinstance(step, StepCall):
            continue
        if step.name == "split" and step.argument.take == 0:
            yield (*place, "split", "take"), "Parts are counted from 1, or from the end from -1.", "Write 1 or -1."
        if step.name == "extract":
            yield from check_pattern((*place, "extract"), step.argument, groups=1)


def _resolver(path: Path, field: FieldSpec) -> Iterator[Finding]:
    if field.resolver is None:
        return
    targets = RESOLVABLE[field.resolver]
    if field.target not in targets:
        yield (
            (*path, "resolver"),
            f"The resolver {field.resolver} is for {' and '.join(targets)}, not {field.target}.",
            "Remove it, or map the target that it is for.",
        )
    if field.resolver == "currency" and field.value_map:
        yield (*path, "value_map"), "The resolver currency reads the words itself.", "Remove one of the two."


def _value_map(path: Path, field: FieldSpec) -> Iterator[Finding]:
    value_map = field.value_map
    assert value_map is not None
    raw = value_map.keep_raw_in
    if raw is not None and (raw not in rmis.COLUMNS or rmis.COLUMNS[raw].unit != "text"):
        yield (*path, "keep_raw_in"), f"{raw!r} is no canonical text column.", "Correct it."
    allowed = rmis.VOCABULARIES.get(field.target)
    if allowed is None:
        return
    said: list[tuple[Path, str]] = [((*path, "values", source), to) for source, to in value_map.values.items()]
    if value_map.default is not None:
        said.append(((*path, "default"), value_map.default))
    for place, canonical in said:
        if canonical not in allowed:
            yield place, f"{canonical!r} is no {field.target}.", nearest(canonical, set(allowed))


def check_attributions(contract: Contract) -> Iterator[Finding]:
    """Ids, windows, matches and units of the figures."""
    seen: set[str] = set()
    for index, spec in enumerate(contract.attributions):
        path = ("attributions", index)
        if spec.id in seen or spec.id in rmis.COLUMNS:
            yield (*path, "id"), f"The id {spec.id!r} is taken.", "Choose another id."
        seen.add(spec.id)
        yield from _headers(path, spec)
        allowed = units.OF_MONEY if spec.metric in rmis.MONEY_METRICS else units.OF_COUNTS
        yield from _unit((*path, "unit"), spec.unit, allowed, spec.metric)
        for key in ("click_days", "view_days", "match", "view_match"):
            yield from _qualifier(contract, (*path, key), key, getattr(spec, key))


def _headers(path: Path, spec: AttributionSpec) -> Iterator[Finding]:
    by_header = FROM_HEADER in (spec.click_days, spec.view_days)
    for position, header in enumerate(spec.headers):
        if by_header != (header.count(DAYS) == 1):
            yield (
                (*path, "headers", position),
                f"{DAYS} stands in the headers if and only if click_days or view_days is {FROM_HEADER}.",
                f"Write {DAYS} where the header names the window, or state the days.",
            )


def _qualifier(contract: Contract, path: Path, key: str, value: object) -> Iterator[Finding]:
    is_window = key.endswith("_days")
    if value is None or (is_window and value == FROM_HEADER):
        return
    values: list[object] = [value]
    if isinstance(value, str) and value.startswith("$"):
        parameter = contract.parameters.get(value[1:])
        if parameter is None:
            yield path, f"There is no parameter {value[1:]!r}.", "Declare it under parameters."
            return
        values = list(parameter.values.values())
    for each in values:
        if is_window and not (each is None or (isinstance(each, int) and 1 <= each <= 365)):
            yield (
                path,
                f"{each!r} is no window in days.",
                f"Write days from 1 to 365, null, $parameter or {FROM_HEADER}.",
            )
        if not is_window and each not in get_args(rmis.Match):
            yield path, f"{each!r} is no match.", f"Use one of {', '.join(get_args(rmis.Match))}."
