"""Money that is already placed: only the extra money is allocated, or a node is held as it is.

Both turn into floors and bounds of the same problem, so everything that is proven about an answer stays proven.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from optimization.core.parts import Cell, InvalidProblem, NodeBound, Path, Periods, path_text


@dataclass(frozen=True, slots=True)
class Held:
    """A node whose spend stays: at `spend`, or at what it is now where that is None."""

    path: Path
    spend: float | None = None


def check_extra(increment: float, reserve_fraction: float, current: Mapping[str, float], known: Iterable[str]) -> None:
    """Refuse what `keep_current` would add up to something that looks right.

    Raises:
        InvalidProblem: the increment or a current spend is no amount, the reserve no share, or a line is not known.
    """
    if not (math.isfinite(increment) and increment >= 0.0):
        raise InvalidProblem(
            f"The extra money is {increment:g}.", where="total_budget", fix="Give zero or a positive number."
        )
    if not 0.0 <= reserve_fraction <= 1.0:
        raise InvalidProblem(
            f"The experiment reserve is {reserve_fraction:g}, but a share lies between 0 and 1.",
            where="experiment_reserve_fraction",
            fix="Give the share as a fraction: 0.05 for five percent.",
        )
    names = set(known)
    for name, spend in current.items():
        if name not in names:
            raise InvalidProblem(
                f"The current spend names the cell {name!r}, which is not in the problem.",
                where=f"current[{name!r}]",
                fix="Use the ids of the cells.",
            )
        if not (math.isfinite(spend) and spend >= 0.0):
            raise InvalidProblem(
                f"The current spend of {name!r} is {spend:g}.",
                where=f"current[{name!r}]",
                fix="Give zero or a positive number.",
            )


def keep_current(
    cells: Sequence[Cell],
    current: Mapping[str, float],
    increment: float,
    reserve_fraction: float = 0.0,
    periods: Periods | None = None,
) -> tuple[list[Cell], float, float, Periods | None]:
    """The cells, the budget, the reserve and the periods that allocate an increment on top of current spend.

    Every line that stays has its current spend as its floor. A line that is out of stock does not stay: its money is
    freed, but it is no part of the increment.

    Args:
        current: money per cell id, per period; lines left out have none.
        increment: the extra money, over all periods.
        reserve_fraction: share of the increment that is held back for experiments.

    Raises:
        InvalidProblem: a line spends more now than its cap allows.
    """
    kept, total = [], 0.0
    for number, cell in enumerate(cells):
        now = current.get(cell.id, 0.0)
        if cell.out_of_stock:
            kept.append(cell)
            continue
        if cell.max_spend is not None and now > cell.max_spend:
            raise InvalidProblem(
                f"The cell spends {now:g} now, but at most {cell.max_spend:g} is allowed, and in this mode no line "
                "loses money.",
                where=f"cells[{number}] {cell.id!r}",
                fix="Raise max_spend, or use mode fixed_budget.",
            )
        kept.append(replace(cell, min_spend=max(cell.min_spend, now)))
        total += now
    if periods is not None:
        # A reserve over all would take from a period in which only the floors are paid for.
        share = 1.0 - reserve_fraction
        periods = replace(periods, budgets=tuple(budget * share + total for budget in periods.budgets))
        return kept, total * len(periods.budgets) + increment * share, 0.0, periods
    budget = total + increment
    return kept, budget, reserve_fraction * increment / budget if budget > 0.0 else 0.0, periods


def hold_nodes(
    bounds: Sequence[NodeBound],
    held: Sequence[Held],
    cells: Sequence[Cell],
    current: Mapping[str, float] | None,
    periods: int = 0,
) -> list[NodeBound]:
    """The bounds with each held node at its spend, in each period; money may still move between lines inside it.

    What a node spends now is that of its lines with stock.

    Raises:
        InvalidProblem: a node is held twice or has bounds too, or its current spend is not told.
    """
    found = list(bounds)
    taken = {bound.path for bound in bounds}
    for number, one in enumerate(held):
        where = f"fixed[{number}] {path_text(one.path)}"
        if one.path in taken:
            raise InvalidProblem(
                "The node is held fixed and has another bound.", where=where, fix="Keep one of the two entries."
            )
        taken.add(one.path)
        spend = one.spend
        if spend is None:
            if current is None:
                raise InvalidProblem(
                    "The node is held at its current spend, which is not told.",
                    where=where,
                    fix="Give spend here, or current, the spend by cell id.",
                )
            depth = len(one.path)
            # A line without stock cannot spend: its money is freed, not put on the lines beside it.
            spend = sum(
                current.get(cell.id, 0.0) for cell in cells if cell.path[:depth] == one.path and not cell.out_of_stock
            )
        found += [NodeBound(one.path, spend, spend, at) for at in (range(1, periods + 1) if periods else (0,))]
    return found
