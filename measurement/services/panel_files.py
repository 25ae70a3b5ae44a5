"""Files of experiments' data: kept whole under their hash, within the tenant's storage, for as long as they are needed.

What a plan was made on and what a reading was made from stays, for either can be asked for again. Other versions, and
the data of what was given up, are removed once they are older than the installation's retention (`RMN_HISTORY_DAYS`).
Rows about them stay: they say what was there, and another says that it was removed, why, and who erased it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.services import require
from jobs.models import Job
from jobs.selectors import MANAGE_SCHEDULES
from jobs.services import submit_job
from measurement import selectors
from measurement.core.personal_data import personal_data
from measurement.core.words import count_of
from measurement.models import Experiment, PanelRemoval, PanelVersion, Reading
from measurement.selectors import MANAGE
from tenants.core.ids import new_id
from tenants.core.problems import Conflict, InvalidInput, TooLarge
from tenants.selectors import current_schema, tenant_folder

TIDY: Final = "measurement.tidy"
#: Two million rows: the days of two years of 3,000 markets. A server reads that within a request, in half a GiB.
LARGEST: Final = 64 * 1024 * 1024
#: Nothing that is being written is as old as this.
_STRAY: Final = timedelta(days=1)
_LONGEST_DAYS: Final = 3650


@dataclass(frozen=True)
class Tidied:
    """What was removed: files and their bytes; and how many stay because another experiment has them too."""

    files: int = 0
    bytes: int = 0
    shared: int = 0


def content_of(chunks: Iterable[bytes]) -> bytes:
    """A file whole, within its limit.

    Raises:
        TooLarge: over `LARGEST` or the limit of an upload; no more of it is read. InvalidInput: there is nothing in it.
    """
    limit = min(LARGEST, settings.UPLOAD_MAX_BYTES)
    whole = bytearray()
    for chunk in chunks:
        whole += chunk
        if len(whole) > limit:
            raise TooLarge(
                f"The file is larger than {limit // 1024**2} MiB.",
                where="file",
                fix="Send one row per unit and day, and only the units of the test.",
            )
    if not whole.strip():
        raise InvalidInput("The file is empty.", where="file", fix="Export it again and send the new file.")
    return bytes(whole)


def refuse_personal_data(content: bytes) -> None:
    """Raises `InvalidInput` where a file tells of people; names how many cells, never what is in them."""
    found = personal_data(content)
    if found:
        told = " and ".join(f"{count_of(one.count, one.kind)} (line {one.line} first)" for one in found)
        raise InvalidInput(
            f"The file holds {told}. Data of an experiment are of markets, SKUs, periods or arms, never of people.",
            where="file",
            fix="Leave that column out, sum over people, and send the file again; nothing of it was kept.",
            errors=[{"detail": f"{count_of(one.count, one.kind)}.", "where": f"line {one.line}"} for one in found],
        )


def keep_file(content: bytes, sha256: str) -> None:
    """Write a file where its hash says; whole before it has that name. In the transaction that writes its row."""
    hold_file(sha256)
    path = selectors.panel_path(sha256)
    if path.exists():
        return
    incoming = tenant_folder() / "incoming"
    for folder in (incoming, path.parent):
        folder.mkdir(parents=True, exist_ok=True)
    partial = incoming / f"{new_id()}.part"
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def bytes_of(panel: PanelVersion) -> bytes:
    """The file of stored data.

    Raises:
        Conflict: it was removed.
    """
    try:
        return selectors.stored_panel(panel).read_bytes()
    except FileNotFoundError:
        removal = panel.removals.order_by("-created_at").first()
        why = removal.get_reason_display() if removal else PanelRemoval.Reason.RETENTION.label
        raise Conflict(
            f"The file of data {panel.number} was removed: {why}.",
            where="panel",
            fix="Send the data again.",
        ) from None


def hold_file(sha256: str) -> None:
    """One transaction at a time keeps or removes a content, so no row is of a file that was just removed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"experiment data {current_schema()} {sha256}"]
        )


def start_tidying(*, actor: User, days: int | None = None) -> Job:
    """Have files that nothing needs removed, as a job, which can be scheduled.

    Args:
        days: how long they are kept; the installation's `RMN_HISTORY_DAYS` by default.

    Raises:
        InvalidInput: days out of range. NotAllowed: the actor may not manage schedules of the tenant.
    """
    require(user=actor, permission=MANAGE_SCHEDULES)
    return submit_job(kind=TIDY, params={} if days is None else {"days": checked_days(days)}, actor=actor)


