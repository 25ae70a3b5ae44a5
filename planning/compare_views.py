"""The page that lays scenarios side by side. All of its state is in its address."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import selectors as people
from accounts.models import User
from accounts.rest.downloads import as_download
from planning import selectors, services
from planning.core.compare_charts import MARKS, spread_chart
from planning.core.comparison import LEAST, MOST, ComparedLine, Comparison
from planning.core.paths import ARROW, read_path
from planning.exports import EXPORT, export_comparison
from planning.models import Scenario
from planning.presenters import CHIPS
from tenants.core.problems import Problem

_CHOICES = 50
_DEPTHS = {1: "channel", 2: "retailer", 3: "placement"}


@require_safe
def scenario_compare(request: HttpRequest) -> HttpResponse:
    """Two to five scenarios: `?scenarios=SC-0001,SC-0002`, `&per=week`, `&scope=`, `&constraint=`, `&sort=`."""
    me = cast(User, request.user)
    wanted = references(request.GET.getlist("scenarios"))
    context = {"wanted": wanted, "most": MOST, "choices": _choices(me, wanted)}
    if len(wanted) < LEAST:
        # One is where people start from, on the page of a scenario.
        return render(request, "planning/scenario_compare.html", context)
    try:
        found = services.compare_scenarios(
            user=me, references=wanted, per_week=request.GET.get("per") == "week"
        )  # fmt: skip
    except Problem as problem:
        if problem.status == 404:
            raise
        return render(request, "planning/scenario_compare.html", context | {"problem": problem}, status=problem.status)
    return render(request, "planning/scenario_compare.html", context | _shown(request, me, found))


@require_safe
def scenario_compare_export(request: HttpRequest) -> HttpResponse:
    """The lines that the page shows, as a file."""
    file = export_comparison(
        user=request.user,
        references=references(request.GET.getlist("scenarios")),
        kind=request.GET.get("export", "csv"),
        per_week=request.GET.get("per") == "week",
        scope=read_path(request.GET.get("scope", "")),
        constraint=request.GET.get("constraint", ""),
    )
    return as_download(file)


def references(given: list[str]) -> list[str]:
    """Ids or labels, one parameter each or parted by commas."""
    return [part.strip() for text in given for part in text.split(",") if part.strip()]


def _shown(request: HttpRequest, me: User, found: Comparison) -> dict[str, object]:
    scope, constraint = read_path(request.GET.get("scope", "")), request.GET.get("constraint", "")
    lines = found.narrowed(scope=scope, constraint=constraint)
    depth = min(len(scope) + 1, 3)
    columns = [
        {"one": one, "tone": mark[0], "chip": CHIPS[one.state]}
        for one, mark in zip(found.candidates, MARKS, strict=False)
    ]
    shown = selectors.scenarios_visible(user=me).filter(pk__in=[one.key for one in found.candidates])
    return {
        "found": found,
        "columns": columns,
        "currency": found.currency,
        "per_week": found.per_week,
        "lines": _sorted(lines, request.GET.get("sort", ""), found),
        "sums": found.sums(lines),
        "subtotals": found.subtotals(lines, depth),
        "level": _DEPTHS[depth],
        "chart": spread_chart(found, lines),
        "scope": ARROW.join(scope),
        "scopes": [ARROW.join(path) for path in found.scopes],
        "constraint": constraint,
        "terms_differ": [row for row in found.terms if row.differs],
        "terms_same": [row for row in found.terms if not row.differs],
        "may_export": all(people.may(user=me, permission=EXPORT, brand=one.brand) for one in shown),
    }


def _sorted(lines: tuple[ComparedLine, ...], sort: str, found: Comparison) -> list[ComparedLine]:
    """By name, by difference or by one scenario's amount; the reserve and the like stay at the end."""
    name, down = sort.removeprefix("-"), sort.startswith("-")
    places = {one.label: at for at, one in enumerate(found.candidates)}
    if name == "line":
        return sorted(lines, key=lambda line: line.label.lower(), reverse=down)
    if name in places:
        at = places[name]
        ordered = sorted((line for line in lines if line.cell), key=lambda line: line.amounts[at] or 0, reverse=down)
        return [*ordered, *(line for line in lines if not line.cell)]
    if name == "difference" and not down:
        return sorted(lines, key=lambda line: line.spread)
    return list(lines)


def _choices(me: User, wanted: list[str]) -> list[tuple[Scenario, bool]]:
    """The newest scenarios to choose from, solved ones first; those chosen are marked."""
    newest = list(selectors.scenarios_listed(user=me)[:_CHOICES])
    newest.sort(key=lambda one: one.status != Scenario.Status.SOLVED)
    return [(one, one.label in wanted or str(one.pk) in wanted) for one in newest]
