"""An allocation that a person typed: spread over the lines, and judged as it is, without optimising.

An amount typed for a node is split over its lines that have no amount of their own. `as_now` splits it in proportion
to their current spend, evenly where none of them has any; `best` splits it where it sells most. Either way a line
without stock gets nothing of it unless the node has no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from optimization.core.limits import spend_coefficients
from optimization.core.problem import BudgetProblem, GlobalKind, LinearConstraint, Path, path_text
from optimization.core.responses import Floats
from optimization.core.solve import solve_budget
from planning.core.amounts import amount_text
from planning.core.paths import matches
from planning.core.result import whole_cents
from planning.core.terms import CENT
from tenants.core.problems import InvalidInput

Split = Literal["as_now", "best"]
SPLITS: Final[tuple[Split, ...]] = ("as_now", "best")
#: Money within a cent of a bound keeps it, under a node a cent for each of up to ten lines: an answer in whole cents
#: is not to break what the answer of the solver keeps.
_CLOSE: Final = 0.0101
Members = NDArray[np.intp]

_RETURNS: Final = {GlobalKind.MIN_ROAS: "ROAS", GlobalKind.MIN_IROAS: "Incremental ROAS", GlobalKind.MIN_ROI: "Return"}


@dataclass(frozen=True, kw_only=True)
class Typed:
    """One amount as typed.

    Attributes:
        scope: level -> name; every line that has these names.
        where: what a refusal calls its place.
    """

    scope: Mapping[str, str]
    amount: Decimal
    where: str

    @property
    def text(self) -> str:
        return path_text(tuple(self.scope.values()))


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A term that an allocation does not keep.

    Attributes:
        allowed, found: the bound, and what the allocation has there; money, or a return, share or ratio.
        lines: how many single lines break it, for bounds of lines.
        ratio: whether both are numbers without a currency.
    """

    words: str
    allowed: float | None
    found: float | None
    path: Path = ()
    lines: int = 0
    ratio: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Judged:
    """What an allocation gives; arrays in the order of the cells, shape (n,).

    Attributes:
        sales: expected sales per line, money; a line without stock sells nothing.
        marginal: expected sales from the next unit.
    """

    spend: Floats
    sales: Floats
    marginal: Floats
    broken: tuple[Broken, ...] = field(default=())

    @property
    def total(self) -> float:
        return float(self.spend.sum())

    @property
    def total_sales(self) -> float:
        return float(self.sales.sum())


def spread_typed(
    typed: Sequence[Typed],
    problem: BudgetProblem,
    *,
    now: Mapping[str, Decimal],
    rest: Mapping[str, Decimal],
    split: Split = "as_now",
) -> dict[str, Decimal]:
    """What each line gets, by cell id, to the cent.

    Args:
        now: current spend by cell id, by which amounts of nodes are split.
        rest: what lines get that nothing was typed for, by cell id; those left out get nothing.

    Raises:
        InvalidInput: a scope holds no line, two scopes overlap without one holding the other, or the amounts typed
            under a scope do not fit into its own.
    """
    found = {name: rest.get(name, Decimal(0)) for name in problem.ids}
    members = [np.flatnonzero([matches(one.scope, path) for path in problem.paths]) for one in typed]
    for one, cells in zip(typed, members, strict=True):
        if not cells.size:
            raise InvalidInput(
                f"No line lies in {one.text}.", where=one.where, fix="Use names of the tree of the curves."
            )
    # From the smallest: what stands under a node is placed before the node divides the remainder.
    inside = np.full(len(problem.cells), -1)
    size: dict[int, int] = {}
    for at in sorted(range(len(typed)), key=lambda at: members[at].size):
        one, cells = typed[at], members[at]
        parts = {int(part) for part in np.unique(inside[cells]) if part >= 0}
        _check_nested(one, typed, cells, inside, parts, size)
        left = one.amount - sum((typed[part].amount for part in parts), Decimal(0))
        free = cells[inside[cells] < 0]
        if left < 0 or (left > 0 and not free.size):
            raise InvalidInput(
                f"The amounts typed under {one.text} come to {amount_text(one.amount - left)}, not "
                f"{amount_text(one.amount)}.",
                where=one.where,
                fix="Correct one of them, or leave the amount of the whole out.",
            )
        found |= dict(_divided(left, free, problem, now, split))
        inside[cells], size[at] = at, cells.size
    return found


def _check_nested(
    one: Typed, typed: Sequence[Typed], cells: Members, inside: NDArray[np.intp], parts: set[int], size: dict[int, int]
) -> None:
    for part in parts:
        shared = int(np.sum(inside[cells] == part))
        if shared == size[part] == cells.size:
            raise InvalidInput(f"{one.text} has two amounts.", where=one.where, fix="Keep one of them.")
        if shared < size[part]:
            raise InvalidInput(
                f"{one.text} and {typed[part].text} overlap, and neither holds the other.",
                where=one.where,
                fix="Type amounts for scopes that lie apart or inside each other.",
            )


def _divided(
    amount: Decimal, cells: Members, problem: BudgetProblem, now: Mapping[str, Decimal], split: Split
) -> Iterator[tuple[str, Decimal]]:
    for i in cells:
        yield problem.ids[i], Decimal(0)
    taking = np.array([i for i in cells if not problem.cells[i].out_of_stock], dtype=np.intp)
    taking = taking if taking.size else cells
    if not taking.size or amount == 0:
        return
    shares = _shares(float(amount), taking, problem, now, split)
    for i, part in zip(taking, whole_cents((shares * float(amount)).tolist(), amount), strict=True):
        yield problem.ids[i], part