def tidy_panels(*, before: datetime) -> Tidied:
    """Remove files that no experiment needs and that came in earlier, and what a lost process left half-written.

    Every file by itself and under its lock: whoever is stopped in between has removed whole files, and the next one
    goes on.
    """
    needed = _needed(before)
    removed = Tidied()
    for path, told in selectors.panel_files():
        if path.name in needed or datetime.fromtimestamp(told.st_mtime, tz=before.tzinfo) >= before:
            continue
        rows = PanelVersion.objects.filter(sha256=path.name)
        size = _remove(path, rows, lambda sha: sha not in _needed(before, sha256=sha), PanelRemoval.Reason.RETENTION)
        if size is not None:
            removed = Tidied(removed.files + 1, removed.bytes + size)
    for path in (tenant_folder() / "incoming").glob("*.part"):
        # Whoever writes it may be done, or another may sweep it, at any moment.
        with suppress(FileNotFoundError):
            told = path.stat()
            if timezone.now() - datetime.fromtimestamp(told.st_mtime, tz=before.tzinfo) > _STRAY:
                path.unlink()
                removed = Tidied(removed.files + 1, removed.bytes + told.st_size)
    return removed


def erase_panels(*, actor: User, experiment: Experiment) -> Tidied:
    """Remove the files of an experiment that was given up and never read, at once; one that another has too stays.

    Raises:
        Conflict: it was not given up, or has a reading, whose data stay.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.manage.
    """
    require(user=actor, permission=MANAGE, brand=experiment.brand)
    if experiment.state != Experiment.State.CANCELLED or experiment.readings.exists():
        raise Conflict(
            f"The data of {experiment.label} are needed: "
            + ("it has a reading." if experiment.readings.exists() else "it was not given up."),
            fix="What was read stays. Cancel an experiment that is not to be read, then erase its data.",
        )
    removed = Tidied(shared=selectors.erasable(experiment).shared)
    for sha256 in experiment.panels.order_by().values_list("sha256", flat=True).distinct():
        rows = experiment.panels.filter(sha256=sha256)
        size = _remove(
            selectors.panel_path(sha256),
            rows,
            lambda sha: not selectors.is_shared(experiment, sha),
            PanelRemoval.Reason.ERASED,
            actor,
        )
        if size is not None:
            removed = replace(removed, files=removed.files + 1, bytes=removed.bytes + size)
    return removed


def checked_days(days: object) -> int:
    """Raises `InvalidInput` for a number of days that is none, as a schedule may have been given."""
    if isinstance(days, bool) or not isinstance(days, int):
        raise InvalidInput(f"{str(days)[:40]!r} are no days.", where="days", fix="Give a whole number.")
    if not 0 <= days <= _LONGEST_DAYS:
        raise InvalidInput(f"{days} days is out of range.", where="days", fix=f"Choose from 0 to {_LONGEST_DAYS}.")
    return days


def _remove(
    path: Path,
    rows: QuerySet[PanelVersion],
    may_go: Callable[[str], bool],
    reason: PanelRemoval.Reason,
    actor: User | None = None,
) -> int | None:
    """Bytes of the file that was removed; None where it stays, or is gone already.

    That it was removed is committed before it is: whoever is lost in between leaves a file that rows call removed and
    readers still find, and the next one removes it.
    """
    with transaction.atomic():
        hold_file(path.name)
        if not path.exists() or not may_go(path.name):
            return None
        since = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
        for panel in rows.exclude(Exists(PanelRemoval.objects.filter(panel=OuterRef("pk"), created_at__gt=since))):
            PanelRemoval.objects.create(panel=panel, reason=reason, removed_by=actor)
    with transaction.atomic():
        hold_file(path.name)
        # Somebody may have sent the same file for another experiment meanwhile.
        if not path.exists() or not may_go(path.name):
            return None
        size = path.stat().st_size
        path.unlink()
    return size


def _needed(before: datetime, *, sha256: str = "") -> set[str]:
    """Hashes of the files that stay: new ones, those of plans, designs and readings, and the newest of each experiment
    that goes on."""
    rows = PanelVersion.objects.select_related("experiment")
    rows = rows.annotate(was_read=Exists(Reading.objects.filter(panel=OuterRef("pk"))))
    versions = PanelVersion.objects.order_by()
    if sha256:
        rows = rows.filter(sha256=sha256)
        versions = versions.filter(experiment__in=rows.values("experiment"))
    newest = dict(versions.values_list("experiment").annotate(top=Max("number")))
    needed = set()
    for one in rows:
        of = one.experiment
        given_up = of.state == Experiment.State.CANCELLED and of.cancelled_at is not None
        planned = (of.analysis_plan.get("data") or {}).get("sha256") == one.sha256
        in_use = one.number in (newest[one.experiment_id], of.design.get("panel")) or planned
        recent = (of.cancelled_at if given_up and of.cancelled_at else one.created_at) >= before
        if recent or one.was_read or (in_use and not given_up):
            needed.add(one.sha256)
    return needed
