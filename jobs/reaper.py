"""Putting right what was lost: leases nobody renews, messages that never arrived."""

from __future__ import annotations

import threading

import structlog
from django.conf import settings
from django.db import Error, close_old_connections

from jobs import attempts
from jobs.core.states import State
from jobs.dispatch import leases
from jobs.wake import wake_workers

log = structlog.get_logger(__name__)

# A flood of messages helps nobody: each worker that finds a job passes the word on when it is through.
_MOST_MESSAGES = 8


def reap() -> dict[str, int]:
    """One round over all tenants; how many jobs were requeued, given up (dead), and told of again.

    Any number of processes may call it at once: leases are looked after by one at a time.
    """
    lost = [state for _, state in attempts.lose_expired()]
    told = 0
    for queue, job_ids in leases.stale(age_seconds=settings.JOB_RESEND_SECONDS).items():
        messages = min(len(job_ids), _MOST_MESSAGES)
        sent = sum(wake_workers(queue=queue) for _ in range(messages))
        if sent:
            leases.mark_sent(job_ids=job_ids)
            told += len(job_ids)
    return {"requeued": lost.count(State.QUEUED), "dead": lost.count(State.DEAD), "told": told}


class Reaper(threading.Thread):
    """Reaps every few seconds for as long as a worker lives.

    A thread of every worker rather than a task of its own: a task would wait for a free slot behind the very jobs whose
    neighbours it has to look after, and would need the broker, whose losses it is there to make good.
    """

    def __init__(self) -> None:
        super().__init__(name="reaper", daemon=True)
        self._stop_asked = threading.Event()

    def run(self) -> None:
        while not self._stop_asked.wait(settings.JOB_REAP_SECONDS):
            try:
                close_old_connections()
                done = reap()
            except Error as error:
                log.warning("reaping_failed", error=str(error))
                continue
            finally:
                close_old_connections()
            if any(done.values()):
                log.info("reaped", **done)

    def stop(self) -> None:
        """End after the present round."""
        self._stop_asked.set()
