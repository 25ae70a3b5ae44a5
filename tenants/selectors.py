"""Reads about tenants, and the one place that tells whose data the running code may touch."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection

from tenants import schemas
from tenants.active import schema_connection
from tenants.core.problems import NotFound
from tenants.models import PUBLIC_SCHEMA, Tenant

_verified: set[str] = set()


def current_schema() -> str:
    """The schema of the running tenant.

    Raises:
        RuntimeError: outside a tenant. Code that needs one must fail rather than fall back to another's data.
    """
    schema = schema_connection().schema_name
    if not schema or schema == PUBLIC_SCHEMA:
        raise RuntimeError("this code needs a tenant and none is active")
    return str(schema)


def current_tenant() -> Tenant:
    """The running tenant's row."""
    schema = current_schema()
    tenant = getattr(connection, "tenant", None)
    return tenant if isinstance(tenant, Tenant) else Tenant.objects.get(schema_name=schema)


def tenant_folder() -> Path:
    """Where the running tenant's files lie; nothing of another tenant is below it."""
    return folder_of(current_schema())


def folder_of(slug: str) -> Path:
    """Where the files of a tenant lie."""
    return Path(settings.STORAGE_ROOT) / "tenants" / slug


def tenant_by_host(*, host: str) -> Tenant | None:
    """The tenant that a host name opens."""
    return Tenant.objects.filter(domains__domain=host.lower()).first()


def tenant_by_key(*, key: str) -> Tenant | None:
    """The tenant that an `X-Tenant-ID` names, by slug or by id."""
    try:
        return Tenant.objects.filter(id=UUID(key)).first()
    except ValueError:
        return Tenant.objects.filter(schema_name=key).first()


def is_routable(tenant: Tenant) -> bool:
    """Whether every tenant table exists in the tenant's schema (asked once in the life of a process)."""
    if tenant.is_platform or tenant.slug in _verified:
        return True
    if schemas.missing_tables(tenant.slug):
        return False
    _verified.add(tenant.slug)
    return True


def forget_routable(slug: str) -> None:
    """Ask again, the next time, whether a tenant's tables exist."""
    _verified.discard(slug)


def find_tenant(*, key: str) -> Tenant:
    """The tenant of a slug or id.

    Raises:
        NotFound: there is none.
    """
    tenant = tenant_by_key(key=key)
    if tenant is None or tenant.is_platform:
        raise NotFound(f"No tenant is called {key!r}.", where="tenant", fix="`manage.py list_tenants` shows them all.")
    return tenant


def active_schema() -> str:
    """The schema that this thread works in, `public` included: a name for counters and logs, not a licence to read."""
    return schema_connection().schema_name


def schemas_behind() -> list[str]:
    """Tenants whose schema lacks a migration."""
    return schemas.schemas_behind(tenant_schemas())


def tenant_schemas() -> list[str]:
    """Schema names of all tenants."""
    tenants = Tenant.objects.exclude(schema_name=PUBLIC_SCHEMA).order_by("schema_name")
    return list(tenants.values_list("schema_name", flat=True))
