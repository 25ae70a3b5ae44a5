"""Who runs what, and until when. Every time here is the database's: machines whose clocks disagree still agree on it.

All functions work whichever schema is active, for these tables are found in `public` from any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from jobs.core.registry import LostLease
from jobs.dispatch.models import Dispatch, Tally, Turn

# Claims are serial over all workers: a count of what runs is then exact, and so are fairness and limits. The numbers
# only have to differ from those of other advisory locks.
_CLAIM_LOCK = 7_261_101
_REAP_LOCK = 7_261_102

_CLAIMABLE = """
    FROM public.dispatch_dispatch AS waiting
    JOIN public.tenants_tenant AS tenant ON tenant.id = waiting.tenant_id
    LEFT JOIN (
        SELECT tenant_id, count(*) AS jobs FROM public.dispatch_dispatch WHERE state = 'running' GROUP BY tenant_id
    ) AS running ON running.tenant_id = waiting.tenant_id
    LEFT JOIN public.dispatch_turn AS turn ON turn.tenant_id = waiting.tenant_id
    WHERE waiting.state = 'waiting'
      AND tenant.status = 'active'
      AND coalesce(running.jobs, 0) < tenant.max_running_jobs
"""
_FAIREST = f"""
    SELECT waiting.job_id {_CLAIMABLE}
      AND waiting.queue = ANY(%(queues)s)
      AND (%(tenant)s::text IS NULL OR tenant.schema_name = %(tenant)s)
      AND (%(job)s::uuid IS NULL OR waiting.job_id = %(job)s)
    ORDER BY coalesce(running.jobs, 0), turn.last_claimed_at NULLS FIRST, waiting.priority DESC, waiting.created_at
    LIMIT 1
    FOR UPDATE OF waiting SKIP LOCKED
"""
_STALE = f"""
    SELECT waiting.job_id, waiting.queue {_CLAIMABLE}
      AND (waiting.sent_at IS NULL OR waiting.sent_at < statement_timestamp() - %(age)s * interval '1 second')
    ORDER BY waiting.created_at
"""


@dataclass(frozen=True)
class Claim:
    """The right to run one job, for as long as its lease is renewed.

    Attributes:
        token: fencing token, higher than every earlier one of any job.
        attempt: 1 for the first.
    """

    job_id: UUID
    tenant_schema: str
    kind: str
    queue: str
    token: int
    attempt: int
    max_attempts: int


def claim(
    *, queues: Sequence[str], lease_seconds: float, worker: str, tenant: str | None = None, job_id: UUID | None = None
) -> Claim | None:
    """Take the fairest waiting job, inside the caller's transaction.

    First the tenants with the fewest running jobs, among them the one not served for longest, then priority and age.
    Tenants that are suspended or at `max_running_jobs` wait.

    Args:
        tenant, job_id: take only jobs of that tenant (its schema name), or only that job.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CLAIM_LOCK])
        # A statement of its own: its snapshot has to be taken after the lock was given.
        cursor.execute(_FAIREST, {"queues": list(queues), "tenant": tenant, "job": job_id})
        found = cursor.fetchone()
        if found is None:
            return None
        cursor.execute("SELECT nextval('public.dispatch_token')")
        token = int(cursor.fetchone()[0])
    Dispatch.objects.filter(job_id=found[0]).update(
        state=Dispatch.State.RUNNING,
        token=token,
        attempts=F("attempts") + 1,
        lease_until=Now() + timedelta(seconds=lease_seconds),
        worker=worker[:120],
    )
    taken = Dispatch.objects.select_related("tenant").get(job_id=found[0])
    Turn.objects.update_or_create(tenant_id=taken.tenant_id, defaults={"last_claimed_at": Now()})
    return Claim(
        job_id=taken.job_id,
        tenant_schema=taken.tenant.slug,
        kind=taken.kind,
        queue=taken.queue,
        token=token,
        attempt=taken.attempts,
        max_attempts=taken.max_attempts,
    )


def renew(*, job_id: UUID, token: int, lease_seconds: float) -> bool:
    """Prolong a lease; False if it belongs to another attempt by now.

    Never waits: a row that its attempt holds to publish is left as it is, as `expired` leaves it, so that whoever
    renews goes on watching over time and memory meanwhile.
    """
    until = Now() + timedelta(seconds=lease_seconds)
    with transaction.atomic():
        if _held(job_id, token).select_for_update(skip_locked=True, of=("self",)).exists():
            return bool(_held(job_id, token).update(lease_until=until))
        return _held(job_id, token).exists()


def cancel_requested(*, job_id: UUID, token: int) -> bool:
    """Whether somebody asked for this attempt to stop."""
    return bool(_held(job_id, token).values_list("cancel_requested", flat=True).first())


def hold(*, job_id: UUID, token: int) -> Dispatch:
    """Lock the row for the caller's transaction; until it ends nobody takes the job over.

    Raises:
        LostLease: the token is not the current one.
    """
    held = _held(job_id, token).select_for_update(of=("self",)).first()
    if held is None:
        raise LostLease(f"attempt with token {token} of job {job_id} was superseded")
    return held


def try_reaping() -> bool:
    """Whether the caller's transaction may reap: one at a time over all processes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_REAP_LOCK])
        return bool(cursor.fetchone()[0])


def expired() -> QuerySet[Dispatch]:
    """Running rows whose worker stopped renewing, locked; those that are just being published are left out."""
    return (
        Dispatch.objects.filter(state=Dispatch.State.RUNNING, lease_until__lt=Now())
        .select_related("tenant")
        .select_for_update(skip_locked=True, of=("self",))
    )


def stale(*, age_seconds: float) -> dict[str, list[UUID]]:
    """By queue: jobs that could be claimed, but of which no worker was told within `age_seconds`."""
    by_queue: dict[str, list[UUID]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_STALE, {"age": age_seconds})
        for job_id, queue in cursor.fetchall():
            by_queue.setdefault(queue, []).append(job_id)
    return by_queue


def claimable_queues() -> list[str]:
    """Queues in which something could be claimed right now."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT waiting.queue {_CLAIMABLE}")
        return sorted(row[0] for row in cursor.fetchall())


def mark_sent(*, job_ids: Sequence[UUID]) -> None:
    """Remember that a worker was told."""
    Dispatch.objects.filter(job_id__in=job_ids).update(sent_at=Now())


def count_ending(*, tenant_id: UUID, queue: str, state: str) -> None:
    """Add one to the tally that metrics read."""
    Tally.objects.bulk_create([Tally(tenant_id=tenant_id, queue=queue, state=state)], ignore_conflicts=True)
    Tally.objects.filter(tenant_id=tenant_id, queue=queue, state=state).update(jobs=F("jobs") + 1)


def database_time() -> datetime:
    """Now, by the clock that leases go by."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


def _held(job_id: UUID, token: int) -> QuerySet[Dispatch]:
    return Dispatch.objects.filter(job_id=job_id, token=token, state=Dispatch.State.RUNNING)
