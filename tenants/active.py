"""Django's connection with what django-tenants adds to it, for the type checker's sake."""

from __future__ import annotations

from typing import Any, Protocol, cast

from django.db import connection


class SchemaConnection(Protocol):
    """The part of django-tenants' database wrapper that is used here."""

    schema_name: str
    tenant: Any

    def set_tenant(self, tenant: Any) -> None: ...

    def set_schema_to_public(self) -> None: ...


def schema_connection() -> SchemaConnection:
    """This thread's connection, which knows the active schema."""
    return cast(SchemaConnection, connection)
