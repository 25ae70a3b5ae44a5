"""What is tidied behind loads: those whose process is gone, and files that no version in reach needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts import services as people
from accounts.models import User
from harmonization import selectors
from harmonization.models import Load, TableVersion
from harmonization.services.publishing import hold_table, measure
from harmonization.services.returns import asides_needed
from jobs import services as jobs
from jobs.core.registry import JobContext
from jobs.models import Job
from tenants.core.problems import InvalidInput

VACUUM_KIND = "harmonization.vacuum"


@dataclass(frozen=True)
class Vacuumed:
    """What was deleted: data files and their bytes, and versions that can no longer be read."""

    files: int
    bytes: int
    versions: int


def note_abandoned(job_id: UUID, problem: Mapping[str, Any] | None) -> None:
    """A load whose job ended dead, failed or cancelled does not go on as if it ran."""
    told = dict(problem) if problem else {
        "code": "conflict", "title": "The load was stopped",
        "detail": "The job was cancelled; nothing of the file was published.", "fix": "Harmonise the file again.",
    }  # fmt: skip
    unfinished = [Load.Status.WAITING, Load.Status.RUNNING]
    Load.objects.filter(job_id=job_id, status__in=unfinished).update(status=Load.Status.FAILED, problem=told)


def start_vacuum(*, actor: User, days: int | None = None) -> Job:
    """Delete, as a job, event files that nothing within the retention needs.

    Args:
        days: how far back events can still be read as of an instant; the installation's `RMN_HISTORY_DAYS` by default.
    """
    people.require(user=actor, permission="schedules.manage")
    return jobs.submit_job(kind=VACUUM_KIND, params={} if days is None else {"days": _checked(days)}, actor=actor)


def vacuum_events(*, context: JobContext) -> dict[str, Any]:
    """The job: one pass over the event table, with publishers kept away meanwhile."""
    days = _checked(int(context.params.get("days", settings.HISTORY_DAYS)))
    result: dict[str, Any] = {}
    with context.publish(result=result):
        done = vacuum(before=timezone.now() - timedelta(days=days))
        result |= {"files": done.files, "bytes": done.bytes, "versions": done.versions, "days": days}
    if swept := jobs.sweep_staging():
        context.log("info", f"{swept} folders that ended jobs had left were removed")
    context.log("info", f"{done.files:,} files of {done.bytes:,} bytes were deleted")
    return result


def vacuum(*, before: datetime) -> Vacuumed:
    """Delete files that no version needs which was in force at `before` or later; inside the caller's transaction.

    Files go before the transaction ends. Should it fail, versions count as readable that are not all there; the next
    vacuum says so again, and readers of the version in force lose nothing in either case.
    """
    table = hold_table()
    if table.version is None:
        return Vacuumed(0, 0, 0)
    versions = TableVersion.objects.filter(table=table.name)
    # The one that was in force at that instant, and everything after it.
    oldest = versions.filter(published_at__lte=before).first()
    gone = versions.filter(readable=True)
    gone = gone.filter(published_at__lt=oldest.published_at) if oldest else gone.none()
    count = gone.update(readable=False)
    needed = {table.version, *versions.filter(readable=True).values_list("version", flat=True)}
    done = selectors.events_folder().vacuum(table.version, needed, asides_needed())
    # Somebody deleted their log: they are as unreadable as if this had deleted their files.
    count += versions.filter(version__in=done.lost, readable=True).update(readable=False)
    measure(table)
    table.save(update_fields=["size", "updated_at"])
    return Vacuumed(done.files, done.bytes, count)


def _checked(days: int) -> int:
    if not 0 <= days <= 3650:
        raise InvalidInput(f"{days} days is out of range.", where="days", fix="Choose from 0 to 3650.")
    return days
