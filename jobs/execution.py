"""Running a handler in this process and writing down how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from django_tenants.utils import tenant_context

from jobs import attempts
from jobs.context import RunningJob
from jobs.core.registry import JobCancelled, LostLease, handler_for
from jobs.core.states import State
from jobs.dispatch import leases
from jobs.dispatch.leases import Claim
from jobs.models import Job
from jobs.staging import remove_staging
from tenants.core.problems import Problem
from tenants.models import Tenant

log = structlog.get_logger(__name__)


def execute(*, claim: Claim, cancelled: Callable[[], bool]) -> State | None:
    """Run the handler of a claimed job, with its tenant active.

    Returns:
        How the job stands afterwards; None if the attempt was superseded and nothing was written.
    """
    tenant = Tenant.objects.get(schema_name=claim.tenant_schema)
    names = {"tenant": claim.tenant_schema, "job_id": str(claim.job_id), "job_kind": claim.kind}
    with tenant_context(tenant), structlog.contextvars.bound_contextvars(**names):
        job = Job.objects.get(pk=claim.job_id)
        remove_staging(job_id=claim.job_id, token=claim.token - 1)
        context = RunningJob(claim=claim, job=job, cancelled=cancelled)
        try:
            return _run(claim, context)
        except LostLease as lost:
            log.warning("attempt_superseded", detail=str(lost))
            return None
        finally:
            remove_staging(job_id=claim.job_id, token=claim.token)


def _run(claim: Claim, context: RunningJob) -> State:
    try:
        result = handler_for(claim.kind).run(context)
        if not context.has_ended:
            context.write_progress()
            attempts.succeed(claim=claim, result=result)
    except LostLease:
        raise
    except JobCancelled:
        attempts.cancel(claim=claim)
        return State.CANCELLED
    except Problem as problem:
        attempts.fail(claim=claim, problem=problem)
        return State.FAILED
    except Exception as error:
        if context.has_ended:
            # What it published stands, and so does its success; what it did afterwards has to be found in the logs.
            log.exception("error_after_success")
            return State.SUCCEEDED
        log.exception("attempt_crashed")
        # The message and the trace may quote paths, queries or credentials: the worker's log and the operators' table
        # have them, the tenant is told what kind of error it was.
        reason = f"an error in the program ({type(error).__name__})"
        return attempts.crash(claim=claim, reason=reason, detail=f"{type(error).__name__}: {error}")
    return State.SUCCEEDED


class AskedInDatabase:
    """Whether a job is to be cancelled, for a process that has nobody to tell it: it looks once a second."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._looked = float("-inf")
        self._asked = False

    def __call__(self) -> bool:
        now = time.monotonic()
        if not self._asked and now - self._looked >= 1.0:
            self._looked = now
            self._asked = leases.cancel_requested(job_id=self._claim.job_id, token=self._claim.token)
        return self._asked
