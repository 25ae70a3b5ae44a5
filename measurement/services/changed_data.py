"""What a reading says of data that are not as they were: when the plan was made, or when it was read before."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from measurement.core.panel import Panel
from measurement.core.restated import Restated, restated, since
from measurement.core.words import count_of
from measurement.models import Experiment, PanelVersion
from measurement.services.panels import panel_data


def by_plan(experiment: Experiment, data: Panel) -> Panel:
    """The data from the first day of history that the registered plan has."""
    first = (experiment.analysis_plan.get("data") or {}).get("first_day")
    return since(data, date.fromisoformat(first)) if first else data


def changes_of(experiment: Experiment, panel: PanelVersion, data: Panel) -> tuple[str, ...]:
    """What differs from the data of the plan, and, in the days of the test, from those of the reading before.

    Restatements happen; whoever reads the result must know of them, for a history that was rewritten makes a lift.
    """
    if experiment.start_date is None or experiment.end_date is None:
        return ()
    found = []
    planned = _of_plan(experiment)
    former: dict[UUID, Panel] = {}
    if planned is not None and planned.pk != panel.pk:
        former[planned.pk] = panel_data(planned)
        told = _between(experiment, former[planned.pk], data, until=experiment.end_date + timedelta(days=1))
        found += _words(told, "the plan was made on")
    earlier = experiment.readings.exclude(panel=panel).select_related("panel").order_by("-number").first()
    if earlier is not None:
        until = experiment.end_date + timedelta(days=experiment.cooldown_days + 1)
        before = former.get(earlier.panel_id) or panel_data(earlier.panel)
        told = _between(experiment, before, data, first=experiment.start_date, until=until)
        found += _words(told, f"reading {earlier.number} was made from, in days of the test")
    return tuple(found)


def _of_plan(experiment: Experiment) -> PanelVersion | None:
    told = experiment.analysis_plan.get("data") or {}
    if not told.get("sha256"):
        return None
    return experiment.panels.filter(sha256=told["sha256"], columns=told["columns"]).first()


def _between(experiment: Experiment, before: Panel, now: Panel, *, until: date, first: date = date.min) -> Restated:
    arms: dict[str, list[str]] = {"treated": [], "control": [], "excluded": []}
    for one in experiment.units.all():
        arms[one.group].append(one.unit)
    return restated(before, now, treated=arms["treated"], control=arms["control"], first=first, until=until)


def _words(told: Restated, which: str) -> list[str]:
    if not told.changed:
        return []
    return [
        f"{told.changed:,} of {count_of(told.known, 'figure')} {'differs' if told.changed == 1 else 'differ'} "
        f"from those that {which}: in sum {told.treated:+.2%} in "
        f"treated units, {told.control:+.2%} in controls. What was restated in one group alone looks like an effect."
    ]
