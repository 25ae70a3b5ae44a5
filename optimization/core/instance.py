"""The file format of a budget problem, `rmn-budget-instance/1`, read strictly: an unknown key is an error."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optimization.core.problem import (
    LEVELS,
    BudgetProblem,
    Cell,
    Curve,
    GlobalConstraint,
    GlobalKind,
    InvalidProblem,
    NodeBound,
    Path,
    TailObjective,
)
from optimization.core.responses import EXPONENT_NAME, Family

SCHEMA = "rmn-budget-instance/1"

_TOP = {
    "schema", "name", "description", "total_budget", "experiment_reserve_fraction", "cells", "node_bounds",
    "global_constraints", "objective", "scenarios", "expected", "objective_rel_tol", "current",
}  # fmt: skip
_CELL = {"id", "path", "response", "min_spend", "max_spend", "out_of_stock", "min_spend_if_active", "current_spend"}


def read_problem(text: str | bytes) -> BudgetProblem:
    """A problem from the text of a JSON file.

    Raises:
        InvalidProblem: the text is no JSON, or the problem breaks a rule; the place is in `where`.
    """
    return parse_problem(parse_text(text))


def parse_text(text: str | bytes) -> Any:
    """The JSON document in the text of a file.

    Raises:
        InvalidProblem: the text is no JSON.
    """
    try:
        return json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InvalidProblem(
            f"The file is not JSON: {error}.", where="file", fix=f"Write one JSON object with schema {SCHEMA!r}."
        ) from error
    except RecursionError as error:
        raise InvalidProblem("The file is nested too deeply.", where="file", fix="Write a flat instance.") from error


def parse_problem(document: Any) -> BudgetProblem:
    """A problem from a decoded JSON document; see `read_problem`."""
    top = _object(document, "file")
    if top.get("schema") != SCHEMA:
        raise InvalidProblem(
            f"The schema is {top.get('schema')!r}.", where="schema", fix=f"Give a file with schema {SCHEMA!r}."
        )
    _keys(top, _TOP, "file")
    cells = [_cell(item, f"cells[{number}]") for number, item in enumerate(_list(top.get("cells"), "cells"))]
    return BudgetProblem.of(
        cells,
        _number(top.get("total_budget"), "total_budget"),
        experiment_reserve_fraction=_number(top.get("experiment_reserve_fraction", 0.0), "experiment_reserve_fraction"),
        node_bounds=[
            _bound(item, f"node_bounds[{number}]")
            for number, item in enumerate(_list(top.get("node_bounds", []), "node_bounds"))
        ],
        global_constraints=[
            _global(item, f"global_constraints[{number}]")
            for number, item in enumerate(_list(top.get("global_constraints", []), "global_constraints"))
        ],
        tail=_tail(top),
        name=str(top.get("name", "")),
    )


def read_current(document: Mapping[str, Any]) -> dict[str, float] | None:
    """The current spend of an instance, {cell id: money}, from `current` or the cells' `current_spend`; else None."""
    if "current" in document:
        given = _object(document["current"], "current")
        return {key: _number(value, f"current[{key!r}]") for key, value in given.items()}
    spends = {
        str(cell["id"]): _number(cell["current_spend"], f"cell {cell['id']!r}")
        for cell in document.get("cells", [])
        if cell.get("current_spend") is not None
    }
    return spends or None


def _cell(item: Any, place: str) -> Cell:
    given = _object(item, place)
    if not isinstance(given.get("id"), str):
        raise InvalidProblem("The cell has no text id.", where=place, fix="Give every cell an id of its own.")
    place = f"{place} {given['id']!r}"
    _keys(given, _CELL, place)
    out_of_stock = given.get("out_of_stock", False)
    if not isinstance(out_of_stock, bool):
        raise InvalidProblem(f"out_of_stock is {out_of_stock!r}.", where=place, fix="Give true or false.")
    cap = given.get("max_spend")
    return Cell(
        id=given["id"],
        path=_cell_path(given.get("path"), place),
        curve=_curve(given.get("response"), place),
        min_spend=_number(given.get("min_spend") or 0.0, f"{place} min_spend"),
        max_spend=None if cap is None else _number(cap, f"{place} max_spend"),
        out_of_stock=out_of_stock,
        min_spend_if_active=_number(given.get("min_spend_if_active") or 0.0, f"{place} min_spend_if_active"),
    )


def _cell_path(item: Any, place: str) -> Path:
    if isinstance(item, list):
        parts = item
    else:
        given = _object(item, f"{place} path")
        _keys(given, set(LEVELS), f"{place} path")
        parts = [given.get(level) for level in LEVELS]
    if len(parts) != len(LEVELS) or not all(isinstance(part, str) and part for part in parts):
        raise InvalidProblem("The path is not complete.", where=f"{place} path", fix=f"Name {', '.join(LEVELS)}.")
    return tuple(parts)


