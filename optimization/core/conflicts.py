"""Why bounds cannot be met together: the smallest conflict, what is missing, and what would resolve it.

Floors add up from the bottom of the tree and caps add up too, so one sweep gives for every node the interval of spend
that its inside allows. The bounds of a laminar tree can be met exactly if no interval is empty. At the deepest empty
one the conflict is read off: a cap and the floors under it that exceed it, or a floor and the caps under it that keep
below it.

A conflict is minimal in the usual sense (irreducible infeasible subset): its members cannot be met together, and
without any one of them the others can. An empty shelf is a fact, not a member: an out-of-stock cell cannot spend.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optimization.core.problem import (
    BudgetProblem,
    Cell,
    GlobalConstraint,
    GlobalKind,
    LinearConstraint,
    NodeBound,
    Path,
)
from optimization.core.responses import Floats
from optimization.core.tree import Tree

#: Bounds that miss each other by less than this share of their size are met; sums of decimals are no exacter.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Member:
    """One constraint of a conflict.

    Attributes:
        kind: min_spend, max_spend, min_spend_if_active, min_roas or max_cpa.
        path: of the node or cell, or the scope.
        value: as asked for. For the total it is the budget that the experiment reserve leaves.
        cell: id, where the bound is that of one cell.
        needed: the value nearest to `value` that resolves this conflict while all else stays; None where no value
            of this member alone does.
        restores: True when the whole problem can be met without this member.
        name: of a linear constraint.
        period: of a problem with periods the one it is of, 0 for all; where `cumulative`, all through that one.
    """

    kind: str
    path: Path
    value: float
    cell: str | None = None
    needed: float | None = None
    restores: bool = False
    name: str | None = None
    period: int = 0
    cumulative: bool = False

    @property
    def is_global(self) -> bool:
        return self.kind in tuple(GlobalKind)

    def as_dict(self) -> dict[str, Any]:
        """The member as it stands in `minimal_conflict`."""
        key = "scope" if self.is_global else "path"
        out: dict[str, Any] = {key: list(self.path), "kind": self.kind, "value": self.value}
        if self.cell is not None:
            out["cell"] = self.cell
        if self.name is not None:
            out["name"] = self.name
        if self.period:
            out["through_period" if self.cumulative else "period"] = self.period
        return out


@dataclass(frozen=True)
class Conflict:
    """A minimal conflict.

    Attributes:
        members: the constraints; the one that the others run into comes first.
        shortfall: money by which the bounds miss each other; None for a conflict over return or cost.
        best_attainable: best value of the return or cost that the other constraints allow; None for bounds.
        best_is_bound: True where S-curves or commitments keep that value from being reached: nothing is better than it,
            but what is reached may be worse.
        further: other conflicts that share no member with this one.
    """

    members: tuple[Member, ...]
    shortfall: float | None = None
    best_attainable: float | None = None
    best_is_bound: bool = False
    further: tuple[Conflict, ...] = ()


@dataclass(frozen=True, eq=False)
class Intervals:
    """Spend that the inside of each node allows (`inner_*`) and what remains with its own bounds; shape (m,)."""

    inner_least: Floats
    inner_most: Floats
    least: Floats
    most: Floats

    @classmethod
    def of(cls, tree: Tree, lower: Floats, upper: Floats) -> Intervals:
        """Propagate the bounds of cells (shape (n,), caps may be infinite) up the tree."""
        inner_least = tree.gather(lower)
        inner_most = tree.gather(upper)
        for depth in range(tree.depths - 1, 0, -1):
            here = tree.at_depth(depth)
            np.add.at(inner_least, tree.parent[here], np.maximum(inner_least[here], tree.lower[here]))
            np.add.at(inner_most, tree.parent[here], np.minimum(inner_most[here], tree.upper[here]))
        return cls(
            inner_least,
            inner_most,
            np.maximum(inner_least, tree.lower),
            np.minimum(inner_most, tree.upper),
        )

    def empty(self) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Nodes whose interval is empty, deepest last."""
        size = np.maximum(self.least, np.where(np.isfinite(self.most), self.most, 0.0))
        return np.flatnonzero(self.least - self.most > ROUNDING * size)


def active_lower(problem: BudgetProblem) -> Floats:
    """Floors of the cells; a cell with a floor is active, so its commitment binds too."""
    return np.where(problem.lower > 0.0, np.maximum(problem.lower, problem.commitments), 0.0)


def bounds_can_be_met(problem: BudgetProblem) -> bool:
    """True when some spend meets all bounds of cells and nodes and the budget."""
    return Intervals.of(Tree.of(problem), active_lower(problem), problem.upper).empty().size == 0


