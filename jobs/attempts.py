"""The beginning and the end of an attempt, in the tenant's schema and in the dispatch table at once.

Everything that ends an attempt first locks its dispatch row by fencing token. An attempt that was superseded gets
`LostLease` here and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction
from django.db.models.functions import Now
from django_tenants.utils import schema_context

from jobs.core.progress import ended
from jobs.core.registry import Level, handler_for
from jobs.core.states import State
from jobs.dispatch import leases
from jobs.dispatch.leases import Claim
from jobs.dispatch.models import Dispatch
from jobs.models import Job, JobLog, JobProgress
from tenants.core.problems import InvalidInput, Problem
from tenants.selectors import current_schema

log = structlog.get_logger(__name__)


def begin_attempt(
    *, queues: Sequence[str], lease_seconds: float, worker: str, tenant: str | None = None, job_id: UUID | None = None
) -> Claim | None:
    """Claim the fairest job of `queues` and mark it running; None if nothing may run now."""
    while True:
        with transaction.atomic():
            claim = leases.claim(
                queues=queues, lease_seconds=lease_seconds, worker=worker, tenant=tenant, job_id=job_id
            )
            if claim is None or _mark_running(claim, worker):
                return claim
            # The tenant's own row is gone (removed by hand): nothing is left to do for it.
            log.warning("dispatch_without_job", tenant=claim.tenant_schema, job_id=str(claim.job_id))
            Dispatch.objects.filter(job_id=claim.job_id).delete()


def succeed(*, claim: Claim, result: Mapping[str, Any] | None) -> None:
    """The handler returned."""
    with _ending(claim) as held:
        _finish(held, State.SUCCEEDED, result=dict(result or {}))
        _add_log(claim, "info", "succeeded")


def fail(*, claim: Claim, problem: Problem) -> None:
    """The handler found something that a person has to change; trying again would find the same."""
    with _ending(claim) as held:
        _finish(held, State.FAILED, problem=problem.as_dict())
        _add_log(claim, "error", str(problem))


def cancel(*, claim: Claim) -> None:
    """The attempt stopped because a person asked for it."""
    with _ending(claim) as held:
        _finish(held, State.CANCELLED)
        _add_log(claim, "info", "cancelled")


def crash(*, claim: Claim, reason: str, detail: str = "") -> State:
    """The attempt was lost. The job waits again, or is dead when that was the last attempt.

    Args:
        reason: for people of the tenant.
        detail: for operators, who find it in the dispatch table: it may quote what is not the tenant's business.

    Returns:
        queued, dead, or cancelled where somebody had asked for that meanwhile.
    """
    with _ending(claim) as held:
        _add_log(claim, "error", f"attempt {held.attempts} of {held.max_attempts} was lost: {reason}")
        if held.cancel_requested:
            _finish(held, State.CANCELLED)
            return State.CANCELLED
        if held.attempts < held.max_attempts:
            _requeue(held, reason=detail or reason)
            return State.QUEUED
        _finish(held, State.DEAD, problem=_dead(held.attempts, reason), reason=detail or reason)
        return State.DEAD


def give_back(*, claim: Claim) -> None:
    """The worker stops before the attempt could end: it waits for another one, and this attempt does not count."""
    with _ending(claim) as held:
        held.attempts -= 1
        _requeue(held, reason=held.reason)
        _add_log(claim, "info", "the worker stopped; another one begins anew")


def lose_expired() -> list[tuple[UUID, State]]:
    """End the attempts whose workers stopped renewing their leases; what became of each job."""
    ended_jobs = []
    with transaction.atomic():
        if not leases.try_reaping():
            return []
        for row in list(leases.expired()):
            claim = Claim(
                job_id=row.job_id,
                tenant_schema=row.tenant.slug,
                kind=row.kind,
                queue=row.queue,
                token=row.token or 0,
                attempt=row.attempts,
                max_attempts=row.max_attempts,
            )
            reason = f"its worker ({row.worker}) vanished: it stopped renewing its lease"
            try:
                ended_jobs.append((row.job_id, crash(claim=claim, reason=reason)))
            except DatabaseError:
                # A tenant whose schema is not as it should be keeps its own jobs from ending, and nobody else's.
                log.exception("lost_attempt_not_ended", tenant=claim.tenant_schema, job_id=str(claim.job_id))
    return ended_jobs


def tell_abandoned(*, kind: str, job_id: UUID, problem: Mapping[str, Any] | None) -> None:
    """Let the app of a job that ended without success tidy its own rows; a mistake there keeps no job from ending."""
    try:
        abandoned = handler_for(kind).abandoned
    except InvalidInput:
        return  # there is no such kind any more
    if abandoned is None:
        return
    try:
        with transaction.atomic():
            abandoned(job_id, problem)
    except Exception:
        log.exception("abandoned_job_not_tidied", tenant=current_schema(), job_id=str(job_id), kind=kind)


def _mark_running(claim: Claim, worker: str) -> bool:
    with schema_context(claim.tenant_schema):
        found = Job.objects.filter(pk=claim.job_id).update(
            state=State.RUNNING,
            attempt=claim.attempt,
            token=claim.token,
            started_at=Now(),
            finished_at=None,
            problem=None,
        )
        if not found:
            return False
        fresh = {"token": claim.token, "stages": [], "samples": [], "rate": None, "eta_seconds": None}
        JobProgress.objects.update_or_create(job_id=claim.job_id, defaults={**fresh, "updated_at": Now()})
        _add_log(claim, "info", f"attempt {claim.attempt} of {claim.max_attempts} begins", worker=worker)
    return True


@contextmanager
def _ending(claim: Claim) -> Any:
    with transaction.atomic(), schema_context(claim.tenant_schema):
        yield leases.hold(job_id=claim.job_id, token=claim.token)


def _finish(
    held: Dispatch,
    state: State,
    *,
    result: dict[str, Any] | None = None,
    problem: dict[str, Any] | None = None,
    reason: str = "",
) -> None:
    job_id = held.job_id  # it is the row's key too, which deleting takes from the object
    Job.objects.filter(pk=job_id).update(
        state=state, attempt=held.attempts, result=result, problem=problem, finished_at=Now()
    )
    _close_stages(job_id, "done" if state is State.SUCCEEDED else "stopped")
    if state is not State.SUCCEEDED:
        tell_abandoned(kind=held.kind, job_id=job_id, problem=problem)
    leases.count_ending(tenant_id=held.tenant_id, queue=held.queue, state=state)
    if state is State.DEAD:
        held.state, held.lease_until, held.reason = Dispatch.State.DEAD, None, reason
        held.save(update_fields=["state", "lease_until", "reason"])
    else:
        held.delete()
    log.info("job_ended", tenant=current_schema(), job_id=str(job_id), kind=held.kind, state=state.value)


def _requeue(held: Dispatch, *, reason: str) -> None:
    held.state, held.lease_until, held.sent_at, held.reason = Dispatch.State.WAITING, None, None, reason
    held.worker = ""
    held.save(update_fields=["state", "lease_until", "sent_at", "reason", "attempts", "worker"])
    Job.objects.filter(pk=held.job_id).update(state=State.QUEUED, attempt=held.attempts)
    _close_stages(held.job_id, "stopped")
    log.warning("job_requeued", tenant=current_schema(), job_id=str(held.job_id), kind=held.kind, reason=reason)


def _close_stages(job_id: UUID, status: str) -> None:
    progress = JobProgress.objects.filter(job_id=job_id).first()
    if progress is not None:
        progress.stages, progress.eta_seconds = ended(progress.stages, status), None
        progress.save(update_fields=["stages", "eta_seconds"])


def _add_log(claim: Claim, level: Level, message: str, **fields: Any) -> None:
    JobLog.objects.create(job_id=claim.job_id, attempt=claim.attempt, level=level, message=message, fields=fields)


def _dead(attempts: int, reason: str) -> dict[str, Any]:
    return {
        "code": "job-dead",
        "title": "The job was given up",
        "detail": f"{attempts} attempts were lost; the last one: {reason}",
        "fix": "Read the log for what the attempts have in common, put it right, then retry the job.",
    }
