"""Fixing the plan, starting under it, and giving up."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import require
from measurement import selectors
from measurement.core.analysis_plan import AnalysisPlan, Hypothesis, canonical_json, plan_sha256
from measurement.core.geo_choice import WEIGHED_BY
from measurement.core.registered_plan import FORMAT, canonical_plan
from measurement.core.words import count_of, period_text
from measurement.models import Experiment, ExperimentUnit, PanelVersion
from measurement.selectors import MANAGE
from measurement.services.analysis import BY_LOT, is_drawn
from measurement.services.checks import check_experiment, refuse_overlap, refuse_to_be_seen
from measurement.services.experiments import changeable, lasts_as_designed, refuse_while_busy
from measurement.services.panels import panel_data
from measurement.services.refreshes import stop_refreshes
from measurement.services.states import advance
from measurement.services.versions import code_version
from optimization.services import lock_numbers
from tenants.core.problems import Conflict, InvalidInput

LONGEST_REASON = 500


def register_experiment(*, actor: User, experiment: Experiment, retrospective: bool = False) -> Experiment:
    """Fix the analysis plan before the test: it is hashed, and from here on neither plan, units nor dates change.

    Args:
        retrospective: the test began before today and its plan is written down only now; plan and reading say so.

    Raises:
        InvalidInput: dates or units are missing, or the start is over and `retrospective` is not said.
        Conflict: it is not designed, is registered already, or another experiment is in its way.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.manage.
    """
    require(user=actor, permission=MANAGE, brand=experiment.brand)
    with transaction.atomic():
        held = changeable(experiment)
        if held.state != Experiment.State.DESIGNED:
            raise Conflict(
                f"{held.label} is a draft: nobody is assigned yet.", fix="Design it and choose a candidate first."
            )
        today = selectors.today()
        if held.start_date is None or held.end_date is None:
            raise InvalidInput(
                "A plan needs the first and the last day of the test.", where="start_date", fix="Give both."
            )
        if held.start_date < today and not retrospective:
            raise InvalidInput(
                f"The test began on {period_text(held.start_date)}, before this plan.",
                where="start_date",
                fix="Choose a start from today on, or register it as retrospective: the reading will say so.",
            )
        if not lasts_as_designed(held):
            raise Conflict(
                f"{held.label} was designed for {count_of(held.design['chosen']['days'], 'day')}, its dates "
                "have others.",
                where="end_date",
                fix="Give the dates that length, or design it again for these: its power is that of its length.",
            )
        if held.method in BY_LOT and not is_drawn(held):
            raise InvalidInput(
                f"The method {held.method!r} rests on units drawn by lot before the test, and these were not.",
                where="method",
                fix="Use auto or a method that compares with a counterfactual, or draw units before the start.",
            )
        panel = selectors.latest_panel(held)
        _check_history(held, panel)
        # One plan of the tenant at a time: two that are fixed together would each not see the other.
        lock_numbers("experiment plans")
        refuse_overlap(held, actor=actor)
        refuse_to_be_seen(held, actor=actor)
        held.checks = check_experiment(held, panel)
        held.analysis_plan = plan_of(held, panel, retrospective=held.start_date < today)
        held.plan_sha256 = plan_sha256(canonical_plan(held.analysis_plan))
        held.registered_at, held.registered_by = timezone.now(), actor
        held.state = Experiment.State.REGISTERED
        held.save()
    return held


def start_experiment(*, actor: User, experiment: Experiment) -> Experiment:
    """Say that the test runs: the treated units are treated from the start date on.

    Raises:
        Conflict: its plan is not registered, it was started, or its start date is still to come.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.manage.
    """
    require(user=actor, permission=MANAGE, brand=experiment.brand)
    with transaction.atomic():
        held = selectors.locked(experiment)
        if held.state != Experiment.State.REGISTERED or held.start_date is None:
            fix = "Register its plan first." if not held.is_registered else "Nothing is to be done."
            raise Conflict(f"{held.label} is {held.get_state_display()} and cannot be started.", fix=fix)
        if held.start_date > selectors.today():
            raise Conflict(
                f"{held.label} starts on {held.start_date:%-d %b %Y}.",
                where="start_date",
                fix="Start it on that day; its plan is fixed.",
            )
        held.state = Experiment.State.RUNNING
        held.started_by, held.started_at = actor, timezone.now()
        held.save(update_fields=["state", "started_by", "started_at", "updated_at"])
        advance(held)
    return held


def cancel_experiment(*, actor: User, experiment: Experiment, reason: str) -> Experiment:
    """Give an experiment up, with the reason; nothing of it is deleted, and it is never read.

    Raises:
        InvalidInput: no reason, or one that is too long.
        Conflict: it was read or cancelled, or a job works on it.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.manage.
    """
    require(user=actor, permission=MANAGE, brand=experiment.brand)
    told = reason.strip()
    if not told or len(told) > LONGEST_REASON:
        raise InvalidInput(
            "Why is it given up?", where="reason", fix=f"Give a reason of at most {LONGEST_REASON} characters."
        )
    with transaction.atomic():
        held = selectors.locked(experiment)
        if held.state in (Experiment.State.READ, Experiment.State.CANCELLED):
            raise Conflict(f"{held.label} is {held.get_state_display()}.", fix="What was read stays.")
        refuse_while_busy(held)
        held.state, held.cancel_reason = Experiment.State.CANCELLED, told
        held.cancelled_by, held.cancelled_at = actor, timezone.now()
        held.save(update_fields=["state", "cancel_reason", "cancelled_by", "cancelled_at", "updated_at"])
        stop_refreshes(held)
    return held


def plan_of(experiment: Experiment, panel: PanelVersion | None, *, retrospective: bool) -> dict[str, Any]:
    """The plan as it is hashed: the question, who is treated, when, how it will be read, and from what it was made."""
    units = [
        {
            "unit": one.unit,
            "group": one.group,
            **{name: value for name in ("cell", "pair", "stratum") if (value := getattr(one, name))},
        }
        for one in experiment.units.order_by("unit")
    ]
    chosen = experiment.design.get("chosen") or {}
    return {
        "format": FORMAT,
        "experiment": experiment.label,
        "kind": experiment.kind,
        "action": experiment.action,
        "hypothesis": experiment.hypothesis,
        "brand": experiment.brand.slug if experiment.brand else None,
        "retailer": experiment.retailer.slug if experiment.retailer else None,
        "placement": experiment.placement or None,
        "outcome": experiment.outcome,
        "currency": experiment.currency or None,
        "start": str(experiment.start_date),
        "end": str(experiment.end_date),
        "cooldown_days": experiment.cooldown_days,
        "planned_spend": None if experiment.planned_spend is None else f"{experiment.planned_spend:.2f}",
        "method": experiment.method,
        # What `auto` weighs controls by: a later default is not this plan's.
        "weighed_by": WEIGHED_BY,
        "alpha": experiment.alpha,
        "seed": experiment.seed,
        "looks": {
            "kind": experiment.looks or "at the planned end only",
            "days": experiment.settings.get("look_at", []),
        },
        "settings": experiment.settings,
        "units": units,
        "analysis": _analysis(experiment, panel),
        "expected": {name: chosen[name] for name in ("mde", "power", "investment") if name in chosen},
        "periods_needed": experiment.design.get("periods_needed"),
        "data": None
        if panel is None
        else {
            "sha256": panel.sha256,
            "columns": panel.columns,
            "first_day": str(panel.first_day) if panel.first_day else None,
            "last_day": str(panel.last_day) if panel.last_day else None,
        },
        "retrospective": retrospective,
        "code": code_version(),
    }


def _analysis(experiment: Experiment, panel: PanelVersion | None) -> dict[str, Any] | None:
    """The part of the plan that is about units, as `analysis_plan` writes it; it refuses what leaves something open."""
    start, end = experiment.start_date, experiment.end_date
    if (
        experiment.kind not in selectors.OVER_UNITS
        or panel is None
        or panel.first_day is None
        or start is None
        or end is None
    ):
        return None
    units = list(experiment.units.order_by("unit"))
    arms = {group: tuple(one.unit for one in units if one.group == group) for group in ExperimentUnit.Group.values}
    by_pair: dict[str, dict[str, str]] = {}
    for one in units:
        if one.pair and one.group != ExperimentUnit.Group.EXCLUDED:
            by_pair.setdefault(one.pair, {})[one.group] = one.unit
    chosen = experiment.design.get("chosen") or {}
    plan = AnalysisPlan(
        kind=experiment.action,
        outcome=experiment.outcome,
        currency=experiment.currency,
        history_from=panel.first_day,
        start=start,
        end=end,
        cooldown=experiment.cooldown_days,
        treated=arms["treated"],
        control=arms["control"],
        excluded=arms["excluded"],
        pairs=tuple((arm["treated"], arm["control"]) for arm in by_pair.values() if len(arm) == 2),
        cells={one.unit: one.cell for one in units if one.cell},
        method=experiment.method,
        alpha=experiment.alpha,
        seed=experiment.seed,
        randomised=is_drawn(experiment),
        hypotheses=(
            Hypothesis(
                name=experiment.hypothesis or f"{experiment.get_action_display()} changes {experiment.outcome}",
                outcome=experiment.outcome,
                effect=float(chosen.get("mde") or 0.0),
            ),
        ),
        looks=tuple(
            day
            for day in (start + timedelta(days=int(one) - 1) for one in experiment.settings.get("look_at", []))
            if start <= day < end
        ),
    )
    document: dict[str, Any] = json.loads(canonical_json(plan))
    return document


def _check_history(experiment: Experiment, panel: PanelVersion | None) -> None:
    """A panel test is compared with its history, so there must be one before the start."""
    if experiment.kind not in selectors.OVER_UNITS:
        return
    if panel is None:
        raise Conflict(f"{experiment.label} has no data.", fix="Send its history first.")
    if panel.first_day is None:
        raise InvalidInput(
            "The periods of its data are numbers, its dates are days.",
            where="columns.date",
            fix="Send data whose periods are days.",
        )
    if experiment.start_date is not None and panel.first_day >= experiment.start_date:
        raise InvalidInput(
            f"The data begin on {period_text(panel.first_day)}: there is no history before the start.",
            where="start_date",
            fix="Choose a later start, or send a longer history.",
        )
    # The plan is hashed with these data, so it must be possible to carry it out with them.
    present = {unit.casefold() for unit in panel_data(panel).units}
    assigned = experiment.units.exclude(group=ExperimentUnit.Group.EXCLUDED).order_by("unit")
    absent = [one.unit for one in assigned if one.unit.casefold() not in present]
    if absent:
        raise InvalidInput(
            f"Its data {panel.number} lack {absent[0]!r}"
            + (f" and {len(absent) - 1} more units of the plan." if len(absent) > 1 else ", a unit of the plan."),
            where="units",
            fix="Send data of all treated and control units, or design it again.",
            errors=[{"detail": f"{unit} is absent.", "where": "units"} for unit in absent[:100]],
        )
