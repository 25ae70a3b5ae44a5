"""The file format of a budget problem, `rmn-budget-instance/1`, read strictly: an unknown key is an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from optimization.core.instance_terms import (
    read_fixed,
    read_linear,
    read_mode,
    read_objective,
    read_periods,
)
from optimization.core.json_reading import as_list, as_number, as_object, as_prefix, check_keys
from optimization.core.modes import check_extra, hold_nodes, keep_current
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
)
from optimization.core.responses import EXPONENT_NAME, Family

SCHEMA = "rmn-budget-instance/1"

TOP_KEYS = {
    "schema", "name", "description", "total_budget", "experiment_reserve_fraction", "cells", "node_bounds",
    "global_constraints", "objective", "scenarios", "expected", "objective_rel_tol", "current", "mode", "fixed",
    "constraints", "periods",
}  # fmt: skip
CELL_KEYS = {
    "id", "path", "response", "min_spend", "max_spend", "out_of_stock", "min_spend_if_active", "current_spend",
    "margin", "incrementality", "incrementality_low",
}  # fmt: skip


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
    top = as_object(document, "file")
    if top.get("schema") != SCHEMA:
        raise InvalidProblem(
            f"The schema is {top.get('schema')!r}.", where="schema", fix=f"Give a file with schema {SCHEMA!r}."
        )
    check_keys(top, TOP_KEYS, "file")
    cells = [_cell(item, f"cells[{number}]") for number, item in enumerate(as_list(top.get("cells"), "cells"))]
    current, mode = read_current(top), read_mode(top.get("mode"))
    periods = read_periods(top.get("periods"))
    budget = top.get("total_budget")
    budget = None if budget is None else as_number(budget, "total_budget")
    budget = periods.total(budget) if periods else budget
    reserve = as_number(top.get("experiment_reserve_fraction", 0.0), "experiment_reserve_fraction")
    bounds = [
        bound
        for number, item in enumerate(as_list(top.get("node_bounds", []), "node_bounds"))
        for bound in _bounds(item, f"node_bounds[{number}]", len(periods.budgets) if periods else 0)
    ]
    limits = [
        _global(item, f"global_constraints[{number}]")
        for number, item in enumerate(as_list(top.get("global_constraints", []), "global_constraints"))
    ]
    if mode.keeps_current:
        if budget is None:
            raise InvalidProblem(
                "Only the extra money is to be allocated, but there is none.",
                where="total_budget",
                fix="Give total_budget: in mode incremental_only it is the extra money.",
            )
        if current is None:
            raise InvalidProblem(
                "Only the extra money is to be allocated, but the current spend is not told.",
                where="current",
                fix="Give current, the spend by cell id, or current_spend with each cell.",
            )
        check_extra(budget, reserve, current, [cell.id for cell in cells])
        cells, budget, reserve, periods = keep_current(cells, current, budget, reserve, periods)
    held = read_fixed(top.get("fixed", []))
    aim, tail = read_objective(top)
    return BudgetProblem.of(
        cells,
        budget,
        experiment_reserve_fraction=reserve,
        node_bounds=hold_nodes(bounds, held, cells, current, len(periods.budgets) if periods else 0),
        global_constraints=mode.among(limits),
        tail=tail,
        name=str(top.get("name", "")),
        aim=aim,
        hurdle=mode.hurdle,
        linear=read_linear(top.get("constraints", []), cells, current),
        periods=periods,
    )


def read_current(document: Mapping[str, Any]) -> dict[str, float] | None:
    """The current spend of an instance, {cell id: money}, from `current` or the cells' `current_spend`; else None."""
    if "current" in document:
        given = as_object(document["current"], "current")
        return {key: as_number(value, f"current[{key!r}]") for key, value in given.items()}
    spends = {
        str(cell["id"]): as_number(cell["current_spend"], f"cell {cell['id']!r}")
        for cell in document.get("cells", [])
        if cell.get("current_spend") is not None
    }
    return spends or None


