"""What time and data do to a running experiment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from measurement import selectors
from measurement.models import Experiment

_RUNS = (Experiment.State.RUNNING, Experiment.State.COOLING)


def note_abandoned(job_id: UUID, problem: Mapping[str, Any] | None) -> None:
    """What a job ended of that failed, is dead or was cancelled stays with its experiment, to be seen there: a process
    that was lost could not write it."""
    if problem is not None:
        Experiment.objects.filter(job_id=job_id, problem__isnull=True).update(problem=dict(problem))


def advance(experiment: Experiment, *, on: date | None = None) -> Experiment:
    """Move a running experiment, under lock, to the state that a day and its data put it in; saves only a change.

    running -> cooling once its end is over; -> readable once the cool-down is over too and the data are in. Without a
    cool-down it cools down while its data are still to come.
    """
    if experiment.state not in _RUNS or experiment.end_date is None:
        return experiment
    day = on or selectors.today()
    state = Experiment.State.RUNNING
    if day > experiment.end_date:
        state = Experiment.State.COOLING
    if selectors.readability(experiment, selectors.latest_panel(experiment), on=day).final:
        state = Experiment.State.READABLE
    if state != experiment.state:
        experiment.state = state
        experiment.save(update_fields=["state", "updated_at"])
    return experiment
