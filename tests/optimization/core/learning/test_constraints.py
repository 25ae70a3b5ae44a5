"""A learner under every constraint a budget problem may have, and what it does where its draw cannot be allocated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimization.core.learning.allocation import Allocator
from optimization.core.learning.beliefs import ScalePrior
from optimization.core.learning.log import LearningLog, LoggedWeek, UnusableLog
from optimization.core.learning.policies import (
    AS_BEFORE,
    BY_EXPECTATION,
    RECOMMENDED,
    WITHOUT_PROBES,
    Learner,
    LearningSettings,
    NothingAllowed,
    ObservedWeek,
)
from optimization.core.learning.programme import weekly_problem
from optimization.core.learning.replay import estimate_revenue, replay
from optimization.core.problem import (
    Aim,
    BudgetProblem,
    Cell,
    Curve,
    GlobalConstraint,
    GlobalKind,
    InvalidProblem,
    LinearConstraint,
    NodeBound,
    Periods,
    Term,
)
from optimization.core.responses import Family, Floats
from optimization.core.solve import solve_budget

PRIOR = ScalePrior(0.0, 0.2, (), (), (0.1, 0.1), 0.3)
NONE: Floats = np.zeros((8, 0))
FAMILIES = [Family.HILL, Family.LOG, Family.MICHAELIS_MENTEN, Family.EXP_SATURATION]


def lines(family: Family | None = None) -> list[Cell]:
    """Four lines at each of alice and bob; of every family, or all of one."""
    found = []
    for number in range(8):
        shape = FAMILIES[number % 4] if family is None else family
        curve = Curve(shape, 300.0 + 40.0 * number, 60.0 + 5.0 * number, 2.0 if shape is Family.HILL else 1.0, 20.0)
        shop = "alice" if number < 4 else "bob"
        found.append(Cell(f"{shop}{number}", ("search", shop, f"{shop}{number}"), curve))
    return found


def limited(kind: GlobalKind, value: float, scope: tuple[str, ...] = ()) -> GlobalConstraint:
    return GlobalConstraint(kind, value, scope)


CASES = {
    "s-curves": BudgetProblem.of(lines(Family.HILL), 400.0),
    "every family": BudgetProblem.of(lines(), 400.0),
    "commitments": BudgetProblem.of([replace(cell, min_spend_if_active=70.0) for cell in lines()], 400.0),
    "min ROAS": BudgetProblem.of(lines(), 900.0, global_constraints=[limited(GlobalKind.MIN_ROAS, 3.5)]),
    "max CPA of bob": BudgetProblem.of(
        lines(), 900.0, global_constraints=[limited(GlobalKind.MAX_CPA, 6.0, ("search", "bob"))]
    ),
    "profit": BudgetProblem.of([replace(cell, margin=0.4) for cell in lines()], 900.0, aim=Aim.PROFIT),
    "marginal return": BudgetProblem.of(lines(Family.LOG), 900.0, hurdle=1.5),
    "share of a branch": BudgetProblem.of(
        lines(Family.LOG),
        400.0,
        linear=[
            LinearConstraint(
                "bob", "max_share", 0.3, (Term(("search", "bob"), 1.0), Term(("search",), -1.0, times_value=True))
            )
        ],
    ),
    "all at once": BudgetProblem.of(
        [replace(cell, min_spend_if_active=30.0, max_spend=200.0) for cell in lines()],
        700.0,
        experiment_reserve_fraction=0.05,
        node_bounds=[NodeBound(("search", "alice"), 100.0, 350.0)],
        global_constraints=[limited(GlobalKind.MIN_ROAS, 3.0), limited(GlobalKind.MAX_CPA, 9.0)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_draw_is_allocated_as_the_solver_would(name: str) -> None:
    problem = CASES[name]
    one = Learner(Allocator.of(problem), PRIOR, replace(RECOMMENDED, temperature=0.3, reserve=0.0), 1)
    decision = one.decide(0, NONE)
    assert decision.draw is not None
    assert decision.fallback == ""
    cells = [
        replace(cell, curve=replace(cell.curve, a=cell.curve.a * float(factor)))
        for cell, factor in zip(problem.cells, np.exp(decision.draw), strict=True)
    ]
    asked = solve_budget(replace(problem, cells=tuple(cells)))
    assert asked.feasible
    worth = [float(asked.problem.responses.value(spend).sum()) for spend in (decision.spend, asked.spend)]
    assert worth[0] == pytest.approx(worth[1], rel=1e-6)
    assert decision.spend == pytest.approx(asked.spend, abs=1e-3 * problem.available)


@pytest.mark.parametrize("name", CASES)
def test_weeks_are_learnt_and_decided_again_under_every_constraint(name: str) -> None:
    allocator = Allocator.of(CASES[name])
    settings = replace(RECOMMENDED, temperature=0.2, reserve=0.1)
    learner, rng = Learner(allocator, PRIOR, settings, (3,)), np.random.default_rng(3)
    truth, events = np.exp(rng.normal(0.0, 0.3, 8)), []
    # Weeks on curves that jump take branching each, and are replayed too; the estimate needs them on smooth ones.
    weeks = 6 if allocator.smooth else 3
    for week in range(weeks):
        decision = learner.decide(week, NONE)
        sales = allocator.revenue(truth, decision.spend) * np.exp(rng.normal(-0.06, 0.35, 8))
        events += [LoggedWeek(week, NONE, decision), ObservedWeek(week, NONE, decision.spend, sales)]
        learner.observe(events[-1])
    before, after = Learner(allocator, PRIOR, settings, 3).posterior(weeks, NONE), learner.posterior(weeks, NONE)
    assert after.sd.mean() < before.sd.mean()
    log = LearningLog.from_lines(LearningLog(PRIOR, settings, (3,), tuple(events)).to_lines())
    replay(log, allocator)
    if allocator.smooth:
        assert estimate_revenue(log, allocator, temperature=0.15).mean_weight == pytest.approx(1.0, abs=0.2)
    else:
        with pytest.raises(UnusableLog, match="jump"):
            estimate_revenue(log, allocator, temperature=0.15)


def test_an_empty_shelf_gets_nothing_and_no_probe() -> None:
    one = Learner(Allocator.of(CASES["every family"]), PRIOR, replace(RECOMMENDED, reserve=0.3), 1)
    closed = np.arange(8) < 3
    decision = one.decide(0, NONE, closed)
    assert not decision.spend[closed].any()
    assert not decision.probe_chance[closed].any()
    assert decision.spend.sum() == pytest.approx(400.0)


#: Return that is reached by expectation but not by a draw that sees every line lower.
DEAR = BudgetProblem.of(
    [replace(cell, min_spend=60.0) for cell in lines(Family.LOG)],
    500.0,
    global_constraints=[limited(GlobalKind.MIN_ROAS, 4.2)],
)
HOT = LearningSettings(temperature=1.0, reserve=0.0)


def test_a_draw_out_of_reach_is_decided_by_expectation_and_says_so() -> None:
    allocator = Allocator.of(DEAR)
    one = Learner(allocator, PRIOR, HOT, 1)
    belief = one.posterior(0, NONE)
    low = one.allocate(belief, np.full(8, -1.5), 1.0, np.zeros(8), 0.5)
    assert low.fallback == BY_EXPECTATION
    assert low.spend == pytest.approx(allocator.allocate(belief.factor))
    assert low.draw is not None
    assert np.exp(low.draw).max() < 1.0, "the draw is told as it was"
    assert one.allocate(belief, np.full(8, 1.0), 1.0, np.zeros(8), 0.5).fallback == ""


def test_probes_that_break_a_bound_are_left_out_and_that_is_said() -> None:
    bound = NodeBound(("search", "bob"), None, 1.0)
    one = Learner(Allocator.of(BudgetProblem.of(lines(), 400.0, node_bounds=[bound])), PRIOR, RECOMMENDED, 1)
    belief, chance = one.posterior(0, NONE), np.array([0.0] * 7 + [1.0])
    decision = one.allocate(belief, np.zeros(8), 0.05, chance, 0.5)
    assert decision.fallback == WITHOUT_PROBES
    assert not decision.probed.any()


def test_out_of_reach_altogether_repeats_the_last_allocation_or_refuses() -> None:
    allocator = Allocator.of(DEAR)
    one = Learner(allocator, PRIOR, HOT, 1)
    first = one.allocate(one.posterior(0, NONE), np.full(8, 1.0), 1.0, np.zeros(8), 0.5)
    one.observe(ObservedWeek(0, NONE, first.spend, 0.1 * allocator.revenue(np.ones(8), first.spend)))
    with pytest.raises(NothingAllowed, match="none before it"):
        one.decide(1, NONE)
    one.last = first.spend
    again = one.decide(1, NONE)
    assert again.fallback == AS_BEFORE
    assert np.array_equal(again.spend, first.spend)
    one.last = first.spend * 2.0
    with pytest.raises(NothingAllowed):
        one.decide(1, NONE)


def test_shelves_that_leave_a_floor_unmet_are_named() -> None:
    bound = NodeBound(("search", "bob"), 50.0, None)
    one = Learner(Allocator.of(BudgetProblem.of(lines(), 400.0, node_bounds=[bound])), PRIOR, RECOMMENDED, 1)
    with pytest.raises(NothingAllowed, match=r"min_spend 50\.00 of search > bob"):
        one.decide(0, NONE, np.arange(8) >= 4)


def test_weeks_not_spent_as_decided_are_left_out_of_an_estimate() -> None:
    allocator = Allocator.of(BudgetProblem.of(lines(Family.LOG), 400.0))
    settings = replace(RECOMMENDED, temperature=0.3, reserve=0.0)
    learner, events = Learner(allocator, PRIOR, settings, (5,)), []
    for week in range(5):
        decision = learner.decide(week, NONE)
        events.append(LoggedWeek(week, NONE, decision))
        if week == 4:
            break
        spend = np.full(8, 50.0) if week == 1 else decision.spend
        events.append(ObservedWeek(week, NONE, spend, allocator.revenue(np.ones(8), spend)))
        learner.observe(events[-1])
    found = estimate_revenue(LearningLog(PRIOR, settings, (5,), tuple(events)), allocator, temperature=0.3)
    assert found.weeks == 3
    assert found.left_out == {"not spent as decided": 1, "not observed yet": 1}


@pytest.mark.parametrize("name", CASES)
def test_a_week_of_a_problem_of_four_has_a_quarter_of_its_answer(name: str) -> None:
    problem = CASES[name]
    week = weekly_problem(problem, weeks=4.0, budget=problem.total_budget / 4.0)
    whole, part = solve_budget(problem), solve_budget(week)
    assert part.objective_revenue == pytest.approx(whole.objective_revenue / 4.0, rel=1e-6)
    assert part.total_spend == pytest.approx(whole.total_spend / 4.0, rel=1e-3)


def test_a_limit_in_money_is_a_quarter_too() -> None:
    terms = (Term(("search", "bob"), 1.0),)
    problem = BudgetProblem.of(
        lines(Family.LOG), 400.0, linear=[LinearConstraint("bob", "max_spend", 80.0, terms, rhs=None)]
    )
    week = solve_budget(weekly_problem(problem, weeks=4.0, budget=100.0))
    assert week.spend is not None
    assert week.spend[4:].sum() == pytest.approx(20.0)


def test_a_budget_for_each_of_several_periods_is_refused() -> None:
    problem = BudgetProblem.of(lines(Family.LOG), 200.0, periods=Periods((100.0, 100.0), (1.0, 1.0)))
    with pytest.raises(InvalidProblem, match="week by week"):
        Allocator.of(problem)
