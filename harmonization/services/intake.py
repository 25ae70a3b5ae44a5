"""A file from its arrival to what follows from it: one call for every door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from accounts.models import User
from harmonization.models import Account, Upload
from harmonization.services.catalogue import import_catalogue
from harmonization.services.loads import start_load
from harmonization.services.reference_data import import_audiences, import_policies, import_rates
from harmonization.services.uploads import discard_upload, receive_upload
from jobs.models import Job


@dataclass(frozen=True)
class Taken:
    """What became of a file: a report has a job; of any other kind, `imported` says what changed."""

    upload: Upload
    job: Job | None
    imported: dict[str, Any] | None

    @property
    def catalogue(self) -> dict[str, Any] | None:
        """What a catalogue changed; None for files of other kinds."""
        return self.imported if self.upload.kind == Upload.Kind.CATALOGUE else None


def take_file(
    *,
    actor: User,
    chunks: Iterable[bytes],
    file_name: str,
    account: Account | None = None,
    kind: str = Upload.Kind.REPORT,
    contract: str = "auto",
    parameters: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
) -> Taken:
    """Receive a file and do what its kind calls for: harmonise a report (a job), take anything else (at once).

    Both or neither: a file whose job is refused, or that is not taken, is not kept.

    Args:
        contract: name of a contract, `auto`, or `none` to keep the file and do nothing more.
        parameters: answers to the contract's parameters, which the file does not tell.
        idempotency_key: the same key with the same file, account and contract is the same job.

    Raises:
        what `receive_upload`, `start_load` and the imports raise.
    """
    upload = None
    try:
        with transaction.atomic():
            upload = receive_upload(actor=actor, chunks=chunks, file_name=file_name, account=account, kind=kind)
            if upload.kind != Upload.Kind.REPORT:
                return Taken(upload=upload, job=None, imported=_import(actor, upload))
            if contract == "none":
                return Taken(upload=upload, job=None, imported=None)
            job = start_load(
                actor=actor, upload=upload, contract=contract, parameters=parameters, idempotency_key=idempotency_key
            )
            return Taken(upload=upload, job=job, imported=None)
    except Exception:
        if upload is not None:
            discard_upload(upload=upload)
        raise


def _import(actor: User, upload: Upload) -> dict[str, Any]:
    if upload.kind == Upload.Kind.CATALOGUE:
        return asdict(import_catalogue(actor=actor, upload=upload))
    imports = {
        Upload.Kind.AUDIENCES: import_audiences,
        Upload.Kind.POLICIES: import_policies,
        Upload.Kind.FX_RATES: import_rates,
    }
    return imports[Upload.Kind(upload.kind)](actor=actor, upload=upload)
