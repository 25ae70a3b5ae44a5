"""A file from its arrival to what follows from it: one call for every door."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from accounts.models import User
from harmonization.models import Account, Upload
from harmonization.services.catalogue import import_catalogue
from harmonization.services.loads import start_load
from harmonization.services.uploads import discard_upload, receive_upload
from jobs.models import Job


@dataclass(frozen=True)
class Taken:
    """What became of a file: a report has a job, a catalogue a report of what changed."""

    upload: Upload
    job: Job | None
    catalogue: dict[str, Any] | None


def take_file(
    *,
    actor: User,
    chunks: Iterable[bytes],
    file_name: str,
    account: Account | None = None,
    kind: str = Upload.Kind.REPORT,
    contract: str = "auto",
    idempotency_key: str | None = None,
) -> Taken:
    """Receive a file and do what its kind calls for: harmonise a report (a job), take a catalogue (at once).

    Both or neither: a file whose job is refused, or whose catalogue is not taken, is not kept.

    Args:
        contract: name of a contract, `auto`, or `none` to keep the file and do nothing more.
        idempotency_key: the same key with the same file, account and contract is the same job.

    Raises:
        what `receive_upload`, `start_load` and `import_catalogue` raise.
    """
    upload = None
    try:
        with transaction.atomic():
            upload = receive_upload(actor=actor, chunks=chunks, file_name=file_name, account=account, kind=kind)
            if upload.kind == Upload.Kind.CATALOGUE:
                return Taken(upload=upload, job=None, catalogue=asdict(import_catalogue(actor=actor, upload=upload)))
            if contract == "none":
                return Taken(upload=upload, job=None, catalogue=None)
            job = start_load(actor=actor, upload=upload, contract=contract, idempotency_key=idempotency_key)
            return Taken(upload=upload, job=job, catalogue=None)
    except Exception:
        if upload is not None:
            discard_upload(upload=upload)
        raise
