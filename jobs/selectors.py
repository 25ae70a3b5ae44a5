"""Reads about jobs. A job of a brand is visible to who may see the brand's jobs, one of the whole tenant to tenant-wide
roles only; any other does not exist for the reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.selectors import brands_for, may
from accounts.services import require_somewhere
from jobs import schedule_rows
from jobs.core.schedules import Schedule
from jobs.dispatch.models import Dispatch, Tally
from jobs.models import Job, JobLog
from tenants.core.problems import NotFound

VIEW = "jobs.view"
MANAGE_SCHEDULES = "schedules.manage"


def jobs_visible(*, user: User | AnonymousUser) -> QuerySet[Job]:
    """Jobs this person may see, newest first, with progress, brand and actor at hand."""
    jobs = Job.objects.select_related("progress", "brand", "actor")
    if may(user=user, permission=VIEW):
        return jobs
    return jobs.filter(brand__in=brands_for(user=user, permission=VIEW))


def jobs_listed(*, user: User | AnonymousUser) -> QuerySet[Job]:
    """As `jobs_visible`, for a door that lists jobs.

    Raises:
        NotAllowed: there is no brand whose jobs this person may see.
    """
    require_somewhere(user=user, permission=VIEW)
    return jobs_visible(user=user)


def job_visible(*, user: User | AnonymousUser, job_id: UUID) -> Job:
    """One job.

    Raises:
        NotFound: there is none, or none that this person may know of.
    """
    job = jobs_visible(user=user).filter(pk=job_id).first()
    if job is None:
        raise NotFound("There is nothing here under that id.")
    return job


def job_logs(*, job: Job, levels: Sequence[str] = (), after: int = 0) -> QuerySet[JobLog]:
    """Log lines of a job in order; with `levels` only those, with `after` only lines behind that id."""
    lines = JobLog.objects.filter(job=job, id__gt=after)
    return lines.filter(level__in=levels) if levels else lines


def jobs_about(*, user: User | AnonymousUser, subject: str) -> QuerySet[Job]:
    """Visible jobs about one thing, such as `upload:<id>`."""
    return jobs_visible(user=user).filter(subject=subject)


def open_job_count(*, user: User | AnonymousUser) -> int:
    """Visible jobs that wait or run."""
    return jobs_visible(user=user).filter(Q(state="queued") | Q(state="running")).count()


def schedules_visible(*, user: User | AnonymousUser) -> list[Schedule]:
    """Schedules of this tenant that the person may manage, by title."""
    whole = may(user=user, permission=MANAGE_SCHEDULES)
    brands = set(brands_for(user=user, permission=MANAGE_SCHEDULES).values_list("pk", flat=True))
    return [
        found
        for found in schedule_rows.all_of_tenant()
        if (whole if found.brand_id is None else found.brand_id in brands)
    ]


def schedules_of(*, kind: str) -> list[Schedule]:
    """Schedules of this tenant that submit jobs of a kind, for the app whose kind it is."""
    return [found for found in schedule_rows.all_of_tenant() if found.kind == kind]


def schedules_listed(*, user: User | AnonymousUser) -> list[Schedule]:
    """As `schedules_visible`, for a door that lists them.

    Raises:
        NotAllowed: there is no brand whose schedules this person may manage.
    """
    require_somewhere(user=user, permission=MANAGE_SCHEDULES)
    return schedules_visible(user=user)


def schedule_visible(*, user: User | AnonymousUser, schedule_id: UUID) -> Schedule:
    """One schedule.

    Raises:
        NotFound: there is none, or none that this person may know of.
    """
    for schedule in schedules_visible(user=user):
        if schedule.id == schedule_id:
            return schedule
    raise NotFound("There is nothing here under that id.")


@dataclass(frozen=True)
class QueueDepth:
    """Jobs of a tenant in one queue and state.

    Attributes:
        state: waiting, running or dead.
        oldest: when the longest-standing of them was accepted.
    """

    tenant: str
    queue: str
    state: str
    jobs: int
    oldest: datetime
    age_seconds: float


def queue_depths() -> list[QueueDepth]:
    """How much waits, runs and lies dead, over all tenants, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT tenant.schema_name, open.queue, open.state, count(*), min(open.created_at),
                   extract(epoch FROM statement_timestamp() - min(open.created_at))
            FROM public.dispatch_dispatch AS open JOIN public.tenants_tenant AS tenant ON tenant.id = open.tenant_id
            GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            """
        )
        return [
            QueueDepth(tenant, queue, state, jobs, oldest, float(age))
            for tenant, queue, state, jobs, oldest, age in cursor.fetchall()
        ]


def ended_counts() -> QuerySet[Tally]:
    """How many jobs ended in which state since the beginning, over all tenants."""
    return Tally.objects.select_related("tenant").order_by("tenant__schema_name", "queue", "state")


def waiting_in_tenant(*, tenant_id: UUID) -> int:
    """Jobs of a tenant that were accepted and are not finished."""
    return Dispatch.objects.filter(tenant_id=tenant_id).exclude(state=Dispatch.State.DEAD).count()
