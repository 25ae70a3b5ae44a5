"""Random budget problems of every kind, each made of its seed alone.

Curves, paths, bounds, holds, empty shelves, the reserve, commitments and limits are all drawn; amounts reach from a
hundredth to a trillion. What is drawn may contradict itself: `met` takes out what cannot be met, for problems that are
to have an answer.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimization.core.conflicts import find_bound_conflict, without
from optimization.core.problem import (
    BudgetProblem,
    Cell,
    Curve,
    GlobalConstraint,
    GlobalKind,
    NodeBound,
    Path,
    TailObjective,
)
from optimization.core.responses import Family
from optimization.core.solve import solve_budget

CONCAVE = (Family.LOG, Family.POWER, Family.MICHAELIS_MENTEN, Family.EXP_SATURATION)
#: One after the other over the numbers of a campaign.
KINDS = ("bounds", "limits", "s_curves", "ties", "commitments", "everything", "lines", "tail")
#: Kinds without a jump, which the prices alone solve and prove.
SMOOTH = ("bounds", "limits", "lines")
#: Kinds whose answer needs branching.
JUMPING = ("s_curves", "ties", "commitments", "everything")

#: Where a kind does not take all families.
FAMILIES = {
    "bounds": CONCAVE,
    "limits": CONCAVE,
    "tail": CONCAVE,
    "lines": (Family.POWER, Family.LOG),
    "ties": (Family.HILL,),
    "commitments": CONCAVE,
}

Draw = np.random.Generator


def kind_of(number: int) -> str:
    """The kind of the problem with this number."""
    return KINDS[number % len(KINDS)]


def drawn_tree(seed: int, number: int) -> BudgetProblem:
    """A problem that can be met, of the kind of its number."""
    rng, kind = np.random.default_rng((seed, number)), kind_of(number)
    size = int(rng.choice([3, 8, 12, 30, 60] if kind != "tail" else [3, 8, 20]))
    unit = float(10.0 ** rng.uniform(-2.0, 12.0))  # the budget, in money
    committed = 0.5 if kind in ("commitments", "everything") else 0.0
    cells = drawn_cells(rng, FAMILIES.get(kind, tuple(Family)), size, commitment_share=committed, kind=kind)
    problem = BudgetProblem.of(
        cells,
        _budget(rng, cells),
        experiment_reserve_fraction=float(rng.choice([0.0, 0.0, 0.05, 0.2])),
        node_bounds=drawn_bounds(rng, cells),
    )
    problem = met(problem)
    if kind in ("limits", "everything"):
        problem = replace(problem, global_constraints=_limits(rng, problem))
    if kind == "tail":
        rows = rng.lognormal(0.0, 0.4, (int(rng.integers(3, 12)), size))
        problem = replace(problem, tail=TailObjective(float(rng.uniform(0.1, 1.0)), rows))
    return in_units(problem, unit / problem.total_budget if problem.total_budget else 1.0)


def met(problem: BudgetProblem) -> BudgetProblem:
    """The problem without the bounds of nodes, or where those suffice not of cells, that cannot be met."""
    while (conflict := find_bound_conflict(problem, further=False)) is not None:
        drop = [one for one in conflict.members if one.path and one.cell is None]
        problem = without(problem, drop or [one for one in conflict.members if one.path] or list(conflict.members))
    return problem


def in_units(problem: BudgetProblem, factor: float) -> BudgetProblem:
    """The same problem in money of another unit: `factor` new ones make one old one."""

    def money(value: float | None) -> float | None:
        return None if value is None else value * factor

    cells = [
        replace(
            one,
            curve=replace(
                one.curve,
                a=one.curve.a * factor,
                k=one.curve.k * factor,
                revenue_per_conversion=money(one.curve.revenue_per_conversion),
            ),
            min_spend=one.min_spend * factor,
            max_spend=money(one.max_spend),
            min_spend_if_active=one.min_spend_if_active * factor,
        )
        for one in problem.cells
    ]
    bounds = [NodeBound(b.path, money(b.min_spend), money(b.max_spend)) for b in problem.node_bounds]
    limits = [
        replace(one, value=one.value * (factor if one.kind is GlobalKind.MAX_CPA else 1.0))
        for one in problem.global_constraints
    ]
    return BudgetProblem.of(
        cells,
        problem.total_budget * factor,
        experiment_reserve_fraction=problem.experiment_reserve_fraction,
        node_bounds=bounds,
        global_constraints=limits,
        tail=problem.tail,
    )


def drawn_cells(
    rng: Draw, families: tuple[Family, ...], size: int, *, commitment_share: float = 0.0, kind: str = ""
) -> list[Cell]:
    """Cells on five levels, some with a floor, a cap, a commitment or an empty shelf; `ties` share two curves."""
    alike = [_curve(rng, kind, families[0]) for _ in range(2)]
    cells = []
    for i in range(size):
        curve = alike[i % 2] if kind == "ties" else _curve(rng, kind, families[int(rng.integers(len(families)))])
        path = (*(f"{level}{rng.integers(2)}" for level in "crpa"), f"s{i}")
        committed = bool(commitment_share) and rng.random() < commitment_share
        cells.append(
            Cell(
                f"c{i}",
                path,
                curve,
                min_spend=curve.k * 0.1 if rng.random() < 0.15 else 0.0,
                max_spend=None if rng.random() < 0.2 else curve.k * float(rng.uniform(0.5, 5.0)),
                out_of_stock=bool(rng.random() < 0.08),
                min_spend_if_active=curve.k * float(rng.uniform(0.2, 1.0)) if committed else 0.0,
            )
        )
    return _met_commitments(cells)


def _met_commitments(cells: list[Cell]) -> list[Cell]:
    """Commitments no larger than the cap, without which a cell could only be off."""
    return [
        replace(one, min_spend_if_active=min(one.min_spend_if_active, one.max_spend or one.min_spend_if_active))
        for one in cells
    ]


def _curve(rng: Draw, kind: str, family: Family) -> Curve:
    k = float(np.exp(rng.normal(0.0, 0.8)))
    a = float(np.exp(rng.normal(1.2, 0.6))) * k
    exponent = 1.0
    if family is Family.POWER:
        # Lines at a handful of prices: many cells are worth exactly the same.
        exponent = 1.0 if kind == "lines" else float(rng.uniform(0.2, 0.95))
        if kind == "lines":
            a = float(rng.choice([1.0, 2.0, 3.0])) * k
    elif family is Family.HILL:
        exponent = float(rng.uniform(1.2, 4.0))
    return Curve(family, a, k, exponent, revenue_per_conversion=float(rng.uniform(0.1, 0.4)))


def _budget(rng: Draw, cells: list[Cell]) -> float:
    room = sum(one.curve.k * 3.0 if one.max_spend is None else one.max_spend for one in cells)
    return room * float(rng.uniform(0.05, 0.7))


def drawn_bounds(rng: Draw, cells: list[Cell]) -> list[NodeBound]:
    """Caps, floors, holds and ranges on half of the nodes."""
    bounds = []
    for path in sorted({one.path[:depth] for one in cells for depth in (1, 2, 3, 4)}):
        size = sum((one.max_spend or one.curve.k * 3.0) for one in cells if one.path[: len(path)] == path)
        share, which = float(rng.uniform(0.05, 0.6)) * size, rng.random()
        if which < 0.2:
            bounds.append(NodeBound(path, None, share))
        elif which < 0.35:
            bounds.append(NodeBound(path, share * 0.5, None))
        elif which < 0.42:
            bounds.append(NodeBound(path, share * 0.5, share * 0.5))  # held fixed
        elif which < 0.5:
            bounds.append(NodeBound(path, share * 0.4, share))
    return bounds


def _limits(rng: Draw, problem: BudgetProblem) -> tuple[GlobalConstraint, ...]:
    """Limits near what the problem reaches without them: some bind, some do not, few are out of reach."""
    free = solve_budget(problem)
    if free.spend is None:
        return ()
    revenue = problem.responses.value(free.spend)
    sold = revenue / problem.revenue_per_conversion
    scopes: list[Path] = [(), problem.paths[0][:1], problem.paths[-1][:2]]
    found = []
    for scope in scopes[: int(rng.integers(1, 4))]:
        inside = problem.members(scope)
        spent, earned, orders = (float(part[inside].sum()) for part in (free.spend, revenue, sold))
        if spent <= 0.0 or earned <= 0.0:
            continue
        if rng.random() < 0.7:
            found.append(GlobalConstraint(GlobalKind.MIN_ROAS, earned / spent * float(rng.uniform(0.9, 1.1)), scope))
        if rng.random() < 0.6:
            found.append(GlobalConstraint(GlobalKind.MAX_CPA, spent / orders * float(rng.uniform(0.9, 1.1)), scope))
    return tuple(found)
