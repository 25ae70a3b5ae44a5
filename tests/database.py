"""Databases of the tests: one is migrated, the others are copies of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

TEMPLATE = "rmn_test_template"
_TEMPLATE_LOCK = 7_261_002


def _server() -> psycopg.Connection[tuple[object, ...]]:
    """A connection to the server's maintenance database."""
    parameters = connection.get_connection_params()
    for ours in ("pool", "cursor_factory", "context", "prepare_threshold"):
        parameters.pop(ours, None)
    return psycopg.connect(**{**parameters, "dbname": "postgres"}, autocommit=True)


def use_database(name: str) -> None:
    """Point Django at a database, dropping every connection to the former one."""
    # The name first: a thread of an earlier test that asks for the pool in between must not make one of the old name.
    connection.settings_dict["NAME"] = name
    connections.close_all()
    connection.close_pool()
    connection.set_schema_to_public()


def ensure_template() -> None:
    """The migrated database with the tenants acme and birch; made by whichever process of the run comes first."""
    with _server() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [_TEMPLATE_LOCK])
        if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            return
        building = f"{TEMPLATE}_building"
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(building)))
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(building)))
        use_database(building)
        call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
        from tenants import services

        services.ensure_platform(domains=["platform.localhost"])
        services.create_tenant(slug="acme", name="Acme Snacks", domains=["acme.localhost", "localhost"])
        services.create_tenant(slug="birch", name="Birch Beverages", domains=["birch.localhost"])
        use_database(TEMPLATE)
        # Renamed last: whoever sees the name sees a finished database.
        server.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(building), sql.Identifier(TEMPLATE))
        )


@contextmanager
def copied_database(prefix: str) -> Iterator[str]:
    """A copy of the template under a new name, dropped at the end. Milliseconds, where migrating takes seconds."""
    name = f"{prefix}_{uuid.uuid4().hex[:8]}"
    with _server() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [_TEMPLATE_LOCK])
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    try:
        yield name
    finally:
        connections.close_all()
        connection.close_pool()
        with _server() as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
