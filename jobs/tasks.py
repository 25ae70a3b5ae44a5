"""What Celery knows: that a queue has something to run, and that a schedule is due."""

from __future__ import annotations

import os
import socket
from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from django.conf import settings

from jobs import attempts, services, supervisor
from jobs.schedule_rows import SUBMIT_SCHEDULED
from jobs.wake import RUN_NEXT, wake_for_claimable
from tenants.selectors import current_schema

log = structlog.get_logger(__name__)


@shared_task(name=RUN_NEXT, serves_no_tenant=True)  # type: ignore[untyped-decorator]
def run_next(queue: str) -> None:
    """Run the fairest job of a queue, then pass the word on: what ran may have kept others of its tenant waiting."""
    if supervisor.stopping.is_set():
        return
    claim = attempts.begin_attempt(
        queues=[queue], lease_seconds=settings.JOB_LEASE_SECONDS, worker=f"{socket.gethostname()}:{os.getpid()}"
    )
    if claim is None:
        return
    with structlog.contextvars.bound_contextvars(tenant=claim.tenant_schema, job_id=str(claim.job_id)):
        supervisor.supervise(claim=claim)
    wake_for_claimable()


@shared_task(name=SUBMIT_SCHEDULED)  # type: ignore[untyped-decorator]
def submit_scheduled(*, tenant: str, schedule: str, **_: Any) -> None:
    """Submit the job of a due schedule, in the tenant that both the message's header and its payload name.

    Raises:
        RuntimeError: they name different ones, or none is active.
    """
    if current_schema() != tenant:
        raise RuntimeError(f"a schedule of {tenant!r} arrived in {current_schema()!r}")
    with structlog.contextvars.bound_contextvars(tenant=tenant):
        job = services.submit_scheduled_job(schedule_id=UUID(schedule))
        log.info("schedule_submitted", schedule=schedule, job_id=str(job.pk))
