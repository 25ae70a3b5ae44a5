"""What a handler is given: the implementation of `jobs.core.registry.JobContext`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from jobs import attempts
from jobs.core.progress import Progress
from jobs.core.registry import JobCancelled, Level
from jobs.dispatch import leases
from jobs.dispatch.leases import Claim
from jobs.models import Job, JobLog, JobProgress
from jobs.staging import staging_folder

# Seconds between two writes of progress: nobody reads faster, and each is a row version.
_WRITE_EVERY = 0.5


class RunningJob:
    """One attempt, in the process that runs its handler.

    Args:
        cancelled: asked by `raise_if_cancelled`; has to be cheap.
    """

    def __init__(self, *, claim: Claim, job: Job, cancelled: Callable[[], bool]) -> None:
        self.tenant_schema = claim.tenant_schema
        self.job_id: UUID = claim.job_id
        self.attempt = claim.attempt
        self.token = claim.token
        self.params: dict[str, Any] = job.params
        self.brand_id: UUID | None = job.brand_id
        self.actor_id: UUID | None = job.actor_id
        self.has_ended = False
        self._claim = claim
        self._cancelled = cancelled
        self._began = time.monotonic()
        self._written = float("-inf")
        self._progress = Progress()
        self._lines = JobLog.objects.filter(job_id=job.pk).count()

    @cached_property
    def staging(self) -> Path:
        folder = staging_folder(job_id=self.job_id, token=self.token)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def progress(self, stage: str, done: int, total: int | None = None, unit: str = "rows") -> None:
        now = time.monotonic() - self._began
        turned = self._progress.report(stage, done, total, unit, now)
        if turned or now - self._written >= _WRITE_EVERY:
            self._written = now
            self._progress.sample(now)
            self.write_progress()

    def write_progress(self) -> None:
        """Write what was reported so far; an attempt that was superseded writes nothing."""
        JobProgress.objects.filter(job_id=self.job_id, token=self.token).update(
            stages=[stage.as_dict() for stage in self._progress.stages],
            samples=self._progress.samples,
            rate=self._progress.rate,
            eta_seconds=self._progress.eta_seconds,
            updated_at=Now(),
        )

    def log(self, level: Level, message: str, **fields: Any) -> None:
        self._lines += 1
        if self._lines > settings.JOB_LOG_LINES:
            return
        if self._lines == settings.JOB_LOG_LINES:
            level, message, fields = "warning", f"the log is full at {self._lines} lines; the job goes on", {}
        JobLog.objects.create(job_id=self.job_id, attempt=self.attempt, level=level, message=message, fields=fields)

    def raise_if_cancelled(self) -> None:
        if self._cancelled():
            raise JobCancelled

    @contextmanager
    def publish(self, *, result: Mapping[str, Any] | None = None) -> Iterator[None]:
        with transaction.atomic(durable=True):
            leases.hold(job_id=self.job_id, token=self.token)
            yield
            if result is not None:
                self.write_progress()
                attempts.succeed(claim=self._claim, result=result)
        self.has_ended = self.has_ended or result is not None