def find_bound_conflict(problem: BudgetProblem, *, tree: Tree | None = None, further: bool = True) -> Conflict | None:
    """The smallest conflict between bounds, or None where all can be met; `tree` is that of the problem, if at hand."""
    tree = tree or Tree.of(problem)
    lower = active_lower(problem)
    spans = Intervals.of(tree, lower, problem.upper)
    empty = spans.empty()
    if empty.size == 0:
        return None
    node = int(empty[-1])
    reader = _Reader(problem, tree, spans, lower)
    shortfall = float(spans.least[node] - spans.most[node])
    own_floor, own_cap = float(tree.lower[node]), float(tree.upper[node])
    cap = Member("max_spend", tree.paths[node], own_cap)
    floor = Member("min_spend", tree.paths[node], own_floor)
    inner_low, inner_high = float(spans.inner_least[node]), float(spans.inner_most[node])
    if own_floor > own_cap:
        members = [replace(cap, needed=float(spans.least[node])), replace(floor, needed=float(spans.most[node]))]
    elif inner_low > own_cap:
        members = [replace(cap, needed=float(spans.least[node])), *reader.exceeding(node, own_cap, shortfall)]
    elif own_floor > inner_high:
        members = [replace(floor, needed=inner_high), *reader.confining(node, shortfall)]
    else:
        # The children alone cannot be empty-handed here: a deeper node would have been empty.
        raise AssertionError("an empty interval without a cause")
    if len(members) <= 64:
        members = [replace(one, restores=bounds_can_be_met(without(problem, [one]))) for one in members]
    conflict = Conflict(tuple(members), shortfall=shortfall)
    if not further:
        return conflict
    rest = without(problem, members)
    others: list[Conflict] = []
    while len(others) < 8 and (other := find_bound_conflict(rest, further=False)) is not None:
        others.append(other)
        rest = without(rest, list(other.members))
    return replace(conflict, further=tuple(others))


@dataclass(frozen=True)
class _Forced:
    """What a floor forces to be spent, money, with the commitment that makes it more than the floor says."""

    spend: float
    floor: Member
    commitment: Member | None = None


class _Reader:
    """Reads off which bounds make up the least or the most that a node can spend."""

    def __init__(self, problem: BudgetProblem, tree: Tree, spans: Intervals, lower: Floats) -> None:
        self.problem, self.tree, self.spans, self.lower = problem, tree, spans, lower

    def exceeding(self, node: int, cap: float, shortfall: float) -> list[Member]:
        """The fewest floors under `node` that together exceed `cap`, in order of path."""
        chosen: list[_Forced] = []
        total = 0.0
        for forced in sorted(self._floors(node, shortfall, np.inf), key=lambda one: (-one.spend, one.floor.path)):
            chosen.append(forced)
            total += forced.spend
            if total - cap > ROUNDING * total:
                break
        members = [one.floor for one in chosen]
        # The commitment of a line that its floor switches on is a member only where the floor alone were not enough.
        for one in chosen:
            if one.commitment is None:
                continue
            without_it = total - (one.commitment.value - one.floor.value)
            if without_it - cap > ROUNDING * without_it:
                total = without_it
            else:
                members.append(one.commitment)
        return sorted(members, key=lambda one: (one.path, one.cell or "", one.kind))

    def confining(self, node: int, shortfall: float) -> list[Member]:
        """The caps that keep the inside of `node` below its floor, in order of path."""
        return sorted(self._caps(node, shortfall, np.inf), key=lambda one: (one.path, one.cell or ""))

    def _floors(self, node: int, shortfall: float, room: float) -> Iterator[_Forced]:
        """Floors that add up to inner_least[node]; `room` is how much less of them still lowers the sum above."""
        tree, spans = self.tree, self.spans
        for child in np.flatnonzero(tree.parent == node):
            own, inner = float(tree.lower[child]), float(spans.inner_least[child])
            if own > inner:
                needed = own - shortfall if shortfall <= min(room, own - inner) else None
                yield _Forced(own, Member("min_spend", tree.paths[child], own, needed=needed))
            elif inner > 0.0:
                yield from self._floors(int(child), shortfall, min(room, inner - own))
        for index in np.flatnonzero((tree.owner == node) & (self.lower > 0.0)):
            cell, own = self.problem.cells[index], float(self.lower[index])
            needed = own - shortfall if shortfall <= min(room, own) else None
            # Any floor switches the line on, and then its commitment counts: below that only no floor at all helps.
            lower = 0.0 if needed is not None and needed < cell.min_spend_if_active else needed
            floor = Member("min_spend", cell.path, cell.min_spend, cell=cell.id, needed=lower)
            if own <= cell.min_spend:
                yield _Forced(own, floor)
                continue
            gentler = needed if needed is not None and needed >= cell.min_spend else None
            commitment = Member("min_spend_if_active", cell.path, own, cell=cell.id, needed=gentler)
            yield _Forced(own, floor, commitment)

    def _caps(self, node: int, shortfall: float, room: float) -> Iterator[Member]:
        """Caps that add up to inner_most[node]; `room` is how much more of them still raises the sum above."""
        tree, spans = self.tree, self.spans
        for child in np.flatnonzero(tree.parent == node):
            own, inner = float(tree.upper[child]), float(spans.inner_most[child])
            if own < inner:
                needed = own + shortfall if shortfall <= min(room, inner - own) else None
                yield Member("max_spend", tree.paths[child], own, needed=needed)
            elif inner >= 0.0:
                yield from self._caps(int(child), shortfall, min(room, own - inner))
        for index in np.flatnonzero(tree.owner == node):
            cell = self.problem.cells[index]
            if cell.out_of_stock or cell.max_spend is None:
                continue
            needed = cell.max_spend + shortfall if shortfall <= room else None
            yield Member("max_spend", cell.path, cell.max_spend, cell=cell.id, needed=needed)


