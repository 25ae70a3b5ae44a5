"""The mean of the worst scenarios: of profit as of revenue, over several periods, in every mode."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from optimization.core.instance import parse_problem
from optimization.core.instance_writer import write_problem
from optimization.core.period_solution import PeriodSolution
from optimization.core.problem import BudgetProblem, InvalidProblem
from optimization.core.responses import Floats
from optimization.core.solution import Solution
from optimization.core.solve import solve_budget

PATH = {"channel": "onsite", "rmn": "walmart", "placement": "search", "audience": "all"}
FILE: dict[str, Any] = {
    "schema": "rmn-budget-instance/1",
    "total_budget": 300.0,
    "cells": [
        {"id": "steady", "path": PATH | {"sku": "s"}, "margin": 0.4, "incrementality": 0.5,
         "response": {"family": "log", "params": {"a": 500.0, "k": 100.0}}},
        {"id": "risky", "path": PATH | {"sku": "r"}, "margin": 0.6, "incrementality": 0.9,
         "response": {"family": "michaelis_menten", "params": {"a": 900.0, "k": 120.0}}},
    ],
    "objective": {"kind": "cvar", "tail_fraction": 0.4},
    "scenarios": [[1.0, 1.7], [1.1, 0.3], [0.9, 1.2], [1.0, 0.9], [1.0, 0.9]],
}  # fmt: skip
SCENARIOS = np.array(FILE["scenarios"])
PERIODS = {"budgets": [100.0, 150.0, 50.0], "season": [0.5, 1.0, 1.6]}


def asked(**changes: Any) -> BudgetProblem:
    return parse_problem(copy.deepcopy(FILE) | changes)


def proven(problem: BudgetProblem) -> Solution:
    answer = solve_budget(problem)
    assert answer.certificate is not None
    assert -1e-9 <= answer.certificate.gap <= 1e-6
    assert answer.certificate.violation <= 1e-9
    assert answer.engine == "cvxpy+clarabel"
    return answer


def tail(outcomes: Floats, share: float = 0.4) -> float:
    """By the definition: max over z of z - E[(z - outcome)+] / share, whose best z is one of the outcomes."""
    return max(float(z - np.maximum(z - outcomes, 0.0).mean() / share) for z in outcomes)


def revenue(spend: Floats, season: float = 1.0) -> Floats:
    return season * np.array([500.0 * np.log1p(spend[0] / 100.0), 900.0 * spend[1] / (120.0 + spend[1])])


def profit(spend: Floats) -> float:
    return tail(SCENARIOS @ (np.array([0.4, 0.6]) * revenue(spend))) - float(spend.sum())


def test_the_tail_of_profit_is_the_best_of_a_grid() -> None:
    answer = proven(asked(objective={"kind": "cvar", "tail_fraction": 0.4, "of": "profit"}))
    assert answer.spend is not None
    assert answer.certificate.objective == pytest.approx(profit(answer.spend), rel=1e-9)
    axis = np.linspace(0.0, 300.0, 301)
    best = max(profit(np.array([x, y])) for x in axis for y in axis if x + y <= 300.0)
    assert best <= answer.certificate.objective * (1.0 + 1e-6)
    assert answer.certificate.objective == pytest.approx(best, rel=1e-4)
    assert answer.total_spend < 300.0  # money that would not earn itself back stays
    assert answer.as_dict()["unspent"]["amount"] == pytest.approx(300.0 - answer.total_spend)


def test_incremental_revenue_and_a_target_of_the_last_unit_have_a_tail_too() -> None:
    answer = proven(
        asked(
            objective={"kind": "cvar", "tail_fraction": 0.4, "of": "incremental"},
            mode={"kind": "target_marginal_roi", "target": 0.8},
            total_budget=None,
        )
    )

    def worth(spend: Floats) -> float:
        return tail(SCENARIOS @ (np.array([0.5, 0.9]) * revenue(spend))) - 0.8 * float(spend.sum())

    axis = np.linspace(0.0, 600.0, 301)
    best = max(worth(np.array([x, y])) for x in axis for y in axis)
    assert best <= answer.certificate.objective * (1.0 + 1e-6)
    assert answer.certificate.objective == pytest.approx(best, rel=1e-4)


def test_the_ceiling_of_an_open_budget_heeds_the_best_scenario() -> None:
    """A line may return in all scenarios more than its curve says."""
    answer = proven(
        asked(
            mode={"kind": "target_marginal_roi", "target": 3.0}, total_budget=None,
            scenarios=[[20.0, 20.0], [20.0, 21.0]],
        )
    )  # fmt: skip
    assert answer.spend is not None
    assert answer.spend[0] == pytest.approx(20.0 * 500.0 / 3.0 - 100.0, rel=1e-5)


def test_a_scenario_is_one_truth_of_all_periods() -> None:
    answer = proven(asked(total_budget=None, periods=PERIODS))
    assert isinstance(answer, PeriodSolution)
    money = answer.by_period

    def worth(flat: Floats) -> float:
        return tail(SCENARIOS @ sum(revenue(flat.reshape(3, 2)[t], PERIODS["season"][t]) for t in range(3)))

    assert answer.certificate.objective == pytest.approx(worth(money.ravel()), rel=1e-9)
    assert np.all(np.cumsum(money.sum(axis=1)) <= np.cumsum(PERIODS["budgets"]) * (1.0 + 1e-9))
    # The worst of each period by itself would be another, smaller number.
    apart = sum(tail(SCENARIOS @ revenue(money[t], PERIODS["season"][t])) for t in range(3))
    assert apart <= answer.certificate.objective + 1e-9
    limits = [
        {"type": "ineq", "fun": lambda flat, t=t: sum(PERIODS["budgets"][: t + 1]) - flat[: 2 * t + 2].sum()}
        for t in range(3)
    ]
    for start in np.random.default_rng(3).uniform(0.0, 50.0, (5, 6)):
        other = minimize(lambda flat: -worth(flat), start, bounds=[(0.0, None)] * 6, constraints=limits)
        assert -other.fun <= answer.certificate.objective * (1.0 + 1e-6)


def test_what_is_written_is_what_was_asked() -> None:
    problem = asked(objective={"kind": "cvar", "tail_fraction": 0.4, "of": "profit"}, periods=PERIODS)
    again = parse_problem(write_problem(problem))
    assert again.aim == problem.aim
    assert again.tail is not None
    assert problem.tail is not None
    assert again.tail.tail_fraction == 0.4
    assert np.array_equal(again.tail.scenarios, problem.tail.scenarios)


@pytest.mark.parametrize(
    ("objective", "where", "said"),
    [
        ({"kind": "cvar", "tail_fraction": 0.4, "of": "glory"}, "objective of", "no tail of 'glory'"),
        ({"kind": "profit", "tail_fraction": 0.4}, "objective", "profit has no tail"),
        ({"kind": "revenue", "of": "profit"}, "objective", "revenue has no tail"),
    ],
)
def test_bad_tails_are_refused_with_place_and_fix(objective: dict[str, Any], where: str, said: str) -> None:
    with pytest.raises(InvalidProblem) as refusal:
        asked(objective=objective)
    told = refusal.value.as_dict()
    assert told["where"] == where
    assert said in told["detail"]
    assert told["fix"]


@pytest.mark.parametrize("spread", [0.0, 1e-9, 1e-5, 0.002, 0.05])
def test_scenarios_that_hardly_differ_are_solved_too(spread: float) -> None:
    """Well-known curves: two hundred rows that are nearly one, which a conic solver gives up on as they stand."""
    rng = np.random.default_rng(5)
    rows = 1.0 + spread * rng.standard_normal((200, 2))
    answer = proven(asked(scenarios=rows.tolist(), objective={"kind": "cvar", "tail_fraction": 0.1}))
    plain = solve_budget(asked(objective=None, scenarios=[]))
    assert answer.objective_revenue >= plain.objective_revenue * (1.0 - 2.0 * spread - 1e-6)


def random_tail(seed: int) -> BudgetProblem:
    """Three lines, of which often not all are worth a start; no return is asked for."""
    rng = np.random.default_rng(seed)
    families = rng.choice(["log", "michaelis_menten", "exp_saturation"], 3)
    cells = [
        {"id": f"c{i}", "path": PATH | {"sku": f"s{i}"}, "margin": float(rng.uniform(0.1, 0.6)),
         "max_spend": float(rng.choice([40.0, 100.0, 300.0])),
         "response": {"family": str(family), "params": {"a": float(np.exp(rng.normal(5.0, 1.0))),
                                                        "k": float(np.exp(rng.normal(4.0, 1.0)))}}}
        for i, family in enumerate(families)
    ]  # fmt: skip
    aim = str(rng.choice(["revenue", "profit"]))
    return asked(
        cells=cells, total_budget=float(rng.choice([50.0, 120.0])),
        objective={"kind": "cvar", "tail_fraction": float(rng.choice([0.1, 0.25, 0.37, 1.0])), "of": aim},
        scenarios=np.exp(rng.normal(0.0, 0.5, (20, 3))).tolist(),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_no_line_is_left_with_dust_and_no_bound_is_below_the_answer(seed: int) -> None:
    answer = solve_budget(random_tail(seed))
    assert answer.spend is not None
    assert answer.certificate is not None
    assert np.all((answer.spend == 0.0) | (answer.spend > 1e-6))
    assert 0.0 <= answer.certificate.gap <= 1e-8


def test_nothing_is_spent_where_nothing_pays_in_the_worst_cases() -> None:
    """At a margin of 30 % the first unit sells 5 on average, and 1 in the worst cases: the reason has to say so."""
    response = {"family": "log", "params": {"a": 500.0, "k": 100.0}}
    answer = solve_budget(
        asked(
            cells=[{"id": "a", "path": PATH | {"sku": "a"}, "margin": 0.3, "response": response}],
            objective={"kind": "cvar", "tail_fraction": 0.1, "of": "profit"},
            scenarios=[[0.2], [1.8]] * 5,
        )
    )
    assert answer.spend is not None
    assert answer.certificate is not None
    assert answer.spend.tolist() == [0.0]
    assert (answer.certificate.objective, answer.certificate.gap) == (0.0, 0.0)
    said = re.search(r"the next unit sells (\S+) in the worst cases at a margin of 30.0%", answer.reasons["a"].text)
    assert said is not None
    assert float(said[1]) * 0.3 < 1.0


def test_returns_that_close_every_line_leave_nothing_to_spend() -> None:
    """The return asked for is exactly what the first unit of the best line brings."""
    answer = solve_budget(asked(global_constraints=[{"kind": "min_roas", "scope": [], "value": 7.5}]))
    assert answer.status == "optimal"
    assert answer.spend is not None
    assert answer.certificate is not None
    assert answer.spend.tolist() == [0.0, 0.0]
    assert answer.certificate.gap == 0.0


def test_lines_at_their_only_spend_are_no_burden_to_the_others() -> None:
    """Floors equal caps, sold out beside them: what is left is answered as if it were alone."""
    held = FILE["cells"][0] | {"min_spend": 40.0, "max_spend": 40.0}
    gone = FILE["cells"][1] | {"id": "gone", "path": PATH | {"sku": "g"}, "out_of_stock": True}
    rows = [[*row, 1.0] for row in FILE["scenarios"]]
    answer = proven(asked(cells=[held, FILE["cells"][1], gone], scenarios=rows))
    assert answer.spend is not None
    assert answer.spend == pytest.approx([40.0, 260.0, 0.0])
    only = solve_budget(asked(cells=[held], scenarios=[row[:1] for row in rows]))
    assert only.certificate is not None
    assert only.certificate.gap == 0.0
    assert only.certificate.objective == pytest.approx(0.95 * 500.0 * np.log1p(0.4))  # of 0.9 and 1.0 the mean
