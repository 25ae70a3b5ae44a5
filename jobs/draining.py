"""Running what waits in this process, one after the other: for commands and tests, where no worker is."""

from __future__ import annotations

import os
import socket
from uuid import UUID

from django.conf import settings

from jobs.attempts import begin_attempt
from jobs.core.registry import handlers
from jobs.execution import AskedInDatabase, execute
from jobs.reaper import reap


def run_queued_jobs(*, tenant: str | None = None, job_id: UUID | None = None, limit: int | None = None) -> int:
    """Run waiting jobs until none is left, without child processes, memory limits or Celery; how many attempts ran.

    Nothing renews a lease here, so it is given for the longest that any handler may take.

    Args:
        tenant, job_id: only jobs of that tenant (its schema name), or only that job.
        limit: stop after as many attempts.
    """
    reap_lost = tenant is None and job_id is None
    if reap_lost:
        reap()
    done = 0
    while limit is None or done < limit:
        claim = begin_attempt(
            queues=settings.JOB_QUEUES,
            lease_seconds=_longest_lease(),
            worker=f"{socket.gethostname()}:{os.getpid()} inline",
            tenant=tenant,
            job_id=job_id,
        )
        if claim is None:
            break
        execute(claim=claim, cancelled=AskedInDatabase(claim))
        done += 1
    return done


def _longest_lease() -> float:
    return max([handler.timeout_seconds for handler in handlers()], default=3600) + settings.JOB_LEASE_SECONDS
