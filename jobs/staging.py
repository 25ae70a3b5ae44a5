"""Files that an attempt makes before they are published: a folder of its own, gone when the job has ended."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

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


def _of_job(job_id: UUID) -> Path:
    return tenant_folder() / "staging" / str(job_id)
