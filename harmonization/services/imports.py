"""Scheduled imports: files that appear at a watched place are taken in, each once, when they are whole."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import selectors as rights
from accounts import services as people
from accounts.models import User
from harmonization.core.watched_places import (
    Place,
    SeenFile,
    find_place,
    has_marker,
    is_settled,
    list_files,
    read_file,
    roots_of,
)
from harmonization.models import Account, ImportedFile, ImportSource
from harmonization.services.intake import take_file
from jobs import services as jobs
from jobs.core.registry import JobContext
from jobs.core.schedules import Timing
from jobs.models import Job
from tenants.core.problems import Conflict, InvalidInput, NotAllowed, NotFound, Problem, QuotaExceeded
from tenants.selectors import current_schema

IMPORT_KIND = "harmonization.import_files"
MANAGE = "schedules.manage"
#: Files of one run; the next run goes on.
MOST_TAKEN = 200


def create_import_source(
    *,
    actor: User,
    account: Account,
    name: str,
    location: str,
    glob: str = "*",
    contract: str = "auto",
    needs_marker: bool = False,
    settle_seconds: int = 60,
    timing: Timing,
) -> ImportSource:
    """Watch a place, in the name of `actor`, who has to be allowed to send files and to manage schedules.

    Raises:
        InvalidInput: the place is outside of what the operator allows this tenant, or an option is out of range.
        Conflict: the name is taken.
    """
    people.require(user=actor, permission=MANAGE, brand=account.brand_id)
    people.require(user=actor, permission="uploads.create", brand=account.brand_id)
    place_of(location)
    if not name.strip() or not glob.strip() or "/../" in f"/{glob}/" or not 0 <= settle_seconds <= 86_400:
        raise InvalidInput("A source needs a name, a pattern, and 0 to 86,400 seconds to settle.", where="name")
    with transaction.atomic():
        if ImportSource.objects.filter(name=name.strip()).exists():
            raise Conflict(f"Something is called {name.strip()!r} already.", where="name", fix="Choose another name.")
        source = ImportSource.objects.create(
            account=account, name=name.strip(), location=location.strip(), glob=glob.strip(), contract=contract,
            needs_marker=needs_marker, settle_seconds=settle_seconds, created_by=actor,
        )  # fmt: skip
        schedule = jobs.create_schedule(
            kind=IMPORT_KIND,
            params={"source_id": str(source.pk)},
            actor=actor,
            timing=timing,
            brand=account.brand_id,
            title=f"Import files of {source.name}",
        )
        source.schedule_id = schedule.id
        source.save(update_fields=["schedule_id"])
    return source


def remove_import_source(*, actor: User, source: ImportSource) -> None:
    """Stop watching a place; what was taken stays."""
    people.require(user=actor, permission=MANAGE, brand=source.account.brand_id)
    with transaction.atomic():
        if source.schedule_id is not None:
            # Somebody may have deleted it among the schedules.
            with contextlib.suppress(NotFound):
                jobs.delete_schedule(schedule_id=source.schedule_id, actor=actor)
        source.delete()


def start_import(*, actor: User, source: ImportSource) -> Job:
    """Look for files now, as a job."""
    people.require(user=actor, permission="uploads.create", brand=source.account.brand_id)
    return jobs.submit_job(
        kind=IMPORT_KIND,
        params={"source_id": str(source.pk)},
        actor=actor,
        brand=source.account.brand_id,
        title=f"Import files of {source.name}",
    )


def place_of(location: str) -> Place:
    """The place of a location, if the operator allows it to the running tenant.

    Raises:
        InvalidInput: it is not allowed. Asked again at every look: roots and links may have changed.
    """
    return find_place(location, roots_of(current_schema(), settings.IMPORT_ROOTS))


def import_files(*, context: JobContext) -> dict[str, Any]:
    """The job: list the place, take in what is new and whole.

    One file that is refused keeps no other from being taken; it is tried again when it changes.
    """
    source = ImportSource.objects.select_related("account__brand").filter(pk=context.params["source_id"]).first()
    if source is None:
        raise NotFound("This source is not watched any more.", fix="Delete its schedule.")
    asking = User.objects.filter(pk=context.actor_id).first() if context.actor_id else None
    actor = asking or source.created_by
    if actor is None or not rights.may(user=actor, permission="uploads.create", brand=source.account.brand_id):
        raise NotAllowed("The person in whose name files are imported may not send them.", fix="Save the source anew.")
    try:
        place = place_of(source.location)
        files = list_files(place, source.glob)
    except Problem as problem:
        ImportSource.objects.filter(pk=source.pk).update(problem=problem.as_dict(), looked_at=timezone.now())
        raise
    counts = dict.fromkeys(("taken", "failed", "waiting", "known"), 0)
    for done, seen in enumerate(files):
        context.raise_if_cancelled()
        context.progress("look", done, len(files), "files")
        if counts["taken"] >= MOST_TAKEN:
            counts["waiting"] += 1
            continue
        counts[_look_at(context, source, place, seen, actor)] += 1
    ImportSource.objects.filter(pk=source.pk).update(problem=None, looked_at=timezone.now())
    context.progress("look", len(files), len(files), "files")
    return {"source": source.name, "files": len(files), **counts}


def _look_at(context: JobContext, source: ImportSource, place: Place, seen: SeenFile, actor: User) -> str:
    now = timezone.now()
    row = ImportedFile.objects.filter(source=source, path=seen.path).first()
    same = row is not None and (row.size, row.modified) == (seen.size, seen.modified)
    if row is not None and same and row.state != ImportedFile.State.SEEN:
        return "known"
    before = SeenFile(row.path, row.size, row.modified) if row else None
    row = row or ImportedFile(source=source, path=seen.path, first_seen=now)
    row.size, row.modified, row.changed_at = seen.size, seen.modified, now
    row.state, row.problem = ImportedFile.State.SEEN, None
    if not _is_whole(source, place, seen, before):
        row.save()
        return "waiting"
    try:
        taken = take_file(
            actor=actor,
            chunks=read_file(place, seen.path),
            file_name=seen.path.rsplit("/", 1)[-1],
            account=source.account,
            contract=source.contract,
        )
    except QuotaExceeded:
        row.save()
        return "waiting"  # room or a free place in the queue comes by itself
    except Problem as problem:
        row.state, row.problem = ImportedFile.State.FAILED, problem.as_dict()
        row.save()
        context.log("warning", f"{seen.path}: {problem}")
        return "failed"
    row.state, row.upload = ImportedFile.State.TAKEN, taken.upload
    row.job_id = taken.job.pk if taken.job else None
    row.save()
    context.log("info", f"{seen.path}: taken, {taken.upload.size:,} bytes")
    return "taken"


def _is_whole(source: ImportSource, place: Place, seen: SeenFile, before: SeenFile | None) -> bool:
    if source.needs_marker:
        return has_marker(place, seen.path)
    if place.kind != "folder":
        return True  # an object appears whole or not at all
    return is_settled(seen, before, clock=timezone.now(), settle=timedelta(seconds=source.settle_seconds))
