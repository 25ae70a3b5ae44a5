"""Pages of learning programmes. They work by forms and reload alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import selectors as people
from accounts.models import User
from accounts.rest.downloads import as_download
from accounts.services import require
from jobs.selectors import MANAGE_SCHEDULES
from optimization.core.learning.programme import monday_of
from optimization.learning_forms import ProgrammeForm
from optimization.learning_models import LearningProgramme
from optimization.learning_presenters import CHIPS, programme_context, stages_of
from optimization.selectors import learning as selectors
from optimization.selectors import solve_visible
from optimization.services import learning as services
from tenants.core.problems import InvalidInput, Problem

PAGE = 25
_AMOUNT = re.compile(r"(\d+|\d{1,3}(,\d{3})+)(\.\d+)?", re.ASCII)


@require_safe
def programme_list(request: HttpRequest) -> HttpResponse:
    """Every programme I may see."""
    rows = selectors.programmes_listed(user=_me(request))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    shown = [(one, CHIPS[one.status], next(iter(one.newest), None)) for one in page]  # type: ignore[attr-defined]
    return render(request, "learning/programme_list.html", {"page": page, "rows": shown})


@require_http_methods(["GET", "POST"])
def programme_new(request: HttpRequest, solve_id: UUID) -> HttpResponse:
    """Start to learn from a solved problem; `?weeks=` is how many weeks it is of, where it does not say so itself."""
    me = _me(request)
    solve = solve_visible(user=me, solve_id=solve_id)
    require(user=me, permission=services.MANAGE, brand=solve.brand)
    if request.method == "GET":
        first = monday_of(timezone.now().date()) + timedelta(days=7)
        form = ProgrammeForm.suggested(solve, weeks=request.GET.get("weeks", ""), first=first)
        return render(request, "learning/programme_form.html", {"form": form, "solve": solve})
    form = ProgrammeForm(request.POST)
    form.tell_weeks(solve)
    try:
        programme = services.start_programme(actor=me, solve=solve, **_typed(request))
    except Problem as problem:
        form.show(problem)
        return render(request, "learning/programme_form.html", {"form": form, "solve": solve}, status=problem.status)
    return redirect("learning-detail", programme.pk)


@never_cache
@require_safe
def programme_detail(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """One programme: this week's proposal, what the weeks were, and what its log says when asked."""
    me = _me(request)
    programme = selectors.programme_visible(user=me, programme_id=programme_id)
    job = selectors.newest_job(programme)
    running = job is not None and not job.is_final
    context = {
        "programme": programme,
        "chip": CHIPS[programme.status],
        "job": job,
        "running": running,
        "stages": stages_of(job) if running and job else [],
        "may_manage": people.may(user=me, permission=services.MANAGE, brand=programme.brand),
        "may_accept": people.may(user=me, permission=services.ACCEPT, brand=programme.brand),
        "may_export": people.may(user=me, permission=services.EXPORT, brand=programme.brand),
        "may_schedule": all(
            people.may(user=me, permission=one, brand=programme.brand) for one in (MANAGE_SCHEDULES, services.MANAGE)
        ),
        "schedule": services.schedule_of(programme),
        **programme_context(programme),
        **_asked_of_log(request, programme),
    }
    fragment = request.headers.get("HX-Request") == "true"
    return render(request, f"learning/{'_programme' if fragment else 'programme_detail'}.html", context)


@require_POST
def programme_run(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """Take in new figures and propose a week; without one, the coming week."""

    def run(me: User, programme: LearningProgramme) -> None:
        text = request.POST.get("week", "")
        services.request_run(actor=me, programme=programme, week=_day(text, "week") if text else None)

    return _act(request, programme_id, run)


@require_POST
def programme_status(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """Pause, resume or end it."""
    status = request.POST.get("status", "")
    return _act(
        request,
        programme_id,
        lambda me, one: services.set_programme_status(actor=me, programme=one, status=status),
    )


@require_POST
def programme_schedule(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """Let it run every Monday, or no more."""
    on = request.POST.get("on", "1") == "1"
    return _act(request, programme_id, lambda me, one: services.schedule_programme(actor=me, programme=one, on=on))


@require_safe
def programme_log(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """The log as a file."""
    me = _me(request)
    programme = selectors.programme_visible(user=me, programme_id=programme_id)
    return as_download(services.export_log(user=me, programme=programme))


@require_POST
def week_decide(request: HttpRequest, week_id: UUID) -> HttpResponse:
    """Accept the proposal, or skip it."""
    me = _me(request)
    week = selectors.week_visible(user=me, week_id=week_id)
    try:
        services.decide_week(actor=me, week=week, accept=request.POST.get("act") == "accept")
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("learning-detail", week.programme_id)


def _asked_of_log(request: HttpRequest, programme: LearningProgramme) -> dict[str, Any]:
    """The replay check and the estimate, where the address asks for them: both decide every week again."""
    found: dict[str, Any] = {"asked_temperature": request.GET.get("temperature", "")}
    if request.GET.get("check") == "replay":
        found["replayed"] = services.check_replay(programme=programme)
    if "temperature" in request.GET:
        even = request.GET.get("probes") == "even"
        try:
            heat = _fraction(request.GET["temperature"] or str(programme.settings["temperature"]), "temperature")
            found["estimate"] = services.estimate_programme(programme=programme, temperature=heat, even_probes=even)
            found["asked_temperature"] = f"{heat:g}"
        except Problem as problem:
            found["estimate_problem"] = problem
        found["even"] = even
    return found


def _typed(request: HttpRequest) -> dict[str, Any]:
    """What was typed, as `start_programme` takes it."""
    data = request.POST
    settings = {
        name: _fraction(data[field], f"settings.{name}", scale)
        for name, field, scale in (
            ("temperature", "temperature", 1.0),
            ("reserve", "reserve_percent", 100.0),
            ("forgetting", "forgetting_percent", 100.0),
        )
        if data.get(field, "").strip()
    }
    budget, weeks = data.get("weekly_budget", "").strip(), data.get("problem_weeks", "").strip()
    return {
        "name": data.get("name", ""),
        "first_week": _day(data.get("first_week", ""), "first_week"),
        "problem_weeks": _fraction(weeks, "problem_weeks") if weeks else None,
        "weekly_budget": _amount(budget, "weekly_budget") if budget else None,
        "settings": settings,
    }


def _amount(text: str, where: str) -> Decimal:
    """Commas stand between thousands alone: as a decimal mark one would make the amount a hundred times as much."""
    if not _AMOUNT.fullmatch(text):
        raise InvalidInput(f"{text[:40]!r} is no amount.", where=where, fix="Write 1200.50 or 1,200.50.")
    return Decimal(text.replace(",", ""))


def _fraction(text: str, where: str, scale: float = 1.0) -> float:
    try:
        return float(text) / scale
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no number.", where=where, fix="Type a number.") from error


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no day.", where=where, fix="Give a day such as 2026-11-30.") from error


def _act(request: HttpRequest, programme_id: UUID, act: Callable[[User, LearningProgramme], object]) -> HttpResponse:
    me = _me(request)
    programme = selectors.programme_visible(user=me, programme_id=programme_id)
    try:
        act(me, programme)
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("learning-detail", programme_id)


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)  # LoginRequiredMiddleware lets nobody else in
