"""Why the money lies where it lies, one structured reason and one sentence per cell.

At the optimum a cell that could take more does not, because its next unit returns less than something costs: the sum
of the prices of the bounds above it, the budget, and what the return and cost constraints charge. The reason named is
the one that charges most. A cell that would rather have less is held up by a floor, and is told so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from optimization.core.envelope import BoundedResponses
from optimization.core.limits import GlobalSet
from optimization.core.problem import Aim, BudgetProblem, GlobalKind, LinearConstraint, Path, path_text
from optimization.core.responses import Floats
from optimization.core.tree import Ints, Tree

_CLOSE = 1e-9
_RETURN = {GlobalKind.MIN_ROAS: "ROAS", GlobalKind.MIN_IROAS: "incremental ROAS", GlobalKind.MIN_ROI: "return"}


class ReasonKind(StrEnum):
    """What keeps a cell from getting more."""

    OUT_OF_STOCK = "out_of_stock"
    OWN_CAP = "own_cap"
    OWN_FLOOR = "own_floor"
    NODE_CAP = "node_cap"
    NODE_FLOOR = "node_floor"
    BUDGET = "budget"
    EXPERIMENT_RESERVE = "experiment_reserve"
    COMMITMENT = "min_spend_if_active"
    MIN_ROAS = "min_roas"
    MAX_CPA = "max_cpa"
    MIN_IROAS = "min_iroas"
    MIN_ROI = "min_roi"
    LINEAR = "linear"
    NOT_WORTH_MORE = "not_worth_more"
    SATURATED = "saturated"


@dataclass(frozen=True, slots=True)
class Reason:
    """The binding constraint of one cell.

    Attributes:
        kind: what binds.
        path: the node or scope it is a constraint of; the cell's own path for its own bounds.
        price: what one more unit of that constraint is worth to the objective, money per money.
        text: one English sentence.
    """

    kind: ReasonKind
    path: Path
    price: float
    text: str

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind.value, "path": list(self.path), "price": self.price, "text": self.text}


@dataclass(frozen=True, slots=True)
class Line:
    """One cell before and after; amounts in money, returns in money per money. `now` is None without a current plan."""

    cell: str
    path: Path
    now: float | None
    proposed: float
    revenue_now: float | None
    revenue_proposed: float
    marginal_now: float | None
    marginal_proposed: float
    reason: Reason

    @property
    def change(self) -> float | None:
        """Proposed less current spend."""
        return None if self.now is None else self.proposed - self.now


@dataclass(frozen=True, slots=True)
class BoundPrice:
    """What one unit of a bound is worth: `value` >= 0, revenue gained per unit by which it is relaxed."""

    path: Path
    kind: str
    value: float
    period: int = 0

    def as_dict(self) -> dict[str, Any]:
        out = {"path": list(self.path), "kind": self.kind, "value": self.value}
        return out | ({"period": self.period} if self.period else {})


@dataclass(frozen=True, eq=False)
class Explainer:
    """Everything that a reason can be read from."""

    problem: BudgetProblem
    tree: Tree
    cells: BoundedResponses
    limits: GlobalSet
    spend: Floats
    price: Floats
    multipliers: Floats
    tilt: Floats | None = None
    named: Callable[[Path], str] = path_text
    closed_by: Ints | None = None

    def bound_prices(self) -> tuple[BoundPrice, ...]:
        """The bounds of nodes that cost something, the budget aside, in order of path."""
        step = self._steps()
        scale = _CLOSE * max(float(np.abs(self.price).max()), 1e-300)
        found = []
        for node in np.flatnonzero(np.abs(step) > scale):
            path = self.tree.paths[node]
            if path == () and step[node] > 0.0 and not self._total_is_node():
                continue
            kind = "max_spend" if step[node] > 0.0 else "min_spend"
            found.append(BoundPrice(path, kind, abs(float(step[node]))))
        return tuple(sorted(found, key=lambda one: one.path))

    def budget_price(self) -> float:
        """Revenue gained by one more unit of the available budget; 0 where a bound on the total is tighter."""
        return 0.0 if self._total_is_node() else max(0.0, float(self.price[0]))

    def reasons(self) -> Iterator[Reason]:
        """One reason per cell, in the order of the cells."""
        dearest = self._dearest()
        marginal = self.cells.curves.marginal(self.spend)
        weights, costs = self.limits.lagrangian(self.multipliers, self.tilt)
        owner = self.tree.owner
        with np.errstate(invalid="ignore"):
            worth = np.where(weights > 0.0, weights * marginal, 0.0) - costs
        asked = self.price[owner]
        charges = self._global_charges(marginal)
        for i in range(owner.size):
            yield self._reason(i, int(dearest[owner[i]]), float(worth[i]), float(asked[i]), marginal, charges)

    def lines(self, current: Floats | None) -> Iterator[Line]:
        """Each cell before (shape (n,), money) and after."""
        curves = self.cells.curves
        revenue, marginal = curves.value(self.spend), curves.marginal(self.spend)
        before = (None, None) if current is None else (curves.value(current), curves.marginal(current))
        for i, (cell, reason) in enumerate(zip(self.problem.cells, self.reasons(), strict=True)):
            yield Line(
                cell=cell.id,
                path=cell.path,
                now=None if current is None else float(current[i]),
                proposed=float(self.spend[i]),
                revenue_now=None if before[0] is None else float(before[0][i]),
                revenue_proposed=float(revenue[i]),
                marginal_now=None if before[1] is None else float(before[1][i]),
                marginal_proposed=float(marginal[i]),
                reason=reason,
            )

    def _steps(self) -> Floats:
        """Price of each bound: price of the node less that of its parent, shape (m,)."""
        step = self.price.copy()
        step[1:] -= self.price[self.tree.parent[1:]]
        return step

    def _total_is_node(self) -> bool:
        """True where a cap on the total is tighter than the budget."""
        caps = [b.max_spend for b in self.problem.node_bounds if b.path == () and b.max_spend is not None]
        return bool(caps) and min(caps) < self.problem.available

    def _dearest(self) -> Ints:
        """For each node the ancestor (or itself) whose bound charges most, shape (m,)."""
        step, best = self._steps(), np.arange(self.tree.nodes)
        for node in range(1, self.tree.nodes):
            above = best[self.tree.parent[node]]
            if step[above] >= step[node]:
                best[node] = above
        return best

    def _global_charges(self, marginal: Floats) -> Floats:
        """What each global constraint charges the next unit of each cell, shape (j, n)."""
        with np.errstate(invalid="ignore"):
            charge = self.multipliers[:, None] * (self.limits.cost - self.limits.gain * marginal)
        return np.nan_to_num(charge, neginf=0.0)

    def _reason(self, i: int, node: int, worth: float, asked: float, marginal: Floats, charges: Floats) -> Reason:
        cell, tree = self.problem.cells[i], self.tree
        spent, low, high = float(self.spend[i]), float(self.cells.lower[i]), float(self.cells.upper[i])
        returns = float(marginal[i])
        told = self._told(i, returns)
        if cell.out_of_stock:
            return Reason(ReasonKind.OUT_OF_STOCK, cell.path, 0.0, "Out of stock: nothing to sell, so no spend.")
        closing = -1 if self.closed_by is None else int(self.closed_by[i])
        if closing >= 0 and spent >= high * (1.0 - _CLOSE):
            return self._global_reason(closing, float(charges[closing, i]), returns)
        if cell.max_spend is not None and spent >= high * (1.0 - _CLOSE):
            if high == low and cell.max_spend > 0.0:
                text = f"Held at {_money(high)}: its floor equals its cap."
                return Reason(ReasonKind.OWN_CAP, cell.path, max(0.0, worth - asked), text)
            text = f"At its own cap of {_money(high)}; the next unit would return {told}."
            return Reason(ReasonKind.OWN_CAP, cell.path, max(0.0, worth - asked), text)
        if low > 0.0 and spent <= low * (1.0 + _CLOSE) and worth < asked * (1.0 - _CLOSE):
            text = f"Held up by its own floor of {_money(low)}: its next unit returns {told}, less than elsewhere."
            return Reason(ReasonKind.OWN_FLOOR, cell.path, asked - worth, text)
        charge = charges[:, i]
        step = float(self.price[node] - (self.price[tree.parent[node]] if node else 0.0))
        if charge.size:
            most = int(charge.argmax())
            # All pay the price of the budget; what a share charges beside it is what holds this cell apart.
            apart = node == 0 and isinstance(self.limits.constraints[most], LinearConstraint)
            if charge[most] > (1e-6 * asked if apart else max(step, 0.0)):
                return self._global_reason(most, float(charge[most]), returns)
        if step > 0.0:
            return self._bound_reason(i, node, step, told, spent, asked)
        lowest = int(tree.owner[i])
        if self.price[lowest] < 0.0 or (lowest and self.price[lowest] < self.price[0]):
            path = tree.paths[lowest]
            text = f"Filled by the floor of {self.named(path)}; beyond it nothing asks for more."
            return Reason(ReasonKind.NODE_FLOOR, path, -float(self._steps()[lowest]), text)
        if self.limits.charge > 0.0:
            return Reason(ReasonKind.NOT_WORTH_MORE, cell.path, 0.0, self._not_worth(i, returns))
        return Reason(ReasonKind.SATURATED, cell.path, 0.0, f"Nothing limits it: the next unit returns {told}.")

    def _told(self, i: int, returns: float) -> str:
        """What the next unit returns, in the scenarios that the objective is the mean of."""
        return f"{returns:.3g}" if self.tilt is None else f"{returns * float(self.tilt[i]):.3g} in the worst cases"

    def _not_worth(self, i: int, returns: float) -> str:
        problem = self.problem
        weight = float(problem.aim_weights[i])
        tilted, worst = (returns, "") if self.tilt is None else (returns * float(self.tilt[i]), " in the worst cases")
        if problem.aim is Aim.PROFIT:
            least = "costs" if problem.hurdle == 0.0 else f"costs and the target of {problem.hurdle:g} asks"
            sells = f"the next unit sells {tilted:.3g}{worst} at a margin of {weight:.1%}"
            return f"More would earn less than it {least}: {sells}."
        what = "incremental sales" if problem.aim is Aim.INCREMENTAL else "sales"
        least = f"More would earn less than the target of {problem.hurdle:g}"
        return f"{least}: the next unit brings {tilted * weight:.3g} of {what}{worst}."

    def _bound_reason(self, i: int, node: int, step: float, told: str, spent: float, asked: float) -> Reason:
        cell, path = self.problem.cells[i], self.tree.paths[node]
        share = self.problem.experiment_reserve_fraction
        if path == () and not self._total_is_node():
            kind = ReasonKind.EXPERIMENT_RESERVE if share == 1.0 else ReasonKind.BUDGET
            held = f" after the {share:.1%} experiment reserve" if share > 0.0 else ""
            place = f"the budget{held}"
        else:
            kind, place = ReasonKind.NODE_CAP, f"the cap of {self.named(path)}"
        if spent <= 0.0 and cell.min_spend_if_active > 0.0:
            kind = ReasonKind.COMMITMENT
            text = (
                f"Left out: a commitment of at least {_money(cell.min_spend_if_active)} would earn less than elsewhere."
            )
        elif spent <= 0.0:
            text = f"Not worth a start: its first unit returns {told}, and {place} is worth {asked:.3g} a unit."
        else:
            text = f"Limited by {place}: its next unit returns {told}, as much as the best use elsewhere."
        return Reason(kind, path, step, text)

    def _global_reason(self, row: int, charge: float, returns: float) -> Reason:
        one, price = self.limits.constraints[row], float(self.multipliers[row])
        if isinstance(one, LinearConstraint):
            return Reason(ReasonKind.LINEAR, one.scope, price, f"More would break the limit {one.name!r}.")
        place = path_text(one.scope)
        if one.kind is GlobalKind.MAX_CPA:
            text = f"More would break the cost per acquisition of {one.value:g} over {place}."
            return Reason(ReasonKind.MAX_CPA, one.scope, price, text)
        least = f"{_RETURN[one.kind]} of {one.value:g} over {place}"
        text = f"More would break the {least}: the next unit returns {returns:.3g}."
        return Reason(ReasonKind(one.kind.value), one.scope, price, text)


def _money(amount: float) -> str:
    return f"{amount:,.2f}"
