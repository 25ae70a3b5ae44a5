"""The general path at the ends of what money can be: none, next to none beside large curves, and no budget told."""

from __future__ import annotations

import numpy as np
import pytest

from optimization.core.linear import at_most, share_of
from optimization.core.problem import Aim, BudgetProblem, Cell, Curve, GlobalConstraint, GlobalKind, NodeBound
from optimization.core.responses import Family
from optimization.core.solve import solve_budget
from tests.optimization.core.casts import cell


def line(name: str, family: Family, a: float, k: float, **more: float) -> Cell:
    exponent = 0.5 if family is Family.POWER else 1.0
    return Cell(name, (name[0], name), Curve(family, a, k, exponent, 20.0), **more)  # type: ignore[arg-type]


def test_the_first_unit_of_no_budget_earns_what_the_shares_let_it() -> None:
    """Half of it may go to the better branch, so a unit earns the mean of both returns."""
    lines = [line("s1", Family.LOG, 900.0, 100.0), line("t1", Family.LOG, 200.0, 100.0)]
    shares = [share_of(("s",), (), 0.5), at_most([(("s",), 1.0)], 1000.0, name="far")]
    answer = solve_budget(BudgetProblem.of(lines, 0.0, linear=shares))
    assert answer.spend == pytest.approx([0.0, 0.0], abs=0.0)
    assert answer.certificate is not None
    assert (answer.certificate.gap, answer.certificate.violation) == (0.0, 0.0)
    assert answer.budget_shadow_price == pytest.approx(0.5 * (9.0 + 2.0), rel=1e-5)
    # One point more of the share of the better branch: 0.01 of a unit moves from 2 to 9, of a budget of nothing.
    assert answer.linear_prices["far"] == 0.0


@pytest.mark.parametrize("family", [Family.LOG, Family.MICHAELIS_MENTEN, Family.EXP_SATURATION, Family.POWER])
@pytest.mark.parametrize(("budget", "k"), [(1e-2, 1e6), (1e-2, 1e3), (1.0, 1e5), (1e4, 1e6), (1e6, 1e6)])
def test_little_money_on_curves_made_for_much(family: Family, budget: float, k: float) -> None:
    lines = [line(f"{'st'[i % 2]}{i}", family, (3.0 + i) * k, k * (1.0 + 0.1 * i)) for i in range(6)]
    answer = solve_budget(BudgetProblem.of(lines, budget, linear=[share_of(("s",), (), 0.4)]))
    assert answer.spend is not None
    assert answer.certificate is not None
    assert answer.certificate.gap <= 1e-6
    assert answer.certificate.violation <= 1e-12
    assert answer.spend[::2].sum() <= 0.4 * answer.spend.sum() * (1.0 + 1e-9)
    assert answer.spend.sum() == pytest.approx(budget, rel=1e-6)


@pytest.mark.parametrize("scope", [(), ("ch",)])
@pytest.mark.parametrize("floor", ["cell", "node"])
def test_what_a_floor_costs_in_return_may_be_earned_beside_it(scope: tuple[str, ...], floor: str) -> None:
    """The poor line has to have its money and the whole its return: so a line that earns no profit has to spend."""
    poor = cell("poor", 1.0, 100.0, path=("ch",), margin=0.5, min_spend=100.0 if floor == "cell" else 0.0)
    rich = cell("rich", 1000.0, 100.0, path=("ch",), margin=1e-3)
    bounds = [NodeBound(("ch", "poor"), 100.0, None)] if floor == "node" else []
    terms = {
        "node_bounds": bounds,
        "global_constraints": [GlobalConstraint(GlobalKind.MIN_ROAS, 2.0, scope)],
        "aim": Aim.PROFIT,
    }
    open_ended = BudgetProblem.of([poor, rich], None, **terms)  # type: ignore[arg-type]
    answer = solve_budget(open_ended)
    wide = solve_budget(BudgetProblem.of([poor, rich], 1e5, **terms))  # type: ignore[arg-type]
    assert wide.feasible
    assert answer.feasible
    assert answer.total_spend > 101.0
    assert answer.earned == pytest.approx(wide.earned, rel=1e-7)


@pytest.mark.parametrize("seed", range(20))
def test_no_ceiling_of_an_open_budget_binds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines = [
        cell(
            f"c{i}",
            float(rng.uniform(50.0, 900.0)),
            100.0,
            path=(f"ch{i % 2}",),
            margin=float(rng.choice([1e-3, 0.3, 0.6])),
            min_spend=float(rng.choice([0.0, 0.0, 150.0])),
        )
        for i in range(6)
    ]
    scope = [(), ("ch0",)][seed % 2]
    terms = {"global_constraints": [GlobalConstraint(GlobalKind.MIN_ROAS, 1.5, scope)], "aim": Aim.PROFIT}
    answer = solve_budget(BudgetProblem.of(lines, None, **terms))  # type: ignore[arg-type]
    wide = solve_budget(BudgetProblem.of(lines, 1e5, **terms))  # type: ignore[arg-type]
    assert answer.feasible == wide.feasible
    if wide.feasible:
        assert answer.earned == pytest.approx(wide.earned, rel=1e-6, abs=1e-6)
