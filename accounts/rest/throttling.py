"""Rates. Each tenant has its own, so that a burst of one is nothing to another.

While the server of the counters is away nothing is counted (see `rmn_site.cache`): refusing everybody would turn a slow
queue into an outage.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connection
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from tenants.selectors import active_schema


class TenantRateThrottle(SimpleRateThrottle):
    """Requests a minute of a whole tenant."""

    scope = "tenant"

    def __init__(self) -> None:
        # The rate is the tenant's, known only with the request; the base class wants one now.
        self.rate = f"{settings.API_RATE_PER_MINUTE}/minute"
        super().__init__()

    def allow_request(self, request: Request, view: Any) -> bool:
        own = getattr(getattr(connection, "tenant", None), "api_rate_per_minute", None)
        if own:
            self.num_requests = own
        return bool(super().allow_request(request, view))

    def get_cache_key(self, request: Request, view: Any) -> str:
        return f"throttle:tenant:{active_schema()}"


class UserRateThrottle(SimpleRateThrottle):
    """One person or address may use up at most half of the tenant's rate."""

    scope = "user"

    def __init__(self) -> None:
        self.rate = f"{settings.API_RATE_PER_MINUTE}/minute"
        super().__init__()

    def allow_request(self, request: Request, view: Any) -> bool:
        own = getattr(getattr(connection, "tenant", None), "api_rate_per_minute", None)
        self.num_requests = max(1, (own or settings.API_RATE_PER_MINUTE) // 2)
        return bool(super().allow_request(request, view))

    def get_cache_key(self, request: Request, view: Any) -> str:
        who = request.user.pk if request.user and request.user.is_authenticated else self.get_ident(request)
        return f"throttle:user:{active_schema()}:{who}"
