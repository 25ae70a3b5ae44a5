"""A contract's rules as conditions over canonical rows.

A rule that quarantines yields `Violation`s; one that warns is counted over the good rows. A rule about a column that
the file does not have cannot be applied, and is listed as such: an unchecked rule is not a kept one.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from harmonization.core import rmis
from harmonization.core.binding import Binding
from harmonization.core.contract import (
    Expression,
    GtinCheck,
    InSet,
    MinCell,
    NotNull,
    ReconcilesWith,
    Regex,
    Rule,
    Unique,
)
from harmonization.core.expressions import parse_expression
from harmonization.core.gtin import is_gtin
from harmonization.core.load_context import LoadContext
from harmonization.core.report import ToReconcile

PERIOD_ORDER: Final = "period_order"
NOT_IN_FUTURE: Final = "not_in_future"
UNIQUE: Final = "unique"
RAGGED_ROW: Final = "ragged_row"
FX_RATE_KNOWN: Final = "fx_rate_known"


@dataclass(frozen=True, slots=True)
class Violation:
    """A condition that is true where a row breaks `rule`; `column` is the canonical column to blame, if it is one."""

    rule: str
    column: str | None
    broken: pl.Expr


@dataclass(frozen=True, slots=True)
class AppliedRules:
    """Rules as they apply to one file; `not_applied` names those whose columns the file lacks."""

    quarantine: tuple[Violation, ...]
    warn: tuple[Violation, ...]
    not_applied: tuple[str, ...]


def apply_rules(
    binding: Binding, columns: set[str], context: LoadContext, unreadable: dict[str, pl.Expr]
) -> AppliedRules:
    """The contract's rules over the canonical `columns` that the file feeds, after the two that hold for every report:
    periods end no earlier than they start, and not after the day of the load.

    `unreadable` tells where a column is null because its cell was not readable. That is a finding of its own, so
    not_null does not report it a second time.
    """
    quarantine = [
        Violation(PERIOD_ORDER, "period_end", pl.col("period_end") < pl.col("period_start")),
    ]
    if context.as_of is not None:
        quarantine.append(Violation(NOT_IN_FUTURE, "period_end", pl.col("period_end") > pl.lit(context.as_of)))
    warn: list[Violation] = []
    not_applied = []
    for rule in binding.contract.rules:
        if isinstance(rule, ReconcilesWith):
            continue
        found = list(_violations(rule, binding, columns, unreadable))
        if not found and not (isinstance(rule, Unique) and unique_columns(rule, binding, columns)):
            not_applied.append(rule.id)
        (quarantine if rule.severity == "quarantine" else warn).extend(found)
    return AppliedRules(tuple(quarantine), tuple(warn), tuple(not_applied))


def expression_windows(text: str, binding: Binding, columns: set[str]) -> Iterator[pl.Expr]:
    """The expression once per window for which the file has every attribution it names; once if it names none."""
    parsed = parse_expression(text)
    ids = {spec.id for spec in binding.contract.attributions}
    wanted = parsed.names & ids
    if not parsed.names - ids <= columns:
        return
    plain = {name: pl.col(name) for name in parsed.names - ids}
    types = {name: rmis.COLUMNS[name].dtype for name in plain} | dict.fromkeys(wanted, rmis.MONEY)
    if not wanted:
        yield parsed.compile(plain, types).value
        return
    windows: dict[tuple[int | None, int | None], dict[str, pl.Expr]] = {}
    for bound in binding.attributions:
        if bound.spec.id in wanted:
            window = (bound.attribution.click_days, bound.attribution.view_days)
            windows.setdefault(window, {})[bound.spec.id] = pl.col(bound.attribution.column)
    for named in windows.values():
        if len(named) == len(wanted):
            yield parsed.compile(plain | named, types).value


def _violations(rule: Rule, binding: Binding, columns: set[str], unreadable: dict[str, pl.Expr]) -> Iterator[Violation]:
    if isinstance(rule, Expression):
        for condition in expression_windows(rule.expression, binding, columns):
            yield Violation(rule.id, None, ~condition)
        return
    if isinstance(rule, Unique | ReconcilesWith):
        return  # No row tells by itself: see `harmonization.core.uniqueness`, and reconciliation across loads.
    for name in rule.columns if isinstance(rule, NotNull) else [rule.column]:
        for column in _columns_of(name, binding, columns):
            value = pl.col(column)
            if isinstance(rule, NotNull):
                # Warnings are counted over the good rows, whose cells are all read or told in `unread`.
                told = unreadable.get(column, pl.lit(False)) if rule.severity == "quarantine" else pl.lit(False)
                broken = value.is_null() & ~told
            elif isinstance(rule, InSet):
                broken = ~value.is_in(rule.values or rmis.VOCABULARIES[str(rule.vocabulary)])
            elif isinstance(rule, Regex):
                broken = ~value.str.contains(rule.pattern)
            elif isinstance(rule, GtinCheck):
                broken = ~value.map_batches(is_gtin, return_dtype=pl.Boolean(), is_elementwise=True)
            elif isinstance(rule, MinCell):
                broken = (value > 0) & (value < rule.min)
            else:
                broken = _outside(column, value, rule.min, rule.max)
            yield Violation(rule.id, column, broken)


def _outside(column: str, value: pl.Expr, low: float | str | None, high: float | str | None) -> pl.Expr:
    def bound(limit: float | str) -> pl.Expr:
        if isinstance(limit, str):
            return pl.lit(datetime.date.fromisoformat(limit))
        dtype = rmis.COLUMNS[column].dtype if column in rmis.COLUMNS else rmis.MONEY
        return pl.lit(limit) if dtype.is_integer() or dtype.is_float() else pl.lit(str(limit)).cast(rmis.MONEY)

    below = value < bound(low) if low is not None else pl.lit(False)
    above = value > bound(high) if high is not None else pl.lit(False)
    return below | above


def unique_columns(rule: Unique, binding: Binding, columns: set[str]) -> list[str]:
    """The columns that the rule compares; none if the file lacks one of them."""
    found = [_columns_of(name, binding, columns) for name in rule.columns]
    return [column for each in found for column in each] if all(found) else []


def to_reconcile(binding: Binding, columns: set[str]) -> tuple[ToReconcile, ...]:
    """What the contract's rules of kind `reconciles_with` ask for, of the columns that the file has."""
    return tuple(
        ToReconcile(rule.id, rule.report, tuple(found), rule.tolerance)
        for rule in binding.contract.rules
        if isinstance(rule, ReconcilesWith)
        and (found := [column for name in rule.columns for column in _columns_of(name, binding, columns)])
    )


def _columns_of(name: str, binding: Binding, columns: set[str]) -> list[str]:
    attributed = [bound.attribution.column for bound in binding.attributions if bound.spec.id == name]
    return attributed or ([name] if name in columns else [])
