"""Attempts of jobs in the test's own process: one that ends, and some that are lost at the worst moments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from jobs.core.registry import handler_for
from jobs.models import Job


class Context:
    """A job's context without the engine: publishes in a plain transaction, and keeps what it was told."""

    def __init__(self, job: Job) -> None:
        self.tenant_schema, self.job_id, self.attempt, self.token = "acme", job.pk, 1, 1
        self.params, self.brand_id, self.actor_id = job.params, job.brand_id, job.actor_id
        self.lines: list[str] = []
        self.told: list[tuple[str, int, int | None]] = []

    def progress(self, stage: str, done: int, total: int | None = None, unit: str = "rows") -> None:
        self.told.append((stage, done, total))

    def log(self, level: str, message: str, **fields: Any) -> None:
        self.lines.append(f"{level}: {message}")

    def raise_if_cancelled(self) -> None: ...

    @contextmanager
    def publish(self, *, result: Any = None) -> Iterator[None]:
        with transaction.atomic():
            yield


class Killed(BaseException):
    """As SIGKILL: nothing catches it."""


class LostBefore(Context):
    """The process is gone when all was written and nothing committed."""

    @contextmanager
    def publish(self, *, result: Any = None) -> Iterator[None]:
        with transaction.atomic():
            yield
            raise Killed


class LostAfter(Context):
    """The process is gone when all was committed and nobody told."""

    @contextmanager
    def publish(self, *, result: Any = None) -> Iterator[None]:
        with transaction.atomic():
            yield
        raise Killed


#: A test under both.
moments = pytest.mark.parametrize("lost", [LostBefore, LostAfter])


def lose(job: Job, lost: type[Context]) -> None:
    """Run a job by an attempt that is lost."""
    with pytest.raises(Killed):
        handler_for(job.kind).run(lost(job))


def work_off(job: Job) -> tuple[Any, Context]:
    """Run a job as a worker would; what it returned, and its context."""
    context = Context(job)
    outcome = handler_for(job.kind).run(context)
    Job.objects.filter(pk=job.pk).update(state="succeeded", finished_at=timezone.now(), result=outcome)
    return outcome, context
