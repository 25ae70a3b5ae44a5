"""The page of a reading, and its files."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import selectors as people
from accounts.models import User
from accounts.rest.downloads import as_download
from measurement import selectors, services
from measurement.models import Experiment, Reading
from measurement.planning_presenters import planning_card, planning_context
from measurement.readout_presenters import readout_context
from measurement.reports import EXPORT, export_reading, told_by
from tenants.core.problems import NotFound, Problem

#: Kind of experiment: the template of its page.
_TEMPLATES = {
    Experiment.Kind.AB: "measurement/readout_groups.html",
    Experiment.Kind.SWITCHBACK: "measurement/readout_switchback.html",
}


@never_cache
@require_safe
def experiment_reading(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """What an experiment said; `?reading=` shows an earlier reading instead of the newest."""
    me = cast(User, request.user)
    stored = _reading(request, experiment_id)
    experiment = stored.experiment
    told = told_by(stored)
    context: dict[str, Any] = readout_context(told) | {
        "planning": planning_card(user=me, stored=stored),
        "experiment": experiment,
        "stored": stored,
        "others": [one for one in selectors.readings_of(experiment) if one.pk != stored.pk],
        "list_url": reverse("experiment-list"),
        "detail_url": reverse("experiment-detail", args=[experiment.pk]),
    }
    if people.may(user=me, permission=EXPORT, brand=experiment.brand):
        for kind in ("csv", "pdf"):
            address = reverse(f"experiment-report-{kind}", args=[experiment.pk])
            context[f"{kind}_url"] = f"{address}?reading={stored.pk}"
    template = _TEMPLATES.get(Experiment.Kind(experiment.kind), "measurement/readout_panel.html")
    return render(request, template, context)


@never_cache
@require_http_methods(["GET", "POST"])
def experiment_planning(request: HttpRequest, experiment_id: UUID) -> HttpResponse:
    """What planning would take over from a reading; sent, it takes it over and says what changed."""
    me = cast(User, request.user)
    stored = _reading(request, experiment_id)
    here = f"{reverse('experiment-planning', args=[experiment_id])}?reading={stored.pk}"
    problem: Problem | None = None
    if request.method == "POST":
        try:
            services.use_in_planning(as_user=me, reading=stored)
        except Problem as refused:
            if refused.status in (403, 404):
                raise
            problem = refused
        else:
            messages.success(request, f"{stored.experiment.label} is used in planning from now on.")
            return redirect(here)
    context: dict[str, Any] = {
        "experiment": stored.experiment,
        "stored": stored,
        "reading_url": f"{reverse('experiment-reading', args=[experiment_id])}?reading={stored.pk}",
    }
    try:
        context |= planning_context(user=me, stored=stored)
    except Problem as refused:
        if refused.status in (403, 404):
            raise
        problem = problem or refused
    context["problem"] = problem
    return render(request, "measurement/use_in_planning.html", context, status=problem.status if problem else 200)


@require_safe
def experiment_report(request: HttpRequest, experiment_id: UUID, kind: str) -> HttpResponse:
    """The reading as a file."""
    stored = _reading(request, experiment_id)
    return as_download(export_reading(user=cast(User, request.user), stored=stored, kind=kind))


def _reading(request: HttpRequest, experiment_id: UUID) -> Reading:
    asked = request.GET.get("reading", "")
    try:
        chosen = UUID(asked) if asked else None
    except ValueError as error:
        raise NotFound(
            "This experiment has no such reading.", where="reading", fix="Leave the parameter out for the newest."
        ) from error
    return selectors.reading_visible(user=cast(User, request.user), experiment_id=experiment_id, reading_id=chosen)
