"""What the platform does with tenants."""

from __future__ import annotations

import re
from collections.abc import Sequence

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from tenants import schemas
from tenants.core.problems import Conflict, InvalidInput
from tenants.models import PUBLIC_SCHEMA, Domain, Tenant

log = structlog.get_logger(__name__)

RESERVED = frozenset({PUBLIC_SCHEMA, "information_schema", "platform", "www", "api", "admin", schemas.TEMPLATE_SCHEMA})
_SLUG = re.compile(r"[a-z][a-z0-9_]{1,47}")


def create_tenant(*, slug: str, name: str, domains: Sequence[str] = (), base_currency: str = "USD") -> Tenant:
    """Create a tenant with its schema and domains, all in one transaction.

    Args:
        slug: schema name, storage prefix and value of `X-Tenant-ID`.
        domains: host names that open it, the first one primary; by default `<slug>.<RMN_BASE_DOMAIN>`.

    Raises:
        InvalidInput: the slug is malformed or reserved.
        Conflict: the slug or a domain is taken.
    """
    if not _SLUG.fullmatch(slug) or slug.startswith("pg_") or slug in RESERVED:
        raise InvalidInput(
            f"{slug!r} cannot name a tenant",
            where="slug",
            fix="Use 2 to 48 lower-case letters, digits and _, starting with a letter, and no reserved name.",
        )
    connection.set_schema_to_public()
    schemas.template_sql()  # built outside the transaction below, so that a first-time build is kept in any case
    hosts = list(domains) or [f"{slug.replace('_', '-')}.{settings.BASE_DOMAIN}"]
    try:
        with transaction.atomic():
            tenant = Tenant(schema_name=slug, name=name, base_currency=base_currency)
            tenant.full_clean(exclude=["schema_name"], validate_unique=False)
            tenant.save(force_insert=True)
            for position, host in enumerate(hosts):
                Domain.objects.create(domain=host.lower(), tenant=tenant, is_primary=position == 0)
            schemas.replay_template(slug)
    except IntegrityError as error:
        raise Conflict(
            f"a tenant {slug!r}, or one with a host of {', '.join(hosts)}, exists already",
            fix="Choose another slug and other host names.",
        ) from error
    log.info("tenant_created", tenant=slug, domains=hosts)
    return tenant


def ensure_platform(*, domains: Sequence[str]) -> Tenant:
    """The row of the public schema and its host names; made once, completed when a name is missing."""
    connection.set_schema_to_public()
    with transaction.atomic():
        platform, _ = Tenant.objects.get_or_create(schema_name=PUBLIC_SCHEMA, defaults={"name": "RMN platform"})
        for position, host in enumerate(domains):
            Domain.objects.get_or_create(domain=host, defaults={"tenant": platform, "is_primary": position == 0})
    return platform


def set_tenant_status(*, tenant: Tenant, status: str) -> Tenant:
    """Suspend or reactivate a tenant; its data stays as it is."""
    tenant.status = Tenant.Status(status)
    tenant.save(update_fields=["status"])
    log.info("tenant_status_changed", tenant=tenant.slug, status=status)
    return tenant
