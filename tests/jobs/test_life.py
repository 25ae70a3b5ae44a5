"""The life of a job, run in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accounts.core.permissions import Role
from accounts.models import User
from jobs import attempts, services
from jobs.core.registry import LostLease
from jobs.core.states import State
from jobs.dispatch import leases
from jobs.dispatch.models import Dispatch, Tally
from jobs.draining import run_queued_jobs
from jobs.models import Job, JobLog
from tenants.core.problems import Conflict, InvalidInput, NotAllowed, NotFound, QuotaExceeded
from tenants.models import Tenant
from tests import factories
from tests.conftest import inside

pytestmark = pytest.mark.usefixtures("storage")


def begin(**limits: Any) -> leases.Claim:
    claim = attempts.begin_attempt(queues=["default"], lease_seconds=60, worker="here", **limits)
    assert claim is not None
    return claim


def test_succeeds_with_result_and_progress(submit, tmp_path: Path):
    job = submit("count", to=3, out=str(tmp_path / "out"))
    assert job.state == State.QUEUED
    assert run_queued_jobs() == 1
    job.refresh_from_db()
    assert (job.state, job.result, job.attempt) == (State.SUCCEEDED, {"counted": 3, "attempt": 1}, 1)
    assert job.finished_at >= job.started_at >= job.created_at
    [stage] = job.progress.stages
    assert (stage["name"], stage["done"], stage["total"], stage["status"]) == ("count", 3, 3, "done")
    assert not Dispatch.objects.filter(job_id=job.pk).exists()
    assert Tally.objects.get(tenant__schema_name="acme", state="succeeded").jobs == 1


def test_problem_fails_without_a_second_try(submit):
    job = submit("refuse")
    assert run_queued_jobs() == 1
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert (job.problem["where"], job.problem["fix"]) == ("line 1", "Export the report with Spend.")


def test_crashes_three_times_then_dead(submit):
    job = submit("crash")
    assert run_queued_jobs() == 3
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.DEAD, 3)
    assert "an error in the program (ValueError)" in job.problem["detail"]
    letter = Dispatch.objects.get(job_id=job.pk)
    assert (letter.state, letter.reason) == ("dead", "ValueError: a mistake in the code")
    # Operators read the error itself; the tenant's log quotes nothing of it.
    told = "".join(JobLog.objects.filter(job=job).values_list("message", flat=True))
    assert "a mistake in the code" not in told + str(job.problem)
    assert told.count("(ValueError)") == 3


def test_dead_can_be_retried_with_all_attempts(submit, alice: User):
    job = submit("crash")
    run_queued_jobs()
    job = services.retry_job(job_id=job.pk, actor=alice)
    assert (job.state, job.attempt, job.problem) == (State.QUEUED, 0, None)
    assert run_queued_jobs() == 3


def test_succeeded_cannot_be_retried(submit, alice: User):
    job = submit("count")
    run_queued_jobs()
    with pytest.raises(Conflict):
        services.retry_job(job_id=job.pk, actor=alice)


def test_waiting_is_cancelled_at_once(submit, alice: User):
    job = services.cancel_job(job_id=submit("count").pk, actor=alice)
    assert job.state == State.CANCELLED
    assert run_queued_jobs() == 0
    with pytest.raises(Conflict):
        services.cancel_job(job_id=job.pk, actor=alice)


def test_running_is_asked_to_stop(submit, alice: User):
    job = submit("count")
    claim = begin()
    job = services.cancel_job(job_id=job.pk, actor=alice)
    assert job.state == State.RUNNING
    assert leases.cancel_requested(job_id=job.pk, token=claim.token)
    attempts.cancel(claim=claim)
    job.refresh_from_db()
    assert job.state == State.CANCELLED


def test_lost_while_cancelling_is_cancelled(submit, alice: User):
    job = submit("count")
    claim = begin()
    services.cancel_job(job_id=job.pk, actor=alice)
    assert attempts.crash(claim=claim, reason="killed") == State.CANCELLED
    assert not Dispatch.objects.filter(job_id=job.pk).exists()


def test_given_back_does_not_count(submit):
    job = submit("count")
    attempts.give_back(claim=begin())
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.QUEUED, 0)
    assert begin().attempt == 1


def test_tokens_only_grow(submit, alice: User):
    job = submit("crash")
    first = begin()
    attempts.cancel(claim=first)
    services.retry_job(job_id=job.pk, actor=alice)
    assert begin().token > first.token


def test_superseded_attempt_changes_nothing(submit):
    job = submit("count")
    old = begin()
    attempts.crash(claim=old, reason="taken for lost")
    new = begin()
    for ending in (
        lambda: attempts.succeed(claim=old, result={}),
        lambda: attempts.crash(claim=old, reason="late"),
        lambda: attempts.give_back(claim=old),
    ):
        with pytest.raises(LostLease):
            ending()
    assert not leases.renew(job_id=job.pk, token=old.token, lease_seconds=60)
    job.refresh_from_db()
    assert (job.state, job.token) == (State.RUNNING, new.token)


def test_staging_is_gone_afterwards(submit, storage: Path):
    for fail in (False, True):
        job = submit("stage", fail=fail)
        run_queued_jobs()
        path = Path(JobLog.objects.get(job=job, message="staged").fields["path"])
        assert storage / "tenants" / "acme" in path.parents
        assert not path.parent.exists()


def test_log_is_capped(submit, settings):
    settings.JOB_LOG_LINES = 4
    job = submit("stage")
    for n in range(3):
        JobLog.objects.create(job=job, level="info", message=str(n))
    run_queued_jobs()
    messages = list(JobLog.objects.filter(job=job).values_list("message", flat=True))
    assert "staged" not in messages


def test_unknown_kind_and_params_that_are_not_json(alice: User):
    with pytest.raises(InvalidInput, match="no kind of job"):
        services.submit_job(kind="test.nothing", params={}, actor=alice)
    with pytest.raises(InvalidInput, match="not JSON"):
        services.submit_job(kind="test.count", params={"to": float("nan")}, actor=alice)


def test_same_key_same_job_other_body_conflict(alice: User):
    def ask(**params: Any) -> Job:
        return services.submit_job(kind="test.count", params=params, actor=alice, idempotency_key="k1")

    assert ask(to=1).pk == ask(to=1).pk
    assert Dispatch.objects.count() == 1
    with pytest.raises(Conflict):
        ask(to=2)


def test_quota_counts_what_is_not_finished(submit, alice: User):
    Tenant.objects.filter(schema_name="acme").update(max_waiting_jobs=2)
    alice_tenant = Tenant.objects.get(schema_name="acme")
    with inside(alice_tenant):
        submit("count")
        submit("count")
        with pytest.raises(QuotaExceeded):
            submit("count")
        run_queued_jobs(limit=1)
        submit("count")


def test_permission_of_the_kind_is_needed(acme):
    viewer = factories.person("vera", Role.VIEWER)
    with pytest.raises(NotAllowed):
        services.submit_job(kind="test.count", params={}, actor=viewer)
    assert not Job.objects.exists()


def test_jobs_of_other_brands_do_not_exist(alice: User):
    mine, other = factories.BrandFactory(), factories.BrandFactory()
    engineer = factories.person("erin", Role.DATA_ENGINEER, brand=mine)
    seen = services.submit_job(kind="test.count", params={}, actor=engineer, brand=mine)
    unseen = services.submit_job(kind="test.count", params={}, actor=alice, brand=other)
    whole = services.submit_job(kind="test.count", params={}, actor=alice)
    assert services.cancel_job(job_id=seen.pk, actor=engineer).state == State.CANCELLED
    for job in (unseen, whole):
        for act in (services.cancel_job, services.retry_job):
            with pytest.raises(NotFound):
                act(job_id=job.pk, actor=engineer)
        job.refresh_from_db()
        assert job.state == State.QUEUED
    with pytest.raises(NotFound):
        services.submit_job(kind="test.count", params={}, actor=engineer, brand=other)