def without(problem: BudgetProblem, members: list[Member] | tuple[Member, ...]) -> BudgetProblem:
    """The problem with the given members dropped."""
    return _changed(problem, {_key(one): None for one in members})


def relaxed(problem: BudgetProblem, member: Member, value: float) -> BudgetProblem:
    """The problem with one member set to `value`."""
    return _changed(problem, {_key(member): value})


_Key = tuple[str, Path, str | None]


def _key(member: Member) -> _Key:
    return (member.kind, member.path, member.cell or member.name)


def _changed(problem: BudgetProblem, values: dict[_Key, float | None]) -> BudgetProblem:
    cells: tuple[Cell, ...] = problem.cells
    if any(owner is not None for _, _, owner in values):
        cells = tuple(_changed_cell(cell, values) for cell in cells)
    budget, reserve = problem.total_budget, problem.experiment_reserve_fraction
    nodes = []
    for bound in problem.node_bounds:
        low, high = bound.min_spend, bound.max_spend
        low = values.get(("min_spend", bound.path, None), low)
        high = values.get(("max_spend", bound.path, None), high)
        nodes.append(NodeBound(bound.path, low, high))
    total = ("max_spend", (), None)
    if total in values:
        # The total stands for the budget; without it the caps of cells and nodes alone limit the spend.
        wanted = values[total]
        if wanted is None or reserve == 1.0:
            budget, reserve = _beyond(problem) if wanted is None else wanted, 0.0
        else:
            budget = wanted / (1.0 - reserve)
    limits: list[GlobalConstraint] = []
    for one in problem.global_constraints:
        key = (one.kind.value, one.scope, None)
        if key not in values:
            limits.append(one)
        elif (value := values[key]) is not None:
            limits.append(replace(one, value=value))
    linear: list[LinearConstraint] = []
    for row in problem.linear:
        name: _Key = (row.kind, row.scope, row.name)
        if name not in values:
            linear.append(row)
        elif (value := values[name]) is not None:
            linear.append(row.at(value))
    return replace(
        problem,
        cells=cells,
        total_budget=budget,
        experiment_reserve_fraction=reserve,
        node_bounds=tuple(nodes),
        global_constraints=tuple(limits),
        linear=tuple(linear),
    )


def _changed_cell(cell: Cell, values: dict[_Key, float | None]) -> Cell:
    low_key, high_key = ("min_spend", cell.path, cell.id), ("max_spend", cell.path, cell.id)
    if low_key in values:
        low = values[low_key]
        cell = replace(cell, min_spend=low or 0.0)
    if high_key in values:
        cell = replace(cell, max_spend=values[high_key])
    if (commitment := ("min_spend_if_active", cell.path, cell.id)) in values:
        cell = replace(cell, min_spend_if_active=values[commitment] or 0.0)
    return cell


def _beyond(problem: BudgetProblem) -> float:
    """A budget that limits nothing: more than all floors and finite caps together."""
    floors = sum(bound.min_spend or 0.0 for bound in problem.node_bounds) + float(active_lower(problem).sum())
    caps = float(np.where(np.isfinite(problem.upper), problem.upper, 0.0).sum())
    return 2.0 * (floors + caps + problem.total_budget) + 1.0
