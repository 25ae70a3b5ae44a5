"""Candidates of a design, kind by kind, in one form for pages, API and commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

import numpy as np

from harmonization.models import Product
from measurement import selectors
from measurement.core.assignment import Assigned, Assignment, InvalidDesign, ordered
from measurement.core.design import assignment_of, design_geo
from measurement.core.design_kinds import extra_spend, kind_of
from measurement.core.drawn_power import drawn_power, first_periods
from measurement.core.figure_prints import print_of_panel
from measurement.core.geography import touching
from measurement.core.market_selection import GeoCandidate
from measurement.core.multi_cell import cell_alpha, draw_cells
from measurement.core.panel import Panel, last_days
from measurement.core.sku_holdout import draw_skus
from measurement.core.stratified import draw_pairs, draw_stratified, match_pairs
from measurement.core.words import count_of
from measurement.models import Experiment
from measurement.services.designed import Designed
from measurement.services.other_designs import assign_periods, assign_users, design_periods, design_users
from measurement.services.panels import panel_data
from measurement.services.same_figures import twins_unread
from tenants.core.problems import Conflict

Progress = Callable[[int, int], None]
_EFFECTS: Final = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2)
_DURATIONS: Final = (14, 21, 28)
_POWER: Final = 0.8
#: Periods of history without which nothing can be compared.
LEAST_HISTORY: Final = 8
#: As many as a person looks through; the frontier has its own.
MOST_CANDIDATES: Final = 40


def candidates_of(experiment: Experiment, *, progress: Progress = lambda done, total: None) -> Designed:
    """Design an experiment on its history.

    Raises:
        Problem: data or constraints allow none; says why.
    """
    kind = Experiment.Kind(experiment.kind)
    if kind == Experiment.Kind.AB:
        return design_users(experiment)
    if kind == Experiment.Kind.SWITCHBACK:
        return design_periods(experiment)
    panel, number, step = _history(experiment)
    durations = [int(one) for one in experiment.settings.get("durations", _usual_durations(step))]
    if kind == Experiment.Kind.GEO and experiment.settings.get("design", "search") == "search":
        return _searched(experiment, panel, number, step, durations, progress)
    return _drawn(experiment, panel, number, step, durations, progress)


def assignment_for(experiment: Experiment, designed: Designed, chosen: Mapping[str, Any]) -> Assignment:
    """Who is treated under a candidate: drawn with the experiment's seed where the design draws.

    Raises:
        Problem: the data no longer allow it.
    """
    if designed.kind == "ab":
        return assign_users(experiment)
    if designed.kind == "switchback":
        return assign_periods(experiment, designed)
    # Power and detectable effect are of the data that it was designed on, so the draw is on them too.
    panel = _history(experiment, designed.panel)[0]
    if designed.kind == "search":
        return _of_search(experiment, panel, chosen)
    return _draw(experiment, panel)


def fit_for(experiment: Experiment, designed: Designed, assignment: Assignment) -> dict[str, Any]:
    """How the units of an assignment fit over the history that it was designed on; nothing where there is none."""
    if designed.panel is None:
        return {}
    return _fit(_history(experiment, designed.panel)[0], assignment)


def _usual_durations(step: int) -> tuple[int, ...]:
    return _DURATIONS if step == 1 else tuple(max(2, round(days / step)) for days in (28, 42, 56))


def _history(experiment: Experiment, number: int | None = None) -> tuple[Panel, int, int]:
    """The data before the start, of that number or the newest, their number, and the days of a period."""
    version = selectors.panels_of(experiment).filter(**({"number": number} if number else {})).first()
    if version is None:
        raise Conflict(f"{experiment.label} has no data.", fix="Send its history first.")
    panel = panel_data(version)
    step = _step(panel)
    ends = last_days(panel.periods)
    before = min((day for day in (experiment.start_date, hidden_from(experiment, panel)) if day), default=None)
    if before is None or not ends:
        return panel, version.number, step
    count = sum(day < before for day in ends)
    if count < LEAST_HISTORY:
        raise InvalidDesign(
            f"The data hold {count_of(count, 'period')} before {before} that may be seen.",
            where="start_date",
            fix="Choose a later start, send a longer history, or wait until tests on these units are over.",
        )
    return first_periods(panel, count), version.number, step


def hidden_from(experiment: Experiment, panel: Panel) -> date | None:
    """First day that a design must not see: a test of the same units and outcome runs from then on, and a picture of
    its treated units beside others would be a look at its result."""
    units = set(panel.place)
    running = twins_unread(experiment, on=selectors.today(), figures=print_of_panel(panel))
    return min((one.other.start_date for one in running if one.other.start_date and one.treats(units)), default=None)


def _step(panel: Panel) -> int:
    first, second = panel.periods[:2]
    return (second - first).days if isinstance(first, date) and isinstance(second, date) else 1


def _draw(experiment: Experiment, panel: Panel, categories: Mapping[str, str] | None = None) -> Assignment:
    """The assignment that the design draws on a history; `categories` of SKUs where they are known already."""
    settings, seed = experiment.settings, experiment.seed
    exclude = settings.get("exclude", [])
    if experiment.kind == Experiment.Kind.SKU:
        return draw_skus(
            panel, categories=categories or _shelves(experiment, panel), seed=seed,
            holdout_share=min(0.5, settings.get("treated_share", 0.5)), exclude=exclude,
        )  # fmt: skip
    design = settings.get("design", "pairs")
    if design == "cells":
        return draw_cells(panel, cells=settings.get("cells", ["A", "B"]), seed=seed, exclude=exclude)
    if design == "stratified":
        return draw_stratified(
            panel, seed=seed, treated_share=settings.get("treated_share", 0.5), strata=settings.get("strata"),
            exclude=exclude,
        )  # fmt: skip
    return draw_pairs(match_pairs(panel, exclude=exclude), seed=seed)


def _searched(
    experiment: Experiment, panel: Panel, number: int, step: int, durations: list[int], progress: Progress
) -> Designed:
    settings = experiment.settings
    asked = [abs(one) for one in settings.get("effects") or _EFFECTS if one]
    found = design_geo(
        panel,
        durations=durations,
        effects=sorted({*asked, *_grid(max(asked))}),
        treated_counts=settings.get("treated_counts"),
        include=settings.get("include", []),
        exclude=settings.get("exclude", []),
        kind=experiment.action,
        alpha=experiment.alpha,
        power=settings.get("power", _POWER),
        treated_share=(0.0, settings.get("max_treated_share", 1.0)),
        holdout_share=(0.0, settings.get("max_holdout", 1.0)),
        neighbours=touching(panel.units) if settings.get("keep_apart") else (),
        buffered=bool(settings.get("keep_apart")),
        change=settings.get("spend_change"),
        cost_per_incremental=settings.get("cost_per_incremental"),
        budget=settings.get("budget"),
        seed=experiment.seed,
        progress=progress,
    )
    candidates = [_as_candidate(one, step, max(asked)) for one in found.candidates[:MOST_CANDIDATES]]
    best = found.candidates[0]
    shortest: dict[int, float] = {}
    for one in found.candidates:
        if one.mde is not None:
            shortest[one.duration] = min(one.mde, shortest.get(one.duration, one.mde))
    return Designed(
        kind="search",
        panel=number,
        history={"first": str(panel.periods[0]), "last": str(panel.periods[-1]), "periods": len(panel.periods)},
        step=step,
        candidates=candidates,
        power_curve=candidates[0]["power_curve"],
        mde_by_duration=[{"duration": duration, "mde": mde} for duration, mde in sorted(shortest.items())],
        fit=_fit(panel, assignment_of(panel, best)),
        frontier=[_as_candidate(one, step, max(asked)) for one in found.frontier[:MOST_CANDIDATES]],
        notes=list(found.warnings),
    )


def _as_candidate(one: GeoCandidate, step: int, expected: float) -> dict[str, Any]:
    return {
        "treated": list(one.treated),
        "treated_count": len(one.treated),
        "control_count": one.controls,
        "duration": one.duration,
        "days": one.duration * step,
        "method": one.method,
        "mde": one.mde,
        "power": one.power.get(expected),
        "effect": expected,
        "investment": one.investment,
        "aa_bias": one.aa_bias,
        "rmse": one.rmse,
        "treated_share": one.treated_share,
        "holdout_share": one.holdout_share,
        "rank": one.rank,
        "power_curve": [{"effect": effect, "power": chance} for effect, chance in sorted(one.power.items())],
    }


def _of_search(experiment: Experiment, panel: Panel, chosen: Mapping[str, Any]) -> Assignment:
    """The markets of a candidate; those that touch one are no controls where markets are kept apart."""
    treated = set(chosen["treated"])
    beside: set[str] = set()
    if experiment.settings.get("keep_apart"):
        beside = {unit for pair in touching(panel.units) if pair & treated for unit in pair} - treated
    rows = [
        Assigned(
            unit=unit,
            group="treated" if unit in treated else "excluded" if unit in beside else "control",
            why="touches a treated market" if unit in beside else "",
        )
        for unit in panel.units
    ]
    return ordered(rows, seed=experiment.seed)


def _shelves(experiment: Experiment, panel: Panel) -> dict[str, str]:
    """Category of SKUs by the catalogue; those that it does not know stand on a shelf of their own."""
    products = Product.objects.filter(sku__in=panel.units)
    if experiment.brand_id:
        products = products.filter(brand_id=experiment.brand_id)
    known = dict(products.values_list("sku", "category"))
    return {sku: known.get(sku) or "not in the catalogue" for sku in panel.units}


def _drawn(
    experiment: Experiment, panel: Panel, number: int, step: int, durations: list[int], progress: Progress
) -> Designed:
    shelves = _shelves(experiment, panel) if experiment.kind == Experiment.Kind.SKU else None
    assignment = _draw(experiment, panel, shelves)
    settings = experiment.settings
    power = settings.get("power", _POWER)
    cells = [cell for cell in assignment.cells if cell]
    alpha = cell_alpha(experiment.alpha, len(cells)) if len(cells) > 1 else experiment.alpha
    found = drawn_power(
        panel, lambda history: _draw(experiment, history, shelves), durations, alpha=alpha, power=power,
        cell=cells[0] if cells else "", progress=progress,
    )  # fmt: skip
    effects = settings.get("effects") or list(_EFFECTS)
    expected = max((abs(one) for one in effects), default=0.05) or 0.05
    candidates: list[dict[str, Any]] = [
        {
            "treated": [],
            "treated_count": len(assignment.of("treated")),
            "control_count": len(assignment.of("control")),
            "duration": one.duration,
            "days": one.duration * step,
            "mde": one.mde,
            "power": one.power(expected, alpha),
            "effect": expected,
            "investment": _investment(experiment, panel, assignment, one.duration, one.mde),
            "aa_bias": one.bias,
            "windows": one.windows,
            "power_curve": [{"effect": effect, "power": one.power(effect, alpha)} for effect in _curve(one.mde)],
            "treated_share": _share(panel, assignment),
        }
        for one in found
    ]
    candidates.sort(key=lambda one: one["mde"])
    return Designed(
        kind="sku" if experiment.kind == Experiment.Kind.SKU else settings.get("design", "pairs"),
        panel=number,
        history={"first": str(panel.periods[0]), "last": str(panel.periods[-1]), "periods": len(panel.periods)},
        step=step,
        candidates=candidates,
        power_curve=candidates[0]["power_curve"],
        mde_by_duration=[{"duration": one.duration, "mde": one.mde} for one in found],
        fit=_fit(panel, assignment),
        notes=[*panel.notes, *assignment.notes],
    )


def _grid(largest: float) -> list[float]:
    """Lifts that power is told for: close together where it rises."""
    near, far = np.linspace(0.0, 0.04, 9), np.linspace(0.0, 1.5 * largest, 13)
    return [round(float(one), 4) for one in (*near, *far)]


def _curve(mde: float) -> list[float]:
    return [round(float(effect), 4) for effect in np.linspace(0.0, max(2.0 * mde, 0.02), 21)]


def _share(panel: Panel, assignment: Assignment) -> float:
    rows = [panel.place[unit.casefold()] for unit in assignment.of("treated")]
    return float(panel.outcome[rows].sum() / panel.outcome.sum())


def _investment(
    experiment: Experiment, panel: Panel, assignment: Assignment, duration: int, effect: float
) -> float | None:
    rows = [panel.place[unit.casefold()] for unit in assignment.of("treated")]
    recent = slice(max(0, len(panel.periods) - duration), None)
    sales = float(panel.outcome[rows, recent].sum())
    cost = None if panel.cost is None else float(panel.cost[rows, recent].sum())
    return extra_spend(
        kind_of(experiment.action),
        treated_cost=cost,
        treated_sales=sales,
        effect=effect,
        change=experiment.settings.get("spend_change"),
        cost_per_incremental=experiment.settings.get("cost_per_incremental"),
    )


def _fit(panel: Panel, assignment: Assignment) -> dict[str, Any]:
    """Treated units' sum over the history, beside their controls' at the same level."""
    treated, control = (
        panel.outcome[[panel.place[unit.casefold()] for unit in assignment.of(group)]].sum(axis=0)
        for group in ("treated", "control")
    )
    level = float(treated.sum() / control.sum()) if control.sum() else 0.0
    return {
        "periods": [str(one) for one in panel.periods],
        "treated": treated.tolist(),
        "counterfactual": (control * level).tolist(),
    }
