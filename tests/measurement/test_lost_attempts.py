"""A process that is lost at the worst moment, before or after its work is written: done again there is one result."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.db import transaction

from jobs.attempts import tell_abandoned
from jobs.services import submit_job
from measurement import selectors, services
from measurement.models import Experiment
from tenants.core.problems import Conflict
from tests.jobs.attempts import Killed, LostAfter, LostBefore, lose, moments, work_off
from tests.measurement.conftest import END, START, as_csv, fresh, geo_rows, treated_of


@moments
def test_a_design(experiment, send, alice, lost):
    one = experiment()
    send(one, as_csv(geo_rows(START - timedelta(13))))
    job = services.request_design(actor=alice, experiment=fresh(one))
    lose(job, lost)
    # Nobody gets between the attempts: the job still works on it.
    with pytest.raises(Conflict, match="A job works on"):
        services.choose_candidate(actor=alice, experiment=fresh(one), choice=0)
    work_off(job)
    again = fresh(one).design
    undisturbed = experiment(name="Undisturbed")
    send(undisturbed, as_csv(geo_rows(START - timedelta(13))))
    services.design_experiment(experiment=fresh(undisturbed))
    assert again == fresh(undisturbed).design


@moments
def test_a_reading(readable, alice, lost):
    one = readable()
    job = services.request_analysis(actor=alice, experiment=one)
    lose(job, lost)
    assert (one.readings.count(), fresh(one).state) == (
        (0, Experiment.State.READABLE) if lost is LostBefore else (1, Experiment.State.READ)
    )
    told, _ = work_off(job)
    assert (told["reading"], one.readings.count(), fresh(one).state) == (1, 1, Experiment.State.READ)


def test_a_look_is_taken_once(running, send, alice, today):
    """What was lost after the look is no second look, and no refusal of one."""
    one = running(looks="group_sequential", settings={"design": "pairs", "durations": [28], "look_at": [14]})
    send(one, as_csv(geo_rows(START + timedelta(13), treated=treated_of(one))))
    today(START + timedelta(14))
    job = services.request_analysis(actor=alice, experiment=fresh(one))
    lose(job, LostAfter)
    told, _ = work_off(job)
    assert (told["reading"], selectors.looks_taken(fresh(one))) == (1, [1])


@moments
def test_a_refresh_with_its_reading(running, alice, today, settings, tmp_path, lost):
    one = running()
    settings.IMPORT_ROOTS = [f"acme={tmp_path}"]
    path = tmp_path / "panel.csv"
    path.write_bytes(as_csv(geo_rows(END, treated=treated_of(one))))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    source = {"kind": "place", "location": f"folder:{tmp_path}", "file": "panel.csv"}
    services.schedule_refreshes(actor=alice, experiment=one, source=source)
    today(END + timedelta(1))
    job = submit_job(kind=services.REFRESH, params={"experiment": str(one.pk)}, actor=alice, brand=one.brand)
    lose(job, lost)
    work_off(job)
    assert (one.panels.count(), one.readings.count(), fresh(one).state) == (2, 1, Experiment.State.READ)
    assert not services.schedule_of(fresh(one)).enabled


def test_data_whose_row_was_lost_are_sent_again(experiment, send, monkeypatch, storage):
    one = experiment()
    content = as_csv(geo_rows(START - timedelta(13)))

    def lost(**_):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("measurement.services.panels.PanelVersion.objects.create", lost)
        with pytest.raises(Killed), transaction.atomic():
            send(one, content)
    assert one.panels.count() == 0
    made = send(one, content)
    assert (made.number, one.panels.count()) == (1, 1)
    assert [path.name for path in storage.rglob("*") if path.is_file()] == [made.sha256]


def test_a_job_that_is_dead_is_told_where_people_look(experiment, send, alice):
    one = experiment()
    send(one, as_csv(geo_rows(START - timedelta(13))))
    job = services.request_design(actor=alice, experiment=fresh(one))
    problem = {"code": "job-died", "title": "The job died", "detail": "3 attempts were lost."}
    tell_abandoned(kind=job.kind, job_id=job.pk, problem=problem)
    assert fresh(one).problem == problem
