"""Schedules firing: in their tenant, once for each time, as far as their person may."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from django.db import connection
from django_celery_beat.models import PeriodicTask

from accounts.models import RoleGrant
from jobs import services
from jobs.core.schedules import Schedule, Timing
from jobs.dispatch.models import Dispatch
from jobs.models import Job
from jobs.tasks import submit_scheduled
from rmn_site.beat import TenantDatabaseScheduler
from rmn_site.celery import app
from tenants.core.problems import NotAllowed
from tests.conftest import inside


@pytest.fixture
def schedule(alice) -> Schedule:
    timing = Timing(every_seconds=3600)
    return services.create_schedule(kind="test.count", params={"to": 1}, actor=alice, timing=timing)


def fire(schema: str | None, **payload: str) -> None:
    headers = {"_schema_name": schema} if schema else {"_schema_name": "public"}
    submit_scheduled.apply(kwargs=payload, headers=headers, throw=True)


def test_row_names_its_tenant_three_times(schedule):
    row = PeriodicTask.objects.get(name=f"acme/{schedule.id}")
    assert json.loads(row.headers) == {"_schema_name": "acme"}
    assert json.loads(row.kwargs)["tenant"] == "acme"


def test_fires_in_its_tenant_once_for_each_time(schedule, acme, alice):
    connection.set_schema_to_public()
    for _ in range(2):
        fire("acme", tenant="acme", schedule=str(schedule.id))
    connection.set_tenant(acme)
    job = Job.objects.get()
    assert (job.actor_id, job.params, job.subject) == (alice.pk, {"to": 1}, f"schedule:{schedule.id}")


@pytest.mark.parametrize("schema", ["birch", None])
def test_fails_outside_its_tenant(schedule, birch, schema):
    connection.set_schema_to_public()
    with pytest.raises(RuntimeError):
        fire(schema, tenant="acme", schedule=str(schedule.id))
    assert not Dispatch.objects.exists()


def test_header_alone_is_not_enough(schedule, birch):
    connection.set_schema_to_public()
    with pytest.raises(TypeError):
        fire("acme", schedule=str(schedule.id))


def test_stops_when_its_person_lost_the_role(schedule, alice):
    RoleGrant.objects.filter(user=alice).delete()
    with pytest.raises(NotAllowed):
        services.submit_scheduled_job(schedule_id=schedule.id)
    assert not Job.objects.exists()


def test_any_task_without_a_tenant_fails(acme):
    @app.task(name="test.of_a_tenant")
    def task() -> str:
        return connection.schema_name

    connection.set_schema_to_public()
    assert task.apply(headers={"_schema_name": "acme"}).get() == "acme"
    with pytest.raises(RuntimeError, match="needs a tenant"):
        task.apply(headers={"_schema_name": "public"}, throw=True)


def test_beat_sends_nothing_without_a_tenant(schedule, monkeypatch):
    sent = []
    scheduler = TenantDatabaseScheduler.__new__(TenantDatabaseScheduler)
    monkeypatch.setattr(
        scheduler, "apply_async", lambda entry, **_: sent.append(connection.schema_name) or SimpleNamespace(id="1")
    )
    for headers in ({}, {"_schema_name": "acme"}, {"_schema_name": "nobody"}):
        scheduler.apply_entry(SimpleNamespace(name="n", task="t", options={"headers": headers}))
    assert sent == ["acme"]


def test_beat_rests_for_a_suspended_tenant(schedule, birch):
    with inside(birch):
        birch.status = "suspended"
        birch.save()
    assert set(TenantDatabaseScheduler.get_queryset().values_list("schema_name", flat=True)) == {"acme", "public"}
