"""New days of data without a person: each experiment on one schedule at most, which reads it when it may be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import require
from harmonization.core.watched_places import is_settled, list_files, read_file
from harmonization.services.imports import place_of
from jobs import services as schedules
from jobs.core.schedules import Schedule, Timing
from jobs.selectors import MANAGE_SCHEDULES, schedules_of
from measurement import selectors
from measurement.models import Experiment, PanelVersion
from measurement.selectors import MANAGE
from measurement.services.event_panels import UNITS, panel_from_events
from measurement.services.panels import add_panel
from measurement.services.states import advance
from tenants.core.problems import Conflict, InvalidInput, NotFound

REFRESH: Final = "measurement.refresh"
SOURCES: Final = ("events", "place")
#: Every morning at six, UTC: yesterday's reports are in.
USUAL_TIMING: Final = Timing(crontab="0 6 * * *")
_HOUR_SECONDS: Final = 3600
_SETTLE: Final = timedelta(seconds=60)
_ENDED = (Experiment.State.READ, Experiment.State.CANCELLED)


def schedule_refreshes(
    *,
    actor: User,
    experiment: Experiment,
    source: Mapping[str, Any] | None = None,
    on: bool = True,
    timing: Timing | None = None,
) -> Schedule | None:
    """Let new data be fetched by themselves, in the name of `actor`, and the experiment be read once it may be.

    Args:
        source: `{"kind": "events", "unit": "sku"}`, or `{"kind": "place", "location": "folder:/...", "file": "x.csv"}`
            with `columns` where the header does not say; default the source it has.
        on: False leaves the schedule there, switched off; None comes back where there was none.

    Raises:
        InvalidInput: the source cannot be used, or would be asked more than once an hour.
        Conflict: the experiment has ended.
        NotAllowed, NotFound: the actor may not manage schedules or experiments of its brand; a place is the tenant's
            and needs a role for the tenant.
    """
    for permission in (MANAGE_SCHEDULES, MANAGE):
        require(user=actor, permission=permission, brand=experiment.brand)
    if timing is not None:
        _refuse_often(timing)
    with transaction.atomic():
        held = selectors.locked(experiment)
        found = schedule_of(held)
        if not on:
            if found is None:
                return None
            return schedules.update_schedule(schedule_id=found.id, actor=actor, enabled=False)
        if held.state in _ENDED:
            raise Conflict(f"{held.label} is {held.get_state_display()}: no new data are needed.", fix="Leave it.")
        held.data_source = _checked(actor, held, held.data_source if source is None else source)
        if found is None:
            made = schedules.create_schedule(
                kind=REFRESH,
                params={"experiment": str(held.pk)},
                actor=actor,
                timing=timing or USUAL_TIMING,
                brand=held.brand,
                title=f"New data of {held.label} {held.name}",
            )
        else:
            made = schedules.update_schedule(schedule_id=found.id, actor=actor, timing=timing, enabled=True)
        held.schedule_id = made.id
        held.save(update_fields=["schedule_id", "data_source", "updated_at"])
    return made


def _refuse_often(timing: Timing) -> None:
    """Data of an experiment are of days, and each file that changed is kept whole."""
    minute = timing.crontab.split()[0] if timing.crontab else ""
    if (timing.every_seconds or _HOUR_SECONDS) < _HOUR_SECONDS or not (not minute or minute.isdecimal()):
        raise InvalidInput(
            f"{timing} is too often: data of an experiment are fetched once an hour at most.",
            where="crontab" if timing.crontab else "every_seconds",
            fix='Use 3600 seconds or more, or one minute of the hour, as in "0 6 * * *".',
        )


def refresh_experiment(
    *,
    experiment: Experiment,
    actor: User | None = None,
    job_id: UUID | None = None,
    note: Callable[[str], None] = lambda words: None,
) -> PanelVersion | None:
    """Fetch the data of an experiment from its source, and move it to the state they put it in; None where the source
    has nothing yet.

    Raises:
        NotFound: it has no source. InvalidInput and others: as the source's own door.
        NotAllowed: the actor may not send its data, or may not read places of the tenant any more.
    """
    source = experiment.data_source
    if source.get("kind") == "events":
        panel: PanelVersion | None = panel_from_events(
            actor=actor, experiment=experiment, unit=source["unit"], job_id=job_id
        )
    elif source.get("kind") == "place":
        panel = _from_place(experiment, source, actor, job_id, note)
    else:
        raise NotFound(
            f"{experiment.label} has no source of new data.", fix="Say where they come from, or send a file."
        )
    with transaction.atomic():
        advance(selectors.locked(experiment))
    return panel


def schedule_of(experiment: Experiment) -> Schedule | None:
    """The schedule by which its data are fetched; None where there is none."""
    return next(iter(_all_of(experiment)), None)


def stop_refreshes(experiment: Experiment) -> None:
    """Switch off what would fetch data of an experiment that has ended."""
    for one in _all_of(experiment):
        if one.enabled:
            schedules.stop_schedule(schedule_id=one.id)


def remove_refreshes(experiment: Experiment) -> None:
    """Remove what would fetch data of an experiment that is deleted."""
    for one in _all_of(experiment):
        schedules.remove_schedule(schedule_id=one.id)


def _all_of(experiment: Experiment) -> list[Schedule]:
    return [one for one in schedules_of(kind=REFRESH) if one.params.get("experiment") == str(experiment.pk)]


def _checked(actor: User, experiment: Experiment, source: Mapping[str, Any]) -> dict[str, Any]:
    kind = source.get("kind")
    if kind == "events":
        if experiment.kind not in (Experiment.Kind.GEO, Experiment.Kind.SKU):
            raise InvalidInput(
                f"A {experiment.get_kind_display()} has no panel of events.", where="source.kind", fix="Use a place."
            )
        unit = str(source.get("unit") or "sku")
        if unit not in UNITS:
            raise InvalidInput(
                f"There is no unit {unit!r}.", where="source.unit", fix=f"Use one of {', '.join(UNITS)}."
            )
        return {"kind": "events", "unit": unit}
    if kind == "place":
        # What may be watched holds files of any brand: a role for the whole tenant chooses, as for imports.
        require(user=actor, permission=MANAGE_SCHEDULES)
        location, file = str(source.get("location") or ""), str(source.get("file") or "").strip()
        if (
            not (location + file).isprintable()
            or not file
            or "*" in file
            or file.startswith("/")
            or ".." in file.split("/")
            or len(file) > 255
        ):
            raise InvalidInput(
                f"{file!r} names no file of that place.", where="source.file", fix="Give its path below the place."
            )
        place_of(location)
        columns = source.get("columns") or {}
        if not isinstance(columns, Mapping):
            raise InvalidInput("Columns are an object.", where="source.columns", fix='Write {"date": "day"}.')
        if not all(f"{part}{name}".isprintable() for part, name in columns.items()):
            raise InvalidInput("A column is no text.", where="source.columns", fix='Write {"date": "day"}.')
        return {
            "kind": "place", "location": location.strip(), "file": file,
            "columns": {str(part): str(name) for part, name in columns.items()},
        }  # fmt: skip
    raise InvalidInput("New data come from nowhere.", where="source.kind", fix=f"Use one of {', '.join(SOURCES)}.")


def _from_place(
    experiment: Experiment,
    source: Mapping[str, Any],
    actor: User | None,
    job_id: UUID | None,
    note: Callable[[str], None],
) -> PanelVersion | None:
    if actor is not None:
        # Asked at each look: whoever chose the place may have lost the role for the tenant since.
        require(user=actor, permission=MANAGE_SCHEDULES)
    place = place_of(source["location"])
    seen = next((one for one in list_files(place, source["file"]).files if one.path == source["file"]), None)
    if seen is None:
        note(f"{source['file']} is not there yet.")
        return None
    if place.kind == "folder" and not is_settled(seen, seen, clock=timezone.now(), settle=_SETTLE):
        note(f"{source['file']} may still be written; it is read at the next look.")
        return None
    return add_panel(
        actor=actor,
        experiment=experiment,
        chunks=read_file(place, seen.path),
        file_name=seen.path.rsplit("/", 1)[-1],
        columns=source.get("columns") or None,
        origin=PanelVersion.Origin.PLACE,
        job_id=job_id,
    )
