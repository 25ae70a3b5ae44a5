"""What a request changed: content digests of every table of every schema, and of every stored file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, transaction

SCHEMAS = ["public", "acme", "birch"]


def _tables() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s) ORDER BY 1, 2", [SCHEMAS]
        )
        return list(cursor.fetchall())


def table_digests() -> dict[str, str]:
    """`schema.table` -> how many rows it has and the digest of them, in one query."""
    tables = _tables()
    assert {schema for schema, _ in tables} == set(SCHEMAS)
    content = "coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"
    one = f"SELECT '{{0}}.{{1}}', count(*) || ':' || {content} FROM \"{{0}}\".\"{{1}}\" t"  # noqa: S608 - names of pg_tables
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(one.format(*table) for table in tables))
        return dict(cursor.fetchall())


def file_digests(root: Path) -> dict[str, str]:
    """Path below the storage root -> digest of the content."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@dataclass
class Attempt:
    """One request, undone afterwards; `changed` names every table and file that it left different."""

    changed: set[str]


class Watch:
    """Undoes what a request does, after telling what that was."""

    def __init__(self, storage: Path) -> None:
        self.storage = storage
        self.tables = table_digests()

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Run a request in a transaction that is rolled back, and files it added taken away."""
        found = Attempt(set())
        before = file_digests(self.storage)
        with transaction.atomic():
            yield found
            found.changed = self.written()
            transaction.set_rollback(True)
        after = file_digests(self.storage)
        found.changed |= _differing(before, after)
        for path in after.keys() - before.keys():
            (self.storage / path).unlink()

    def written(self) -> set[str]:
        """Tables that the request in hand has left different so far."""
        return _differing(self.tables, table_digests()) if self._wrote() else set()

    @staticmethod
    def _wrote() -> bool:
        # PostgreSQL numbers a transaction when it first writes: without a number nothing was written, in any schema.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
            return bool(cursor.fetchone()[0])


def _differing(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
