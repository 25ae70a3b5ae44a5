"""An upper bound on what any allocation could earn, from prices alone.

Weak duality: for any price structure, the best revenue under the constraints is at most what the cells would earn
facing those prices, plus what the bounds are worth at them. No assumption is made on how the prices or the allocation
were found, or on the curves being concave: each cell is maximised exactly on its true domain.

With price l_i of the node that owns cell i, y_g = l_g - l_parent(g) the price of each bound, multipliers u_j >= 0 of
the global constraints G_j(x) >= 0, w_i and c_i what these make of a cell's revenue and spend:

    bound - revenue(x) = sum_i [ max_z (w_i R_i(z) - (c_i + l_i) z) - (w_i R_i(x_i) - (c_i + l_i) x_i) ]
                       + sum_g y_g (bound_g - spend_g(x)) + sum_j u_j G_j(x)

Every term is non-negative for a feasible x. Summing these differences, instead of subtracting two large totals, keeps
the gap accurate far below the rounding of the totals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimization.core.envelope import BoundedResponses
from optimization.core.limits import GlobalSet
from optimization.core.responses import Floats
from optimization.core.tree import Tree

#: A bound below the objective by no more than this share of it is the objective; one further below would be wrong.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Certificate:
    """What was proven about an allocation.

    Attributes:
        objective: value of the allocation, money.
        dual_bound: no allocation within the constraints is worth more, money.
        gap: (dual_bound - objective) / |objective|; 0 where both are zero.
        violation: largest excess over any bound, as a share of the available budget (over 1 where that is zero).
    """

    objective: float
    dual_bound: float
    gap: float
    violation: float


def certify(
    tree: Tree,
    cells: BoundedResponses,
    limits: GlobalSet,
    spend: Floats,
    price: Floats,
    multipliers: Floats,
    tilt: Floats | None = None,
    objective: float | None = None,
    bound: float | None = None,
) -> Certificate:
    """Bound the optimum from prices and compare an allocation with it.

    Args:
        tree, cells, limits: the constraints and the curves.
        spend: the allocation to judge, shape (n,).
        price: price of money inside each node, any numbers, shape (m,).
        multipliers: of the global constraints, any non-negative numbers, shape (j,).
        tilt: revenue multiplier per cell, shape (n,): the mixture of scenarios that prices a tail objective.
        objective: value of the allocation where it is not the sum of its revenue.
        bound: an upper bound proven in another way, as by branching; the lower of both counts.
    """
    weights, costs = limits.lagrangian(multipliers, tilt)
    each = price[tree.owner] + costs
    # A weight of zero leaves only the cost: the best spend is then at a bound.
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.where(weights > 0.0, each / weights, np.inf)
    at_best = np.where(
        weights > 0.0,
        weights * cells.conjugate(np.nan_to_num(scaled, posinf=0.0)),
        -np.minimum(each * cells.lower, each * cells.upper),
    )
    revenue = cells.curves.value(spend)
    terms = at_best - (weights * revenue - each * spend)

    step = price.copy()
    step[1:] -= price[tree.parent[1:]]
    sums = tree.sums(spend)
    with np.errstate(invalid="ignore"):
        edge = np.where(step > 0.0, tree.upper, tree.lower)
        priced = np.where(step != 0.0, step * (edge - sums), 0.0)
    slack = limits.slack(spend, revenue)
    value = limits.worth(spend, revenue, tilt)
    excess = float(terms.sum() + priced.sum() + (multipliers * slack).sum())
    worth = value if objective is None else objective
    dual = value + excess if bound is None else min(value + excess, bound)
    # Where nothing can be earned, a bound of rounding size is no gap.
    at_most = float(cells.curves.value(cells.upper).sum())
    # A profit near zero is the difference of two large sums, so it is not measured against itself alone.
    size = max(abs(worth), 1e-12 * at_most, 1e-3 * limits.charge * float(spend.sum()))
    if worth > dual >= worth - _ROUNDING * size:
        dual = worth  # what is attained is attainable: a bound below it is short by its rounding
    gap = 0.0 if abs(dual - worth) <= 1e-16 * at_most else (dual - worth) / size

    over = max(
        float(np.max(sums - tree.upper, initial=0.0)),
        float(np.max(tree.lower - sums, initial=0.0)),
        float(np.max(spend - cells.upper, initial=0.0)),
        float(np.max(cells.lower - spend, initial=0.0)),
        float(np.max(-slack, initial=0.0)),
    )
    budget = float(tree.upper[0])
    return Certificate(worth, dual, gap, over / (budget if budget > 0.0 else 1.0))
