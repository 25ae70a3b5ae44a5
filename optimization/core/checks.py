"""What is refused in a budget problem, with its place and what would fix it."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from optimization.core.parts import (
    LEVELS,
    Aim,
    Cell,
    GlobalConstraint,
    GlobalKind,
    InvalidProblem,
    LinearConstraint,
    Path,
    TailObjective,
    path_text,
)
from optimization.core.responses import EXPONENT_NAME, Family

if TYPE_CHECKING:
    from optimization.core.problem import BudgetProblem


#: Beyond these, sums and quotients of amounts leave what a number can hold.
MOST, LEAST = 1e15, 1e-15


def check_problem(problem: BudgetProblem) -> None:
    """Refuse what no solver should see.

    Raises:
        InvalidProblem: for the first finding.
    """
    if not problem.cells:
        raise InvalidProblem("There are no cells to allocate to.", where="cells", fix="Give at least one cell.")
    _amount(problem.total_budget, "total_budget", "total budget")
    if not 0.0 <= problem.experiment_reserve_fraction <= 1.0:
        raise InvalidProblem(
            f"The experiment reserve is {problem.experiment_reserve_fraction:g}, but a share lies between 0 and 1.",
            where="experiment_reserve_fraction",
            fix="Give the share as a fraction: 0.05 for five percent.",
        )
    for number, cell in enumerate(problem.cells):
        _check_cell(cell, f"cells[{number}] {cell.id!r}")
    _unique([cell.id for cell in problem.cells], "cells", "cell id", "Give every cell an id of its own.")
    _unique(
        [
            path_text(bound.path) + (f" in period {bound.period}" if bound.period else "")
            for bound in problem.node_bounds
        ],
        "node_bounds",
        "bound on",
        "Merge the bounds of one path into one entry with both limits.",
    )
    _unique(
        [f"{one.kind} over {path_text(one.scope)}" for one in problem.global_constraints],
        "global_constraints",
        "constraint",
        "Keep the stricter one.",
    )
    known = {path[:depth] for path in set(problem.paths) for depth in range(len(path) + 1)}
    for number, bound in enumerate(problem.node_bounds):
        place = f"node_bounds[{number}] {path_text(bound.path)}"
        _known(bound.path, known, place)
        for label, value in (("min_spend", bound.min_spend), ("max_spend", bound.max_spend)):
            if value is not None:
                _amount(value, place, label)
    for number, one in enumerate(problem.global_constraints):
        _check_global(problem, one, known, f"global_constraints[{number}] {one.kind}")
    _unique(
        [one.name for one in problem.linear], "constraints", "constraint", "Give every constraint a name of its own."
    )
    for one_linear in problem.linear:
        _check_linear(one_linear, known)
    if problem.tail is not None:
        _check_tail(problem.tail, len(problem.cells))
    _check_aim(problem)


def _check_aim(problem: BudgetProblem) -> None:
    _amount(problem.hurdle, "mode target", "target of marginal return")
    if problem.aim is Aim.PROFIT:
        lacking = np.flatnonzero(np.isnan(problem.margins))
        if lacking.size:
            first = problem.cells[int(lacking[0])].id
            raise InvalidProblem(
                f"{lacking.size} cells, {first!r} first, have no margin, so their profit is not known.",
                where="cells",
                fix="Give margin, the fraction of revenue that is earned, for every cell.",
            )
    if problem.open_budget and problem.experiment_reserve_fraction > 0.0:
        raise InvalidProblem(
            "A share of the budget is held back for experiments, but there is no budget.",
            where="experiment_reserve_fraction",
            fix="Give total_budget, or drop the reserve.",
        )


def _check_linear(one: LinearConstraint, known: set[Path]) -> None:
    place = f"constraints {one.name!r}"
    if not one.terms:
        raise InvalidProblem("The constraint has no terms.", where=place, fix="Give at least one scope.")
    for term in one.terms:
        _known(term.scope, known, place)
        if not abs(term.coef) <= MOST:
            raise InvalidProblem(
                f"A coefficient is {term.coef:g}.", where=place, fix=f"Give a number of at most {MOST:g}."
            )
    if not abs(one.value) <= MOST or not abs(one.limit) <= MOST or (one.kind != "linear" and one.value < 0.0):
        raise InvalidProblem(
            f"Its value is {one.value:g}.", where=place, fix=f"Give zero or a positive number, at most {MOST:g}."
        )
    if one.kind in ("max_share", "min_share", "min_part") and one.value > 1.0:
        raise InvalidProblem(
            f"The share is {one.value:g}, but a share lies between 0 and 1.",
            where=place,
            fix="Give the share as a fraction: 0.6 for sixty percent.",
        )


def _check_cell(cell: Cell, place: str) -> None:
    if not cell.id:
        raise InvalidProblem("A cell has no id.", where=place, fix="Give every cell an id of its own.")
    if not cell.path or not all(isinstance(part, str) and part for part in cell.path):
        raise InvalidProblem(
            "The path of the cell has an empty level.", where=place, fix=f"Name every level: {', '.join(LEVELS)}."
        )
    curve = cell.curve
    _amount(curve.a, place, "response parameter a")
    _amount(curve.k, place, "response parameter k", positive=True)
    if curve.family in EXPONENT_NAME:
        name = EXPONENT_NAME[curve.family]
        _amount(curve.exponent, place, f"response parameter {name}", positive=True)
        if curve.family is Family.POWER and curve.exponent > 1.0:
            raise InvalidProblem(
                f"The power curve has p = {curve.exponent:g}: its return would grow without end.",
                where=place,
                fix="Use 0 < p <= 1, or a hill curve for an S shape.",
            )
    if curve.revenue_per_conversion is not None:
        _amount(curve.revenue_per_conversion, place, "revenue_per_conversion", positive=True)
    if cell.margin is not None and not 0.0 <= cell.margin <= 1.0:
        raise InvalidProblem(
            f"margin is {cell.margin:g}.", where=place, fix="Give it as a fraction of revenue: 0.35 for 35 percent."
        )
    _amount(cell.incrementality, place, "incrementality")
    if cell.incrementality_low is not None:
        _amount(cell.incrementality_low, place, "incrementality_low")
    _amount(cell.min_spend, place, "min_spend")
    _amount(cell.min_spend_if_active, place, "min_spend_if_active")
    if cell.max_spend is None:
        return
    _amount(cell.max_spend, place, "max_spend")
    if cell.min_spend > 0.0 and cell.min_spend_if_active > cell.max_spend and not cell.out_of_stock:
        raise InvalidProblem(
            f"The cell is active by its min_spend, so it must spend at least its min_spend_if_active of "
            f"{cell.min_spend_if_active:g}, but at most {cell.max_spend:g}.",
            where=place,
            fix="Lower min_spend_if_active or raise max_spend.",
        )
    if cell.min_spend > cell.max_spend and not cell.out_of_stock:
        raise InvalidProblem(
            f"The cell must spend at least {cell.min_spend:g} but at most {cell.max_spend:g}.",
            where=place,
            fix="Lower min_spend or raise max_spend.",
        )


def _check_global(problem: BudgetProblem, one: GlobalConstraint, known: set[Path], place: str) -> None:
    _amount(one.value, place, "value", positive=one.kind is GlobalKind.MAX_CPA)
    _known(one.scope, known, place)
    if one.kind is GlobalKind.MAX_CPA:
        lacking = np.flatnonzero(problem.members(one.scope) & np.isnan(problem.revenue_per_conversion))
        if lacking.size:
            first = problem.cells[int(lacking[0])].id
            raise InvalidProblem(
                f"{lacking.size} cells in the scope, {first!r} first, have no revenue per conversion.",
                where=place,
                fix="Give revenue_per_conversion for every cell whose cost per acquisition is limited.",
            )


def _check_tail(tail: TailObjective, cells: int) -> None:
    if not 0.0 < tail.tail_fraction <= 1.0:
        raise InvalidProblem(
            f"tail_fraction is {tail.tail_fraction:g}.", where="objective", fix="Give a fraction above 0, at most 1."
        )
    shape = tail.scenarios.shape
    if len(shape) != 2 or shape[0] == 0 or shape[1] != cells:
        raise InvalidProblem(
            f"The scenarios have shape {shape}, but there are {cells} cells.",
            where="scenarios",
            fix="Give one row per scenario with one multiplier per cell.",
        )
    row, column = np.unravel_index(int(np.argmin((tail.scenarios >= 0.0) & (tail.scenarios <= MOST))), shape)
    if not 0.0 <= tail.scenarios[row, column] <= MOST:
        raise InvalidProblem(
            f"A scenario multiplier is {tail.scenarios[row, column]:g}.",
            where=f"scenarios[{row}][{column}]",
            fix=f"Give 0 to {MOST:g}: how many times as much the cell sells in that scenario.",
        )


def _amount(value: float, place: str, label: str, *, positive: bool = False) -> None:
    if not math.isfinite(value) or value < 0.0 or (positive and value == 0.0):
        wanted = "a number above zero" if positive else "zero or a positive number"
        raise InvalidProblem(f"{label} is {value:g}.", where=place, fix=f"Give {wanted}.")
    if value > MOST or (positive and value < LEAST):
        raise InvalidProblem(
            f"{label} is {value:g}, which no arithmetic of amounts holds.",
            where=place,
            fix=f"Give at most {MOST:g}{f', and at least {LEAST:g}' if positive else ''}.",
        )


def _known(path: Path, known: set[Path], place: str) -> None:
    if path not in known:
        raise InvalidProblem(
            f"No cell lies under {path_text(path)}.", where=place, fix="Correct the path or remove the entry."
        )


def _unique(keys: list[str], place: str, label: str, fix: str) -> None:
    if len(set(keys)) == len(keys):
        return
    name, times = Counter(keys).most_common(1)[0]
    raise InvalidProblem(f"The {label} {name!r} occurs {times} times.", where=place, fix=fix)
