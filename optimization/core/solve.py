"""The one door of the optimiser: a problem in, an allocation with its proof and its reasons out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from optimization.core.branching import SolverFailed
from optimization.core.certificate import Certificate, certify
from optimization.core.checks import MOST
from optimization.core.conflicts import Intervals, find_bound_conflict
from optimization.core.domains import bounded_cells
from optimization.core.envelope import BoundedResponses
from optimization.core.limit_conflicts import find_limit_conflict
from optimization.core.limits import GlobalSet
from optimization.core.multipliers import Unattainable
from optimization.core.period_solution import fold
from optimization.core.periods import Flattened
from optimization.core.presolve import Narrowed
from optimization.core.problem import BudgetProblem, InvalidProblem, path_text
from optimization.core.reasons import Explainer
from optimization.core.responses import Floats
from optimization.core.search import Candidate, NothingMeetsAll, search_allocation, tail_value
from optimization.core.solution import Solution
from optimization.core.tree import Tree

#: No answer breaks a constraint by more than this share of the budget.
_KEPT = 1e-9

__all__ = ["Solution", "SolverFailed", "solve_budget"]


def solve_budget(problem: BudgetProblem, *, current: Mapping[str, float] | None = None) -> Solution:
    """Allocate the budget.

    Args:
        problem: built by `BudgetProblem.of` or read from a file.
        current: money per cell id spent today, to compare with; cells that are left out count as zero. A current
            spend that meets all constraints is never beaten downwards: the answer earns at least as much.

    Returns:
        An allocation with a certified gap, or the smallest conflict where none exists.

    Raises:
        InvalidProblem: `current` names an unknown cell or an amount that is no amount.
        SolverFailed: no allocation within the constraints was found; an answer that breaks them is never given.
    """
    if problem.periods is None:
        return _solved(problem, current)
    flat = Flattened(problem)
    per_period = None
    if current is not None:
        _current_spend(problem, current)  # refuses what it names wrongly in its own words
        per_period = {f"{name}@{t}": spend for t in range(1, flat.count + 1) for name, spend in current.items()}
    return fold(flat, _solved(flat.problem, per_period, flat))


def _solved(problem: BudgetProblem, current: Mapping[str, float] | None, flat: Flattened | None = None) -> Solution:
    started = time.perf_counter()
    before = None if current is None else _current_spend(problem, current)
    tree = Tree.of(problem)
    conflict = find_bound_conflict(problem, tree=tree)
    if conflict is not None:
        return Solution("infeasible", problem, "interval-propagation", time.perf_counter() - started, conflict=conflict)
    limits, whole = GlobalSet.of(problem), bounded_cells(problem)
    narrowed = Narrowed.of(tree, whole, limits, problem.commitments)
    # Where floors ask for what a limit cannot pay, the search says so on the whole domains, and the conflict is named.
    possible = not problem.linear and Intervals.of(tree, whole.lower, narrowed.cells.upper).empty().size == 0
    cells, closed_by = (narrowed.cells, narrowed.by) if possible else (whole, None)
    searched = narrowed.without_traces(problem.available) if possible and problem.tail is None else cells
    found = search_allocation(problem, tree, searched, limits)
    if isinstance(found, NothingMeetsAll):
        # CVXPY takes a second to import; only the general path pays for it.
        from optimization.core.general_conflicts import find_general_conflict

        conflict = find_general_conflict(problem)
        if conflict is None:
            raise SolverFailed(
                "The conic solver found nothing that meets all constraints, and no conflict is there to name.",
                where="constraints",
                fix="They just touch each other: loosen one of them a little.",
            )
        return Solution("infeasible", problem, "cvxpy+clarabel", time.perf_counter() - started, conflict=conflict)
    if isinstance(found, Unattainable):
        conflict = find_limit_conflict(problem)
        return Solution("infeasible", problem, "lagrangian", time.perf_counter() - started, conflict=conflict)
    place = path_text if flat is None else lambda path: flat.place(path).text
    certificate = _certify(problem, tree, cells, limits, found)
    if certificate.violation > _KEPT:
        raise SolverFailed(
            f"The allocation found breaks a constraint by {certificate.violation:.1e} of the budget.",
            where="solver",
            fix="Bring the parameters of the curves to comparable sizes; some differ by many orders of magnitude.",
        )
    if before is not None and np.all((before == 0.0) | (before >= problem.commitments)):
        kept = _certify(problem, tree, cells, limits, _keeping(problem, found, before))
        if kept.violation <= 1e-12 and kept.objective >= certificate.objective - 1e-13 * abs(certificate.objective):
            # Equally good answers exist: moving no money is the better one.
            found, certificate = _keeping(problem, found, before), kept
    return Solution(
        "optimal",
        problem,
        found.engine,
        time.perf_counter() - started,
        spend=found.spend,
        certificate=certificate,
        current=before,
        explainer=Explainer(
            problem, tree, cells, limits, found.spend, found.price, found.multipliers, found.tilt, place, closed_by
        ),
    )


def _certify(
    problem: BudgetProblem, tree: Tree, cells: BoundedResponses, limits: GlobalSet, found: Candidate
) -> Certificate:
    return certify(
        tree,
        cells,
        limits,
        found.spend,
        found.price,
        found.multipliers,
        found.tilt,
        objective=found.objective,
        bound=found.bound,
    )


def _keeping(problem: BudgetProblem, found: Candidate, current: Floats) -> Candidate:
    """The current spend as an answer, judged by the prices that were found."""
    objective = None if problem.tail is None else tail_value(problem, current)
    return replace(found, spend=current, objective=objective, engine=f"{found.engine}, current kept")


def _current_spend(problem: BudgetProblem, current: Mapping[str, float]) -> Floats:
    unknown = sorted(set(current) - set(problem.ids))
    if unknown:
        raise InvalidProblem(
            f"The current spend names the cell {unknown[0]!r}, which is not in the problem.",
            where="current",
            fix="Use the ids of the cells.",
        )
    spend = np.array([float(current.get(name, 0.0)) for name in problem.ids])
    wrong = np.flatnonzero(~((spend >= 0.0) & (spend <= MOST)))
    if wrong.size:
        name = problem.ids[int(wrong[0])]
        raise InvalidProblem(
            f"The current spend of {name!r} is {spend[wrong[0]]:g}.", where="current", fix=f"Give 0 to {MOST:g}."
        )
    return spend
