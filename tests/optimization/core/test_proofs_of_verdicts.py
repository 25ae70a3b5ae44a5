"""Verdicts that an adversarial reading found wrong once: called infeasible, bounded too low, or bounds lost."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from scipy.optimize import linprog

from optimization.core import general_conflicts
from optimization.core.branching import SolverFailed
from optimization.core.instance import parse_problem
from optimization.core.limit_conflicts import limits_can_be_met
from optimization.core.pattern_rows import Rows
from optimization.core.problem import InvalidProblem
from optimization.core.solve import Solution, solve_budget


def cell(name: str, family: str, a: float, k: float, **more: Any) -> dict[str, Any]:
    path = [more.pop("channel", name), "x", "x", "x", "x"]
    return {"id": name, "path": path, "response": {"family": family, "params": {"a": a, "k": k}}, **more}


def solved(cells: list[dict[str, Any]], **more: Any) -> Solution:
    return solve_budget(parse_problem({"schema": "rmn-budget-instance/1", "cells": cells, **more}))


@pytest.mark.parametrize("out_of_stock", [False, True])
@pytest.mark.parametrize(("more", "best"), [((), 840.5913313), ((("B", 5.6),), 836.8587586)])
def test_a_line_that_cannot_pay_gets_nothing_and_hinders_nobody(
    more: tuple[tuple[str, float], ...], best: float, out_of_stock: bool
) -> None:
    """Michaelis-Menten with a/k = 1.35 never returns 7.2; at zero it breaks nothing."""
    limits = [{"kind": "min_roas", "value": value, "scope": [scope]} for scope, value in (("C", 7.2), *more)]
    found = solved(
        [
            cell("A", "exp_saturation", 41, 4),
            cell("B", "exp_saturation", 800, 27),
            cell("C", "michaelis_menten", 35, 26, out_of_stock=out_of_stock),
        ],
        total_budget=235,
        global_constraints=limits,
    )
    assert found.feasible
    assert found.certificate is not None
    assert found.spend is not None
    assert found.certificate.objective == pytest.approx(best, rel=1e-9)
    assert abs(found.certificate.gap) <= 1e-9
    assert found.spend[2] == 0.0


@pytest.mark.parametrize(
    ("cells", "more"),
    [
        (
            [
                cell("A", "log", 500, 100, max_spend=300),
                cell("B", "log", 0, 100, max_spend=200),
                cell("C", "log", 900, 200, max_spend=200),
            ],
            {
                "total_budget": 1000,
                "node_bounds": [{"path": ["B"], "min_spend": 100}],
                "global_constraints": [{"kind": "min_roas", "value": 3.5, "scope": ["A"]}],
            },
        ),
        (
            [cell("A", "exp_saturation", 100, 1), cell("B", "log", 500, 100)],
            {"total_budget": 10_000, "constraints": [{"kind": "min_share", "scope": ["A"], "value": 0.6}]},
        ),
        (
            [cell("A", "log", 0, 300), cell("B", "log", 1000, 300)],
            {"total_budget": 100, "constraints": [{"kind": "min_share", "scope": ["A"], "value": 0.3}]},
        ),
    ],
)
def test_a_floor_on_a_flat_line_leaves_the_bound_above_the_answer(
    cells: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    certificate = solved(cells, **more).certificate
    assert certificate is not None
    assert -1e-12 <= certificate.gap <= 1e-6


def test_commitments_that_only_some_choice_of_cells_can_meet_are_never_called_a_conflict() -> None:
    """Twelve of these cells add up to the node exactly; finding which is a subset sum."""
    sizes = [1000.0 + (n * 7919) % 8999 for n in range(24)]
    whole = sum(sizes[::2])
    cells = [
        cell(f"c{n}", "log", 100 + n, 50, channel="A", min_spend_if_active=size, max_spend=size)
        for n, size in enumerate(sizes)
    ]
    told = None
    # Where none was found, that is the truth, and no conflict is named.
    with contextlib.suppress(SolverFailed):
        told = solved(cells, total_budget=whole, node_bounds=[{"path": ["A"], "min_spend": whole, "max_spend": whole}])
    assert told is None or told.feasible


@pytest.mark.parametrize("lies", [1, 2])
def test_one_wrong_word_of_highs_is_no_verdict(monkeypatch: pytest.MonkeyPatch, lies: int) -> None:
    """Commitments beside a return, which HiGHS judges: told once that nothing can, it is asked on another way."""
    told, truly = [], Rows.answer

    def lying(self: Rows, *args: Any, **more: Any) -> Any:
        told.append(more)
        return (None, -float("inf")) if len(told) <= lies else truly(self, *args, **more)

    monkeypatch.setattr(Rows, "answer", lying)
    cells = [cell(name, "log", 300.0, 100.0, min_spend_if_active=60.0) for name in ("A", "B")]
    document = {"schema": "rmn-budget-instance/1", "cells": cells, "total_budget": 100.0}
    limits = [{"kind": "min_roas", "value": 1.5, "scope": []}]
    problem = parse_problem({**document, "global_constraints": limits})
    assert limits_can_be_met(problem) == (lies == 1)
    assert len(told) >= 2


@pytest.mark.parametrize("lies", [1, 2])
def test_one_wrong_word_of_a_linear_programme_is_no_verdict(monkeypatch: pytest.MonkeyPatch, lies: int) -> None:
    told = []

    def lying(*args: Any, **more: Any) -> Any:
        told.append(more["method"])
        found = linprog(*args, **more)
        if len(told) <= lies:
            found.fun = 0.5
        return found

    monkeypatch.setattr(general_conflicts, "linprog", lying)
    share = {"kind": "max_share", "scope": ["A"], "value": 0.5}
    cells = [cell(name, "log", 300.0, 100.0) for name in ("A", "B")]
    document = {"schema": "rmn-budget-instance/1", "cells": cells, "total_budget": 100.0, "constraints": [share]}
    assert general_conflicts.all_can_be_met(parse_problem(document)) == (lies == 1)
    assert told == ["highs-ds", "highs-ipm"]


def test_extra_money_by_week_with_a_reserve_keeps_what_is_spent_now() -> None:
    found = solved(
        [cell("A", "log", 100, 50, current_spend=100)],
        mode={"kind": "incremental_only"},
        experiment_reserve_fraction=0.1,
        periods={"budgets": [0, 100]},
    )
    assert found.feasible
    assert found.as_dict()["total_spend"] == pytest.approx(290.0)


def test_one_period_has_one_bound_per_node() -> None:
    bounds = [{"path": ["A"], "max_spend": 10}, {"path": ["A"], "min_spend": 5, "period": 1}]
    with pytest.raises(InvalidProblem, match="occurs 2 times"):
        solved([cell("A", "log", 100, 50)], periods={"budgets": [100]}, node_bounds=bounds)


def test_shares_need_a_ceiling() -> None:
    with pytest.raises(InvalidProblem, match="may force any spend"):
        solved(
            [cell("A", "log", 100, 100), cell("B", "log", 100, 100)],
            mode={"kind": "target_marginal_roi", "target": 2},
            constraints=[{"kind": "min_ratio", "scope": ["B"], "other": ["A"], "value": 10}],
        )


def test_shares_of_nothing_are_met_by_nothing() -> None:
    found = solved(
        [cell("A", "log", 100, 100, out_of_stock=True), cell("B", "log", 100, 100, out_of_stock=True)],
        total_budget=10,
        constraints=[{"kind": "max_share", "scope": ["A"], "value": 0.5}],
    )
    assert found.feasible
    assert found.certificate is not None
    assert found.certificate.gap == 0.0


@pytest.mark.parametrize("budget", [1.0, 100.0])
def test_curves_that_bend_far_beyond_the_budget_are_no_harder(budget: float) -> None:
    certificate = solved(
        [cell("A", "michaelis_menten", 1e6, 1e6), cell("B", "log", 9e5, 1e6)],
        total_budget=budget,
        constraints=[{"kind": "max_share", "scope": ["A"], "value": 0.3}],
    ).certificate
    assert certificate is not None
    assert certificate.gap <= 1e-6
