"""Numbers that people call rows by: each given once, in order."""

from __future__ import annotations

import hashlib

from django.db import connection

from tenants.selectors import current_tenant


def lock_numbers(name: str) -> None:
    """Until the transaction ends, nobody else of this tenant numbers rows of that name."""
    digest = hashlib.sha256(f"{current_tenant().schema_name} {name}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)])
