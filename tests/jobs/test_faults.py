"""What is lost, killed or doubled, with real workers: a job still runs, and publishes once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
import redis
from django.db import connection, transaction
from django_celery_beat.models import PeriodicTask

from jobs import attempts, services
from jobs.core.schedules import Timing
from jobs.core.states import State
from jobs.dispatch import leases
from jobs.dispatch.models import Dispatch
from jobs.models import Job, JobLog
from tests.jobs.workers import GRACE, LEASE, Site, running_site, until

pytestmark = pytest.mark.processes
MESSAGES = "rmn:celery:default"


@pytest.fixture
def site(real_database: str, tmp_path: Path) -> Iterator[Site]:
    with running_site(real_database, tmp_path) as running:
        yield running


def begun(job: Job) -> bool:
    return job.state == State.RUNNING and bool(job.progress.stages)


def test_killed_worker(site: Site):
    first = site.start_worker()
    job = site.job_after(site.submit("count", to=30, step=0.1), begun)
    [child] = site.children()
    first.kill()
    first.wait()
    psutil.wait_procs([child], timeout=5)
    assert not child.is_running()
    site.start_worker()
    job = site.ended(job, seconds=LEASE * 5)
    assert (job.state, job.attempt) == (State.SUCCEEDED, 2)
    assert len(site.lines("published 2")) == len(site.lines("published")) == 1
    assert JobLog.objects.filter(job=job, message__contains="vanished").exists()


def test_killed_child(site: Site):
    site.start_worker()
    job = site.ended(site.submit("die", until=2))
    assert (job.state, job.result) == (State.SUCCEEDED, {"attempt": 2})
    assert JobLog.objects.filter(job=job, message__contains="SIGKILL").count() == 1


def test_always_killed_is_dead_after_three(site: Site):
    site.start_worker()
    job = site.ended(site.submit("die"))
    assert (job.state, job.attempt) == (State.DEAD, 3)
    assert "SIGKILL" in job.problem["detail"]
    assert len(site.lines("began")) == 3
    assert Dispatch.objects.get(job_id=job.pk).reason in job.problem["detail"]


def test_memory_is_limited(site: Site):
    site.start_worker()
    job = site.ended(site.submit("hog"), seconds=60)
    assert job.state == State.DEAD
    assert "more than 300 MiB" in job.problem["detail"]


def test_time_is_limited(site: Site):
    site.start_worker()
    job = site.ended(site.submit("slow"), seconds=60)
    assert job.state == State.DEAD
    assert "longer than 1 s" in job.problem["detail"]


def test_flushed_valkey(site: Site):
    job = site.submit("count")
    broker = redis.Redis(unix_socket_path=str(site.valkey.socket))
    assert broker.llen(MESSAGES) == 1
    broker.flushall()
    site.start_worker()
    assert site.ended(job).state == State.SUCCEEDED
    assert len(site.lines("published")) == 1


def test_valkey_down_at_submit(site: Site):
    site.valkey.stop()
    started = time.monotonic()
    job = site.submit("count")
    assert time.monotonic() - started < 3
    assert Dispatch.objects.get(job_id=job.pk).sent_at is None
    site.valkey.start()
    site.start_worker()
    assert site.ended(job).state == State.SUCCEEDED


def test_same_request_twice_at_once(site: Site):
    site.start_worker()
    alice = site.alice()
    tenant = connection.tenant

    def ask(_: int) -> Job:
        connection.set_tenant(tenant)
        try:
            return services.submit_job(
                kind="test.count", params={"out": str(site.out)}, actor=alice, idempotency_key="once"
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as people:
        jobs = list(people.map(ask, range(6)))
    assert len({job.pk for job in jobs}) == 1
    site.ended(jobs[0])
    assert Job.objects.count() == len(site.lines("published")) == 1


def test_sigterm_lets_a_short_job_finish(site: Site):
    worker = site.start_worker()
    job = site.job_after(site.submit("count", to=10, step=0.1), begun)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=GRACE + 10) == 0
    job = site.ended(job, seconds=1)
    assert (job.state, job.attempt) == (State.SUCCEEDED, 1)


@pytest.mark.parametrize(("pool", "queues"), [("threads", "default,harmonize,solve"), ("solo", "default")])
def test_sigterm_gives_a_long_job_back(site: Site, pool: str, queues: str):
    worker = site.start_worker(pool=pool, queues=queues)
    job = site.submit("deaf", seconds=60)
    until(lambda: site.lines("began"), what="the job to begin")
    [child] = site.children()
    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=GRACE + 10)
    assert not child.is_running()
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.QUEUED, 0)
    assert Dispatch.objects.get(job_id=job.pk).state == "waiting"


def test_lost_lease_cannot_publish(site: Site):
    site.start_worker()
    job = site.job_after(site.submit("count", to=15, step=0.1), begun)
    # As if the lease had run out and another worker, elsewhere, had begun anew.
    Dispatch.objects.filter(job_id=job.pk).update(token=job.token + 1_000, lease_until="2100-01-01T00:00Z")
    until(lambda: not site.children(), what="the superseded child to be gone")
    time.sleep(0.5)
    assert not site.lines("published")
    job.refresh_from_db()
    assert job.state == State.RUNNING


def test_watching_goes_on_while_a_job_publishes(site: Site):
    job = site.submit("count")
    claim = attempts.begin_attempt(queues=["default"], lease_seconds=1, worker="here")
    assert claim is not None
    held, over = threading.Event(), threading.Event()

    def publish() -> None:
        with transaction.atomic():
            leases.hold(job_id=claim.job_id, token=claim.token)
            held.set()
            over.wait(20)
        connection.close()

    publisher = threading.Thread(target=publish)
    publisher.start()
    try:
        assert held.wait(10)
        asked = time.monotonic()
        assert leases.renew(job_id=job.pk, token=claim.token, lease_seconds=60)
        assert time.monotonic() - asked < 5
    finally:
        over.set()
        publisher.join()
    assert leases.renew(job_id=job.pk, token=claim.token, lease_seconds=60)
    assert Dispatch.objects.get(job_id=job.pk).lease_until > job.created_at + timedelta(seconds=30)
    assert not leases.renew(job_id=job.pk, token=claim.token - 1, lease_seconds=60)


def test_cancel_while_running(site: Site):
    site.start_worker()
    job = site.job_after(site.submit("count", to=300, step=0.1), begun)
    services.cancel_job(job_id=job.pk, actor=site.alice())
    assert site.ended(job).state == State.CANCELLED
    assert not site.lines("published")


def test_cancel_kills_who_does_not_listen(site: Site):
    site.start_worker()
    job = site.submit("deaf", seconds=120)
    until(lambda: site.lines("began"), what="the job to begin")
    services.cancel_job(job_id=job.pk, actor=site.alice())
    assert site.ended(job, seconds=GRACE + 10).state == State.CANCELLED
    assert not site.children()


def test_one_message_is_enough_for_many_jobs(site: Site):
    jobs = [site.submit("count") for _ in range(4)]
    broker = redis.Redis(unix_socket_path=str(site.valkey.socket))
    assert broker.llen(MESSAGES) == 4
    broker.ltrim(MESSAGES, 0, 0)
    # So that the reaper has nothing to send again: each job has to tell of the next.
    Dispatch.objects.update(sent_at="2100-01-01T00:00Z")
    site.start_worker()
    for job in jobs:
        assert site.ended(job).state == State.SUCCEEDED
    assert len(site.lines("published")) == 4


def test_two_beats_make_one_job(site: Site):
    worker = site.start_worker()
    schedule = services.create_schedule(
        kind="test.count", params={"out": str(site.out)}, actor=site.alice(), timing=Timing(every_seconds=86_400)
    )
    for fired in (1, 2):
        # The second one does not know that the first has fired, as when both read the row at the same time.
        PeriodicTask.objects.filter(name=f"acme/{schedule.id}").update(last_run_at="2020-01-01T00:00Z")
        beat = site.start_beat()
        until(lambda: site.log_of(worker).count("schedule_submitted") >= fired, what="it to fire", seconds=60)  # noqa: B023
        beat.kill()
        beat.wait()
    site.ended(Job.objects.get())
    assert len(site.lines("published")) == 1
