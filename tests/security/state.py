"""What a request changed: content digests of every table of every schema, and of every stored file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, transaction

SCHEMAS = ["public", "acme", "birch"]


@dataclass(frozen=True)
class Tables:
    """What the tables hold.

    Attributes:
        stored_as: `schema.table` -> the file it is kept in; another one after TRUNCATE, none before CREATE.
        digests: `schema.table` -> how many rows it has and the digest of them.
    """

    stored_as: dict[str, int]
    digests: dict[str, str]


def all_tables() -> Tables:
    """All there is, at the start."""
    stored_as = _stored_as()
    assert {name.partition(".")[0] for name in stored_as} == set(SCHEMAS)
    return Tables(stored_as, table_digests(stored_as))


def _stored_as() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname || '.' || c.relname, c.relfilenode FROM pg_class c JOIN pg_namespace n"
            " ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = ANY(%s)", [SCHEMAS],
        )  # fmt: skip
        return dict(cursor.fetchall())


def _rows_written() -> set[str]:
    """Tables of which PostgreSQL counted a row as written since it last put its counts away, so in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname || '.' || relname FROM pg_stat_xact_all_tables"
            " WHERE schemaname = ANY(%s) AND n_tup_ins + n_tup_upd + n_tup_del > 0", [SCHEMAS],
        )  # fmt: skip
        return {name for (name,) in cursor.fetchall()}


def table_digests(names: Iterable[str]) -> dict[str, str]:
    """`schema.table` -> how many rows it has and the digest of them, in one query."""
    content = "coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"
    one = f"SELECT '{{0}}.{{1}}', count(*) || ':' || {content} FROM \"{{0}}\".\"{{1}}\" t"  # noqa: S608 - names of pg_class
    queries = [one.format(*name.split(".")) for name in names]
    if not queries:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(queries))
        return dict(cursor.fetchall())


class Files:
    """The files below the storage root. Only those are read whose size or times are not what they were."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.stamps: dict[str, tuple[int, ...]] = {}
        self.digests: dict[str, str] = {}
        self.look()

    def look(self) -> set[str]:
        """Paths, relative to the root, that were added, taken away or changed since the last look."""
        stamps = _stamps(self.root)
        differing = _differing(self.stamps, stamps)
        digests = {
            path: hashlib.sha256((self.root / path).read_bytes()).hexdigest() for path in differing if path in stamps
        }
        changed = {path for path in differing if digests.get(path) != self.digests.get(path)}
        kept = {path: digest for path, digest in self.digests.items() if path in stamps}
        self.stamps, self.digests = stamps, kept | digests
        return changed


def _stamps(root: Path) -> dict[str, tuple[int, ...]]:
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            stat = path.stat()
            found[path.relative_to(root).as_posix()] = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    return found


@dataclass
class Attempt:
    """One request, undone afterwards; `changed` names every table and file that it left different."""

    changed: set[str]


class Watch:
    """Undoes what a request does, after telling what that was."""

    def __init__(self, storage: Path) -> None:
        self.storage = storage
        self.files = Files(storage)
        self.tables = all_tables()

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Run a request in a transaction that is rolled back, and files it added taken away."""
        found = Attempt(set())
        known = set(self.files.stamps)
        try:
            with transaction.atomic():
                yield found
                found.changed = self.written()
                transaction.set_rollback(True)
        finally:
            found.changed |= self.files.look()
            added = self.files.stamps.keys() - known
            for path in added:
                (self.storage / path).unlink()
            if added:
                self.files.look()
            # No request inherits the tenant of the one before.
            connection.set_schema_to_public()

    def written(self) -> set[str]:
        """Tables that the request in hand has left different so far."""
        if not self._wrote():
            return set()
        stored_as = _stored_as()
        moved = _differing(self.tables.stored_as, stored_as)
        suspects = moved | _rows_written() & stored_as.keys()
        now = table_digests(suspects & stored_as.keys())
        return {name for name in suspects if now.get(name) != self.tables.digests.get(name)}

    @staticmethod
    def _wrote() -> bool:
        # PostgreSQL numbers a transaction when it first writes: without a number nothing was written, in any schema.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
            return bool(cursor.fetchone()[0])


def _differing(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
