"""A budget problem: cells with response curves, bounds on a tree, constraints on return and cost.

Everything a caller or a file may get wrong is refused here, naming the cell, bound or path and what would fix it, so
that the solvers behind it work with finite, consistent numbers. What is consistent line by line but cannot be met
together (floors above a cap) is not an error: the solver answers it with the smallest conflict.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from optimization.core.responses import EXPONENT_NAME, Family, Floats, Responses
from tenants.core.problems import InvalidInput

#: The levels of a path, from the top.
LEVELS = ("channel", "rmn", "placement", "audience", "sku")

Path = tuple[str, ...]


class InvalidProblem(InvalidInput):
    """A budget problem that no solver should see."""

    code = "invalid-budget-problem"
    title = "The budget problem is not valid"


class GlobalKind(StrEnum):
    """A constraint on return or cost over a scope."""

    MIN_ROAS = "min_roas"
    MAX_CPA = "max_cpa"


@dataclass(frozen=True, slots=True)
class Curve:
    """One response curve: `a` and `k` in money, `exponent` for power (p) and hill (n)."""

    family: Family
    a: float
    k: float
    exponent: float = 1.0
    revenue_per_conversion: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One line of a budget, money per period.

    `max_spend` of None means no cap of its own. `min_spend_if_active` m means spend 0 or at least m.
    """

    id: str
    path: Path
    curve: Curve
    min_spend: float = 0.0
    max_spend: float | None = None
    out_of_stock: bool = False
    min_spend_if_active: float = 0.0


@dataclass(frozen=True, slots=True)
class NodeBound:
    """Bounds on the spend of all cells whose path starts with `path`; None is no bound."""

    path: Path
    min_spend: float | None = None
    max_spend: float | None = None


@dataclass(frozen=True, slots=True)
class GlobalConstraint:
    """`min_roas`: revenue >= value x spend over the scope. `max_cpa`: spend <= value x conversions over the scope."""

    kind: GlobalKind
    value: float
    scope: Path = ()


@dataclass(frozen=True)
class TailObjective:
    """Maximise the mean revenue of the worst `tail_fraction` of the scenarios (CVaR).

    `scenarios`: multipliers of the cells' revenue, shape (scenarios, cells).
    """

    tail_fraction: float
    scenarios: Floats


@dataclass(frozen=True)
class BudgetProblem:
    """Maximise expected revenue (or its tail) under bounds on a tree. Build with `BudgetProblem.of`.

    Attributes:
        cells: the lines, with ids that are unique.
        total_budget: upper limit of the sum of spend, money.
        experiment_reserve_fraction: share of the budget held back for experiments, in [0, 1].
        node_bounds: at most one per path.
        global_constraints: return and cost limits; at most one per kind and scope.
        tail: the CVaR objective, None for expected revenue.
    """

    cells: tuple[Cell, ...]
    total_budget: float
    experiment_reserve_fraction: float = 0.0
    node_bounds: tuple[NodeBound, ...] = ()
    global_constraints: tuple[GlobalConstraint, ...] = ()
    tail: TailObjective | None = None
    name: str = ""

    @classmethod
    def of(
        cls,
        cells: Sequence[Cell],
        total_budget: float,
        *,
        experiment_reserve_fraction: float = 0.0,
        node_bounds: Sequence[NodeBound] = (),
        global_constraints: Sequence[GlobalConstraint] = (),
        tail: TailObjective | None = None,
        name: str = "",
    ) -> BudgetProblem:
        """Check everything and build.

        Raises:
            InvalidProblem: for the first findings, each with its place and its fix.
        """
        problem = cls(
            tuple(cells),
            float(total_budget),
            float(experiment_reserve_fraction),
            tuple(node_bounds),
            tuple(global_constraints),
            tail,
            name,
        )
        _check(problem)
        return problem

    @cached_property
    def available(self) -> float:
        """The budget that may be allocated: what the experiment reserve leaves."""
        return (1.0 - self.experiment_reserve_fraction) * self.total_budget

    @cached_property
    def ids(self) -> tuple[str, ...]:
        return tuple(cell.id for cell in self.cells)

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        return tuple(cell.path for cell in self.cells)

    @cached_property
    def responses(self) -> Responses:
        """The curves in the order of the cells."""
        curves = [cell.curve for cell in self.cells]
        return Responses.of(
            [curve.family for curve in curves],
            [curve.a for curve in curves],
            [curve.k for curve in curves],
            [curve.exponent for curve in curves],
        )

    @cached_property
    def lower(self) -> Floats:
        """Floors of the cells, money, shape (n,); an out-of-stock cell has none."""
        return np.array([0.0 if cell.out_of_stock else cell.min_spend for cell in self.cells])

    @cached_property
    def upper(self) -> Floats:
        """Caps of the cells, money, shape (n,): infinite without one, zero when out of stock."""
        return np.array(
            [
                0.0 if cell.out_of_stock else (math.inf if cell.max_spend is None else cell.max_spend)
                for cell in self.cells
            ]
        )

    @cached_property
    def commitments(self) -> Floats:
        """`min_spend_if_active` of the cells, money, shape (n,), 0 for none."""
        return np.array([0.0 if cell.out_of_stock else cell.min_spend_if_active for cell in self.cells])

    @cached_property
    def revenue_per_conversion(self) -> Floats:
        """Money per conversion, shape (n,); NaN where unknown."""
        values = (cell.curve.revenue_per_conversion for cell in self.cells)
        return np.array([math.nan if value is None else value for value in values])

    def members(self, scope: Path) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """True for the cells whose path starts with `scope`, shape (n,)."""
        depth = len(scope)
        return np.fromiter((path[:depth] == scope for path in self.paths), dtype=np.bool_, count=len(self.paths))


def path_text(path: Path) -> str:
    """A path as people read it."""
    return " > ".join(path) if path else "the total"


def _check(problem: BudgetProblem) -> None:
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
        [path_text(bound.path) for bound in problem.node_bounds],
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
    if problem.tail is not None:
        _check_tail(problem.tail, len(problem.cells))


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
    if not np.isfinite(tail.scenarios).all() or (tail.scenarios < 0.0).any():
        raise InvalidProblem(
            "A scenario multiplier is negative or not a number.", where="scenarios", fix="Give multipliers >= 0."
        )


def _amount(value: float, place: str, label: str, *, positive: bool = False) -> None:
    if not math.isfinite(value) or value < 0.0 or (positive and value == 0.0):
        wanted = "a number above zero" if positive else "zero or a positive number"
        raise InvalidProblem(f"{label} is {value:g}.", where=place, fix=f"Give {wanted}.")


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