def _curve(item: Any, place: str) -> Curve:
    place = f"{place} response"
    given = _object(item, place)
    _keys(given, {"family", "params", "revenue_per_conversion"}, place)
    by_label = {family.label: family for family in Family}
    family = by_label.get(str(given.get("family")))
    if family is None:
        raise InvalidProblem(
            f"The family {given.get('family')!r} is not known.", where=place, fix=f"Use one of {', '.join(by_label)}."
        )
    names = {"a", "k"} | ({EXPONENT_NAME[family]} if family in EXPONENT_NAME else set())
    params = _object(given.get("params"), f"{place} params")
    if set(params) != names:
        raise InvalidProblem(
            f"The parameters are {', '.join(sorted(params)) or 'missing'}.",
            where=place,
            fix=f"A {family.label} curve takes exactly {', '.join(sorted(names))}.",
        )
    rate = given.get("revenue_per_conversion")
    return Curve(
        family=family,
        a=_number(params["a"], f"{place} a"),
        k=_number(params["k"], f"{place} k"),
        exponent=_number(params[EXPONENT_NAME[family]], place) if family in EXPONENT_NAME else 1.0,
        revenue_per_conversion=None if rate is None else _number(rate, f"{place} revenue_per_conversion"),
    )


def _bound(item: Any, place: str) -> NodeBound:
    given = _object(item, place)
    _keys(given, {"path", "min_spend", "max_spend"}, place)
    low, high = given.get("min_spend"), given.get("max_spend")
    return NodeBound(
        path=_prefix(given.get("path"), place),
        min_spend=None if low is None else _number(low, f"{place} min_spend"),
        max_spend=None if high is None else _number(high, f"{place} max_spend"),
    )


def _global(item: Any, place: str) -> GlobalConstraint:
    given = _object(item, place)
    _keys(given, {"kind", "value", "scope"}, place)
    kinds = [kind.value for kind in GlobalKind]
    if given.get("kind") not in kinds:
        raise InvalidProblem(
            f"The kind {given.get('kind')!r} is not known.", where=place, fix=f"Use one of {', '.join(kinds)}."
        )
    return GlobalConstraint(
        kind=GlobalKind(given["kind"]),
        value=_number(given.get("value"), f"{place} value"),
        scope=_prefix(given.get("scope", []), place),
    )


def _tail(top: Mapping[str, Any]) -> TailObjective | None:
    objective = top.get("objective")
    if objective is None:
        return None
    given = _object(objective, "objective")
    _keys(given, {"kind", "tail_fraction"}, "objective")
    if given.get("kind") == "revenue":
        return None
    if given.get("kind") != "cvar":
        raise InvalidProblem(
            f"The objective {given.get('kind')!r} is not known.", where="objective", fix="Use revenue or cvar."
        )
    rows = _list(top.get("scenarios"), "scenarios")
    try:
        scenarios = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidProblem(
            "The scenarios are not a table of numbers.", where="scenarios", fix="Give equally long rows of numbers."
        ) from error
    return TailObjective(_number(given.get("tail_fraction"), "objective tail_fraction"), scenarios)


def _prefix(item: Any, place: str) -> Path:
    parts: Sequence[Any] = _list(item, f"{place} path")
    if len(parts) > len(LEVELS) or not all(isinstance(part, str) and part for part in parts):
        raise InvalidProblem(
            f"The path is {item!r}.", where=place, fix=f"Give the first levels of {', '.join(LEVELS)} as a list."
        )
    return tuple(parts)


def _object(item: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise InvalidProblem(f"An object is expected, not {type(item).__name__}.", where=place, fix="Give an object.")
    return item


def _list(item: Any, place: str) -> list[Any]:
    if not isinstance(item, list):
        raise InvalidProblem(f"A list is expected, not {type(item).__name__}.", where=place, fix="Give a list.")
    return item


def _number(item: Any, place: str) -> float:
    if isinstance(item, bool) or not isinstance(item, int | float):
        raise InvalidProblem(f"A number is expected, not {item!r}.", where=place, fix="Give a number.")
    try:
        return float(item)
    except OverflowError as error:
        raise InvalidProblem("The number is too large.", where=place, fix="Give a finite amount.") from error


def _keys(given: Mapping[str, Any], known: set[str], place: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise InvalidProblem(
            f"The key {unknown[0]!r} is not known here.",
            where=place,
            fix=f"Known keys: {', '.join(sorted(known))}.",
        )
