"""Errors of the pages: the same problems the API reports, as a page that says the next move."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render, resolve_url

from accounts.rest.problem_details import current_request_id
from tenants.core.problem_documents import CONTENT_TYPE, problem_document
from tenants.core.problems import InvalidInput, NotAuthenticated, NotFound, Problem, TooLarge, Unavailable

API_PREFIX = "/api/"
MIB = 1024 * 1024
# What a form adds to the file in it: boundaries, names, the other fields.
FORM_ROOM = MIB


class BodyLimitMiddleware:
    """Refuses a body by the length it announces, before anything reads it.

    A form may carry a file of `UPLOAD_MAX_BYTES`; anything else is text, of `DATA_UPLOAD_MAX_MEMORY_SIZE` at most. That
    a body is no longer than it announces is seen to by the server.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        announced = str(request.META.get("CONTENT_LENGTH", ""))
        length = int(announced) if announced.isdecimal() else 0
        is_form = request.content_type == "multipart/form-data"
        limit = settings.UPLOAD_MAX_BYTES if is_form else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if length <= limit + (FORM_ROOM if is_form else 0):
            return self.get_response(request)
        problem = TooLarge(
            f"The request is larger than {limit // MIB} MiB.",
            where="body",
            fix="Split the export by month, or compress it with gzip." if is_form else "Send less in one request.",
        )
        if request.path.startswith(API_PREFIX):
            return _document(request, problem)
        # Nobody is known yet: a page without the frame.
        return render(request, "errors/tenant.html", {"problem": problem}, status=problem.status)


class ProblemMiddleware:
    """Renders a `Problem` that a page did not handle itself.

    Below /api/ every error is a document, also those that Django answers before or after a view: an address that does
    not exist, a missing CSRF token, a failure nobody expected.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        said_in_html = response.get("Content-Type", "").startswith("text/html")
        if response.status_code >= 400 and said_in_html and request.path.startswith(API_PREFIX):
            return _document(request, _plain_problem(response.status_code))
        return response

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        """No text has a NUL in it, and the database refuses one: said here once, for every filter of every page."""
        said = list(request.GET.lists())
        if request.method == "POST" and not request.path.startswith(API_PREFIX):
            # Forms of pages: the check of their token has read them already.
            said += request.POST.lists()
        for name, values in said:
            if any("\x00" in text for text in (name, *values)):
                problem = InvalidInput(
                    "The address or the form holds a character with the code zero.",
                    where=name.replace("\x00", ""),
                    fix="Remove %00 from it.",
                )
                return self.process_exception(request, problem)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, Problem):
            return None
        if request.path.startswith(API_PREFIX):
            return _document(request, error)
        if isinstance(error, NotAuthenticated):
            return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
        context = {"problem": error, "request_id": current_request_id()}
        return render(request, "errors/problem.html", context, status=error.status)


def _document(request: HttpRequest, problem: Problem) -> HttpResponse:
    document = problem_document(problem, instance=request.path, request_id=current_request_id())
    return JsonResponse(document, status=problem.status, content_type=CONTENT_TYPE)


def _plain_problem(status: int) -> Problem:
    if status == 404:
        return NotFound("There is nothing at this address.", fix="/api/v1/docs lists every address.")
    if status == 503:
        return Unavailable("A server this depends on does not answer.", fix="Try again in a minute.")
    if status >= 500:
        problem = Problem("Something failed that nobody foresaw.", fix="Repeat it; if it stays, send the request id.")
        problem.title = "Internal error"  # type: ignore[misc]
    else:
        problem = Problem("The request was refused before it reached its address.")
    problem.status = status  # type: ignore[misc]
    return problem
