"""Errors of the pages: the same problems the API reports, as a page that says the next move."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render, resolve_url

from accounts.problem_details import current_request_id
from tenants.core.problem_documents import CONTENT_TYPE, problem_document
from tenants.core.problems import NotAuthenticated, Problem


class ProblemMiddleware:
    """Renders a `Problem` that a page did not handle itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, Problem):
            return None
        if request.path.startswith("/api/"):
            document = problem_document(error, instance=request.path, request_id=current_request_id())
            return JsonResponse(document, status=error.status, content_type=CONTENT_TYPE)
        if isinstance(error, NotAuthenticated):
            return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
        context = {"problem": error, "request_id": current_request_id()}
        return render(request, "errors/problem.html", context, status=error.status)
