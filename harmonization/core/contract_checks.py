"""What a contract must satisfy beyond its shape: its parts have to agree with each other and with the schema."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from harmonization.core import rmis
from harmonization.core.expressions import RefusedExpression, parse_expression
from harmonization.core.headers import DAYS

if TYPE_CHECKING:
    from harmonization.core.contract import Contract

Finding = tuple[tuple[str | int, ...], str, str]
FROM_HEADER = "from_header"


def check_meaning(contract: Contract) -> list[Finding]:
    """Every disagreement as (path into the document, what is wrong, what to do)."""
    return [
        *_source(contract),
        *_fields(contract),
        *_attributions(contract),
        *_derived_and_rules(contract),
        *_keys_and_defaults(contract),
    ]


def mapped_names(contract: Contract) -> set[str]:
    """Canonical columns that rules, keys and expressions of this contract may speak of."""
    names = {field.target for field in contract.fields}
    names |= {
        field.value_map.keep_raw_in for field in contract.fields if field.value_map and field.value_map.keep_raw_in
    }
    names |= {derived.target for derived in contract.derived}
    return names | {column.name for column in rmis.EVENTS if column.always}


def _nearest(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"Did you mean {near[0]!r}?" if near else "See the list of canonical columns."


def _source(contract: Contract) -> Iterator[Finding]:
    try:
        ZoneInfo(contract.source.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        yield ("source", "timezone"), f"{contract.source.timezone!r} is no IANA zone.", "Write e.g. America/New_York."
    if contract.source.thousands_sign == contract.source.decimal_sign:
        yield ("source", "thousands_sign"), "Decimal and thousands sign are the same.", "Change one of them."
    for column in ("impression_basis", "cost_model", "sku_id_type"):
        value = getattr(contract, column)
        if value is not None and value not in rmis.VOCABULARIES[column]:
            yield (column,), f"{value!r} is no {column}.", f"Use one of {', '.join(rmis.VOCABULARIES[column])}."
    for name, parameter in contract.parameters.items():
        if parameter.default not in parameter.values:
            yield ("parameters", name, "default"), "The default is not among the values.", "Add it to the values."


def _fields(contract: Contract) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, field in enumerate(contract.fields):
        path = ("fields", index)
        column = rmis.COLUMNS.get(field.target)
        if column is None:
            yield (
                (*path, "target"),
                f"There is no canonical column {field.target!r}.",
                _nearest(field.target, set(rmis.COLUMNS)),
            )
            continue
        if field.target in seen:
            yield (*path, "target"), f"{field.target!r} is mapped twice.", "Put the headers into one field."
        seen.add(field.target)
        if column.unit in ("date", "instant") and not field.date_formats:
            yield path, f"{field.target} is a date and has no date_formats.", "Add date_formats."
        if column.unit != "text" and (field.transforms or field.value_map):
            yield path, f"{field.target} is no text column.", "Remove transforms and value_map."
        if field.value_map:
            yield from _value_map(path, field.target, field.value_map.values, field.value_map.default)
            raw = field.value_map.keep_raw_in
            if raw is not None and (raw not in rmis.COLUMNS or rmis.COLUMNS[raw].unit != "text"):
                yield (*path, "value_map", "keep_raw_in"), f"{raw!r} is no canonical text column.", "Correct it."


def _value_map(
    path: tuple[str | int, ...], target: str, values: dict[str, str], default: str | None
) -> Iterator[Finding]:
    allowed = rmis.VOCABULARIES.get(target)
    if allowed is None:
        return
    for source, canonical in values.items():
        if canonical not in allowed:
            yield (
                (*path, "value_map", "values", source),
                f"{canonical!r} is no {target}.",
                _nearest(canonical, set(allowed)),
            )
    if default is not None and default not in allowed:
        yield (*path, "value_map", "default"), f"{default!r} is no {target}.", _nearest(default, set(allowed))


def _attributions(contract: Contract) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, spec in enumerate(contract.attributions):
        path = ("attributions", index)
        if spec.id in seen or spec.id in rmis.COLUMNS:
            yield (*path, "id"), f"The id {spec.id!r} is taken.", "Choose another id."
        seen.add(spec.id)
        by_header = spec.click_days == FROM_HEADER
        for position, header in enumerate(spec.headers):
            if by_header != (header.count(DAYS) == 1):
                yield (
                    (*path, "headers", position),
                    f"{DAYS} stands in the headers if and only if click_days is {FROM_HEADER}.",
                    f"Write {DAYS} where the header names the window, or state click_days.",
                )
        for key in ("click_days", "view_days", "match", "view_match"):
            yield from _qualifier(contract, (*path, key), key, getattr(spec, key))


def _qualifier(contract: Contract, path: tuple[str | int, ...], key: str, value: object) -> Iterator[Finding]:
    is_window = key.endswith("_days")
    if value is None or (key == "click_days" and value == FROM_HEADER):
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


def _derived_and_rules(contract: Contract) -> Iterator[Finding]:
    names = mapped_names(contract)
    ids = {spec.id for spec in contract.attributions}
    for index, derived in enumerate(contract.derived):
        column = rmis.COLUMNS.get(derived.target)
        if column is None or column.unit == "text":
            yield (
                ("derived", index, "target"),
                f"{derived.target!r} is no canonical number or date.",
                _nearest(derived.target, set(rmis.COLUMNS)),
            )
        yield from _expression(("derived", index, "expression"), derived.expression, names)
    seen: set[str] = set()
    for index, rule in enumerate(contract.rules):
        path = ("rules", index)
        if rule.id in seen:
            yield (*path, "id"), f"The rule id {rule.id!r} is taken.", "Choose another id."
        seen.add(rule.id)
        if rule.kind == "expression":
            yield from _expression((*path, "expression"), rule.expression, names | ids)
            continue
        columns = rule.columns if rule.kind == "not_null" else [rule.column]
        for name in columns:
            if name not in names | ids:
                yield path, f"The rule {rule.id} speaks of {name!r}, which is not mapped.", _nearest(name, names | ids)
        if rule.kind == "range":
            yield from _bounds(path, rule.column, rule.min, rule.max)
        if rule.kind == "regex":
            yield from _pattern((*path, "pattern"), rule.pattern)
    for index, skip in enumerate(contract.skip):
        if skip.column != "first" and skip.column not in {field.target for field in contract.fields}:
            yield ("skip", index, "column"), f"{skip.column!r} is not mapped.", "Use a field's target or `first`."
        yield from _pattern(("skip", index, "pattern"), skip.pattern)


def _bounds(path: tuple[str | int, ...], column: str, low: object, high: object) -> Iterator[Finding]:
    if low is None and high is None:
        yield path, "The range has neither min nor max.", "Add one."
    is_date = column in rmis.COLUMNS and rmis.COLUMNS[column].unit == "date"
    for key, bound in (("min", low), ("max", high)):
        if bound is None:
            continue
        if is_date and not (isinstance(bound, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", bound)):
            yield (*path, key), f"{bound!r} is no date.", "Write YYYY-MM-DD."
        if not is_date and isinstance(bound, str):
            yield (*path, key), f"{bound!r} is no number.", "Write a number."


def _pattern(path: tuple[str | int, ...], pattern: str) -> Iterator[Finding]:
    # The engine's regular expressions run in linear time and know no look-around or back-references.
    if re.search(r"\(\?[=!<]|\\[1-9]", pattern):
        yield path, "Look-around and back-references are not supported.", "Write a plain pattern."
        return
    try:
        re.compile(pattern)
    except re.error as error:
        yield path, f"Not a regular expression: {error}.", "Correct the pattern."


def _expression(path: tuple[str | int, ...], text: str, names: set[str]) -> Iterator[Finding]:
    try:
        used = parse_expression(text).names
    except RefusedExpression as error:
        yield path, error.detail, error.fix
        return
    for name in sorted(used - names):
        yield path, f"The expression uses {name!r}, which is not mapped.", _nearest(name, names)


def _keys_and_defaults(contract: Contract) -> Iterator[Finding]:
    names = mapped_names(contract)
    for index, name in enumerate(contract.natural_key):
        if name not in names:
            yield ("natural_key", index), f"{name!r} is not mapped.", _nearest(name, names)
    by_id = {spec.id: spec for spec in contract.attributions}
    for metric, id_ in contract.default_attribution.items():
        if id_ not in by_id:
            yield ("default_attribution", metric), f"There is no attribution {id_!r}.", _nearest(id_, set(by_id))
        elif by_id[id_].metric != metric:
            yield ("default_attribution", metric), f"{id_!r} is {by_id[id_].metric}, not {metric}.", "Choose another."
    for index, example in enumerate(contract.examples):
        for target in example.expect:
            if target not in names | set(by_id):
                yield ("examples", index, "expect", target), f"{target!r} is not mapped.", _nearest(target, names)
