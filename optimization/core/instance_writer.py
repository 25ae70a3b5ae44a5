"""Writing a budget problem in the file format that `optimization.core.instance` reads."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from optimization.core.instance import SCHEMA
from optimization.core.problem import LEVELS, BudgetProblem, Cell
from optimization.core.responses import EXPONENT_NAME


def write_problem(problem: BudgetProblem) -> dict[str, Any]:
    """A JSON-able document from which `parse_problem` builds an equal problem."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "name": problem.name,
        "total_budget": problem.total_budget,
        "experiment_reserve_fraction": problem.experiment_reserve_fraction,
        "cells": [_cell(cell) for cell in problem.cells],
        "node_bounds": [
            {"path": list(bound.path), "min_spend": bound.min_spend, "max_spend": bound.max_spend}
            for bound in problem.node_bounds
        ],
        "global_constraints": [
            {"kind": one.kind.value, "value": one.value, "scope": list(one.scope)} for one in problem.global_constraints
        ],
    }
    if problem.tail is not None:
        document["objective"] = {"kind": "cvar", "tail_fraction": problem.tail.tail_fraction}
        document["scenarios"] = problem.tail.scenarios.tolist()
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
    return out
