"""What a contract must satisfy beyond its shape: its parts have to agree with each other and with the schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harmonization.core import rmis
from harmonization.core.field_checks import (
    FROM_HEADER,
    GTIN_OF,
    Finding,
    check_attributions,
    check_fields,
    check_pattern,
    check_zone,
    nearest,
)
from harmonization.core.rule_checks import check_derived, check_rules, check_skips

if TYPE_CHECKING:
    from harmonization.core.contract import Contract

__all__ = ["FROM_HEADER", "Finding", "check_meaning", "mapped_names"]


def check_meaning(contract: Contract) -> list[Finding]:
    """Every disagreement as (path into the document, what is wrong, what to do)."""
    names = mapped_names(contract)
    return [
        *_source(contract),
        *check_fields(contract),
        *check_attributions(contract),
        *check_derived(contract, names),
        *check_rules(contract, names),
        *check_skips(contract),
        *_keys_and_defaults(contract),
    ]


def mapped_names(contract: Contract) -> set[str]:
    """Canonical columns that rules, keys and expressions of this contract may speak of."""
    names = {field.target for field in contract.fields if field.target in rmis.COLUMNS}
    for field in contract.fields:
        if field.resolver == "placement":
            names.add("placement_raw")
        if field.resolver == "gtin" and field.target in GTIN_OF:
            names.add(GTIN_OF[field.target])
        if field.value_map and field.value_map.keep_raw_in in rmis.COLUMNS:
            names.add(str(field.value_map.keep_raw_in))
    names |= {derived.target for derived in contract.derived if derived.target in rmis.COLUMNS}
    return names | {column.name for column in rmis.EVENTS if column.always}


def _source(contract: Contract) -> Iterator[Finding]:
    source = contract.source
    yield from check_zone(("source", "timezone"), source.timezone)
    if source.thousands_sign == source.decimal_sign:
        yield ("source", "thousands_sign"), "Decimal and thousands sign are the same.", "Change one of them."
    if source.records is not None and "json" not in source.formats:
        yield ("source", "records"), "Only JSON documents have records inside.", "Add json to formats, or remove it."
    for index, pattern in enumerate(source.file_names):
        yield from check_pattern(("source", "file_names", index), pattern)
    for column in ("impression_basis", "cost_model", "sku_id_type"):
        value = getattr(contract, column)
        if value is not None and value not in rmis.VOCABULARIES[column]:
            yield (column,), f"{value!r} is no {column}.", f"Use one of {', '.join(rmis.VOCABULARIES[column])}."
    for name, parameter in contract.parameters.items():
        if parameter.kind == "day" and (parameter.values or parameter.default is not None):
            yield ("parameters", name), "A day is named with each file.", "Remove its default and values."
        if parameter.kind == "choice" and parameter.default not in parameter.values:
            yield ("parameters", name, "default"), "The default is not among the values.", "Add it to the values."
    yield from _period(contract)


def _period(contract: Contract) -> Iterator[Finding]:
    for index, name in enumerate(contract.source.period or []):
        if name not in contract.parameters or contract.parameters[name].kind != "day":
            yield ("source", "period", index), f"{name!r} is no parameter of kind day.", "Declare it under parameters."
    mapped = {field.target for field in contract.fields} & {"period_start", "period_end"}
    if contract.source.period and mapped:
        yield ("source", "period"), f"A column gives {min(mapped)} already.", "Remove the field, or the period."


def _keys_and_defaults(contract: Contract) -> Iterator[Finding]:
    names = mapped_names(contract)
    for index, name in enumerate(contract.natural_key):
        if name not in names:
            yield ("natural_key", index), f"{name!r} is not mapped.", nearest(name, names)
    by_id = {spec.id: spec for spec in contract.attributions}
    for metric, id_ in contract.default_attribution.items():
        if id_ not in by_id:
            yield ("default_attribution", metric), f"There is no attribution {id_!r}.", nearest(id_, set(by_id))
        elif by_id[id_].metric != metric:
            yield ("default_attribution", metric), f"{id_!r} is {by_id[id_].metric}, not {metric}.", "Choose another."
    for index, example in enumerate(contract.examples):
        for target in example.expect:
            if target not in names | set(by_id):
                yield ("examples", index, "expect", target), f"{target!r} is not mapped.", nearest(target, names)
