"""Django's error views, with the id that finds the failure in the logs.

The 500 page is drawn without context processors: what broke may be what they need.
"""

from __future__ import annotations

import sys

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader

from accounts.rest.problem_details import current_request_id


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """`handler400`."""
    return _page("400.html", 400)


def not_allowed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """`handler403`; the words of a `PermissionDenied` are meant for the reader."""
    return _page("403.html", 403, reason=str(exception or ""))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """`handler404`. The words of the exception stay out: they name patterns and models, not what the reader did."""
    return _page("404.html", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """`handler500`; a database that does not answer is 503, for it will pass."""
    if isinstance(sys.exc_info()[1], OperationalError):
        return _page("503.html", 503, reason="The database does not answer.")
    return _page("500.html", 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """`CSRF_FAILURE_VIEW`. The reason is for the logs, which Django has written."""
    return _page("403.html", 403, csrf=True)


def _page(template: str, status: int, **context: object) -> HttpResponse:
    context["request_id"] = current_request_id()
    return HttpResponse(loader.render_to_string(template, context), status=status)
