"""Receiving files."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from accounts import services as people
from accounts.models import User
from harmonization import selectors
from harmonization.core import record_file, source_file
from harmonization.models import Account, Upload
from tenants.core.ids import new_id
from tenants.core.problems import Conflict, InvalidInput, TooLarge
from tenants.selectors import current_tenant, tenant_folder
from tenants.services.storage import require_room

MIB = 1024 * 1024
SUFFIXES: dict[str, tuple[str, ...]] = {
    Upload.Kind.REPORT: source_file.SUFFIXES,
    **{kind: record_file.SUFFIXES for kind in Upload.Kind if kind != Upload.Kind.REPORT},
}
#: Files that belong to no account.
OF_THE_TENANT = frozenset({Upload.Kind.CATALOGUE, Upload.Kind.POLICIES, Upload.Kind.FX_RATES})
NEEDS_ACCOUNT = {
    Upload.Kind.REPORT: "A report needs the account it belongs to.",
    Upload.Kind.AUDIENCES: "Audiences need the account they belong to.",
}
PERMISSIONS = {
    Upload.Kind.REPORT: "uploads.create",
    Upload.Kind.CATALOGUE: "catalogue.manage",
    Upload.Kind.AUDIENCES: "catalogue.manage",
    Upload.Kind.FX_RATES: "catalogue.manage",
    Upload.Kind.POLICIES: "policies.manage",
}


def receive_upload(
    *,
    actor: User,
    chunks: Iterable[bytes],
    file_name: str,
    account: Account | None = None,
    kind: str = Upload.Kind.REPORT,
) -> Upload:
    """Keep a file as it arrives, under the hash of its content. The same file for the same account is kept once.

    Args:
        chunks: the content, read once; nothing of it is held in memory beyond a chunk.
        file_name: as the sender calls it; any folder in it is dropped, never used as a path.

    Raises:
        InvalidInput: empty, or a type that is not read here.
        TooLarge: over the limit of a file; nothing of it is kept.
        QuotaExceeded: the tenant's storage is full.
    """
    kind = Upload.Kind(kind)
    if kind in OF_THE_TENANT:
        people.require(user=actor, permission=PERMISSIONS[kind])
        account = None
    elif account is None:
        raise InvalidInput(NEEDS_ACCOUNT[kind], where="account", fix="Choose an account.")
    else:
        people.require(user=actor, permission=PERMISSIONS[kind], brand=account.brand_id)
    name = clean_file_name(file_name)
    if not name.lower().endswith(SUFFIXES[kind]):
        raise InvalidInput(
            f"{name!r} is not a file type that is read here.",
            where="file",
            fix=f"Send one of {', '.join(SUFFIXES[kind])}.",
        )
    require_room()
    incoming = tenant_folder() / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    partial = incoming / f"{new_id()}.part"
    try:
        sha256, size = _write(chunks, partial)
        if size == 0:
            raise InvalidInput(f"{name!r} is empty.", where="file", fix="Export it again and upload the new file.")
        with transaction.atomic():
            _hold(sha256)
            upload, _ = Upload.objects.get_or_create(
                account=account,
                sha256=sha256,
                defaults={
                    "kind": kind,
                    "brand_id": account.brand_id if account else None,
                    "file_name": name,
                    "size": size,
                    "created_by": actor,
                },
            )
            if upload.kind != kind:
                raise Conflict(
                    f"The same file was sent before as {Upload.Kind(upload.kind).label}.", fix="Send it as that."
                )
            kept = selectors.stored_file(upload)
            kept.parent.mkdir(parents=True, exist_ok=True)
            # Renamed inside the transaction: a row never names a file that is not whole.
            partial.replace(kept)
    finally:
        partial.unlink(missing_ok=True)
    return upload


def discard_upload(*, upload: Upload) -> None:
    """Remove the bytes of an upload whose row was taken back, unless another upload has the same content."""
    with transaction.atomic():
        _hold(upload.sha256)
        if not Upload.objects.filter(sha256=upload.sha256).exists():
            selectors.stored_file(upload).unlink(missing_ok=True)


def clean_file_name(name: str) -> str:
    """The last part of a name as people would read it: no folders, no control characters, at most 200 bytes of UTF-8.

    Bytes, for a file is given this name while it is read, and file systems count bytes.
    """
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    printable = "".join(sign for sign in last if sign.isprintable()).strip().lstrip(".")
    return printable.encode()[-200:].decode(errors="ignore") or "unnamed"


def _hold(sha256: str) -> None:
    """One transaction at a time keeps or removes a content, so no row ever names a file that was just removed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"upload {current_tenant().slug} {sha256}"]
        )


def _write(chunks: Iterable[bytes], path: Path) -> tuple[str, int]:
    limit = settings.UPLOAD_MAX_BYTES
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise TooLarge(
                    f"The file is larger than {limit // MIB} MiB.",
                    where="file",
                    fix="Split the export by month, or compress it with gzip, Zstandard or zip.",
                )
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size
