"""Writing a budget problem in the file format that `optimization.core.instance` reads."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from optimization.core.instance import SCHEMA
from optimization.core.problem import LEVELS, Aim, BudgetProblem, Cell, LinearConstraint
from optimization.core.responses import EXPONENT_NAME


def write_problem(problem: BudgetProblem) -> dict[str, Any]:
    """A JSON-able document from which `parse_problem` builds an equal problem."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "name": problem.name,
        "total_budget": None if problem.open_budget else problem.total_budget,
        "experiment_reserve_fraction": problem.experiment_reserve_fraction,
        "cells": [_cell(cell) for cell in problem.cells],
        "node_bounds": [
            {"path": list(bound.path), "min_spend": bound.min_spend, "max_spend": bound.max_spend}
            | ({"period": bound.period} if bound.period else {})
            for bound in problem.node_bounds
        ],
        "global_constraints": [
            {"kind": one.kind.value, "value": one.value, "scope": list(one.scope)} for one in problem.global_constraints
        ],
    }
    if problem.tail is not None:
        document["objective"] = {"kind": "cvar", "tail_fraction": problem.tail.tail_fraction}
        if problem.aim is not Aim.REVENUE:
            document["objective"]["of"] = problem.aim.value
        document["scenarios"] = problem.tail.scenarios.tolist()
    elif problem.aim is not Aim.REVENUE:
        document["objective"] = {"kind": problem.aim.value}
    if problem.hurdle > 0.0:
        document["mode"] = {"kind": "target_marginal_roi", "target": problem.hurdle}
    if problem.linear:
        document["constraints"] = [_linear(one) for one in problem.linear]
    if problem.periods is not None:
        document["periods"] = {"budgets": list(problem.periods.budgets), "season": list(problem.periods.season)}
    return document


def problem_sha256(problem: BudgetProblem) -> str:
    """Identifies what is asked: equal for equal problems, whatever their names."""
    document = write_problem(problem) | {"name": ""}
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _cell(cell: Cell) -> dict[str, Any]:
    curve = cell.curve
    response: dict[str, Any] = {"family": curve.family.label, "params": {"a": curve.a, "k": curve.k}}
    if curve.family in EXPONENT_NAME:
        response["params"][EXPONENT_NAME[curve.family]] = curve.exponent
    if curve.revenue_per_conversion is not None:
        response["revenue_per_conversion"] = curve.revenue_per_conversion
    out: dict[str, Any] = {
        "id": cell.id,
        "path": dict(zip(LEVELS, cell.path, strict=True)),
        "response": response,
        "min_spend": cell.min_spend,
        "max_spend": cell.max_spend,
        "out_of_stock": cell.out_of_stock,
    }
    if cell.min_spend_if_active:
        out["min_spend_if_active"] = cell.min_spend_if_active
    if cell.margin is not None:
        out["margin"] = cell.margin
    if cell.incrementality != 1.0:
        out["incrementality"] = cell.incrementality
    if cell.incrementality_low is not None:
        out["incrementality_low"] = cell.incrementality_low
    return out


def _linear(one: LinearConstraint) -> dict[str, Any]:
    out: dict[str, Any] = {"kind": one.kind, "name": one.name, "value": one.value}
    first = one.terms[0]
    if one.kind == "linear":
        return out | {"terms": [{"scope": list(term.scope), "coef": term.coef} for term in one.terms]}
    if one.kind == "min_part":
        return out | {"scope": list(one.terms[1].scope), "within": list(first.scope), "part": first.coef}
    other = "within" if one.kind.endswith("share") else "other"
    return out | {"scope": list(first.scope), other: list(one.terms[1].scope)}
