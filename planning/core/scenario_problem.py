"""From a scenario to the budget problem that answers it.

Curves are fitted per week; a scenario runs over any number of days. A week's response R(x), spread evenly over w
weeks, gives w R(x / w): in every family that is the same curve with amplitude and scale both multiplied by w. Where
each week has a budget of its own, the curves stay those of a week and the answer says what each week spends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from optimization.core.linear import fair_parts
from optimization.core.modes import Held, hold_nodes
from optimization.core.problem import (
    LEVELS,
    Aim,
    BudgetProblem,
    Cell,
    Curve,
    GlobalConstraint,
    GlobalKind,
    LinearConstraint,
    NodeBound,
    Path,
    Periods,
    TailObjective,
)
from optimization.core.stored_curves import StoredCurve
from planning.core.draws import sales_draws
from planning.core.terms import ScenarioTerms
from tenants.core.problems import InvalidInput

_AIMS = {"sales": Aim.REVENUE, "incremental_sales": Aim.INCREMENTAL, "profit": Aim.PROFIT}


@dataclass(frozen=True)
class Worth:
    """What a unit of attributed sales is worth, beyond itself.

    Attributes:
        margins: fraction of revenue that is earned, by (retailer, SKU), where the catalogue knows it.
        incrementality: incremental over attributed sales, by cell id; a cell that is left out has 1.
        cautious: what it is at least in four of five cases, where a least incremental ROAS is judged by that; of every
            cell, for where nothing was measured it is not surely 1.
        order_values: sales per order, money, by cell id.
        draws: of a posterior by cell id, per week, where the curves were imported with them.
    """

    margins: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
    incrementality: Mapping[str, float] = field(default_factory=dict)
    cautious: Mapping[str, float] = field(default_factory=dict)
    order_values: Mapping[str, float] = field(default_factory=dict)
    draws: Mapping[str, Sequence[Curve]] = field(default_factory=dict)


def scenario_problem(
    terms: ScenarioTerms,
    curves: Sequence[StoredCurve],
    *,
    stock_cover_days: Mapping[tuple[str, str], float | None],
    current: Mapping[str, float],
    worth: Worth | None = None,
) -> BudgetProblem:
    """The problem of a scenario.

    Args:
        stock_cover_days: by (retailer, SKU); a cell whose stock lasts fewer days than the threshold gets no spend,
            one of unknown stock is left in.
        current: spend per cell id over a like horizon; `max_change_fraction` limits each line against it.
        worth: what sales are worth, as far as it is known.

    Raises:
        InvalidInput: no curves; or profit is asked for, or a cost per order limited, and of some lines it is not known.
        InvalidProblem: a bound names a path that no cell has, or contradicts another.
    """
    if not curves:
        raise InvalidInput(
            "There are no response curves to plan with.", where="curves", fix="Load reports, then fit the curves."
        )
    weeks = len(terms.weekly_budgets)
    share = 1.0 / weeks if weeks else 1.0
    now = {name: spend * share for name, spend in current.items()}
    cells = [_cell(curve, terms, stock_cover_days, now, worth or Worth()) for curve in curves]
    _check_known(terms, cells)
    bounds = [NodeBound(bound.path, _float(bound.min_spend), _float(bound.max_spend)) for bound in terms.bounds]
    return BudgetProblem.of(
        cells,
        float(terms.total_budget),
        # The reserve is whole cents; its fraction is taken back from them, so that both leave the same to allocate.
        experiment_reserve_fraction=float(terms.reserve / terms.total_budget),
        node_bounds=hold_nodes(bounds, [Held(path) for path in terms.fixed], cells, now, weeks),
        global_constraints=_limits(terms),
        name=terms.name,
        aim=_AIMS[terms.objective],
        hurdle=float(terms.target or 0) if terms.mode == "flexible_target_marginal_roi" else 0.0,
        linear=_linear(terms, cells, now),
        periods=Periods(tuple(map(float, terms.weekly_budgets)), season_of(terms)) if weeks else None,
        tail=None if terms.tail_fraction is None else _tail(terms, curves, current, worth or Worth()),
    )


def season_of(terms: ScenarioTerms) -> tuple[float, ...]:
    """How many times as much as in a usual week the money of each week with a budget sells."""
    return tuple(map(float, terms.season)) or (1.0,) * len(terms.weekly_budgets)


def _tail(
    terms: ScenarioTerms, curves: Sequence[StoredCurve], current: Mapping[str, float], worth: Worth
) -> TailObjective:
    drawn = sales_draws(curves, terms.weeks, now=current, imported=worth.draws)
    return TailObjective(float(terms.tail_fraction or 1), drawn)


def tree_paths(curves: Sequence[StoredCurve]) -> dict[Path, int]:
    """Every node of the tree under the total that a bound may name, with its number of lines; from the top down."""
    found: dict[Path, int] = {}
    for curve in curves:
        path = curve.key.path
        for depth in range(1, len(path) + 1):
            found[path[:depth]] = found.get(path[:depth], 0) + 1
    return dict(sorted(found.items()))


def _limits(terms: ScenarioTerms) -> list[GlobalConstraint]:
    found = []
    if terms.mode == "flexible_target_roi" and terms.target is not None:
        found.append(GlobalConstraint(GlobalKind.MIN_ROI, float(terms.target)))
    for kind, value in (
        (GlobalKind.MIN_ROAS, terms.min_roas),
        (GlobalKind.MIN_IROAS, terms.min_iroas),
        (GlobalKind.MAX_CPA, terms.max_cpa),
    ):
        if value is not None:
            found.append(GlobalConstraint(kind, float(value)))
    return found


def _linear(terms: ScenarioTerms, cells: Sequence[Cell], now: Mapping[str, float]) -> list[LinearConstraint]:
    found = [rule for one in terms.shares for _, rule in one.rules()]
    found += [rule for pair in terms.ratios for _, rule in pair.rules()]
    if terms.fair_fraction:
        found += fair_parts(cells, LEVELS.index(terms.fair_level) + 1, (), float(terms.fair_fraction), now)
    return found


def _cell(
    curve: StoredCurve,
    terms: ScenarioTerms,
    stock_cover_days: Mapping[tuple[str, str], float | None],
    current: Mapping[str, float],
    worth: Worth,
) -> Cell:
    key = (curve.key.retailer, curve.key.sku)
    cover = stock_cover_days.get(key)
    now = current.get(curve.key.id, 0.0)
    out_of_stock = cover is not None and cover < terms.stock_cover_threshold_days
    low, high = 0.0, None
    if terms.max_change_fraction is not None:
        step = float(terms.max_change_fraction)
        low, high = now * max(0.0, 1.0 - step), now * (1.0 + step)
    if terms.mode == "incremental_only" and not out_of_stock:
        low = max(low, now)
    margin = _margin(terms, curve.key.path, worth.margins.get(key)) if terms.objective == "profit" else None
    factor = worth.incrementality.get(curve.key.id, 1.0)
    counts = terms.objective == "incremental_sales" or terms.min_iroas is not None
    response = curve.curve(1.0 if terms.weekly_budgets else terms.weeks)
    if terms.max_cpa is not None:
        response = response.valued(worth.order_values.get(curve.key.id))
    return Cell(
        id=curve.key.id,
        path=curve.key.path,
        curve=response,
        min_spend=low,
        max_spend=high,
        out_of_stock=out_of_stock,
        margin=margin,
        # A factor that nothing asked for stays out of the problem: the same question is the same problem.
        incrementality=factor if counts else 1.0,
        incrementality_low=worth.cautious.get(curve.key.id),
    )


def _margin(terms: ScenarioTerms, path: Path, known: Decimal | None) -> float | None:
    """The margin of the deepest node that was given one, else of the catalogue, else the usual one."""
    given = [one for one in terms.margins if path[: len(one.path)] == one.path]
    if given:
        return float(max(given, key=lambda one: len(one.path)).margin)
    return _float(known if known is not None else terms.margin_fraction)


def _check_known(terms: ScenarioTerms, cells: Sequence[Cell]) -> None:
    lacking = [cell for cell in cells if cell.margin is None] if terms.objective == "profit" else []
    if lacking:
        raise InvalidInput(
            f"The catalogue knows no margin of {len(lacking)} of {len(cells)} lines, {lacking[0].id} first.",
            where="margin_fraction",
            fix="Give a usual margin here, margins for nodes of the tree, or load them with the catalogue.",
        )
    unpriced = [cell for cell in cells if cell.curve.revenue_per_conversion is None] if terms.max_cpa else []
    if unpriced:
        raise InvalidInput(
            f"The reports tell no orders of {len(unpriced)} of {len(cells)} lines, {unpriced[0].id} first.",
            where="max_cpa",
            fix="Leave the most cost per order out, or limit the return instead.",
        )


def _float(value: object) -> float | None:
    return None if value is None else float(value)  # type: ignore[arg-type]
