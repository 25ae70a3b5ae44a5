"""What the rules, derived columns and skipped rows of a contract must satisfy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import polars as pl

from harmonization.core import rmis
from harmonization.core.contract_rules import (
    Expression,
    GtinCheck,
    InSet,
    MinCell,
    NotNull,
    Range,
    ReconcilesWith,
    Regex,
    Rule,
    Unique,
)
from harmonization.core.expressions import RefusedExpression, parse_expression
from harmonization.core.field_checks import Finding, Path, check_pattern, nearest
from harmonization.core.operands import of_column

if TYPE_CHECKING:
    from harmonization.core.contract import Contract


def check_derived(contract: Contract, names: set[str]) -> Iterator[Finding]:
    """Targets that may be computed, from columns that there are, of a type that fits."""
    for index, derived in enumerate(contract.derived):
        path = ("derived", index, "target")
        column = rmis.COLUMNS.get(derived.target)
        if column is None:
            yield path, f"There is no canonical column {derived.target!r}.", nearest(derived.target, set(rmis.COLUMNS))
            continue
        if derived.target in rmis.MADE:
            yield path, f"{derived.target!r} is written by harmonising itself.", "Compute another column."
        if derived.target in rmis.VOCABULARIES:
            yield path, f"The values of {derived.target} come from a closed list.", "Map a field with a value_map."
        yield from _expression(("derived", index, "expression"), derived.expression, names, {}, column.dtype)


def check_rules(contract: Contract, names: set[str]) -> Iterator[Finding]:
    """Ids, columns and arguments of the rules."""
    ids = {spec.id: rmis.MONEY for spec in contract.attributions}
    seen: set[str] = set()
    for index, rule in enumerate(contract.rules):
        path = ("rules", index)
        if rule.id in seen:
            yield (*path, "id"), f"The rule id {rule.id!r} is taken.", "Choose another id."
        seen.add(rule.id)
        if isinstance(rule, Expression):
            yield from _expression((*path, "expression"), rule.expression, names, ids, pl.Boolean())
            continue
        known = names | set(ids)
        columns = rule.columns if isinstance(rule, NotNull | Unique | ReconcilesWith) else [rule.column]
        unknown = [name for name in columns if name not in known]
        for name in unknown:
            yield path, f"The rule {rule.id} speaks of {name!r}, which is not mapped.", nearest(name, known)
        if not unknown:
            yield from _arguments(path, rule)


def _arguments(path: Path, rule: Rule) -> Iterator[Finding]:
    if isinstance(rule, InSet | Regex | GtinCheck) and _unit_of(rule.column) != "text":
        yield (*path, "column"), f"{rule.column} is no text column.", "Name a text column."
    if isinstance(rule, InSet):
        yield from _set(path, rule)
    elif isinstance(rule, Regex):
        yield from check_pattern((*path, "pattern"), rule.pattern)
    elif isinstance(rule, Range):
        yield from _bounds(path, rule)
    elif isinstance(rule, MinCell) and _unit_of(rule.column) not in ("count", "money"):
        yield (*path, "column"), f"{rule.column} counts nothing.", "Name a count."
    elif isinstance(rule, ReconcilesWith):
        for name in rule.columns:
            if _unit_of(name) not in ("count", "money"):
                yield (*path, "columns"), f"{name} has no total.", "Name counts, amounts or attributions."


def _unit_of(name: str) -> str:
    """Of a column; an attribution's id stands for columns of amounts."""
    return rmis.COLUMNS[name].unit if name in rmis.COLUMNS else "money"


def _set(path: Path, rule: InSet) -> Iterator[Finding]:
    if bool(rule.values) == (rule.vocabulary is not None):
        yield path, "A set has either values or a vocabulary.", "Give one of the two."
    if rule.vocabulary is not None and rule.vocabulary not in rmis.VOCABULARIES:
        yield (
            (*path, "vocabulary"),
            f"There is no vocabulary {rule.vocabulary!r}.",
            f"Use one of {', '.join(rmis.VOCABULARIES)}.",
        )


def _bounds(path: Path, rule: Range) -> Iterator[Finding]:
    if rule.min is None and rule.max is None:
        yield path, "The range has neither min nor max.", "Add one."
    unit = _unit_of(rule.column)
    if unit in ("text", "instant", "flag"):
        yield (*path, "column"), f"{rule.column} is no number and no day.", "Name a number or a date."
        return
    for key, bound in (("min", rule.min), ("max", rule.max)):
        if bound is None:
            continue
        if unit == "date" and not (isinstance(bound, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", bound)):
            yield (*path, key), f"{bound!r} is no date.", "Write YYYY-MM-DD."
        if unit != "date" and isinstance(bound, str):
            yield (*path, key), f"{bound!r} is no number.", "Write a number."


def check_skips(contract: Contract) -> Iterator[Finding]:
    """Columns and patterns of the rows that are no data."""
    targets = {field.target for field in contract.fields}
    for index, skip in enumerate(contract.skip):
        if skip.column != "first" and skip.column not in targets:
            yield ("skip", index, "column"), f"{skip.column!r} is not mapped.", "Use a field's target or `first`."
        yield from check_pattern(("skip", index, "pattern"), skip.pattern)


def _expression(
    path: Path, text: str, names: set[str], ids: Mapping[str, pl.DataType], wanted: pl.DataType
) -> Iterator[Finding]:
    try:
        parsed = parse_expression(text)
    except RefusedExpression as error:
        yield path, error.detail, error.fix
        return
    known = names | set(ids)
    unknown = sorted(parsed.names - known)
    for name in unknown:
        yield path, f"The expression uses {name!r}, which is not mapped.", nearest(name, known)
    if unknown:
        return
    types = {name: rmis.COLUMNS[name].dtype if name in rmis.COLUMNS else ids[name] for name in parsed.names}
    try:
        found = parsed.compile({name: pl.col(name) for name in types}, types)
    except RefusedExpression as error:
        yield path, error.detail, error.fix
        return
    needed = of_column(pl.lit(None), wanted)
    if found.kind != "null" and found.words != needed.words:
        yield path, f"The expression is {found.words}; here must stand {needed.words}.", "Change the expression."
