"""From a scenario to the budget problem that answers it.

Curves are fitted per week; a scenario runs over any number of days. A week's response R(x), spread evenly over w
weeks, gives w R(x / w): in every family that is the same curve with amplitude and scale both multiplied by w.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from optimization.core.cells import CellKey
from optimization.core.problem import BudgetProblem, Cell, Curve, GlobalConstraint, GlobalKind, NodeBound
from optimization.core.responses import Family
from tenants.core.problems import InvalidInput


@dataclass(frozen=True, kw_only=True)
class WeeklyCurve:
    """A fitted curve of one cell. `a` is revenue a week (in money), `k` spend a week."""

    key: CellKey
    family: str
    a: float
    k: float
    exponent: float = 1.0

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> WeeklyCurve:
        """From the JSON of a curve version."""
        return cls(
            key=CellKey(stored["retailer"], stored["placement"], stored["sku"]),
            family=stored["family"],
            a=float(stored["params"]["a"]),
            k=float(stored["params"]["k"]),
            exponent=float(stored["params"].get("p", stored["params"].get("n", 1.0))),
        )


@dataclass(frozen=True, kw_only=True)
class ScenarioTerms:
    """What a person asks of a budget. Money in the account currency; `bounds` on any level of the tree."""

    name: str
    start: date
    end: date
    total_budget: float
    min_roas: float | None = None
    reserve_fraction: float = 0.0
    stock_threshold_days: float = 0.0
    max_change_fraction: float | None = None
    bounds: tuple[NodeBound, ...] = ()

    @property
    def weeks(self) -> float:
        """Length of the horizon."""
        return ((self.end - self.start).days + 1) / 7.0


def scenario_problem(
    terms: ScenarioTerms,
    curves: Sequence[WeeklyCurve],
    *,
    stock_cover_days: Mapping[tuple[str, str], float | None],
    current: Mapping[str, float],
) -> BudgetProblem:
    """The problem of a scenario.

    Args:
        stock_cover_days: by (retailer, SKU); a cell whose stock lasts fewer days than the threshold gets no spend,
            one of unknown stock is left in.
        current: spend per cell id over a like horizon; `max_change_fraction` limits each line against it.

    Raises:
        InvalidInput: no curves.
        InvalidProblem: a bound names a path that no cell has, or contradicts another.
    """
    if not curves:
        raise InvalidInput(
            "There are no response curves to plan with.", where="curves", fix="Load reports, then fit the curves."
        )
    cells = [_cell(curve, terms, stock_cover_days, current) for curve in curves]
    constraints = []
    if terms.min_roas is not None:
        constraints.append(GlobalConstraint(GlobalKind.MIN_ROAS, terms.min_roas))
    return BudgetProblem.of(
        cells,
        terms.total_budget,
        experiment_reserve_fraction=terms.reserve_fraction,
        node_bounds=terms.bounds,
        global_constraints=constraints,
        name=terms.name,
    )


def _cell(
    curve: WeeklyCurve,
    terms: ScenarioTerms,
    stock_cover_days: Mapping[tuple[str, str], float | None],
    current: Mapping[str, float],
) -> Cell:
    cover = stock_cover_days.get((curve.key.retailer, curve.key.sku))
    now = current.get(curve.key.id, 0.0)
    low, high = 0.0, None
    if terms.max_change_fraction is not None:
        low = now * max(0.0, 1.0 - terms.max_change_fraction)
        high = now * (1.0 + terms.max_change_fraction)
    return Cell(
        id=curve.key.id,
        path=curve.key.path,
        curve=Curve(Family[curve.family.upper()], curve.a * terms.weeks, curve.k * terms.weeks, curve.exponent),
        min_spend=low,
        max_spend=high,
        out_of_stock=cover is not None and cover < terms.stock_threshold_days,
    )


def parse_bounds(stored: Sequence[Mapping[str, Any]]) -> tuple[NodeBound, ...]:
    """Bounds from JSON: `[{path: [...], min_spend, max_spend}]`.

    Raises:
        InvalidInput: names the entry and what is wrong with it.
    """
    bounds = []
    for number, entry in enumerate(stored):
        where = f"bounds[{number}]"
        unknown = sorted(set(entry) - {"path", "min_spend", "max_spend"})
        path = entry.get("path")
        if unknown:
            raise InvalidInput(f"There is no key {unknown[0]!r} here.", where=where, fix="Use path, min_spend, max_spend.")
        if not isinstance(path, list | tuple) or not all(isinstance(part, str) for part in path):
            raise InvalidInput("A bound needs a path: a list of names from the top.", where=where)
        limits = {}
        for name in ("min_spend", "max_spend"):
            value = entry.get(name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float | str)):
                raise InvalidInput(f"{name} is {value!r}.", where=where, fix="Give an amount.")
            try:
                limits[name] = None if value in (None, "") else float(value)
            except ValueError as error:
                raise InvalidInput(f"{name} is {value!r}.", where=where, fix="Give an amount.") from error
        if limits["min_spend"] is None and limits["max_spend"] is None:
            raise InvalidInput("A bound needs min_spend, max_spend or both.", where=where)
        bounds.append(NodeBound(tuple(path), limits["min_spend"], limits["max_spend"]))
    return tuple(bounds)
