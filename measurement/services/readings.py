"""Reading an experiment: not before its time, under its plan, once for the same data and the same code."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Final
from uuid import UUID

from django.db import models, transaction

from accounts.models import User
from accounts.services import require
from jobs.models import Job
from jobs.services import submit_job
from measurement import selectors
from measurement.core.known_cost import with_planned_cost
from measurement.core.words import period_text
from measurement.models import Experiment, PanelVersion, Reading
from measurement.selectors import MANAGE
from measurement.services.analysis import Analysis, analyze
from measurement.services.experiments import refuse_while_busy
from measurement.services.looks import Look, look_of
from measurement.services.same_figures import given_up_before, twins_unread, used_keys
from measurement.services.states import advance
from measurement.services.versions import code_version
from tenants.core.problems import Conflict, Problem

ANALYSE: Final = "measurement.analyse"
STAGES: Final = ("Data", "Placebos", "Reading")
RETROSPECTIVE: Final = "The plan was registered after the test had begun: it does not rule out that data were seen."
GIVEN_UP: Final = "A test of some of these units in these days was given up before this one was registered."

Tell = Callable[[str, int, int], None]
Publish = Callable[[], AbstractContextManager[None]]


class EarlyLook(Conflict):
    """Whoever looks early and stops when it suits finds effects that are not there."""

    code = "early-look"
    title = "The result is not to be looked at yet"


def request_analysis(*, actor: User, experiment: Experiment, idempotency_key: str | None = None) -> Job:
    """Have an experiment read, as a job.

    Raises:
        EarlyLook: its end, its cool-down or its data are still to come; says which.
        Conflict: a job works on it.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.manage.
    """
    require(user=actor, permission=MANAGE, brand=experiment.brand)
    with transaction.atomic():
        held = selectors.locked(experiment)
        job = selectors.job_of(held)
        if idempotency_key and job is not None and job.idempotency_key == idempotency_key:
            return job
        refuse_while_busy(held)
        refuse_early_look(held, selectors.latest_panel(held))
        job = submit_job(
            kind=ANALYSE,
            params={"experiment": str(held.pk)},
            actor=actor,
            brand=held.brand,
            title=f"Read {held.label} {held.name}",
            idempotency_key=idempotency_key,
            subject=f"experiment:{held.pk}",
        )
        held.job_id, held.problem = job.pk, None
        held.save(update_fields=["job_id", "problem", "updated_at"])
    return job


def analyse_experiment(
    *,
    experiment: Experiment,
    actor: User | None = None,
    job_id: UUID | None = None,
    tell: Tell = lambda stage, done, total: None,
    publish: Publish = nullcontext,
) -> Reading:
    """Read an experiment here and now from its newest data, and store the reading; what the job does.

    Every door comes through here, and none gets a figure before its time. Data and code that were read already are not
    read again: the same reading comes back.

    Raises:
        EarlyLook: its end, its cool-down or its data are still to come; says which. Or it was cancelled meanwhile.
        Conflict: it came to its end while it was being read.
        Problem: the data do not let the plan be carried out; the experiment keeps it to be seen.
    """
    # An attempt that was lost after it had stored its reading is not another look.
    made = None if job_id is None else selectors.readings_of(experiment).defer(None).filter(job_id=job_id).first()
    if made is not None:
        return made
    panel = selectors.latest_panel(experiment)
    told = refuse_early_look(experiment, panel)
    if panel is None:
        raise AssertionError("an experiment without data is not readable")
    before, interim = selectors.latest_reading(experiment), not told.final
    if before is not None and _same(before, panel, interim=interim):
        return before
    tell(STAGES[0], 0, 1)
    began = time.perf_counter()
    try:
        look = look_of(experiment, panel, final=told.final)
        read = analyze(experiment, panel, look=look, progress=lambda done, total: tell(STAGES[1], done, total))
        read = replace(read, reading=with_planned_cost(read.reading, _planned(experiment), experiment.currency))
    except Problem as problem:
        Experiment.objects.filter(pk=experiment.pk).update(problem=problem.as_dict())
        raise
    seconds = time.perf_counter() - began
    tell(STAGES[2], 0, 1)
    with publish(), transaction.atomic():
        held = selectors.locked(experiment)
        # While it was being read it may have been cancelled, read by somebody else, or have come to its end.
        latest = selectors.latest_reading(held)
        if latest is not None and held.state != Experiment.State.CANCELLED and _same(latest, panel, interim=interim):
            return latest
        if refuse_early_look(held, panel).final != told.final:
            raise Conflict(f"{held.label} came to its end while it was being read.", fix="Read it again.")
        made = _store(held, panel, read, look=look, interim=interim, seconds=seconds, actor=actor, job_id=job_id)
        held.problem = None
        if not interim:
            held.state = Experiment.State.READ
        held.save(update_fields=["state", "problem", "updated_at"])
    return made


def refuse_early_look(experiment: Experiment, panel: PanelVersion | None) -> selectors.Readability:
    """How an experiment may be read today.

    Raises:
        EarlyLook: it may not be; says what is still to come.
    """
    told = selectors.readability(experiment, panel, on=selectors.today())
    if not told.allowed:
        raise EarlyLook(
            f"{experiment.label} cannot be read yet. {' '.join(told.reasons)}",
            where="result",
            fix=f"Read it from {period_text(told.due)} on, once its data are in."
            if told.due
            else "Register and start it first.",
        )
    _refuse_look_at_another(experiment)
    return told


def _refuse_look_at_another(experiment: Experiment) -> None:
    """Raises `EarlyLook` where reading this test would show what another does whose end is still to come."""
    if experiment.cooled_on is None or not experiment.is_registered:
        return
    mine = used_keys(experiment)
    for twin in twins_unread(experiment, on=selectors.today()):
        other, due = twin.other, twin.other.due_on
        if other.start_date is None or due is None:
            continue
        if other.start_date > experiment.cooled_on or not twin.treats(mine):
            continue
        given_up = other.state == Experiment.State.CANCELLED
        raise EarlyLook(
            f"{experiment.label} is read from the units and days of another test, which "
            + ("was given up before its end." if given_up else "still runs."),
            where="result",
            fix=f"Read it from {period_text(due)} on: by then that one "
            + ("would have been over, too." if given_up else "is over, too."),
        )


def _planned(experiment: Experiment) -> float:
    """The planned change of spend, below zero where the treated have less; 0 where none is planned."""
    more = experiment.action == Experiment.Action.HEAVY_UP or experiment.kind == Experiment.Kind.AB
    return float(experiment.planned_spend or 0) * (1 if more else -1)


def _same(reading: Reading, panel: PanelVersion, *, interim: bool) -> bool:
    return (reading.panel_id, reading.code_version, reading.interim) == (panel.pk, code_version(), interim)


def _store(
    experiment: Experiment,
    panel: PanelVersion,
    read: Analysis,
    *,
    look: Look,
    interim: bool,
    seconds: float,
    actor: User | None,
    job_id: UUID | None,
) -> Reading:
    document = read.as_dict()
    if experiment.analysis_plan.get("retrospective"):
        document["warnings"] = [RETROSPECTIVE, *document["warnings"]]
    if given_up_before(experiment):
        document["warnings"] = [GIVEN_UP, *document["warnings"]]
    number = (experiment.readings.aggregate(top=models.Max("number"))["top"] or 0) + 1
    advance(experiment)
    return Reading.objects.create(
        experiment=experiment,
        panel=panel,
        number=number,
        interim=interim,
        look=look.number,
        result=document,
        method=read.reading.method,
        evidence=read.reading.evidence,
        plan_sha256=experiment.plan_sha256,
        code_version=code_version(),
        seed=experiment.seed,
        seconds=seconds,
        job_id=job_id,
        created_by=actor,
    )
