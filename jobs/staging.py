"""Files that an attempt makes before they are published: a folder of its own, gone when the job has ended."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

from jobs.models import Job
from tenants.selectors import tenant_folder


def staging_folder(*, job_id: UUID, token: int) -> Path:
    """The folder of one attempt, below the running tenant's."""
    return _of_job(job_id) / str(token)


def remove_staging(*, job_id: UUID, token: int) -> None:
    """Remove the folders of an attempt and of earlier ones, whose processes may have been lost with their machines."""
    folder = _of_job(job_id)
    if not folder.is_dir():
        return
    for attempt in folder.iterdir():
        if attempt.name.isdigit() and int(attempt.name) <= token:
            shutil.rmtree(attempt, ignore_errors=True)
    try:
        folder.rmdir()
    except OSError:
        return  # a later attempt is at work in it


def sweep_staging() -> int:
    """Remove what jobs of the running tenant left that have ended; how many folders that were.

    Usually none: only a worker that is killed between a job's end and its tidying leaves one.
    """
    root = tenant_folder() / "staging"
    found = {folder.name: folder for folder in root.iterdir()} if root.is_dir() else {}
    jobs = Job.objects.filter(pk__in=[name for name in found if _is_id(name)])
    unfinished = {str(job.pk) for job in jobs if not job.is_final}
    ended = [folder for name, folder in found.items() if _is_id(name) and name not in unfinished]
    for folder in ended:
        shutil.rmtree(folder, ignore_errors=True)
    return len(ended)


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True


def _of_job(job_id: UUID) -> Path:
    return tenant_folder() / "staging" / str(job_id)
