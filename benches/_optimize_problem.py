"""The budget problems that `benches.optimize` times, drawn by size and seed."""

from __future__ import annotations

import numpy as np

from optimization.core.problem import BudgetProblem, Cell, Curve, GlobalConstraint, GlobalKind, NodeBound
from optimization.core.responses import Family
from optimization.core.solve import solve_budget

FAMILIES = (Family.LOG, Family.MICHAELIS_MENTEN, Family.EXP_SATURATION)
RESERVE = 0.05


def drawn_problem(cells: int, seed: int, *, limited: bool = False) -> BudgetProblem:
    """Five levels; a quarter of the nodes capped near what they would get, so that the caps bind.

    Args:
        limited: also hold back a reserve for experiments, and ask over all cells for a return and a cost per
            acquisition a little better than the problem reaches without; both limits bind.
    """
    rng = np.random.default_rng(seed)
    fan = max(2, cells // 800)
    k = np.exp(rng.normal(np.log(1000.0), 0.8, cells))
    a = np.exp(rng.normal(np.log(4.0), 0.7, cells)) * k
    cap = k * rng.uniform(2.0, 6.0, cells)
    # Two revenues per conversion, unrelated to the return: return and cost then are limits of their own.
    conversion = rng.choice([20.0, 45.0], cells)
    lines = [
        Cell(
            f"c{i}",
            (f"ch{i % 3}", f"r{i % 5}", f"p{i % 4}", f"a{i % fan}", f"s{i}"),
            Curve(FAMILIES[i % 3], float(a[i]), float(k[i]), revenue_per_conversion=float(conversion[i])),
            max_spend=float(cap[i]),
        )
        for i in range(cells)
    ]
    budget = 0.35 * float(cap.sum())
    free = solve_budget(BudgetProblem.of(lines, budget))
    sums: dict[tuple[str, ...], float] = {}
    for one, spend in zip(lines, free.spend if free.spend is not None else [], strict=True):
        for depth in range(1, 5):
            sums[one.path[:depth]] = sums.get(one.path[:depth], 0.0) + float(spend)
    bounds = [
        NodeBound(path, None, spend * float(rng.uniform(0.75, 1.1)))
        for path, spend in sorted(sums.items())
        if rng.random() < 0.25
    ]
    if not limited:
        return BudgetProblem.of(lines, budget, node_bounds=bounds)
    reached = solve_budget(BudgetProblem.of(lines, budget, experiment_reserve_fraction=RESERVE, node_bounds=bounds))
    if reached.spend is None:
        raise AssertionError("the drawn problem can be met")
    revenue = reached.problem.responses.value(reached.spend)
    orders = float((revenue / reached.problem.revenue_per_conversion).sum())
    return BudgetProblem.of(
        lines,
        budget,
        experiment_reserve_fraction=RESERVE,
        node_bounds=bounds,
        global_constraints=[
            GlobalConstraint(GlobalKind.MIN_ROAS, 1.02 * reached.objective_revenue / reached.total_spend),
            GlobalConstraint(GlobalKind.MAX_CPA, 0.965 * reached.total_spend / orders),
        ],
    )
