"""Whose job is next."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.core.permissions import Role
from jobs import attempts
from jobs.dispatch.leases import Claim
from jobs.dispatch.models import Dispatch
from jobs.models import Job
from jobs.services import submit_job
from tenants.models import Tenant
from tests import factories
from tests.conftest import inside


def claim(**limits) -> Claim | None:
    return attempts.begin_attempt(queues=["default"], lease_seconds=60, worker="here", **limits)


@pytest.fixture
def crowd(acme: Tenant, birch: Tenant) -> dict[str, list[Job]]:
    """Five jobs of acme, then two of birch."""
    jobs = {}
    for tenant, number in ((acme, 5), (birch, 2)):
        with inside(tenant):
            owner = factories.person("owner", Role.OWNER)
            jobs[tenant.slug] = [submit_job(kind="test.count", params={}, actor=owner) for _ in range(number)]
    return jobs


def test_fewest_running_first_then_longest_unserved(crowd):
    order = [claim().tenant_schema for _ in range(6)]
    assert order == ["acme", "birch", "acme", "birch", "acme", "acme"]


def test_limit_of_running_jobs(crowd):
    Tenant.objects.filter(schema_name="acme").update(max_running_jobs=1)
    taken = [claim() for _ in range(4)]
    assert [got.tenant_schema if got else None for got in taken] == ["acme", "birch", "birch", None]
    attempts.cancel(claim=taken[0])
    assert claim().tenant_schema == "acme"


def test_suspended_tenant_waits(crowd):
    Tenant.objects.filter(schema_name="acme").update(status="suspended")
    assert [claim().tenant_schema for _ in range(2)] == ["birch", "birch"]
    assert claim() is None


def test_oldest_first_unless_priority_says_otherwise(acme, alice):
    first, second = (submit_job(kind="test.count", params={}, actor=alice) for _ in range(2))
    urgent = submit_job(kind="test.count", params={}, actor=alice, priority=5)
    assert [claim().job_id for _ in range(3)] == [urgent.pk, first.pk, second.pk]


def test_other_queues_are_left_alone(acme, alice):
    submit_job(kind="test.solve", params={}, actor=alice)
    assert claim() is None


def test_only_the_named_tenant_or_job(crowd):
    assert claim(tenant="birch").tenant_schema == "birch"
    wanted = crowd["acme"][3].pk
    assert claim(job_id=wanted).job_id == wanted


def test_a_broken_schema_keeps_nobody_elses_lost_jobs_from_ending(crowd):
    taken = [claim() for _ in range(2)]
    assert [got.tenant_schema for got in taken] == ["acme", "birch"]
    Dispatch.objects.filter(state="running").update(lease_until="2000-01-01T00:00Z")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE acme.jobs_job RENAME TO jobs_job_of_an_older_release")
    assert attempts.lose_expired() == [(taken[1].job_id, "queued")]
    assert Dispatch.objects.get(state="running").job_id == taken[0].job_id
