"""Pages of experiments. They work by forms and reload alone; a job that works on one is followed without reload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import selectors as people
from accounts import services as authority
from accounts.models import Brand, User
from jobs.selectors import MANAGE_SCHEDULES
from measurement import selectors, services
from measurement.api import assignment_response
from measurement.core.words import count_of
from measurement.forms import EventsForm, ExperimentForm, PanelForm, asked_of
from measurement.models import Experiment
from measurement.presenters import CHIPS, FILE_HINTS, design_context, due_words, running_context, stages_of, steps_of
from measurement.selectors import MANAGE, VIEW
from tenants.core.problems import NotFound, Problem

PAGE = 25


@require_safe
def experiment_list(request: HttpRequest) -> HttpResponse:
    """Every experiment I may see; `?state=` and `?brand=` narrow them down."""
    me = _me(request)
    rows = selectors.experiments_listed(user=me)
    brands = list(people.brands_for(user=me, permission=VIEW))
    state, slug = request.GET.get("state", ""), request.GET.get("brand", "")
    if state:
        rows = rows.filter(state=state)
    if slug:
        rows = rows.filter(brand__slug=slug)
    page, today = Paginator(rows, PAGE).get_page(request.GET.get("page")), selectors.today()
    searched = selectors.with_candidates(page)
    context = {
        "page": page,
        "rows": [(one, CHIPS[one.state], due_words(one, today, has_candidates=one.pk in searched)) for one in page],
        "brands": brands,
        "states": Experiment.State.choices,
        "state": state,
        "brand": slug,
        "next_shown": not slug or any(one.slug == slug for one in brands),
        "may_manage": people.may_for_some_brand(user=me, permission=MANAGE),
    }
    return render(request, "measurement/experiment_list.html", context)


@never_cache
@require_safe
def experiment_detail(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """One experiment by its state; asked by htmx while a job works on it, only the part that changes."""
    me = _me(request)
    experiment = selectors.experiment_visible(user=me, experiment_id=experiment_id)
    fragment = request.headers.get("HX-Request") == "true"
    template = "measurement/_experiment.html" if fragment else "measurement/experiment_detail.html"
    return render(request, template, _detail(me, experiment))


@require_http_methods(["GET", "POST"])
def experiment_new(request: HttpRequest) -> HttpResponse:
    """The form of a new experiment; `?brand=` is the slug it is of, other parameters fill fields."""
    me, brand = _me(request), _brand(request)
    authority.require(user=me, permission=MANAGE, brand=brand)
    sent = request.POST if request.method == "POST" else None
    form = ExperimentForm(sent, initial={"kind": "geo", "action": "heavy_up", "alpha": "0.05"} | asked_of(request.GET))
    if request.method == "POST":
        try:
            made = services.create_experiment(actor=me, given=form.given, brand=brand)
            return redirect("experiment-detail", made.pk)
        except Problem as problem:
            form.show(problem)
    return _form(request, form, brand, None)


@require_http_methods(["GET", "POST"])
def experiment_edit(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """The form of an experiment that is not registered."""
    me = _me(request)
    experiment = selectors.experiment_visible(user=me, experiment_id=experiment_id)
    authority.require(user=me, permission=MANAGE, brand=experiment.brand)
    if request.method != "POST":
        if experiment.is_registered or experiment.state == Experiment.State.CANCELLED:
            messages.error(request, f"{experiment.label} stays as it is. Duplicate it, and change the copy.")
            return redirect("experiment-detail", experiment.pk)
        return _form(request, ExperimentForm.of(experiment), experiment.brand, experiment)
    form = ExperimentForm(request.POST, experiment=experiment)
    try:
        services.update_experiment(actor=me, experiment=experiment, given=form.given)
        return redirect("experiment-detail", experiment.pk)
    except Problem as problem:
        form.show(problem)
    return _form(request, form, experiment.brand, experiment)


@require_POST
def experiment_data(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """Send a file, or build the data from the reports (`act=events`)."""
    me = _me(request)
    experiment = selectors.experiment_visible(user=me, experiment_id=experiment_id)
    authority.require(user=me, permission=MANAGE, brand=experiment.brand)
    form, problem = PanelForm(request.POST, request.FILES), None
    try:
        if request.POST.get("act") == "events":
            unit = request.POST.get("events_unit", "sku")
            made = services.panel_from_events(actor=me, experiment=experiment, unit=unit)
        elif form.is_valid():
            file = form.cleaned_data["file"]
            made = services.add_panel(
                actor=me, experiment=experiment, chunks=file.chunks(), file_name=file.name, columns=form.columns
            )
        else:
            return _shown(request, me, experiment, panel_form=form, status=400)
    except Problem as error:
        problem = error
        return _shown(request, me, experiment, panel_form=form, problem=problem, status=problem.status)
    units, periods = count_of(made.unit_count, "unit"), count_of(made.period_count, "period")
    messages.success(request, f"{units}, {periods}: kept as data {made.number}.")
    return redirect("experiment-detail", experiment.pk)


@require_POST
def experiment_design(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """Have candidates searched for."""
    return _act(request, experiment_id, lambda me, one: services.request_design(actor=me, experiment=one))


@require_POST
def experiment_choose(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """Take a candidate."""
    text = request.POST.get("choice", "")
    choice = int(text) if text.isdecimal() and len(text) < 6 else -1
    return _act(
        request, experiment_id, lambda me, one: services.choose_candidate(actor=me, experiment=one, choice=choice)
    )


@require_POST
def experiment_register(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """Fix the plan."""
    late = request.POST.get("retrospective") == "1"
    return _act(
        request,
        experiment_id,
        lambda me, one: services.register_experiment(actor=me, experiment=one, retrospective=late),
    )


@require_POST
def experiment_start(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """Say that it runs."""
    return _act(request, experiment_id, lambda me, one: services.start_experiment(actor=me, experiment=one))


@require_POST
def experiment_cancel(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """Give it up."""
    reason = request.POST.get("reason", "")
    return _act(
        request, experiment_id, lambda me, one: services.cancel_experiment(actor=me, experiment=one, reason=reason)
    )


@require_POST
def experiment_erase(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """Remove the data of what was given up and never read."""
    me = _me(request)
    experiment = selectors.experiment_visible(user=me, experiment_id=experiment_id)
    authority.require(user=me, permission=MANAGE, brand=experiment.brand)
    try:
        done = services.erase_panels(actor=me, experiment=experiment)
        stayed = f" {count_of(done.shared, 'file')} stayed: another experiment has the same." if done.shared else ""
        removed = f"{count_of(done.files, 'file')} removed. What is known of the data stays here."
        messages.success(request, removed + stayed)
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("experiment-detail", experiment.pk)


@require_POST
def experiment_analyse(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """Have it read, once it may be."""
    return _act(request, experiment_id, lambda me, one: services.request_analysis(actor=me, experiment=one))


@require_POST
def experiment_refreshes(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """Fetch new data every morning, or no more (`on=0`)."""
    on = request.POST.get("on", "1") == "1"
    source: dict[str, Any] | None = None
    if on and request.POST.get("location"):
        source = {"kind": "place", "location": request.POST["location"], "file": request.POST.get("file", "")}
    elif on and request.POST.get("events_unit"):
        source = {"kind": "events", "unit": request.POST["events_unit"]}
    return _act(
        request,
        experiment_id,
        lambda me, one: services.schedule_refreshes(actor=me, experiment=one, source=source, on=on),
    )


@require_POST
def experiment_duplicate(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """A copy to change."""
    return _act(request, experiment_id, lambda me, one: services.duplicate_experiment(actor=me, experiment=one))


@require_POST
def experiment_delete(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """Remove a draft without data."""
    me = _me(request)
    experiment = selectors.experiment_visible(user=me, experiment_id=experiment_id)
    try:
        services.delete_experiment(actor=me, experiment=experiment)
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("experiment-detail", experiment_id)
    messages.success(request, f"{experiment.label} is deleted.")
    return redirect("experiment-list")


@require_safe
def experiment_assignment(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """Who is treated, as a file."""
    return assignment_response(selectors.experiment_visible(user=_me(request), experiment_id=experiment_id))


def _detail(me: User, experiment: Experiment) -> dict[str, Any]:
    job, panel = selectors.job_of(experiment), selectors.latest_panel(experiment)
    panels = list(selectors.panels_of(experiment)[:10])
    removals = selectors.removals_of(panels)
    busy = job is not None and not job.is_final
    lost = job.problem if job is not None and job.is_final and job.problem and not experiment.problem else None
    on = selectors.today()
    schedule = services.schedule_of(experiment) if experiment.schedule_id else None
    context: dict[str, Any] = {
        "experiment": experiment,
        "chip": CHIPS[experiment.state],
        "due": due_words(experiment, on, has_candidates=bool(experiment.design.get("kind"))),
        "steps": steps_of(experiment),
        "panel": panel,
        "panels": [(one, removals.get(one.pk)) for one in panels],
        "erasable": selectors.erasable(experiment),
        "over_units": experiment.kind in (Experiment.Kind.GEO, Experiment.Kind.SKU),
        "job": job,
        "busy": busy,
        "stages": stages_of(job) if busy and job else [],
        "problem": experiment.problem or lost,
        "schedule": schedule,
        "may_manage": people.may(user=me, permission=MANAGE, brand=experiment.brand),
        "may_schedule": people.may(user=me, permission=MANAGE_SCHEDULES, brand=experiment.brand),
        "changeable": not experiment.is_registered and experiment.state != Experiment.State.CANCELLED,
        "panel_form": PanelForm(),
        "events_form": EventsForm(),
        "file_hint": FILE_HINTS[experiment.kind],
        "readings": list(selectors.readings_of(experiment)[:5]) if experiment.is_registered else [],
    }
    context |= design_context(experiment)
    if experiment.is_registered:
        context |= running_context(experiment, panel, on)
    return context


def _shown(request: HttpRequest, me: User, experiment: Experiment, *, status: int, **further: Any) -> HttpResponse:
    """The page of an experiment again, with what was wrong with a file that was sent."""
    return render(request, "measurement/experiment_detail.html", _detail(me, experiment) | further, status=status)


def _form(request: HttpRequest, form: ExperimentForm, brand: Brand | None, one: Experiment | None) -> HttpResponse:
    me = _me(request)
    context = {
        "form": form,
        "brand": brand,
        "experiment": one,
        "brands": list(people.brands_for(user=me, permission=MANAGE)),
        "may_all": people.may(user=me, permission=MANAGE),
    }
    wrong = request.method == "POST"
    return render(request, "measurement/experiment_form.html", context, status=400 if wrong else 200)


def _act(request: HttpRequest, experiment_id: UUID, act: Callable[[User, Experiment], Any]) -> HttpResponse:
    """Do something with an experiment, and show it or, where another came of it, that."""
    me = _me(request)
    experiment = selectors.experiment_visible(user=me, experiment_id=experiment_id)
    shown: UUID = experiment_id
    try:
        made = act(me, experiment)
        shown = made.pk if isinstance(made, Experiment) else experiment_id
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("experiment-detail", shown)


def _brand(request: HttpRequest) -> Brand | None:
    """The brand that the address names; whoever may not for all brands gets the first they may for."""
    me, slug = _me(request), request.GET.get("brand", "")
    brands = people.brands_for(user=me, permission=MANAGE)
    if not slug:
        return None if people.may(user=me, permission=MANAGE) else brands.first()
    brand = brands.filter(slug=slug).first()
    if brand is None:
        raise NotFound("There is no such brand.")
    return brand


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)
