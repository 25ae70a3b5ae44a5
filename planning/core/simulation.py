"""A typed allocation beside the current spend and beside the best there is, line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from optimization.core.problem import BudgetProblem, Path
from planning.core.result import line_label
from planning.core.typed import Broken, Judged, line_breaks


@dataclass(frozen=True, kw_only=True)
class TypedLine:
    """One line; money over the horizon. `best` is what the best allocation of the same money gives it."""

    cell: str
    label: str
    path: Path
    product: str
    tone: str
    now: Decimal
    typed: Decimal
    best: float | None
    sales_now: float
    sales: float
    marginal_now: float | None
    marginal: float | None
    gain: tuple[float, float] | None
    breaks: str

    @property
    def change(self) -> Decimal:
        return self.typed - self.now


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What all lines under a node do together."""

    path: Path
    now: Decimal
    typed: Decimal
    sales_now: float
    sales: float

    @property
    def roas(self) -> float | None:
        return self.sales / float(self.typed) if self.typed else None

    @property
    def roas_now(self) -> float | None:
        return self.sales_now / float(self.now) if self.now else None

    @property
    def change(self) -> Decimal:
        return self.typed - self.now

    @property
    def gain(self) -> float:
        return self.sales - self.sales_now


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best allocation under the same terms; `sales` is None where nothing meets them, and `why` says so."""

    spend: float | None
    sales: float | None
    gap: float | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What a typed allocation would do.

    Attributes:
        broken: terms of the scenario that it does not keep.
        same_money: the best allocation of as much money under the scenario's other terms.
        outlook: intervals, as of `planning.core.outlook`.
        notes: what was assumed, in words.
    """

    lines: tuple[TypedLine, ...]
    whole: Effect
    broken: tuple[Broken, ...]
    same_money: Best
    outlook: Mapping[str, Any]
    notes: tuple[str, ...]
    currency: str

    @property
    def left(self) -> float | None:
        """Sales that the best allocation of the same money adds; below zero where broken terms buy more."""
        return None if self.same_money.sales is None else self.same_money.sales - self.whole.sales

    def effects(self, depth: int) -> tuple[Effect, ...]:
        """By the first `depth` levels, in order of path: what each channel, retailer or placement does."""
        paths = sorted({line.path[:depth] for line in self.lines})
        return tuple(effect([one for one in self.lines if one.path[:depth] == path], path) for path in paths)


def effect(lines: Sequence[TypedLine], path: Path = ()) -> Effect:
    """The sum of lines."""
    return Effect(
        path=path,
        now=sum((one.now for one in lines), Decimal(0)),
        typed=sum((one.typed for one in lines), Decimal(0)),
        sales_now=sum(one.sales_now for one in lines),
        sales=sum(one.sales for one in lines),
    )


def typed_lines(
    problem: BudgetProblem,
    before: Judged,
    after: Judged,
    *,
    now: Mapping[str, Decimal],
    typed: Mapping[str, Decimal],
    best: Mapping[str, float],
    gains: Mapping[str, Sequence[float]],
    products: Mapping[tuple[str, str], str],
    tones: Mapping[str, str],
) -> tuple[TypedLine, ...]:
    """Every line, the largest change first.

    Args:
        best, gains: by cell id; empty where there is no best allocation, or no interval.
        products, tones: as `planning.core.result.read_result`.
    """
    breaks = line_breaks(problem, after.spend)
    lines = []
    for i, cell in enumerate(problem.cells):
        gain = gains.get(cell.id)
        lines.append(
            TypedLine(
                cell=cell.id,
                label=line_label(cell.path),
                path=cell.path,
                product=products.get((cell.path[1], cell.path[-1]), ""),
                tone=tones.get(cell.path[1], ""),
                now=now.get(cell.id, Decimal(0)),
                typed=typed[cell.id],
                best=best.get(cell.id),
                sales_now=float(before.sales[i]),
                sales=float(after.sales[i]),
                marginal_now=None if cell.out_of_stock else _finite(float(before.marginal[i])),
                marginal=None if cell.out_of_stock else _finite(float(after.marginal[i])),
                gain=None if gain is None else (gain[0], gain[1]),
                breaks=breaks[i],
            )
        )
    return tuple(sorted(lines, key=lambda line: (-abs(line.change), line.label)))


def _finite(value: float) -> float | None:
    """A power curve's first unit returns without limit, which JSON cannot say."""
    return value if value < float("inf") else None
