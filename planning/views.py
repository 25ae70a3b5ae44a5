"""Pages of scenarios. They work by forms and reload alone; with scripts the builder checks as one types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import selectors as people
from accounts import services as authority
from accounts.models import Brand, User
from accounts.rest.downloads import as_download
from planning import selectors, services
from planning.answers import currency_of, horizon_words
from planning.core.aim_words import objective_words
from planning.core.terms import ScenarioTerms
from planning.exports import EXPORT, export_lines
from planning.forms import (
    ARROW,
    BoundRow,
    ScenarioForm,
    given_by,
    initial_of,
    rows_of,
    rows_posted,
    show_errors,
    with_spare_rows,
)
from planning.models import Scenario
from planning.presenters import (
    CHIPS,
    constraint_words,
    feasibility_context,
    infeasible_context,
    solved_context,
    stages_of,
)
from planning.selectors import MANAGE, Basis
from tenants.core.problems import InvalidInput, NotFound, Problem

PAGE = 25
_USUAL_DAYS = 28


@require_safe
def scenario_list(request: HttpRequest) -> HttpResponse:
    """Every scenario I may see; `?status=` and `?brand=` narrow them down."""
    me = _me(request)
    scenarios = selectors.scenarios_listed(user=me)
    brands = list(people.brands_for(user=me, permission=selectors.VIEW))
    status, slug = request.GET.get("status", ""), request.GET.get("brand", "")
    if status:
        scenarios = scenarios.filter(status=status)
    if slug:
        scenarios = scenarios.filter(brand__slug=slug)
    page = Paginator(scenarios, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(one, CHIPS[one.status], _gain(one)) for one in page],
        "brands": brands,
        "statuses": Scenario.Status.choices,
        "status": status,
        "brand": slug,
        "may_manage": people.may_for_some_brand(user=me, permission=MANAGE),
    }
    return render(request, "planning/scenario_list.html", context)


@never_cache
@require_safe
def scenario_detail(request: HttpRequest, scenario_id: UUID) -> HttpResponse:
    """One scenario by its state; asked by htmx while it is solved, only the part that changes."""
    me = _me(request)
    scenario = selectors.scenario_visible(user=me, scenario_id=scenario_id)
    job = selectors.job_of(scenario)
    solving = selectors.is_being_solved(scenario, job)
    context: dict[str, Any] = {
        "scenario": scenario,
        "maximised": objective_words(selectors.terms_of(scenario)),
        "chip": CHIPS[scenario.status],
        "may_manage": people.may(user=me, permission=MANAGE, brand=scenario.brand),
        "may_export": people.may(user=me, permission=EXPORT, brand=scenario.brand),
        "job": job,
        "solving": solving,
        "stages": stages_of(job) if solving and job else [],
    }
    if scenario.status == Scenario.Status.SOLVED:
        asked = {name: request.GET.get(name, "") for name in ("line", "sort", "constraint", "binding_sort")}
        context |= solved_context(scenario, **asked)
    elif scenario.status == Scenario.Status.INFEASIBLE:
        context |= infeasible_context(scenario)
    else:
        terms = selectors.terms_of(scenario)
        lost = job.problem if job and not solving and scenario.status == Scenario.Status.SOLVING else None
        context |= {
            "terms": terms,
            "currency": currency_of(scenario),
            "horizon": horizon_words(terms),
            "constraints": list(constraint_words(terms, currency_of(scenario))),
            "problem": scenario.problem or lost,
            "stopped": scenario.status == Scenario.Status.SOLVING and not solving,
        }
    fragment = request.headers.get("HX-Request") == "true"
    template = "planning/_scenario.html" if fragment else "planning/scenario_detail.html"
    return render(request, template, context)


@require_http_methods(["GET", "POST"])
def scenario_new(request: HttpRequest) -> HttpResponse:
    """The builder for a new scenario; `?brand=` is the slug it is of."""
    brand = _brand(request)
    authority.require(user=_me(request), permission=MANAGE, brand=brand)
    return _build(request, _Built(brand, None))


@require_http_methods(["GET", "POST"])
def scenario_edit(request: HttpRequest, scenario_id: UUID) -> HttpResponse:
    """The builder for a scenario that is there."""
    scenario = _managed(request, scenario_id)
    return _build(request, _Built(scenario.brand, scenario))


@require_POST
def scenario_check(request: HttpRequest) -> HttpResponse:
    """Whether what is typed can be met, as a fragment; a half-typed form is told what is missing, quietly."""
    brand = _brand(request)
    basis = _basis(brand, request.POST)
    given, _ = _given(request.POST, basis)
    context: dict[str, Any] = {"basis": basis}
    try:
        context |= feasibility_context(
            services.check_scenario(actor=_me(request), given=given, brand=brand), basis.currency
        )
    except InvalidInput as problem:
        context["check_problem"] = problem
    return render(request, "planning/_feasibility.html", context)


@require_POST
def scenario_solve(request: HttpRequest, scenario_id: UUID) -> HttpResponse:
    """Have it solved."""
    return _act(request, scenario_id, lambda me, one: services.solve_scenario(actor=me, scenario=one) and one)


@require_POST
def scenario_duplicate(request: HttpRequest, scenario_id: UUID) -> HttpResponse:
    """A copy to change."""
    return _act(request, scenario_id, lambda me, one: services.duplicate_scenario(actor=me, scenario=one))


@require_POST
def scenario_tighten(request: HttpRequest, scenario_id: UUID) -> HttpResponse:
    """A draft with a stricter least ROAS."""
    return _act(request, scenario_id, lambda me, one: services.tighten_scenario(actor=me, scenario=one))


@require_POST
def scenario_relax(request: HttpRequest, scenario_id: UUID) -> HttpResponse:
    """A new draft with one constraint of the conflict loosened."""
    text = request.POST.get("choice", "")
    choice = int(text) if text.isdecimal() and len(text) < 6 else -1
    return _act(request, scenario_id, lambda me, one: services.relax_scenario(actor=me, scenario=one, choice=choice))


@require_POST
def scenario_delete(request: HttpRequest, scenario_id: UUID) -> HttpResponse:
    """Remove a draft."""
    scenario = selectors.scenario_visible(user=_me(request), scenario_id=scenario_id)
    try:
        services.delete_scenario(actor=_me(request), scenario=scenario)
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("scenario-detail", scenario_id)
    messages.success(request, f"{scenario.label} is deleted.")
    return redirect("scenario-list")


@require_safe
def scenario_export(request: HttpRequest, scenario_id: UUID) -> HttpResponse:
    """The lines as a file."""
    scenario = selectors.scenario_visible(user=_me(request), scenario_id=scenario_id)
    return as_download(export_lines(user=_me(request), scenario=scenario, kind=request.GET.get("export", "csv")))


@dataclass(frozen=True)
class _Built:
    """What the builder is about."""

    brand: Brand | None
    scenario: Scenario | None


def _build(request: HttpRequest, about: _Built) -> HttpResponse:
    basis = _basis(about.brand, request.POST or _stored_days(about.scenario))
    if request.method == "GET":
        terms = selectors.terms_of(about.scenario) if about.scenario else None
        form = ScenarioForm(initial=initial_of(terms) if terms else _usual(basis))
        return _builder_page(request, about, basis, form, rows_of(terms), {})
    given, rows = _given(request.POST, basis)
    form = ScenarioForm(request.POST)
    act = request.POST.get("act", "save")
    if act == "more":
        return _builder_page(request, about, basis, ScenarioForm(initial=request.POST.dict()), rows, {})
    try:
        if act == "check":
            found = services.check_scenario(actor=_me(request), given=given, brand=about.brand)
            unsent = ScenarioForm(initial=request.POST.dict())
            return _builder_page(
                request, about, basis, unsent, rows, feasibility_context(found, basis.currency) | {"checked": True}
            )
        scenario = _stored(request, about, given)
        if act == "solve":
            services.solve_scenario(actor=_me(request), scenario=scenario)
    except Problem as problem:
        form.full_clean()
        form.errors.clear()  # the service's words, once, instead of the form's
        rows = show_errors(form, rows, problem)
        return _builder_page(request, about, basis, form, rows, {}, status=problem.status)
    return redirect("scenario-detail", scenario.pk)


def _stored(request: HttpRequest, about: _Built, given: dict[str, Any]) -> Scenario:
    if about.scenario is None:
        return services.create_scenario(actor=_me(request), given=given, brand=about.brand)
    return services.update_scenario(actor=_me(request), scenario=about.scenario, given=given)


def _builder_page(
    request: HttpRequest,
    about: _Built,
    basis: Basis,
    form: ScenarioForm,
    rows: list[BoundRow],
    more: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    me = _me(request)
    brands = list(people.brands_for(user=me, permission=MANAGE))
    context = {
        "form": form,
        "rows": rows if rows and rows[-1].is_empty else with_spare_rows(rows),
        "scenario": about.scenario,
        "brand": about.brand,
        "brands": brands,
        "may_all": people.may(user=me, permission=MANAGE),
        "basis": basis,
        "paths": [(ARROW.join(path), lines) for path, lines in basis.paths.items()],
        **more,
    }
    return render(request, "planning/scenario_form.html", context, status=status)


def _given(data: QueryDict, basis: Basis) -> tuple[dict[str, Any], list[BoundRow]]:
    rows = rows_posted(data)
    return given_by(data.dict(), rows, basis.paths), rows  # type: ignore[arg-type]


def _basis(brand: Brand | None, typed: QueryDict | dict[str, str]) -> Basis:
    """What is planned on over the days typed, or over the usual ones where those are no days yet."""
    try:
        start = date.fromisoformat(str(typed.get("horizon_start", "")))
        end = date.fromisoformat(str(typed.get("horizon_end", "")))
    except ValueError:
        start, end = _usual_days(brand)
    if not 0 <= (end - start).days < 400:
        end = start
    return selectors.basis_for(brand=brand, start=start, end=end)


def _stored_days(scenario: Scenario | None) -> dict[str, str]:
    if scenario is None:
        return {}
    return {"horizon_start": str(scenario.horizon_start), "horizon_end": str(scenario.horizon_end)}


def _usual_days(brand: Brand | None) -> tuple[date, date]:
    """Four weeks from today, or from where the data end if that is later."""
    span = selectors.data_span(brand=brand)
    today = timezone.now().date()
    start = max(today, span[1] + timedelta(days=1)) if span else today
    return start, start + timedelta(days=_USUAL_DAYS - 1)


def _usual(basis: Basis) -> dict[str, str]:
    start, end = _usual_days(basis.brand)
    terms = ScenarioTerms(
        name=f"{basis.brand.name if basis.brand else 'All brands'}, {start:%-d %b} to {end:%-d %b}",
        horizon_start=start,
        horizon_end=end,
        total_budget=basis.current.total if basis.current else 0,  # type: ignore[arg-type]
    )
    return initial_of(terms) | {"total_budget": str(basis.current.total) if basis.current else ""}


def _brand(request: HttpRequest) -> Brand | None:
    """The brand in the address. Without one: all brands, where that may be; else the person's first."""
    me, slug = _me(request), request.GET.get("brand", "")
    brands = people.brands_for(user=me, permission=MANAGE)
    if slug:
        brand = brands.filter(slug=slug).first()
        if brand is None:
            raise NotFound(f"There is no brand {slug!r}.", fix="Choose one of yours.")
        return brand
    return None if people.may(user=me, permission=MANAGE) else brands.first()


def _act(request: HttpRequest, scenario_id: UUID, act: Any) -> HttpResponse:
    scenario = selectors.scenario_visible(user=_me(request), scenario_id=scenario_id)
    try:
        outcome: Scenario = act(_me(request), scenario)
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("scenario-detail", scenario_id)
    return redirect("scenario-detail", outcome.pk)


def _managed(request: HttpRequest, scenario_id: UUID) -> Scenario:
    scenario = selectors.scenario_visible(user=_me(request), scenario_id=scenario_id)
    authority.require(user=_me(request), permission=MANAGE, brand=scenario.brand)
    return scenario


def _gain(scenario: Scenario) -> float | None:
    if scenario.status != Scenario.Status.SOLVED:
        return None
    return float(scenario.outlook["expected_proposed"] - scenario.outlook["expected_now"])


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)  # LoginRequiredMiddleware lets nobody else in
