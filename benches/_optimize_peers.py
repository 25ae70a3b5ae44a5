"""The same budget problems through general solvers and another allocator: CVXPY with Clarabel, SLSQP, PyMC-Marketing.

Each takes a drawn problem and returns money per cell. Every one of them is given exact gradients or an exact conic
form, money in shares of the budget, and an equal split to start from where it needs a start.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from optimization.core.problem import BudgetProblem, GlobalKind
from optimization.core.responses import Family, Floats

#: SLSQP stops at this change of the objective (a share of the revenue of an equal split), or after this many steps.
SLSQP = {"ftol": 1e-9, "maxiter": 1000}


def clarabel(problem: BudgetProblem) -> Floats:
    """CVXPY builds the cones, Clarabel solves them."""
    from optimization.core import convex
    from optimization.core.domains import bounded_cells
    from optimization.core.limits import GlobalSet
    from optimization.core.tree import Tree

    convex.MOST_CELLS = max(convex.MOST_CELLS, len(problem.cells))
    answer = convex.solve_conic(problem, Tree.of(problem), bounded_cells(problem), GlobalSet.of(problem))
    if answer.status != "optimal":
        raise RuntimeError(answer.status)
    return answer.spend


def slsqp(problem: BudgetProblem) -> Floats:
    """SciPy's sequential least squares with exact gradients; bounds of nodes as one linear constraint."""
    from scipy.optimize import minimize

    budget, curves = problem.available, problem.responses
    start = _equal_split(problem)
    worth = float(curves.value(start).sum())
    caps, rows = _caps(problem)
    conversion = problem.revenue_per_conversion

    def earned(x: Floats) -> tuple[float, Floats]:
        return -float(curves.value(x * budget).sum()) / worth, -curves.marginal(x * budget) * budget / worth

    rules: list[dict[str, Any]] = [
        {"type": "ineq", "fun": lambda x: caps / budget - rows @ x, "jac": lambda x: -rows},
    ]
    for one in problem.global_constraints:
        # value x revenue / per >= cost x spend, over all cells
        per, cost = (1.0, one.value) if one.kind is GlobalKind.MIN_ROAS else (conversion / one.value, 1.0)
        rules.append(
            {
                "type": "ineq",
                "fun": lambda x, per=per, cost=cost: (
                    float((curves.value(x * budget) / per).sum()) / budget - cost * x.sum()
                ),
                "jac": lambda x, per=per, cost=cost: curves.marginal(x * budget) / per - cost,
            }
        )
    found = minimize(
        earned,
        start / budget,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, cap) for cap in problem.upper / budget],
        constraints=rules,
        options=SLSQP,
    )
    if not found.success:
        raise RuntimeError(found.message)
    return np.asarray(found.x * budget)


def pymc_marketing(problem: BudgetProblem) -> Floats:
    """PyMC-Marketing's BudgetOptimizer over a PyMC model with these curves, one period and no carry-over.

    Its own constraint, that the whole budget is spent, gives way to at most the budget: the same work as the others.
    """
    warnings.simplefilter("ignore")
    import arviz
    import pymc
    import pymc.dims as pmd
    import pytensor.xtensor as px
    from pymc_marketing.mmm.budget_optimizer import BudgetOptimizer, CustomModelWrapper
    from pymc_marketing.mmm.constraints import Constraint
    from pytensor.xtensor import as_xtensor
    from xarray import DataArray

    budget, names = problem.available, list(problem.ids)
    k, a = problem.responses.scale / budget, problem.responses.amplitude
    worth = float(problem.responses.value(_equal_split(problem)).sum())
    families = problem.responses.family
    conversion = problem.revenue_per_conversion

    def named(values: Any) -> Any:
        return as_xtensor(np.asarray(values, dtype=np.float64), dims=("channel",))

    def revenue(x: Any, size: Any) -> Any:
        """Per cell, x in shares of the budget."""
        return (
            named(families == Family.LOG) * size * px.math.log1p(x / named(k))
            + named(families == Family.MICHAELIS_MENTEN) * size * x / (named(k) + x)
            - named(families == Family.EXP_SATURATION) * size * px.math.expm1(-x / named(k))
        )

    with pymc.Model(coords={"date": [0], "channel": names}) as model:
        spend = pmd.Data("channel_data", np.zeros((1, len(names))), dims=("date", "channel"))
        size = pmd.Normal("amplitude", 1.0, 1.0, dims="channel")
        pmd.Deterministic("total_contribution", revenue(spend, size * named(a / worth)).sum())
    draws = arviz.from_dict(
        posterior={"amplitude": np.ones((1, 1, len(names)))},
        coords={"channel": names},
        dims={"amplitude": ["channel"]},
    )

    def at_most(row: Floats, cap: float) -> Any:
        return lambda budgets, total, optimizer: cap - (budgets * named(row)).sum()

    def limit(one: Any) -> Any:
        per, cost = (np.ones(len(names)), one.value) if one.kind is GlobalKind.MIN_ROAS else (conversion, 1.0)
        gain = 1.0 if one.kind is GlobalKind.MIN_ROAS else one.value
        size = gain * a / per / budget
        return lambda budgets, total, optimizer: revenue(budgets, named(size)).sum() - cost * budgets.sum()

    caps, rows = _caps(problem)
    rules = [Constraint(f"cap {i}", "ineq", at_most(rows[i], float(caps[i] / budget))) for i in range(caps.size)]
    rules += [Constraint(one.kind.value, "ineq", limit(one)) for one in problem.global_constraints]
    optimizer = BudgetOptimizer(
        num_periods=1,
        model=CustomModelWrapper(base_model=model, idata=draws, channels=names),
        custom_constraints=rules,
        default_constraints=False,
    )
    bounds = DataArray(
        np.stack([np.zeros(len(names)), problem.upper / budget], axis=1),
        dims=("channel", "bound"),
        coords={"channel": names, "bound": ["lower", "upper"]},
    )
    found = optimizer.allocate_budget(1.0, budget_bounds=bounds, minimize_kwargs={"options": SLSQP})[0]
    return np.asarray(found.to_numpy() * budget)


PEERS = {"clarabel": clarabel, "slsqp": slsqp, "pymc_marketing": pymc_marketing}
#: What each imports, to be there before the clock starts.
IMPORTS = {
    "clarabel": "cvxpy",
    "slsqp": "scipy.optimize",
    "pymc_marketing": "pymc_marketing.mmm.budget_optimizer",
}


def _equal_split(problem: BudgetProblem) -> Floats:
    """The budget in equal parts, cut at the caps of the cells."""
    return np.minimum(problem.available / len(problem.cells), problem.upper)


def _caps(problem: BudgetProblem) -> tuple[Floats, Floats]:
    """Caps of the budget and the nodes, shape (c,), and which cells each holds, shape (c, n)."""
    caps, rows = [problem.available], [np.ones(len(problem.cells))]
    for bound in problem.node_bounds:
        if bound.max_spend is not None:
            caps.append(bound.max_spend)
            rows.append(problem.members(bound.path).astype(np.float64))
    return np.array(caps), np.array(rows)
