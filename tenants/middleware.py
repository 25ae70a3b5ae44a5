"""Which tenant a request belongs to, decided before anything else looks at it."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import split_domain_port
from django.shortcuts import render
from django.urls import resolve
from django_tenants.middleware.main import TenantMainMiddleware
from prometheus_client import Counter, Histogram

from tenants import selectors
from tenants.active import schema_connection
from tenants.core.problem_documents import CONTENT_TYPE, problem_document
from tenants.core.problems import InvalidInput, NotFound, Problem, TenantSuspended, Unavailable
from tenants.models import PUBLIC_SCHEMA, Tenant

Handler = Callable[[HttpRequest], HttpResponse]
API_PREFIX = "/api/"
# Asked by load balancers and scrapers, by whatever host name they know.
HOSTLESS = frozenset({"/health", "/health/ready", "/metrics"})

REQUESTS = Counter("rmn_http_requests_total", "Requests answered", ["tenant", "method", "status"])
SECONDS = Histogram(
    "rmn_http_request_seconds", "Time to answer", ["tenant"], buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)
)


class TenantMiddleware(TenantMainMiddleware):
    """Tenant by host name; for the API also by `X-Tenant-ID`, on the platform's host or together with its own."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        schema_connection().set_schema_to_public()
        request.tenant = None  # type: ignore[attr-defined]
        if request.path in HOSTLESS:
            # Answered here and now: whatever comes later wants a host name, a session or a user.
            match = resolve(request.path, settings.PUBLIC_SCHEMA_URLCONF)
            return match.func(request, *match.args, **match.kwargs)
        try:
            tenant = self._tenant(request)
        except OperationalError:
            return refuse(request, Unavailable("The database does not answer.", fix="Try again in a minute."))
        except Problem as problem:
            return refuse(request, problem)
        request.tenant = tenant  # type: ignore[attr-defined]
        schema_connection().set_tenant(tenant)
        self.setup_url_routing(request)
        return None

    def _tenant(self, request: HttpRequest) -> Tenant:
        try:
            host = split_domain_port(request.get_host())[0].strip("[]")
        except DisallowedHost as error:
            raise NotFound("No tenant lives at this address.", where="Host") from error
        by_host = selectors.tenant_by_host(host=host)
        if by_host is None:
            raise NotFound(
                f"No tenant lives at {host}.",
                where="Host",
                fix="Check the address; it is usually https://<company>.<domain>.",
            )
        tenant = self._named_by_header(request, by_host)
        if tenant.status != Tenant.Status.ACTIVE:
            raise TenantSuspended(f"{tenant.name} is suspended.", fix="Ask the platform's operators to reactivate it.")
        if not selectors.is_routable(tenant):
            raise Unavailable(f"{tenant.name} is being prepared.", fix="Try again in a minute.")
        return tenant

    def _named_by_header(self, request: HttpRequest, by_host: Tenant) -> Tenant:
        key = request.headers.get("X-Tenant-ID", "").strip()
        if not key or not request.path.startswith(API_PREFIX):
            return by_host
        named = selectors.tenant_by_key(key=key)
        if named is not None and named.pk == by_host.pk:
            return named
        if not by_host.is_platform:
            raise InvalidInput(
                "The host and X-Tenant-ID name different tenants.",
                where="X-Tenant-ID",
                fix="Leave the header out, or send the request to that tenant's host or to the platform's.",
            )
        if named is None:
            raise NotFound("X-Tenant-ID names no tenant.", where="X-Tenant-ID")
        return named


class LogContextMiddleware:
    """Every log line of a request carries its tenant."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        structlog.contextvars.bind_contextvars(tenant=schema_connection().schema_name)
        return self.get_response(request)


class TenantMetricsMiddleware:
    """Request counts and latencies with the tenant as a label."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        tenant = getattr(request, "tenant", None)
        label = tenant.slug if tenant else PUBLIC_SCHEMA
        response = self.get_response(request)
        REQUESTS.labels(label, request.method or "", str(response.status_code)).inc()
        SECONDS.labels(label).observe(time.perf_counter() - started)
        return response


def refuse(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The answer to a request that belongs to no tenant that may be served."""
    if request.path.startswith(API_PREFIX):
        return JsonResponse(
            problem_document(problem, instance=request.path), status=problem.status, content_type=CONTENT_TYPE
        )
    return render(request, "errors/tenant.html", {"problem": problem}, status=problem.status)
