"""What the platform does with tenants."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence

import redis
import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, ProgrammingError, connection, transaction
from psycopg import sql
from psycopg.errors import DuplicateSchema

from tenants import schemas, selectors
from tenants.active import schema_connection
from tenants.core.problems import Conflict, InvalidInput
from tenants.models import PUBLIC_SCHEMA, Domain, Tenant

log = structlog.get_logger(__name__)

RESERVED = frozenset({PUBLIC_SCHEMA, "information_schema", "platform", "www", "api", "admin", schemas.TEMPLATE_SCHEMA})
_SLUG = re.compile(r"[a-z][a-z0-9_]{0,46}[a-z0-9]")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*|[0-9a-f:]+")  # a name, or an IPv6 address


def prepare_template() -> None:
    """Build the schema template if these migrations have none yet. Takes seconds, and cannot run in a transaction."""
    schema_connection().set_schema_to_public()
    schemas.template_sql()


def create_tenant(*, slug: str, name: str, domains: Sequence[str] = (), base_currency: str = "USD") -> Tenant:
    """Create a tenant with its schema and domains, all in one transaction.

    Args:
        slug: schema name, storage prefix and value of `X-Tenant-ID`.
        domains: host names that open it, the first one primary; by default `<slug>.<RMN_BASE_DOMAIN>`.

    Raises:
        InvalidInput: the slug is malformed or reserved, or the name, the currency or a host is not one.
        Conflict: the slug or a domain is taken.
    """
    if not _SLUG.fullmatch(slug) or slug.startswith("pg_") or slug in RESERVED:
        raise InvalidInput(
            f"{slug!r} cannot name a tenant.",
            where="slug",
            fix="Use 2 to 48 lower-case letters, digits and _, starting with a letter, and no reserved name.",
        )
    hosts = [_host(domain) for domain in domains] or [default_host(slug)]
    prepare_template()  # outside the transaction below, so that a first-time build is kept in any case
    taken = Conflict(
        f"A tenant {slug!r}, or one with a host of {', '.join(hosts)}, exists already.",
        fix="Choose another slug and other host names.",
    )
    if Tenant.objects.filter(schema_name=slug).exists():
        raise taken
    try:
        with transaction.atomic():
            tenant = Tenant(schema_name=slug, name=name.strip(), base_currency=base_currency)
            tenant.full_clean(exclude=["schema_name"], validate_unique=False)
            tenant.save(force_insert=True)
            for position, host in enumerate(hosts):
                Domain.objects.create(domain=host, tenant=tenant, is_primary=position == 0)
            schemas.replay_template(slug)
    except IntegrityError as error:
        raise taken from error
    except ProgrammingError as error:
        if not isinstance(error.__cause__, DuplicateSchema):
            raise
        raise Conflict(
            f"The database has a schema {slug!r} that belongs to no tenant.",
            where="slug",
            fix="Choose another slug, or rename or drop that schema.",
        ) from error
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(" ".join(messages), where=field) from error
    log.info("tenant_created", tenant=slug, domains=hosts)
    return tenant


def default_host(slug: str) -> str:
    """The host name a tenant gets when none is given. Host names have hyphens where schema names have underscores."""
    return f"{slug.replace('_', '-')}.{settings.BASE_DOMAIN}"


def add_domain(*, tenant: Tenant, host: str) -> Domain:
    """Let one more host name open a tenant.

    Raises:
        InvalidInput: it is not a host name.
        Conflict: it opens another tenant already.
    """
    host = _host(host)
    domain, _ = Domain.objects.get_or_create(domain=host, defaults={"tenant": tenant, "is_primary": False})
    if domain.tenant_id != tenant.pk:
        raise Conflict(f"{host} opens another tenant.", where="domain", fix="Choose another host name.")
    return domain


def _host(text: str) -> str:
    host = text.strip().lower()
    if not _HOST.fullmatch(host) or len(host) > 253:
        raise InvalidInput(
            f"{text!r} is not a host name.", where="domain", fix="Write it without scheme, port and path."
        )
    return host


def ensure_platform(*, domains: Sequence[str]) -> Tenant:
    """The row of the public schema and its host names; made once, completed when a name is missing."""
    schema_connection().set_schema_to_public()
    with transaction.atomic():
        platform, _ = Tenant.objects.get_or_create(schema_name=PUBLIC_SCHEMA, defaults={"name": "RMN platform"})
        for position, host in enumerate(domains):
            Domain.objects.get_or_create(domain=host, defaults={"tenant": platform, "is_primary": position == 0})
    return platform


def set_tenant_status(*, tenant: Tenant, status: str) -> Tenant:
    """Suspend or reactivate a tenant; its data stays as it is.

    Raises:
        InvalidInput: there is no such status, or the platform itself is meant.
    """
    if status not in Tenant.Status.values:
        raise InvalidInput(f"{status!r} is no status.", where="status", fix=f"Use {', '.join(Tenant.Status.values)}.")
    if tenant.is_platform:
        raise InvalidInput("The platform itself cannot be suspended.", where="tenant", fix="Name a tenant.")
    tenant.status = status
    tenant.save(update_fields=["status"])
    log.info("tenant_status_changed", tenant=tenant.slug, status=status)
    return tenant


def delete_tenant(*, tenant: Tenant) -> None:
    """Drop a tenant's schema, row, domains, files and cache entries. There is no way back but a backup.

    Raises:
        InvalidInput: the platform itself is meant.
    """
    if tenant.is_platform:
        raise InvalidInput("The platform itself cannot be deleted.", where="tenant", fix="Name a tenant.")
    slug = tenant.slug
    schema_connection().set_schema_to_public()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(slug)))
        tenant.delete()
    selectors.forget_routable(slug)
    # After the commit: files of a tenant that still exists are worth more than files of one that does not.
    shutil.rmtree(selectors.folder_of(slug), ignore_errors=True)
    _forget_cached(slug)
    log.info("tenant_deleted", tenant=slug)


def _forget_cached(slug: str) -> None:
    """Remove a tenant's cache entries; its slug is the first part of every key (see `CACHES` in the settings)."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=2) as server:
            for key in server.scan_iter(match=f"{slug}:*", count=1000):
                server.unlink(key)
    except redis.RedisError as error:
        # The tenant is gone already, and cache entries expire by themselves.
        log.warning("tenant_cache_not_cleared", tenant=slug, error=str(error))
