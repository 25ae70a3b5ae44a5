"""The answer to a problem with periods: spend per cell and period, and what each period's money is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from optimization.core.conflicts import Conflict, Member
from optimization.core.periods import Flattened
from optimization.core.reasons import BoundPrice, Line, Reason
from optimization.core.responses import Floats
from optimization.core.solution import Solution


@dataclass(frozen=True, eq=False)
class PeriodSolution(Solution):
    """As `Solution`, whose amounts are those over all periods.

    Attributes:
        flat: the problem as it was solved.
        solved: its solution.
    """

    flat: Flattened | None = None
    solved: Solution | None = None

    @cached_property
    def by_period(self) -> Floats:
        """Spend of each cell in each period, money, shape (periods, cells); zeros when infeasible."""
        asked, flat = self._parts
        shape = (flat.count, len(self.problem.cells))
        return np.zeros(shape) if asked.spend is None else asked.spend.reshape(shape)

    @property
    def objective_revenue(self) -> float:
        return self._parts[0].objective_revenue

    @property
    def current_revenue(self) -> float | None:
        return self._parts[0].current_revenue

    @property
    def earned(self) -> float:
        return self._parts[0].earned

    @property
    def current_earned(self) -> float | None:
        return self._parts[0].current_earned

    @property
    def linear_prices(self) -> dict[str, float]:
        return self._parts[0].linear_prices

    @property
    def node_shadow_prices(self) -> tuple[BoundPrice, ...]:
        """Those of nodes in one period; what the money through a period is worth stands with the periods."""
        solved, flat = self._parts
        found = []
        for one in solved.node_shadow_prices:
            place = flat.place(one.path)
            if not place.cumulative:
                found.append(replace(one, path=place.path, period=place.period))
        return tuple(found)

    @cached_property
    def reasons(self) -> dict[str, Reason]:
        """Why each cell has no more in the period in which it spends most."""
        return {line.cell: line.reason for line in self.lines}

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Each cell over all periods; its marginal return and its reason are those of the period it spends most in."""
        solved, flat = self._parts
        cells, found = len(self.problem.cells), []
        for i, cell in enumerate(self.problem.cells if solved.lines else ()):
            each = [solved.lines[t * cells + i] for t in range(flat.count)]
            most = max(range(flat.count), key=lambda t: each[t].proposed)
            reason = each[most].reason
            place = flat.place(reason.path)
            text = f"Period {most + 1}: {reason.text[0].lower()}{reason.text[1:]}"
            found.append(
                replace(
                    each[most],
                    cell=cell.id,
                    path=cell.path,
                    now=_sum([line.now for line in each]),
                    proposed=sum(line.proposed for line in each),
                    revenue_now=_sum([line.revenue_now for line in each]),
                    revenue_proposed=sum(line.revenue_proposed for line in each),
                    reason=replace(reason, path=place.path, text=text),
                )
            )
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of the result format, with the periods."""
        out = super().as_dict()
        if self.spend is None:
            return out
        return out | {
            "periods": self.periods,
            "spend_by_period": {
                name: [float(x) for x in self.by_period[:, i]] for i, name in enumerate(self.problem.ids)
            },
        }

    @property
    def periods(self) -> list[dict[str, Any]]:
        """Per period its budget, what rolled in, its spend, what rolls on, and what one more unit of it would earn."""
        solved, flat = self._parts
        worth = {}
        for one in solved.node_shadow_prices:
            place = flat.place(one.path)
            if place.cumulative and one.kind == "max_spend":
                worth[place.period] = one.value
        worth[flat.count] = solved.budget_shadow_price
        rows, left = [], 0.0
        for t in range(1, flat.count + 1):
            budget = flat.cumulative[t - 1] - (flat.cumulative[t - 2] if t > 1 else 0.0)
            spend = float(self.by_period[t - 1].sum())
            rows.append({"period": t, "budget": budget, "rolled_in": left, "spend": spend})
            left = max(0.0, flat.cumulative[t - 1] - float(self.by_period[:t].sum()))
            # Money of a period may be spent in it or later, so it is worth what all later limits charge.
            price = sum(value for period, value in worth.items() if period >= t)
            rows[-1] |= {"rolled_on": left, "price": price}
        return rows

    @property
    def _parts(self) -> tuple[Solution, Flattened]:
        if self.solved is None or self.flat is None:
            raise AssertionError("a solution of periods carries what was solved")
        return self.solved, self.flat


def fold(flat: Flattened, solved: Solution) -> PeriodSolution:
    """The answer in the words of the problem that was asked."""

    def over_all(values: Floats | None) -> Floats | None:
        return None if values is None else np.asarray(values.reshape(flat.count, -1).sum(axis=0))

    return PeriodSolution(
        solved.status,
        flat.asked,
        solved.engine,
        solved.seconds,
        spend=over_all(solved.spend),
        certificate=solved.certificate,
        conflict=None if solved.conflict is None else told_conflict(flat, solved.conflict),
        current=over_all(solved.current),
        explainer=solved.explainer,
        flat=flat,
        solved=solved,
    )


def told_conflict(flat: Flattened, conflict: Conflict) -> Conflict:
    """A conflict of the flat problem in the words of the one that was asked."""
    return replace(
        conflict,
        members=tuple(_member(flat, one) for one in conflict.members),
        further=tuple(told_conflict(flat, one) for one in conflict.further),
    )


def _member(flat: Flattened, one: Member) -> Member:
    if one.is_global or one.name is not None:
        return one
    if one.cell is not None:
        name, period = flat.cell(one.cell)
        cell = next(cell for cell in flat.asked.cells if cell.id == name)
        return replace(one, cell=name, path=cell.path, period=period)
    place = flat.place(one.path)
    return replace(one, path=place.path, period=place.period, cumulative=place.cumulative)


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
