"""What can be done with jobs and schedules: the one door to them for pages, API, commands and other apps."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.models import Brand, User
from accounts.services import require
from jobs import attempts, schedule_rows
from jobs.core.registry import handler_for
from jobs.core.schedules import Schedule, Timing
from jobs.core.states import State
from jobs.dispatch import leases
from jobs.dispatch.models import Dispatch
from jobs.models import Job, JobLog
from jobs.selectors import MANAGE_SCHEDULES, job_visible, schedule_visible, waiting_in_tenant
from jobs.staging import sweep_staging as sweep_staging  # its door for other apps
from jobs.wake import wake_workers
from tenants.core.ids import new_id
from tenants.core.problems import Conflict, InvalidInput, NotAllowed, QuotaExceeded, Unavailable
from tenants.models import Tenant
from tenants.selectors import current_tenant

CANCEL = "jobs.cancel"


def submit_job(
    *,
    kind: str,
    params: Mapping[str, Any],
    actor: User | None,
    brand: Brand | UUID | None = None,
    title: str | None = None,
    idempotency_key: str | None = None,
    subject: str = "",
    priority: int = 0,
) -> Job:
    """Accept a job: once this returns (and the caller's transaction commits) it will run, whatever else is down.

    Args:
        params: JSON-able; what the handler finds in `JobContext.params`.
        actor: who asks, with the permission of the kind's handler; None means the platform itself, which asks nobody.
        brand: whose job it is; None for the whole tenant.
        idempotency_key: the same key with the same kind, params, brand and subject returns the job made first.
        subject: what it is about, such as `upload:<id>`, to find it again.
        priority: higher goes first among this tenant's jobs.

    Raises:
        InvalidInput: there is no such kind, or params are not JSON.
        NotAllowed, NotFound: as `accounts.services.require`.
        Conflict: the key was used for something else.
        QuotaExceeded: the tenant has `max_waiting_jobs` unfinished jobs.
    """
    handler = handler_for(kind)
    brand_id = brand.pk if isinstance(brand, Brand) else brand
    if actor is not None:
        require(user=actor, permission=handler.permission, brand=brand_id)
    body = _canonical({"kind": kind, "params": dict(params), "brand": brand_id, "subject": subject})
    digest = hashlib.sha256(body.encode()).hexdigest()
    key = idempotency_key or None
    if key is not None and (repeated := _repeated(key, digest)):
        return repeated
    tenant = current_tenant()
    _check_quota(tenant)
    try:
        with transaction.atomic():
            job = Job.objects.create(
                kind=kind,
                queue=handler.queue,
                title=(title or handler.title)[:200],
                subject=subject,
                brand_id=brand_id,
                actor=actor,
                params=json.loads(body)["params"],
                idempotency_key=key,
                body_digest=digest,
                max_attempts=handler.max_attempts,
            )
            JobLog.objects.create(job=job, level="info", message=f"accepted for the queue {handler.queue}")
            _dispatch(job, tenant, priority=priority)
    except IntegrityError:
        # Somebody sent the same key at the same time and was first.
        repeated = _repeated(key, digest) if key is not None else None
        if repeated is None:
            raise
        return repeated
    return job


def cancel_job(*, job_id: UUID, actor: User | None) -> Job:
    """Stop a job: at once if it waits; if it runs, it is asked to stop and killed after the grace.

    Raises:
        NotFound, NotAllowed: as `accounts.services.require`; NotFound also if the actor may not see the job.
        Conflict: it has ended already.
    """
    job = _manageable(job_id, actor)
    with transaction.atomic():
        held = Dispatch.objects.select_for_update(of=("self",)).filter(job_id=job.pk).first()
        if held is None or held.state == Dispatch.State.DEAD:
            job.refresh_from_db()
            raise Conflict(
                f"The job is {job.state} and can no longer be cancelled.", fix="Nothing runs; there is nothing to do."
            )
        JobLog.objects.create(
            job=job, attempt=held.attempts, level="warning", message=f"{actor or 'the platform'} asked to cancel"
        )
        Job.objects.filter(pk=job.pk).update(cancel_requested_at=Now())
        if held.state == Dispatch.State.RUNNING:
            held.cancel_requested = True
            held.save(update_fields=["cancel_requested"])
        else:
            Job.objects.filter(pk=job.pk).update(state=State.CANCELLED, finished_at=Now())
            leases.count_ending(tenant_id=held.tenant_id, queue=held.queue, state=State.CANCELLED)
            held.delete()
            attempts.tell_abandoned(kind=job.kind, job_id=job.pk, problem=None)
    job.refresh_from_db()
    return job


def retry_job(*, job_id: UUID, actor: User | None) -> Job:
    """Let a failed, dead or cancelled job run again, with all its attempts before it.

    Raises:
        NotFound, NotAllowed: the actor may not see it, or could not submit such a job.
        Conflict: it waits, runs or succeeded.
        QuotaExceeded: as `submit_job`.
    """
    job = job_visible(user=actor, job_id=job_id) if actor else Job.objects.get(pk=job_id)
    handler = handler_for(job.kind)
    if actor is not None:
        require(user=actor, permission=handler.permission, brand=job.brand_id)
    tenant = current_tenant()
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job.pk)
        if not job.may_be_retried:
            raise Conflict(
                f"The job is {job.state}; only a failed, dead or cancelled one can be retried.",
                fix="Wait for it, or submit a new job.",
            )
        _check_quota(tenant)
        Dispatch.objects.filter(job_id=job.pk, state=Dispatch.State.DEAD).delete()
        job.state, job.attempt, job.max_attempts = State.QUEUED, 0, handler.max_attempts
        job.problem = job.result = job.finished_at = job.cancel_requested_at = None
        job.save()
        JobLog.objects.create(job=job, level="info", message=f"{actor or 'the platform'} retried it")
        _dispatch(job, tenant)
    return job


def wait_for_job(
    *,
    job_id: UUID,
    timeout_seconds: float = 3600,
    poll_seconds: float = 0.2,
    on_look: Callable[[Job], None] | None = None,
) -> Job:
    """Look at a job until it has ended; for commands and scripts, never for requests.

    Args:
        on_look: called with the job, its progress at hand, at every look.

    Raises:
        Unavailable: it has not ended within `timeout_seconds`; the job goes on.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        job = Job.objects.select_related("progress").get(pk=job_id)
        if on_look is not None:
            on_look(job)
        if job.is_final:
            return job
        if time.monotonic() >= deadline:
            raise Unavailable(
                f"The job is still {job.state} after {timeout_seconds:g} s.",
                where=f"job {job_id}",
                fix="Check that a worker runs; the job goes on and can be followed on its page.",
            )
        time.sleep(poll_seconds)


def create_schedule(
    *,
    kind: str,
    params: Mapping[str, Any],
    actor: User,
    timing: Timing,
    brand: Brand | UUID | None = None,
    title: str = "",
    enabled: bool = True,
) -> Schedule:
    """Let a job be submitted by itself, in the name of `actor`.

    Raises:
        InvalidInput: no such kind, params that are not JSON, or a crontab line that cannot be read.
        NotAllowed, NotFound: the actor may not manage schedules, or not submit such a job.
    """
    handler = handler_for(kind)
    brand_id = brand.pk if isinstance(brand, Brand) else brand
    require(user=actor, permission=MANAGE_SCHEDULES, brand=brand_id)
    require(user=actor, permission=handler.permission, brand=brand_id)
    schedule = Schedule(
        id=new_id(),
        title=(title or handler.title)[:200],
        kind=kind,
        params=json.loads(_canonical(dict(params))),
        timing=timing,
        brand_id=brand_id,
        actor_id=actor.pk,
        enabled=enabled,
        last_run_at=None,
    )
    with transaction.atomic():
        schedule_rows.save(schedule)
    return schedule


def update_schedule(
    *,
    schedule_id: UUID,
    actor: User,
    title: str | None = None,
    params: Mapping[str, Any] | None = None,
    timing: Timing | None = None,
    enabled: bool | None = None,
) -> Schedule:
    """Change what is given of a schedule. It runs in the name of `actor` from now on: who changed it answers for it.

    Raises:
        NotFound, NotAllowed, InvalidInput: as `create_schedule`.
    """
    before = schedule_visible(user=actor, schedule_id=schedule_id)
    require(user=actor, permission=handler_for(before.kind).permission, brand=before.brand_id)
    after = Schedule(
        id=before.id,
        title=title or before.title,
        kind=before.kind,
        params=before.params if params is None else json.loads(_canonical(dict(params))),
        timing=timing or before.timing,
        brand_id=before.brand_id,
        actor_id=actor.pk,
        enabled=before.enabled if enabled is None else enabled,
        last_run_at=before.last_run_at,
    )
    with transaction.atomic():
        schedule_rows.save(after)
    return after


def stop_schedule(*, schedule_id: UUID) -> None:
    """Switch a schedule off for the app whose kind it is, when what it runs for is over; whoever ended that may.

    Raises:
        NotFound: there is none.
    """
    with transaction.atomic():
        schedule_rows.save(replace(schedule_rows.find(schedule_id=schedule_id), enabled=False))


def remove_schedule(*, schedule_id: UUID) -> None:
    """Remove a schedule for the app whose kind it is, when what it runs for is deleted; whoever deleted that may.

    Raises:
        NotFound: there is none.
    """
    schedule_rows.remove(schedule_id=schedule_id)


def delete_schedule(*, schedule_id: UUID, actor: User) -> None:
    """Remove a schedule; jobs it submitted stay.

    Raises:
        NotFound: there is none that this person may manage.
    """
    schedule = schedule_visible(user=actor, schedule_id=schedule_id)
    schedule_rows.remove(schedule_id=schedule.id)


def submit_scheduled_job(*, schedule_id: UUID) -> Job:
    """Submit the job of a schedule that is due; a second scheduler that fires for the same time gets the same job.

    Raises:
        NotFound: the schedule was deleted meanwhile.
        NotAllowed: its person lost the permission, or is gone.
    """
    schedule = schedule_rows.find(schedule_id=schedule_id)
    actor = User.objects.filter(pk=schedule.actor_id).first()
    if actor is None:
        raise NotAllowed("The person in whose name this schedule ran is gone.", fix="Save it as somebody who is here.")
    require(user=actor, permission=MANAGE_SCHEDULES, brand=schedule.brand_id)
    slot = int(leases.database_time().timestamp()) // schedule.timing.period_seconds
    return submit_job(
        kind=schedule.kind,
        params=schedule.params,
        actor=actor,
        brand=schedule.brand_id,
        title=schedule.title,
        idempotency_key=f"schedule:{schedule.id}:{slot}",
        subject=f"schedule:{schedule.id}",
    )


def _manageable(job_id: UUID, actor: User | None) -> Job:
    if actor is None:
        return Job.objects.get(pk=job_id)
    job = job_visible(user=actor, job_id=job_id)
    require(user=actor, permission=CANCEL, brand=job.brand_id)
    return job


def _canonical(value: Any) -> str:
    try:
        return json.dumps(value, cls=DjangoJSONEncoder, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"The parameters are not JSON: {error}.",
            where="params",
            fix="Send text, finite numbers, lists and objects.",
        ) from error


def _repeated(key: str, digest: str) -> Job | None:
    job = Job.objects.filter(idempotency_key=key).first()
    if job is not None and job.body_digest != digest:
        raise Conflict(
            f"The idempotency key {key!r} was used for another request.",
            where="Idempotency-Key",
            fix="Use a new key for a new request, and the same body for a repeat.",
        )
    return job


def _check_quota(tenant: Tenant) -> None:
    if waiting_in_tenant(tenant_id=tenant.pk) >= tenant.max_waiting_jobs:
        raise QuotaExceeded(
            f"{tenant.max_waiting_jobs} jobs of this tenant are waiting or running, as many as it may have.",
            fix="Wait until some have ended, or cancel what is no longer needed.",
        )


def _dispatch(job: Job, tenant: Tenant, *, priority: int = 0) -> None:
    Dispatch.objects.create(
        job_id=job.pk,
        tenant=tenant,
        kind=job.kind,
        queue=job.queue,
        priority=priority,
        max_attempts=job.max_attempts,
    )
    transaction.on_commit(lambda: _wake(job), robust=True)


def _wake(job: Job) -> None:
    wake_workers(queue=job.queue, job_ids=[job.pk])
