"""Pages of jobs. They work by reload alone; with scripts, what changes is fetched every two seconds."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.selectors import may
from jobs import selectors, services
from jobs.core.registry import handler_for
from jobs.core.states import OPEN_STATES, State
from jobs.models import Job
from jobs.presentation import as_text, log_lines, look_at
from tenants.core.problems import Problem

PAGE = 50
_SHOWN_LINES = 200


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)


@require_safe
@never_cache
def job_list(request: HttpRequest) -> HttpResponse:
    """All jobs I may see; `?state=` and `?kind=` narrow them down."""
    jobs = selectors.jobs_listed(user=_me(request))
    state, kind = request.GET.get("state", ""), request.GET.get("kind", "")
    kinds = sorted(set(jobs.order_by().values_list("kind", flat=True).distinct()))
    if state == "open":
        jobs = jobs.filter(state__in=OPEN_STATES)
    elif state in list(State):
        jobs = jobs.filter(state=state)
    if kind:
        jobs = jobs.filter(kind=kind)
    page = Paginator(jobs, PAGE).get_page(request.GET.get("page"))
    looks = [look_at(job) for job in page]
    context = {
        "page": page,
        "looks": looks,
        "state": state,
        "kind": kind,
        "kinds": kinds,
        "states": ["open", *State],
        "active": any(not look.job.is_final for look in looks),
    }
    fragment = request.headers.get("HX-Request") == "true"
    return render(request, "jobs/_table.html" if fragment else "jobs/job_list.html", context)


@require_safe
@never_cache
def job_detail(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One job; asked by htmx, only the part that changes."""
    job = selectors.job_visible(user=_me(request), job_id=job_id)
    level = "warning" if request.GET.get("log") == "warnings" else ""
    lines = selectors.job_logs(job=job, levels=["warning", "error"] if level else [])
    newest = list(lines.reverse()[:_SHOWN_LINES])[::-1]
    context = {
        "look": look_at(job),
        "job": job,
        "lines": log_lines(newest),
        "level": level,
        "warnings": selectors.job_logs(job=job, levels=["warning", "error"]).count(),
        "may_cancel": not job.is_final and may(user=_me(request), permission=services.CANCEL, brand=job.brand_id),
        "may_retry": job.may_be_retried and _may_submit(_me(request), job),
    }
    fragment = request.headers.get("HX-Request") == "true"
    return render(request, "jobs/_live.html" if fragment else "jobs/job_detail.html", context)


@require_safe
@never_cache
def job_log(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The whole log as a text file."""
    job = selectors.job_visible(user=_me(request), job_id=job_id)
    lines = [f"{line.time:%Y-%m-%dT%H:%M:%S.%fZ} {as_text(line)}\n" for line in selectors.job_logs(job=job)]
    answer = HttpResponse("".join(lines), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="job-{job.pk}.log"'
    return answer


@require_POST
def job_cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Cancel and go back to the page."""
    return _act(request, job_id, "cancel")


@require_POST
def job_retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Retry and go back to the page."""
    return _act(request, job_id, "retry")


def _act(request: HttpRequest, job_id: UUID, act: str) -> HttpResponse:
    selectors.job_visible(user=_me(request), job_id=job_id)
    try:
        if act == "cancel":
            job = services.cancel_job(job_id=job_id, actor=_me(request))
            done = "The job is cancelled." if job.is_final else "The job was asked to stop."
        else:
            services.retry_job(job_id=job_id, actor=_me(request))
            done = "The job waits to run again."
    except Problem as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, done)
    return redirect("job-detail", job_id)


def _may_submit(user: User, job: Job) -> bool:
    try:
        permission = handler_for(job.kind).permission
    except Problem:
        return False  # a kind of an earlier version
    return may(user=user, permission=permission, brand=job.brand_id)
