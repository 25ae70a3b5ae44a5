"""From a scenario to the budget problem that answers it.

Curves are fitted per week; a scenario runs over any number of days. A week's response R(x), spread evenly over w
weeks, gives w R(x / w): in every family that is the same curve with amplitude and scale both multiplied by w.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optimization.core.problem import BudgetProblem, Cell, GlobalConstraint, GlobalKind, NodeBound, Path
from optimization.core.stored_curves import StoredCurve
from planning.core.terms import ScenarioTerms
from tenants.core.problems import InvalidInput


def scenario_problem(
    terms: ScenarioTerms,
    curves: Sequence[StoredCurve],
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
        constraints.append(GlobalConstraint(GlobalKind.MIN_ROAS, float(terms.min_roas)))
    return BudgetProblem.of(
        cells,
        float(terms.total_budget),
        # The reserve is whole cents; its fraction is taken back from them, so that both leave the same to allocate.
        experiment_reserve_fraction=float(terms.reserve / terms.total_budget),
        node_bounds=[NodeBound(bound.path, _float(bound.min_spend), _float(bound.max_spend)) for bound in terms.bounds],
        global_constraints=constraints,
        name=terms.name,
    )


def tree_paths(curves: Sequence[StoredCurve]) -> dict[Path, int]:
    """Every node of the tree under the total that a bound may name, with its number of lines; from the top down."""
    found: dict[Path, int] = {}
    for curve in curves:
        path = curve.key.path
        for depth in range(1, len(path) + 1):
            found[path[:depth]] = found.get(path[:depth], 0) + 1
    return dict(sorted(found.items()))


def _cell(
    curve: StoredCurve,
    terms: ScenarioTerms,
    stock_cover_days: Mapping[tuple[str, str], float | None],
    current: Mapping[str, float],
) -> Cell:
    cover = stock_cover_days.get((curve.key.retailer, curve.key.sku))
    now = current.get(curve.key.id, 0.0)
    low, high = 0.0, None
    if terms.max_change_fraction is not None:
        step = float(terms.max_change_fraction)
        low, high = now * max(0.0, 1.0 - step), now * (1.0 + step)
    return Cell(
        id=curve.key.id,
        path=curve.key.path,
        curve=curve.curve(terms.weeks),
        min_spend=low,
        max_spend=high,
        out_of_stock=cover is not None and cover < terms.stock_cover_threshold_days,
    )


def _float(value: object) -> float | None:
    return None if value is None else float(value)  # type: ignore[arg-type]
