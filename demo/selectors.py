"""What the login page of the demo shows."""

from __future__ import annotations

from django.conf import settings

from demo.logins import PASSWORD, tenant_named


def logins_of(*, slug: str) -> list[dict[str, str]]:
    """Demo logins of a tenant; none outside demo mode, whatever the tenant is called."""
    tenant = tenant_named(slug) if settings.DEMO_MODE else None
    if tenant is None:
        return []
    return [
        {"name": person.name, "role": person.title, "email": person.email, "password": PASSWORD}
        for person in tenant.people
    ]
