"""Budgets and pacing: what may be spent, what is, and where it is heading."""

from __future__ import annotations

import calendar
from datetime import date
from typing import Any, Final, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts import selectors as people
from accounts.models import User
from harmonization.models import Retailer
from harmonization.selectors import accounts_visible
from planning import selectors, services
from planning.core.pace_chart import burn_up
from planning.selectors import MANAGE
from planning.services.pacing import FIELDS
from tenants.core.problems import InvalidInput, Problem

#: status: (tone, icon) of its chip
CHIPS: Final = {
    "on pace": ("good", "check"),
    "over": ("bad", "alert-triangle"),
    "under": ("warn", "arrow-down-right"),
    "not begun": ("dashed", "clock"),
    "ended": ("", "check"),
    "no data": ("dashed", "database"),
}


@require_http_methods(["GET", "POST"])
def pacing(request: HttpRequest) -> HttpResponse:
    """Every budget that I may see: `?as_of=`, `?scope=`, `?show=all`, `?budget=` chooses the picture; POST sets one."""
    me = cast(User, request.user)
    typed: dict[str, str] = {}
    problem: Problem | None = None
    if request.method == "POST":
        typed = {name: request.POST.get(name, "") for name in FIELDS}
        try:
            budget = services.set_budget(actor=me, given=typed)
        except Problem as refused:
            if refused.status in (403, 404):
                raise
            problem = refused
        else:
            messages.success(request, f"{budget.scope_words}: set for {budget.period_start} to {budget.period_end}.")
            return redirect(f"{request.path}?budget={budget.pk}&show=all")
    try:
        told = services.forecast_pacing(
            user=me, as_of=_day(request), scope=request.GET.get("scope", ""), every=request.GET.get("show") == "all"
        )
    except InvalidInput as refused:
        told, problem = services.Forecast(budgets=[], left_out=0), refused
    context = _shown(request, told) | {"problem": problem, "typed": typed or _usual()} | _choices(me)
    return render(request, "planning/pacing.html", context, status=problem.status if problem else 200)


@require_POST
def budget_delete(request: HttpRequest, budget_id: UUID) -> HttpResponse:
    """Take a budget away."""
    me = cast(User, request.user)
    budget = selectors.budget_visible(user=me, budget_id=budget_id)
    try:
        services.delete_budget(actor=me, budget=budget)
    except Problem as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"The budget of {budget.scope_words} is taken away.")
    return redirect("pacing")


@require_POST
def scenario_budgets(request: HttpRequest, scenario_id: UUID) -> HttpResponse:
    """Take what a scenario proposes as budgets, one per retailer."""
    me = cast(User, request.user)
    scenario = selectors.scenario_visible(user=me, scenario_id=scenario_id)
    try:
        made = services.budgets_from_scenario(actor=me, scenario=scenario)
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("scenario-detail", scenario_id)
    messages.success(request, f"{len(made)} budget{'' if len(made) == 1 else 's'} taken from {scenario.label}.")
    return redirect("/pacing/?show=all")


def _day(request: HttpRequest) -> date | None:
    text = request.GET.get("as_of", "")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text[:40]!r} is not a day.", where="as_of", fix="Write it as YYYY-MM-DD.") from error


def _shown(request: HttpRequest, told: services.Forecast) -> dict[str, Any]:
    # What needs somebody stands first.
    order = {name: at for at, name in enumerate(("over", "under", "on pace", "not begun", "no data", "ended"))}
    rows = sorted(told.budgets, key=lambda one: (order[one.pace.status], -one.budget.amount))
    wanted = request.GET.get("budget", "")
    chosen = next((one for one in rows if str(one.budget.pk) == wanted), rows[0] if rows else None)
    return {
        "rows": [(one, CHIPS[one.pace.status]) for one in rows],
        "left_out": told.left_out_words,
        "chosen": chosen,
        "chip": CHIPS[chosen.pace.status] if chosen else None,
        "chart": burn_up(chosen.pace, chosen.budget.currency, chosen.budget.scope_words) if chosen else None,
        "over": sum(one.pace.status == "over" for one in rows),
        "under": sum(one.pace.status == "under" for one in rows),
        "show": request.GET.get("show", ""),
        "as_of": request.GET.get("as_of", ""),
    }


def _choices(me: User) -> dict[str, Any]:
    brands = list(people.brands_for(user=me, permission=MANAGE))
    return {
        "may_manage": bool(brands) or people.may(user=me, permission=MANAGE),
        "may_all": people.may(user=me, permission=MANAGE),
        "brands": brands,
        "retailers": list(Retailer.objects.order_by("name")),
        "accounts": list(accounts_visible(user=me, permission="metrics.view").select_related("retailer")),
    }


def _usual() -> dict[str, str]:
    """The running month."""
    today = timezone.now().date()
    last = calendar.monthrange(today.year, today.month)[1]
    return {"period_start": str(today.replace(day=1)), "period_end": str(today.replace(day=last))}