def _shares(
    amount: float, cells: Members, problem: BudgetProblem, now: Mapping[str, Decimal], split: Split
) -> NDArray[np.float64]:
    weights = np.array([float(now.get(problem.ids[i], 0)) for i in cells])
    if split == "best":
        free = [problem.cells[i] for i in cells]
        open_cells = [type(one)(id=one.id, path=one.path, curve=one.curve) for one in free]
        solved = solve_budget(BudgetProblem.of(open_cells, amount))
        weights = solved.spend if solved.spend is not None else weights
    total = float(weights.sum())
    return weights / total if total > 0.0 else np.full(cells.size, 1.0 / cells.size)


def judge(problem: BudgetProblem, spend: Floats) -> Judged:
    """What an allocation gives and which terms it breaks; spend in the order of the cells, money, shape (n,)."""
    sellable = np.array([not cell.out_of_stock for cell in problem.cells])
    curves = problem.responses
    sales = np.where(sellable, curves.value(spend), 0.0)
    marginal = np.where(sellable, curves.marginal(spend), 0.0)
    return Judged(spend=spend, sales=sales, marginal=marginal, broken=tuple(_broken(problem, spend, sales)))


def _broken(problem: BudgetProblem, spend: Floats, sales: Floats) -> Iterator[Broken]:
    total = float(spend.sum())
    if total > problem.available + _CLOSE:
        held = " after the experiment reserve" if problem.experiment_reserve_fraction else ""
        yield Broken(words=f"The budget{held}", allowed=problem.available, found=total)
    for bound in problem.node_bounds:
        inside = problem.members(bound.path)
        under, close = float(spend[inside].sum()), _CLOSE * min(int(inside.sum()), 10)
        place = path_text(bound.path)
        if bound.min_spend is not None and under < bound.min_spend - close:
            yield Broken(words=f"{place} at least", allowed=bound.min_spend, found=under, path=bound.path)
        if bound.max_spend is not None and under > bound.max_spend + close:
            yield Broken(words=f"{place} at most", allowed=bound.max_spend, found=under, path=bound.path)
    yield from _broken_lines(problem, spend)
    for one in problem.global_constraints:
        inside = problem.members(one.scope)
        money, sold = float(spend[inside].sum()), float(sales[inside].sum())
        if money <= 0.0:
            continue
        over = f" over {path_text(one.scope)}" if one.scope else ""
        if one.kind is GlobalKind.MIN_IROAS:
            sold = float((sales * problem.sure_incrementality)[inside].sum())
        if one.kind in _RETURNS and sold / money < one.value * (1.0 - 1e-9):
            words = f"{_RETURNS[one.kind]}{over} at least"
            yield Broken(words=words, allowed=one.value, found=sold / money, path=one.scope, ratio=True)
        if one.kind is GlobalKind.MAX_CPA:
            with np.errstate(invalid="ignore"):
                bought = float(np.nansum((sales / problem.revenue_per_conversion)[inside]))
            if money > one.value * bought * (1.0 + 1e-9):
                cost = money / bought if bought > 0.0 else None
                yield Broken(words=f"Cost per acquisition{over} at most", allowed=one.value, found=cost, path=one.scope)

    for limit in problem.linear:
        used = float(spend_coefficients(problem, limit) @ spend)
        if used > limit.limit + _CLOSE * max(1.0, len(problem.cells) ** 0.5):
            yield _of_limit(problem, limit, spend, used)


def _of_limit(problem: BudgetProblem, limit: LinearConstraint, spend: Floats, used: float) -> Broken:
    """A linear constraint that is broken: a share, a ratio or a part is told as such, any other as money."""
    if len(limit.terms) != 2 or not limit.kind.endswith(("_share", "_ratio", "_part")):
        return Broken(words=limit.name, allowed=limit.limit, found=used, path=limit.scope)
    base = next(term for term in limit.terms if term.times_value)
    own = next(term for term in limit.terms if not term.times_value)
    whole = abs(base.coef) * float(spend[problem.members(base.scope)].sum())
    found = float(spend[problem.members(own.scope)].sum()) / whole if whole > 0.0 else None
    return Broken(words=limit.name, allowed=limit.value, found=found, path=limit.scope, ratio=True)


def line_breaks(problem: BudgetProblem, spend: Floats) -> list[str]:
    """Which bound of its own each line breaks, in two words; empty where none. In the order of the cells."""
    told = [""] * len(problem.cells)
    for i, cell in enumerate(problem.cells):
        x = float(spend[i])
        if cell.out_of_stock:
            told[i] = "out of stock" if x > _CLOSE else ""
        elif cell.max_spend is not None and x > cell.max_spend + _CLOSE:
            told[i] = "above its most"
        elif x < cell.min_spend - _CLOSE:
            told[i] = "below its least"
        elif _CLOSE < x < cell.min_spend_if_active - _CLOSE:
            told[i] = "below its commitment"
    return told


_LINE_WORDS: Final = {
    "out of stock": "No spend on lines without stock",
    "above its most": "The most of single lines",
    "below its least": "The least of single lines",
    "below its commitment": "The commitment of single lines",
}


def _broken_lines(problem: BudgetProblem, spend: Floats) -> Iterator[Broken]:
    told = line_breaks(problem, spend)
    for word, words in _LINE_WORDS.items():
        lines = [i for i, one in enumerate(told) if one == word]
        if lines:
            found = float(spend[lines].sum())
            yield Broken(words=words, allowed=0.0 if word == "out of stock" else None, found=found, lines=len(lines))


def cents(amount: float) -> Decimal:
    """Money of a solver to the cent."""
    return Decimal(repr(amount)).quantize(CENT)
