"""`/health` (this process answers) and `/health/ready` (so do the servers it depends on), and `/metrics`."""

from __future__ import annotations

import hmac

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView


@login_not_required
@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Liveness: no server is asked."""
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Readiness: 503 while PostgreSQL does not answer; a silent Valkey delays jobs but refuses nobody."""
    checks = {"database": _database_answers(), "queue": _queue_answers()}
    body = {"status": "ok" if all(checks.values()) else "degraded" if checks["database"] else "unavailable"}
    return JsonResponse({**body, "checks": checks}, status=200 if checks["database"] else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone() == (1,)
    except Exception:  # noqa: BLE001  whatever the driver raises, the answer is that it does not answer
        return False


def _queue_answers() -> bool:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as server:
            return bool(server.ping())
    except redis.RedisError:
        return False


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics; with `RMN_METRICS_TOKEN` set, only for who sends it as a bearer token."""
    expected = settings.METRICS_TOKEN
    if expected:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), expected.encode()):
            return HttpResponse("metrics need the token of RMN_METRICS_TOKEN\n", status=401, content_type="text/plain")
    elif settings.CONFIG.env == "production":
        return HttpResponse("set RMN_METRICS_TOKEN to open metrics\n", status=403, content_type="text/plain")
    return ExportToDjangoView(request)
