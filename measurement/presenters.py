"""Experiments in words and pictures, as far as they may be seen before they are read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.core.cache import cache

from jobs.models import Job
from measurement import selectors
from measurement.core.design_charts import cost_chart, fit_chart, mde_chart, power_chart
from measurement.core.tile_map import state_tiles
from measurement.core.words import method_name
from measurement.models import Experiment, ExperimentUnit, PanelVersion
from measurement.services import panel_data
from tenants.core.problems import Conflict

#: State -> (tone, icon) of its chip.
CHIPS: Final[Mapping[str, tuple[str, str]]] = {
    "draft": ("dashed", "edit"), "designed": ("info", "adjustments-alt"), "registered": ("info", "shield-check"),
    "running": ("info", "refresh"), "cooling": ("warn", "clock"), "readable": ("good", "eye"),
    "read": ("good", "check"), "cancelled": ("", "x"),
}  # fmt: skip
#: What a file of each kind of experiment holds.
FILE_HINTS: Final[Mapping[str, str]] = {
    "geo": "CSV, one row per market and day or week: date, market, outcome, and spend where it is known.",
    "sku": "CSV, one row per SKU and day or week: date, SKU, outcome, and spend where it is known.",
    "switchback": "CSV, one row per period: period (from 1), treated (1 or 0), outcome.",
    "ab": "JSON: of treated and control the sum, sum_of_squares and n; until, the last day they cover.",
}
_DAY_SECONDS: Final = 86_400
_STEPS: Final = (
    ("draft", "Draft"), ("designed", "Designed"), ("registered", "Registered"), ("running", "Running"),
    ("cooling", "Cooling down"), ("readable", "Readable"), ("read", "Read"),
)  # fmt: skip


def due_words(experiment: Experiment, on: date, *, has_candidates: bool) -> str:
    """What is due, for whoever looks through a list, which does not load the candidates of each."""
    state = Experiment.State(experiment.state)
    start, end = experiment.start_date, experiment.end_date
    if state == Experiment.State.DRAFT:
        return "a candidate is to be chosen" if has_candidates else "to be designed"
    if state == Experiment.State.DESIGNED:
        return "to be registered" + (f" before {_day(start)}" if start else "")
    if state == Experiment.State.REGISTERED and start:
        return "to be started" if start <= on else f"starts {_day(start)}"
    if state in (Experiment.State.RUNNING, Experiment.State.COOLING) and end:
        due = experiment.due_on or end
        return f"readable from {_day(due)}" if on < due else "waits for its data"
    if state == Experiment.State.READABLE:
        return "to be read"
    return ""


def steps_of(experiment: Experiment) -> list[dict[str, str]]:
    """The way of an experiment, for `{% stages %}`."""
    if experiment.state == Experiment.State.CANCELLED:
        return []
    at = [state for state, _ in _STEPS].index(experiment.state)
    return [
        {"state": "done" if place < at or experiment.state == "read" else "now" if place == at else "", "label": label}
        for place, (_, label) in enumerate(_STEPS)
    ]


def stages_of(job: Job) -> list[dict[str, str]]:
    """The stages of a job that is not over, as far as it has told any."""
    progress = getattr(job, "progress", None)
    shown = {"done": "done", "running": "now", "stopped": "failed"}
    return [
        {
            "label": str(stage["name"]),
            "state": shown.get(stage["status"], ""),
            "note": f"{stage['done']:,} of {stage['total']:,}" if stage.get("total", 0) and stage["total"] > 1 else "",
        }
        for stage in (progress.stages if progress else [])
    ] or [{"label": "Waiting for a worker", "state": "now", "note": ""}]


def design_context(experiment: Experiment) -> dict[str, Any]:
    """The design: candidates and the pictures of the best, or of the chosen one."""
    design = experiment.design
    if not design.get("kind"):
        return {}
    chosen = design.get("chosen")
    shown = chosen or design["candidates"][0]
    power = float(experiment.settings.get("power", 0.8))
    units = list(experiment.units.all())
    context: dict[str, Any] = {
        "design": design,
        "chosen": chosen,
        "candidates": [
            (place, one, chosen is not None and _same(one, chosen)) for place, one in enumerate(design["candidates"])
        ],
        "frontier": design.get("frontier", []),
        "notes": [*design.get("notes", []), *(design.get("assignment") or {}).get("notes", [])],
        "groups": {group: [one.unit for one in units if one.group == group] for group in ExperimentUnit.Group.values},
    }
    if design.get("power_curve"):
        name = "the chosen candidate" if chosen else "the best candidate"
        context["power_chart"] = power_chart(design["power_curve"], mde=shown.get("mde"), power=power, name=name)
    if len(design.get("mde_by_duration", ())) > 1:
        context["mde_chart"] = mde_chart(design["mde_by_duration"], step=int(design.get("step", 1)))
    priced = [one for one in design.get("frontier", ()) if one.get("investment") is not None and one.get("mde")]
    if len(priced) > 1:
        context["cost_chart"] = cost_chart(priced, currency=experiment.currency)
    if design.get("fit"):
        context["fit_chart"] = fit_chart(
            design["fit"], currency=experiment.currency, outcome=experiment.outcome.replace("_", " ")
        )
    treated = context["groups"]["treated"] or shown.get("treated") or []
    if treated and experiment.kind == Experiment.Kind.GEO:
        tiles = state_tiles(treated, context["groups"]["control"])
        if tiles:
            context["tiles"], context["tiles_alt"] = tiles, f"States: {len(treated)} treated"
    pictures = sum(name in context for name in ("power_chart", "mde_chart", "cost_chart")) + bool(treated)
    # Whole rows: three beside each other, else two; one alone takes its row.
    context["picture_width"] = {1: "", 3: "c4"}.get(pictures, "c6")
    return context


def running_context(experiment: Experiment, panel: PanelVersion | None, on: date) -> dict[str, Any]:
    """What may be seen while it runs: time, freshness, checks and spend; never the outcome."""
    told = selectors.readability(experiment, panel, on=on)
    start, end = experiment.start_date, experiment.end_date
    if start is None or end is None or told.last_needed is None:
        return {"readability": told}
    days = (end - start).days + 1
    gone = min(max((on - start).days, 0), days)
    lag = None if panel is None or panel.last_day is None else max((on - panel.last_day).days - 1, 0)
    return {
        "readability": told,
        "days": days,
        "days_gone": gone,
        "days_left": max((end - on).days + 1, 0) if on >= start else days,
        "starts_in": max((start - on).days, 0),
        "cooldown_until": told.last_needed if experiment.cooldown_days else None,
        "cooling_down": end < on <= told.last_needed,
        "lag": lag,
        "data_complete": panel is not None and panel.last_day is not None and panel.last_day >= told.last_needed,
        "method_words": _method_words(experiment.method),
        "spend": spend_so_far(experiment, panel),
    }


def spend_so_far(experiment: Experiment, panel: PanelVersion | None) -> dict[str, float] | None:
    """Spend of treated units in the test, and what they would have spent at the rate of the weeks before; None where
    the data have no spend. It is an input of the test, so it may be seen while it runs.

    The page asks each second while a job works. Plan and data never change, so the file is parsed once for both.
    """
    if panel is None or panel.format != PanelVersion.Format.PANEL or experiment.start_date is None:
        return None
    key = f"experiment-spend:{experiment.plan_sha256}:{panel.pk}"
    known: list[dict[str, float] | None] | None = cache.get(key)
    if known is None:
        known = [_spend(experiment, panel, experiment.start_date)]
        cache.set(key, known, _DAY_SECONDS)
    return known[0]


def _spend(experiment: Experiment, panel: PanelVersion, start: date) -> dict[str, float] | None:
    try:
        data = panel_data(panel)
    except Conflict:
        # The data of a test that was given up may be gone.
        return None
    if data.cost is None:
        return None
    treated = {one.unit.casefold() for one in experiment.units.all() if one.group == "treated"}
    rows = [row for unit, row in data.place.items() if unit in treated]
    last = experiment.end_date or date.max
    inside = [at for at, day in enumerate(data.periods) if isinstance(day, date) and start <= day <= last]
    before = [at for at, day in enumerate(data.periods) if isinstance(day, date) and day < start][-28:]
    if not inside or not rows or not before:
        return None
    spent = float(data.cost[rows][:, inside].sum())
    usual = float(data.cost[rows][:, before].sum()) / len(before) * len(inside)
    return {"spent": spent, "usual": usual, "extra": spent - usual}


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (one.get("treated"), one.get("duration"), one.get("mde")) == (
        other.get("treated"), other.get("duration"), other.get("mde"),
    )  # fmt: skip


def _method_words(method: str) -> str:
    return "Method follows from the design" if method == "auto" else method_name(method)


def _day(day: date | None) -> str:
    return f"{day:%-d %b}" if day else ""
