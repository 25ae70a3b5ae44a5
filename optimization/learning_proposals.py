"""One week's proposal: decided by the learner, explained by the solver."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from optimization import selectors
from optimization.core.curve_shapes import Z80
from optimization.core.instance_writer import problem_sha256
from optimization.core.learning.allocation import Allocator
from optimization.core.learning.beliefs import Posterior
from optimization.core.learning.log import LoggedWeek, decided_record
from optimization.core.learning.policies import AS_BEFORE, BY_EXPECTATION, Decision, Learner
from optimization.core.learning.programme import covers_of, in_cents, week_features
from optimization.core.problem import BudgetProblem
from optimization.core.responses import Floats
from optimization.core.solve import Solution, solve_budget
from optimization.learning_models import LearningProgramme, LearningWeek
from optimization.selectors.learning_history import (
    allocator_of,
    beliefs_sha256,
    keys_of,
    latest_observations,
    learner_of,
)


def made_proposal(programme: LearningProgramme, *, monday: date, number: int) -> LearningWeek:
    """The proposal of a week by what is known now, not yet stored.

    Raises:
        NothingAllowed: no allocation meets the constraints.
    """
    allocator = allocator_of(programme)
    keys = keys_of(allocator.problem.ids)
    covers = covers_of(keys, selectors.stock_cover_days(brand=programme.brand))
    features = week_features(monday, covers)
    closed = np.array([cover is not None and cover < programme.least_cover_days for cover in covers], dtype=np.bool_)
    learner = learner_of(programme, allocator)
    belief = learner.posterior(number, features)
    decision = learner.decide(number, features, closed)
    there, known = allocator.closed(closed), latest_observations(programme)
    solution = _explained(learner, there, belief, decision)
    now = _spent_last(known, len(keys))
    return LearningWeek(
        programme=programme,
        number=number,
        monday=monday,
        decision=decided_record(LoggedWeek(number, features, decision, closed if closed.any() else None)),
        lines=_lines(there, belief, decision, solution, now),
        summary=_summary(there, belief, decision, solution, learner, len(known)),
        known={str(week): one.version for week, one in sorted(known.items())},
        beliefs_sha256=beliefs_sha256(belief),
        problem_sha256=problem_sha256(there.problem),
    )


def _explained(learner: Learner, allocator: Allocator, belief: Posterior, decision: Decision) -> Solution | None:
    """The week as a budget problem, solved with its proof and reasons; None where the last allocation was kept."""
    if decision.fallback == AS_BEFORE or decision.draw is None or decision.probed is None:
        return None
    factor = belief.factor if decision.fallback == BY_EXPECTATION else np.exp(decision.draw)
    floors = np.where(decision.probed, learner.floor, 0.0) if decision.probed.any() else None
    return solve_budget(allocator.drawn(factor, floors))


def _spent_last(known: dict[int, Any], lines: int) -> list[float | None]:
    """Latest final spend of each line, money."""
    found: list[float | None] = [None] * lines
    for _, one in sorted(known.items()):
        for at, (amount, told) in enumerate(zip(one.spend, one.told, strict=True)):
            if told:
                found[at] = amount
    return found


def _lines(
    allocator: Allocator, belief: Posterior, decision: Decision, solution: Solution | None, now: list[float | None]
) -> list[dict[str, Any]]:
    problem: BudgetProblem = allocator.problem
    proposed, width = in_cents(decision.spend.tolist()), Z80 * belief.sd
    low, middle, high = (np.exp(belief.mean + side * width) for side in (-1.0, 0.0, 1.0))
    expected: Floats = allocator.revenue(belief.factor, decision.spend)
    reasons = solution.reasons if solution else {}
    probed = np.zeros(len(problem.cells), dtype=np.bool_) if decision.probed is None else decision.probed
    chance = np.zeros(len(problem.cells)) if decision.probe_chance is None else decision.probe_chance
    return [
        {
            "cell": cell.id,
            "path": list(cell.path),
            "now": now[at],
            "proposed": str(proposed[at]),
            "probed": bool(probed[at]),
            "probe_chance": float(chance[at]),
            "factor": float(middle[at]),
            "factor_low": float(low[at]),
            "factor_high": float(high[at]),
            "drawn": None if decision.draw is None else float(np.exp(decision.draw[at])),
            "expected_sales": float(expected[at]),
            "out_of_stock": cell.out_of_stock,
            "why": reasons[cell.id].text if cell.id in reasons else "Kept from the last allocation.",
        }
        for at, cell in enumerate(problem.cells)
    ]


def _summary(
    allocator: Allocator,
    belief: Posterior,
    decision: Decision,
    solution: Solution | None,
    learner: Learner,
    weeks_known: int,
) -> dict[str, Any]:
    expected, spend = float(allocator.revenue(belief.factor, decision.spend).sum()), float(decision.spend.sum())
    proof = solution.certificate if solution else None
    solved = solution.spend if solution else None
    # Where curves tie, another allocation may be as good; the proof is told of the one that was decided.
    close = solved is not None and np.allclose(solved, decision.spend, atol=1e-6 * allocator.budget)
    newest = learner.shocks[max(learner.shocks)] if learner.shocks else None
    probed = 0 if decision.probed is None else int(decision.probed.sum())
    return {
        "spend": str(sum(in_cents(decision.spend.tolist()), Decimal(0))),
        "expected_sales": expected,
        "expected_roas": expected / spend if spend > 0.0 else None,
        "engine": solution.engine if solution else None,
        "gap": proof.gap if proof is not None and close else None,
        "fallback": decision.fallback,
        "probes": probed,
        "probe_money": float(learner.floor * probed),
        "median_spread": float(np.median(Z80 * belief.sd)),
        # Half widths of the lines' 80 % intervals, fractions: least, each tenth of the lines, most.
        "spread_tenths": np.quantile(np.expm1(Z80 * belief.sd), np.linspace(0.0, 1.0, 11)).tolist(),
        "weeks_known": weeks_known,
        "shock": None if newest is None else newest.common,
        "shock_week": max(learner.shocks) if learner.shocks else None,
        "out_of_stock": [cell.id for cell in allocator.problem.cells if cell.out_of_stock],
    }
