"""Fields that nobody may set, sent with every writing request: refused, or passed over, never kept (ASVS 15.3.3)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from tests.security.calls import CALLS, send
from tests.security.conftest import World
from tests.security.expectations import TABLE, WHOLE_TENANT

ID, TEXT, TIME = "deadbeef-dead-7eef-8ead-beefdeadbeef", "planted", "1999-09-09T09:09:09Z"
# Names of columns and of what the models call their relations, with a value that can be found again.
FIELDS: dict[str, Any] = {
    "id": ID, "pk": ID, "public_id": ID, "created_by": ID, "created_by_id": ID, "user": ID, "user_id": ID, "actor": ID,
    "job_id": ID, "solve": ID, "curve_version": ID, "created_at": TIME, "expiry": TIME, "last_login": TIME,
    "finished_at": TIME, "published_at": TIME, "password": TEXT, "digest": TEXT, "token_key": TEXT, "sha256": TEXT,
    "state": TEXT, "status": TEXT, "schema_name": TEXT, "tenant": TEXT, "engine": TEXT, "queue": TEXT,
    "quarantine_path": TEXT, "is_superuser": True, "is_staff": True, "number": 987654321, "attempt": 32000,
}  # fmt: skip
MARKS = (ID, TEXT, "1999-09-09", "987654321", "32000")
WRITING = [name for name in TABLE if name.startswith(("POST", "PATCH")) and not name.endswith("of a catalogue")]


def planted(tables: set[str]) -> set[str]:
    """Tables among these in which a mark is found; superusers and staff count as one."""
    found = set()
    with connection.cursor() as cursor:
        for table in tables:
            schema, name = table.split(".")
            cursor.execute(
                f'SELECT count(*) FROM "{schema}"."{name}" t WHERE t::text ~ %s',  # noqa: S608 - names of pg_tables
                ["|".join(MARKS)],
            )
            if cursor.fetchone()[0]:
                found.add(table)
        cursor.execute("SELECT count(*) FROM birch.accounts_user WHERE is_staff OR is_superuser")
        if cursor.fetchone()[0]:
            found.add("birch.accounts_user")
    return found


@pytest.mark.parametrize("operation", WRITING)
def test_planted_fields_are_not_kept(world: World, operation: str) -> None:
    """All at once: a strict door names every one of them, a lenient one keeps none."""
    own = CALLS[operation].body(lambda kind: world.birch.id(kind, "chips"), "chips") or {}
    assert not own.keys() & FIELDS.keys()
    with world.watch.attempt() as attempt:
        answer = send(world.birch.api("owner"), operation, world.birch, "chips", extra_body=FIELDS)
        kept = planted(world.watch.written())
    assert not kept
    if answer.status_code >= 400:
        assert answer.status_code in (400, 409), answer.content
        assert not attempt.changed
    if answer.status_code == 400:
        assert {error["where"] for error in answer.json()["errors"]} == set(FIELDS)


def test_the_search_finds_what_was_planted(world: World) -> None:
    """What makes the silence above mean something."""
    with world.watch.attempt():
        send(world.birch.api("owner"), "POST /brands/", world.birch, WHOLE_TENANT, extra_body={"name": TEXT})
        assert "birch.accounts_brand" in planted(world.watch.written())
