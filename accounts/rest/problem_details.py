"""Errors of the API as RFC 9457 problem documents."""

from __future__ import annotations

import math
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from tenants.core.problem_documents import CONTENT_TYPE, problem_document
from tenants.core.problems import (
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Problem,
    QuotaExceeded,
    Unavailable,
)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's `EXCEPTION_HANDLER`: every error leaves as a problem document, unknown ones are left to Django."""
    problem, headers = _as_problem(error)
    if problem is None:
        return None
    set_rollback()
    request = context.get("request")
    if isinstance(request, Request):
        # Also where the view would have answered in YAML or HTML: an error is always this document.
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), CONTENT_TYPE
    document = problem_document(problem, instance=getattr(request, "path", ""), request_id=str(current_request_id()))
    return Response(document, status=document["status"], headers=headers, content_type=CONTENT_TYPE)


def current_request_id() -> str:
    """The id that the logs of this request carry, empty outside one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def _as_problem(error: Exception) -> tuple[Problem | None, dict[str, str]]:
    headers: dict[str, str] = {}
    if isinstance(error, Problem):
        return error, headers
    if isinstance(error, Http404):
        return NotFound("There is nothing here under that id."), headers
    if isinstance(error, PermissionDenied | exceptions.PermissionDenied):
        return NotAllowed(str(getattr(error, "detail", error)) or "Your role does not allow this."), headers
    if isinstance(error, OperationalError | RedisConnectionError):
        return Unavailable("A server this depends on does not answer.", fix="Try again in a minute."), headers
    if isinstance(error, RecursionError):
        # Only a body can be nested without end: nothing here calls itself as deep.
        return InvalidInput("The request is nested too deeply.", where="body", fix="Send plain values."), headers
    if not isinstance(error, exceptions.APIException):
        return None, headers
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = getattr(error, "auth_header", "") or "Token"
        return NotAuthenticated(str(error.detail), fix="Log in, or send a token of this tenant."), headers
    if isinstance(error, exceptions.Throttled):
        wait = max(1, math.ceil(getattr(error, "wait", None) or 1))
        headers["Retry-After"] = str(wait)
        return QuotaExceeded("Too many requests.", fix=f"Try again in {wait} s."), headers
    if isinstance(error, exceptions.ValidationError):
        return _invalid(error), headers
    problem = Problem(str(error.detail))
    problem.status, problem.code = error.status_code, str(error.default_code).replace("_", "-")  # type: ignore[misc]
    return problem, headers


def _invalid(error: exceptions.ValidationError) -> Problem:
    errors = list(_flatten(error.detail))
    first = errors[0] if errors else {"detail": "The input is not valid."}
    return InvalidInput(first["detail"], where=first.get("where", ""), errors=errors)


def _flatten(detail: Any, where: str = "") -> Any:
    if isinstance(detail, dict):
        for name, value in detail.items():
            place = "" if name == "non_field_errors" else str(name)
            yield from _flatten(value, ".".join(part for part in (where, place) if part))
    elif isinstance(detail, list):
        for position, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            yield from _flatten(value, f"{where}[{position}]" if nested else where)
    else:
        yield {"detail": str(detail), **({"where": where} if where else {})}
