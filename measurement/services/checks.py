"""What is looked at before a plan is fixed and while it runs, without looking at the result."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from accounts.models import User
from measurement import selectors
from measurement.core.drawn_power import first_periods
from measurement.core.panel import Panel
from measurement.core.pre_checks import pre_trend
from measurement.core.words import count_of, period_text
from measurement.models import Experiment, PanelVersion
from measurement.services.analysis import is_drawn
from measurement.services.candidates import hidden_from
from measurement.services.panels import panel_data
from measurement.services.same_figures import twins_unread
from tenants.core.problems import Conflict, InvalidInput

_NAMED = 5
_UNSEEN: Final = {
    "where": "units",
    "detail": "An experiment that you may not see uses the same ads in these days.",
    "fix": "Choose other units or other days, or ask somebody who sees all brands.",
}
#: Drift over a test that would still do, where no candidate says which lift is looked for.
_USUAL_MARGIN = 0.05


def refuse_overlap(experiment: Experiment, *, actor: User) -> None:
    """Refuse a plan that another running experiment would contaminate.

    Two experiments on the same ads at the same time are in each other's way where a unit that one treats is treated or
    compared with in the other. Tests over time and of users act on all units.

    Args:
        actor: who is told. Of an experiment that they may not see, they learn only that there is one.

    Raises:
        Conflict: names the experiments and the units.
    """
    mine = _groups(experiment)
    seen = set(selectors.experiments_visible(user=actor).values_list("pk", flat=True))
    errors = []
    for other in selectors.others_in_the_way(experiment):
        if other.cooled_on is None or experiment.start_date is None or other.cooled_on < experiment.start_date:
            continue
        shared = _in_the_way(experiment, mine, other)
        if shared is None:
            continue
        if other.pk not in seen:
            # No name, day or unit of it: by its overlap alone the plan of others could be asked out unit by unit.
            errors.append(dict(_UNSEEN))
            continue
        units = f": {_listed(shared)}" if shared else ""
        errors.append(
            {
                "where": other.label,
                "detail": f"{other.label} {other.name} runs from {_days(other)} on the same ads{units}.",
                "fix": "Choose other units or other days.",
            }
        )
    if errors:
        errors.sort(key=lambda error: error == _UNSEEN)
        raise Conflict(
            f"Another experiment is in its way. {errors[0]['detail']}",
            where="units",
            fix="Choose units that it does not use, or days after it has cooled down.",
            errors=[error for at, error in enumerate(errors) if error not in errors[:at]],
        )


def refuse_to_be_seen(experiment: Experiment, *, actor: User) -> None:
    """Refuse a plan whose result another test would show before its end: one that has some of its treated units, in
    days that it shares, and is read earlier. Tests of other ads are such tests too: they are read from the same sales.

    Raises:
        Conflict: names the tests, those that the actor may not see by their being there alone.
    """
    start, last = experiment.start_date, experiment.cooled_on
    if experiment.kind not in selectors.OVER_UNITS or start is None or last is None:
        return
    treated = selectors.treated_keys(experiment)
    seen = set(selectors.experiments_visible(user=actor).values_list("pk", flat=True))
    for twin in twins_unread(experiment, on=start):
        other = twin.other
        if other.state == Experiment.State.CANCELLED or other.start_date is None or other.cooled_on is None:
            continue
        earlier = other.cooled_on < last or other.looks != Experiment.Looks.NONE
        if not earlier or other.start_date > last or not twin.uses(treated):
            continue
        known = other.pk in seen
        raise Conflict(
            f"{other.label} {other.name} is read before its end, from units that it treats: that would be an early "
            "look at its result."
            if known
            else str(_UNSEEN["detail"]),
            where="end_date",
            fix=f"Start after {period_text(other.cooled_on)}, end by then without looks of that one, or treat other "
            "units."
            if known
            else str(_UNSEEN["fix"]),
        )


def check_experiment(experiment: Experiment, panel: PanelVersion | None) -> list[dict[str, Any]]:
    """The checks that need no result, each as `check`, `passed` (None: nobody can tell), `verdict`
    (passed, unclear or failed) and `words`."""
    found: list[dict[str, Any]] = [
        _check("overlap", True, "No other registered experiment uses its units at that time.")
    ]
    if panel is None or panel.format != PanelVersion.Format.PANEL or experiment.start_date is None:
        return found
    data = panel_data(panel)
    before = min(experiment.start_date, hidden_from(experiment, data) or experiment.start_date)
    history = [day for day in data.periods if isinstance(day, date) and day < before]
    days = (experiment.end_date - experiment.start_date).days + 1 if experiment.end_date else 1
    step = (history[1] - history[0]).days if len(history) > 1 else 1
    tests = len(history) * step / max(days, 1)
    words = f"{count_of(len(history), 'period')} before the start, {tests:.1f} times the length of the test"
    words += "." if tests >= 2 else ": with less than twice its length the placebo tests are few."
    found.append(_check("history", tests >= 2, words))
    trend = _trend(experiment, data, len(history), max(1, round(days / step)))
    return [*found, trend] if trend else found


def _trend(experiment: Experiment, data: Panel, history: int, duration: int) -> dict[str, Any] | None:
    """Whether treated units drift from their controls before the test; None where the history cannot tell."""
    groups = _groups(experiment)
    treated = [unit for unit in data.units if unit.casefold() in groups["treated"]]
    margin = float((experiment.design.get("chosen") or {}).get("mde") or _USUAL_MARGIN)
    try:
        told = pre_trend(
            first_periods(data, history),
            treated=treated,
            duration=duration,
            margin=margin,
            excluded=[unit for unit in data.units if unit.casefold() in groups["excluded"]],
            weighted=not is_drawn(experiment),
            alpha=experiment.alpha,
            seed=experiment.seed,
        )
    except InvalidInput as problem:
        return _check("pre-trend", None, f"Not looked at: {problem.detail}")
    passed = {"steady": True, "drifting": False}.get(told.verdict)
    return _check("pre-trend", passed, f"{told.verdict.capitalize()}. {told.words}")


def _check(name: str, passed: bool | None, words: str) -> dict[str, Any]:
    verdict = "unclear" if passed is None else "passed" if passed else "failed"
    return {"check": name, "passed": passed, "verdict": verdict, "words": words}


def _groups(experiment: Experiment) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = {"treated": set(), "control": set(), "excluded": set()}
    for one in experiment.units.all():
        groups[one.group].add(one.unit.casefold())
    return groups


def _in_the_way(experiment: Experiment, mine: dict[str, set[str]], other: Experiment) -> list[str] | None:
    """Units that both use, empty where it is all of them; None where they do not meet."""
    if experiment.kind not in selectors.OVER_UNITS or other.kind not in selectors.OVER_UNITS:
        return []
    if experiment.kind != other.kind:
        return []
    theirs = _groups(other)
    shared = mine["treated"] & (theirs["treated"] | theirs["control"]) | (mine["control"] & theirs["treated"])
    return sorted(shared) if shared else None


def _days(one: Experiment) -> str:
    return " to ".join(period_text(day) for day in (one.start_date, one.end_date) if day is not None)


def _listed(units: Iterable[str]) -> str:
    names = list(units)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
