"""The page where an allocation is typed: what it would sell, which terms it breaks, how far it is from the best."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import services as authority
from accounts.models import User
from planning import selectors, services
from planning.answers import currency_of, horizon_words, retailer_tones
from planning.core.result import line_label
from planning.core.typed_chart import typed_chart
from planning.core.typed_file import read_table
from planning.models import Scenario
from planning.selectors import MANAGE
from planning.services.simulation import Ground, ground_of
from tenants.core.problems import Problem

#: Lines with a field of their own; the others are typed by node or pasted. Forms hold a thousand fields at most.
MOST_FIELDS: Final = 300
_STARTS: Final = ("current", "proposed")


@require_http_methods(["GET", "POST"])
def scenario_simulate(request: HttpRequest, scenario_id: UUID) -> HttpResponse:
    """Type amounts, starting from the current spend or from the proposal (`?start=proposed`)."""
    me = cast(User, request.user)
    scenario = selectors.scenario_visible(user=me, scenario_id=scenario_id)
    authority.require(user=me, permission=MANAGE, brand=scenario.brand)
    try:
        ground = ground_of(scenario)
    except Problem as problem:
        return _page(request, scenario, {"problem": problem}, status=problem.status)
    start = request.POST.get("start") or request.GET.get("start", "current")
    start = start if start in _STARTS and ground.proposed else "current"
    split = request.POST.get("split", "as_now")
    context = _fields(request.POST, ground, start) | {
        "start": start,
        "split": split,
        "may_propose": bool(ground.proposed),
    }
    if request.method == "GET":
        return _page(request, scenario, context)
    try:
        allocation = list(_typed(request.POST, context))
        simulation = services.simulate_allocation(
            actor=me, scenario=scenario, allocation=allocation or _all(context), rest=start, split=split
        )  # fmt: skip
        if request.POST.get("act") == "keep":
            kept = services.keep_allocation(actor=me, scenario=scenario, simulation=simulation)
            messages.success(request, f"{kept.label} holds every line at its typed amount. Solve it to compare it.")
            return redirect("scenario-detail", kept.pk)
    except Problem as problem:
        return _page(request, scenario, context | {"problem": problem}, status=problem.status)
    shown = {
        "simulation": simulation,
        "channels": simulation.effects(1),
        "retailers": simulation.effects(2),
        "chart": typed_chart(simulation),
        "changed": sum(line.change != 0 for line in simulation.lines),
    }
    return _page(request, scenario, context | shown)


def _page(request: HttpRequest, scenario: Scenario, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    terms = selectors.terms_of(scenario)
    about = {"scenario": scenario, "terms": terms, "currency": currency_of(scenario), "horizon": horizon_words(terms)}
    return render(request, "planning/scenario_simulate.html", about | context, status=status)


def _fields(data: QueryDict, ground: Ground, start: str) -> dict[str, Any]:
    """The fields of the page: nodes without an amount, lines with what they start from, or as they were typed."""
    begin = ground.proposed if start == "proposed" else ground.now
    tones = retailer_tones()
    cells = sorted(ground.problem.cells, key=lambda cell: (-begin.get(cell.id, Decimal(0)), cell.id))
    nodes = sorted({cell.path[:depth] for cell in cells for depth in (1, 2)})
    return {
        "nodes": [
            {
                "name": f"n-{at}",
                "path": path,
                "value": data.get(f"n-{at}", ""),
                "begin": sum((begin.get(c.id, Decimal(0)) for c in cells if c.path[: len(path)] == path), Decimal(0)),
                "tone": tones.get(path[1], "") if len(path) > 1 else "",
            }
            for at, path in enumerate(nodes)
        ],
        "fields": [
            {
                "name": f"l-{cell.id}",
                "path": cell.path,
                "label": line_label(cell.path),
                "tone": tones.get(cell.path[1], ""),
                "begin": begin.get(cell.id, Decimal(0)),
                "value": data.get(f"l-{cell.id}", f"{begin.get(cell.id, Decimal(0)):.2f}"),
                "out": cell.out_of_stock,
            }
            for cell in cells[:MOST_FIELDS]
        ],
        "hidden_lines": max(0, len(cells) - MOST_FIELDS),
        "table": data.get("table", ""),
    }


def _typed(data: QueryDict, context: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What differs from where the page began: a line left as it was is not typed, so that a node may divide over it."""
    if data.get("table", "").strip():
        yield from read_table(str(data["table"]))
    for node in context["nodes"]:
        if node["value"].strip():
            yield {"path": list(node["path"]), "amount": node["value"]}
    for one in context["fields"]:
        if one["value"].strip() != f"{one['begin']:.2f}":
            yield {"path": list(one["path"]), "amount": one["value"].strip() or "0"}


def _all(context: dict[str, Any]) -> list[dict[str, Any]]:
    """Nothing was changed: the allocation that the page began with, as its own answer."""
    return [{"path": list(one["path"]), "amount": str(one["begin"])} for one in context["fields"]]
