"""Candidates of a design, kind by kind, in one form for pages, API and commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np

from harmonization.models import Product
from measurement import selectors
from measurement.core.assignment import Assigned, Assignment, InvalidDesign, ordered
from measurement.core.design_kinds import extra_spend, kind_of
from measurement.core.drawn_power import drawn_power
from measurement.core.multi_cell import cell_alpha, draw_cells
from measurement.core.panel import Panel
from measurement.core.power import power_for_means, size_for_means, size_for_proportions
from measurement.core.sku_holdout import draw_skus
from measurement.core.stratified import draw_pairs, draw_stratified, match_pairs
from measurement.models import Experiment
from measurement.services.panels import panel_data
from tenants.core.problems import Conflict

Progress = Callable[[int, int], None]
_EFFECTS: Final = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2)
_DURATIONS: Final = (14, 21, 28)
_POWER: Final = 0.8


@dataclass(frozen=True, kw_only=True)
class Designed:
    """What a design found; stored in `Experiment.design`.

    Attributes:
        kind: how units come to be treated: search, pairs, stratified, cells, sku, switchback, ab.
        panel: number of the data it was made on. history: its first and last period and their number.
        step: days of a period.
        candidates: best first; each with `treated` (units, empty where they are drawn once it is chosen), `duration`
            in periods, `days`, `mde`, `power`, `investment`, and what its kind adds.
        power_curve: of the best candidate, `{effect, power}`.
        mde_by_duration: the best that each length reaches, `{duration, mde}`.
        fit: of the history, `{periods, treated, counterfactual}`, summed over treated units of the best.
        frontier: what cannot be improved in MDE, length, money and holdout at once.
        notes: what a reader must know.
    """

    kind: str
    panel: int | None = None
    history: dict[str, Any] = field(default_factory=dict)
    step: int = 1
    candidates: list[dict[str, Any]] = field(default_factory=list)
    power_curve: list[dict[str, float]] = field(default_factory=list)
    mde_by_duration: list[dict[str, float]] = field(default_factory=list)
    fit: dict[str, Any] = field(default_factory=dict)
    frontier: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    periods_needed: int | None = None
    randomise_at: list[int] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Designed | None:
        """What was stored; None where nothing was designed."""
        if not document.get("kind"):
            return None
        return cls(**{name: document[name] for name in cls.__dataclass_fields__ if name in document})


def candidates_of(experiment: Experiment, *, progress: Progress = lambda done, total: None) -> Designed:
    """Design an experiment on its history.

    Raises:
        Problem: data or constraints allow none; says why.
    """
    kind = Experiment.Kind(experiment.kind)
    if kind == Experiment.Kind.AB:
        return _users(experiment)
    panel, number, step = _history(experiment)
    durations = [max(1, int(one)) for one in experiment.settings.get("durations", _usual_durations(step))]
    return _drawn(experiment, panel, number, step, durations)


def assignment_for(experiment: Experiment, designed: Designed, chosen: Mapping[str, Any]) -> Assignment:
    """Who is treated under a candidate: drawn with the experiment's seed where the design draws.

    Raises:
        Problem: the data no longer allow it.
    """
    if designed.kind == "ab":
        share = experiment.settings.get("expected_share", 0.5)
        notes = (f"{share:.0%} of users are to be treated, by a fair draw at the network.",)
        rows = [Assigned(unit="treated", group="treated"), Assigned(unit="control", group="control")]
        return ordered(rows, seed=None, notes=notes)
    return _draw(experiment, _history(experiment)[0])


def _usual_durations(step: int) -> tuple[int, ...]:
    return _DURATIONS if step == 1 else tuple(max(2, round(days / step)) for days in (28, 42, 56))


def _history(experiment: Experiment) -> tuple[Panel, int, int]:
    """The data before the start, their number, and the days of a period."""
    version = selectors.latest_panel(experiment)
    if version is None:
        raise Conflict(f"{experiment.label} has no data.", fix="Send its history first.")
    panel = panel_data(version)
    step = _step(panel)
    if experiment.start_date is None:
        return panel, version.number, step
    kept = [at for at, day in enumerate(panel.periods) if not isinstance(day, date) or day < experiment.start_date]
    if len(kept) < 8:
        raise InvalidDesign(
            f"The data hold {len(kept)} periods before {experiment.start_date}.",
            where="start_date",
            fix="Choose a later start, or send a longer history.",
        )
    return before(panel, len(kept)), version.number, step


def before(panel: Panel, periods: int) -> Panel:
    """The first periods of a panel."""
    return Panel(
        units=panel.units,
        periods=panel.periods[:periods],
        outcome=panel.outcome[:, :periods],
        cost=None if panel.cost is None else panel.cost[:, :periods],
        currency=panel.currency,
        notes=panel.notes,
    )


def _step(panel: Panel) -> int:
    first, second = panel.periods[:2]
    return (second - first).days if isinstance(first, date) and isinstance(second, date) else 1


def _draw(experiment: Experiment, panel: Panel) -> Assignment:
    settings, seed = experiment.settings, experiment.seed
    exclude = settings.get("exclude", [])
    if experiment.kind == Experiment.Kind.SKU:
        return draw_skus(
            panel, categories=_shelves(experiment, panel), seed=seed,
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


def _shelves(experiment: Experiment, panel: Panel) -> dict[str, str]:
    """Category of SKUs by the catalogue; those that it does not know stand on a shelf of their own."""
    products = Product.objects.filter(sku__in=panel.units)
    if experiment.brand_id:
        products = products.filter(brand_id=experiment.brand_id)
    known = dict(products.values_list("sku", "category"))
    return {sku: known.get(sku) or "not in the catalogue" for sku in panel.units}


def _drawn(experiment: Experiment, panel: Panel, number: int, step: int, durations: list[int]) -> Designed:
    assignment = _draw(experiment, panel)
    settings = experiment.settings
    power = settings.get("power", _POWER)
    cells = [cell for cell in assignment.cells if cell]
    alpha = cell_alpha(experiment.alpha, len(cells)) if len(cells) > 1 else experiment.alpha
    found = drawn_power(panel, assignment, durations, alpha=alpha, power=power, cell=cells[0] if cells else "")
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
            "treated_share": _share(panel, assignment),
        }
        for one in found
    ]
    candidates.sort(key=lambda one: one["mde"])
    best = next(one for one in found if one.duration == candidates[0]["duration"])
    return Designed(
        kind="sku" if experiment.kind == Experiment.Kind.SKU else settings.get("design", "pairs"),
        panel=number,
        history={"first": str(panel.periods[0]), "last": str(panel.periods[-1]), "periods": len(panel.periods)},
        step=step,
        candidates=candidates,
        power_curve=[{"effect": effect, "power": best.power(effect, alpha)} for effect in _curve(best.mde)],
        mde_by_duration=[{"duration": one.duration, "mde": one.mde} for one in found],
        fit=_fit(panel, assignment),
        notes=[*panel.notes, *assignment.notes],
    )


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


def _users(experiment: Experiment) -> Designed:
    """Users per arm for each effect, from what the settings say of a user."""
    settings = experiment.settings
    power, alpha = settings.get("power", _POWER), experiment.alpha
    rate, mean, deviation = (settings.get(name) for name in ("baseline_rate", "baseline_mean", "baseline_sd"))
    if rate is None and (mean is None or deviation is None):
        raise InvalidDesign(
            "What users do without the test is not told.",
            where="settings.baseline_rate",
            fix="Give baseline_rate, or baseline_mean with baseline_sd.",
        )
    effects = [abs(one) for one in settings.get("effects", _EFFECTS) if one]
    share = settings.get("expected_share", 0.5)
    ratio = share / (1.0 - share)
    daily = settings.get("daily_users")
    candidates = []
    for effect in sorted(effects):
        if rate is not None:
            if not 0.0 < rate * (1.0 + effect) < 1.0:
                continue
            size = size_for_proportions(rate, rate * (1.0 + effect), alpha=alpha, power=power, ratio=ratio)
        else:
            size = size_for_means(effect * mean, sd=deviation, alpha=alpha, power=power, ratio=ratio)
        days = None if not daily else max(1, -(-size.n_total // daily))
        candidates.append(
            {"treated": ["treated"], "duration": days, "days": days, "mde": effect, "power": power, "effect": effect,
             "n_per_group": size.n_per_group, "n_total": size.n_total, "investment": None}
        )  # fmt: skip
    if not candidates:
        raise InvalidDesign("No effect can be sized.", where="settings.effects", fix="Give lifts such as 0.05.")
    return Designed(
        kind="ab",
        candidates=candidates,
        power_curve=_users_curve(candidates[len(candidates) // 2], rate, mean, deviation, alpha, ratio),
        mde_by_duration=[{"duration": one["days"], "mde": one["mde"]} for one in candidates if one["days"]],
        notes=[] if daily else ["Without daily_users the length of the test is not known."],
    )


def _users_curve(
    chosen: Mapping[str, Any],
    rate: float | None,
    mean: float | None,
    deviation: float | None,
    alpha: float,
    ratio: float,
) -> list[dict[str, float]]:
    size, found = float(chosen["n_per_group"]), []
    spread = (rate * (1.0 - rate)) ** 0.5 if rate is not None else float(deviation or 1.0)
    level = rate if rate is not None else float(mean or 1.0)
    for effect in np.linspace(0.0, 2.0 * chosen["effect"], 21):
        chance = alpha if effect == 0 else power_for_means(effect * level, size, sd=spread, alpha=alpha, ratio=ratio)
        found.append({"effect": round(float(effect), 5), "power": float(chance)})
    return found