def _cell(item: Any, place: str) -> Cell:
    given = as_object(item, place)
    if not isinstance(given.get("id"), str):
        raise InvalidProblem("The cell has no text id.", where=place, fix="Give every cell an id of its own.")
    place = f"{place} {given['id']!r}"
    check_keys(given, CELL_KEYS, place)
    out_of_stock = given.get("out_of_stock", False)
    if not isinstance(out_of_stock, bool):
        raise InvalidProblem(f"out_of_stock is {out_of_stock!r}.", where=place, fix="Give true or false.")
    cap = given.get("max_spend")
    return Cell(
        id=given["id"],
        path=_cell_path(given.get("path"), place),
        curve=_curve(given.get("response"), place),
        min_spend=as_number(given.get("min_spend") or 0.0, f"{place} min_spend"),
        max_spend=None if cap is None else as_number(cap, f"{place} max_spend"),
        out_of_stock=out_of_stock,
        min_spend_if_active=as_number(given.get("min_spend_if_active") or 0.0, f"{place} min_spend_if_active"),
        margin=_optional(given, "margin", place),
        incrementality=as_number(given.get("incrementality", 1.0), f"{place} incrementality"),
        incrementality_low=_optional(given, "incrementality_low", place),
    )


def _optional(given: Mapping[str, Any], name: str, place: str) -> float | None:
    return None if given.get(name) is None else as_number(given[name], f"{place} {name}")


def _cell_path(item: Any, place: str) -> Path:
    if isinstance(item, list):
        parts = item
    else:
        given = as_object(item, f"{place} path")
        check_keys(given, set(LEVELS), f"{place} path")
        parts = [given.get(level) for level in LEVELS]
    if len(parts) != len(LEVELS) or not all(isinstance(part, str) and part for part in parts):
        raise InvalidProblem("The path is not complete.", where=f"{place} path", fix=f"Name {', '.join(LEVELS)}.")
    return tuple(parts)


def _curve(item: Any, place: str) -> Curve:
    place = f"{place} response"
    given = as_object(item, place)
    check_keys(given, {"family", "params", "revenue_per_conversion"}, place)
    by_label = {family.label: family for family in Family}
    family = by_label.get(str(given.get("family")))
    if family is None:
        raise InvalidProblem(
            f"The family {given.get('family')!r} is not known.", where=place, fix=f"Use one of {', '.join(by_label)}."
        )
    names = {"a", "k"} | ({EXPONENT_NAME[family]} if family in EXPONENT_NAME else set())
    params = as_object(given.get("params"), f"{place} params")
    if set(params) != names:
        raise InvalidProblem(
            f"The parameters are {', '.join(sorted(params)) or 'missing'}.",
            where=place,
            fix=f"A {family.label} curve takes exactly {', '.join(sorted(names))}.",
        )
    rate = given.get("revenue_per_conversion")
    return Curve(
        family=family,
        a=as_number(params["a"], f"{place} a"),
        k=as_number(params["k"], f"{place} k"),
        exponent=as_number(params[EXPONENT_NAME[family]], place) if family in EXPONENT_NAME else 1.0,
        revenue_per_conversion=None if rate is None else as_number(rate, f"{place} revenue_per_conversion"),
    )


def _bounds(item: Any, place: str, weeks: int) -> list[NodeBound]:
    """One bound, or one for each period."""
    given = as_object(item, place)
    check_keys(given, {"path", "min_spend", "max_spend", "period"}, place)
    low, high = given.get("min_spend"), given.get("max_spend")
    bound = NodeBound(
        path=as_prefix(given.get("path"), place),
        min_spend=None if low is None else as_number(low, f"{place} min_spend"),
        max_spend=None if high is None else as_number(high, f"{place} max_spend"),
    )
    period = given.get("period", "all")
    if period == "all":
        return [bound]
    if not weeks:
        raise InvalidProblem(
            f"The period is {period!r}, but the problem has no periods.",
            where=f"{place} period",
            fix="Leave period out, or give periods with a budget for each.",
        )
    if period == "each":
        return [replace(bound, period=number) for number in range(1, weeks + 1)]
    if isinstance(period, bool) or not isinstance(period, int) or not 1 <= period <= weeks:
        raise InvalidProblem(
            f"The period is {period!r}.", where=f"{place} period", fix=f'Give "all", "each" or a number 1 to {weeks}.'
        )
    return [replace(bound, period=period)]


def _global(item: Any, place: str) -> GlobalConstraint:
    given = as_object(item, place)
    check_keys(given, {"kind", "value", "scope"}, place)
    kinds = [kind.value for kind in GlobalKind]
    if given.get("kind") not in kinds:
        raise InvalidProblem(
            f"The kind {given.get('kind')!r} is not known.", where=place, fix=f"Use one of {', '.join(kinds)}."
        )
    return GlobalConstraint(
        kind=GlobalKind(given["kind"]),
        value=as_number(given.get("value"), f"{place} value"),
        scope=as_prefix(given.get("scope", []), place),
    )
