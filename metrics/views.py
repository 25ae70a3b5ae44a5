"""The Performance page, its files and saved views, incrementality factors, and what figures mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import selectors as people
from accounts import services as authority
from accounts.rest.downloads import as_download
from metrics import selectors, services
from metrics.core.definitions import DIMENSIONS, METRICS, attributed_parts
from metrics.core.fall import fall_of
from metrics.core.incrementality import EVIDENCE
from metrics.core.notices import network_name
from metrics.core.performance import (
    Layout,
    gap_marks,
    in_currency,
    key_figures,
    label_under,
    restating_from,
    rows_of,
    standing_of,
    total_row,
)
from metrics.core.request import NATIVE
from metrics.core.table import MetricTable, Notice, Provenance
from metrics.core.time_series import band_of, chart_of, series_of
from metrics.page_frame import address, currency_links, exports, frame_of, person, rows_behind
from metrics.page_state import PageState, read_state
from tenants.core.problems import Problem
from tenants.selectors import current_tenant

_GRAINS = {"date": "daily", "week": "weekly"}
_SERIES_WORDS = {
    "as_reported": " as each network reports {}",
    "common_window": " in the common window",
    "incremental": "",
}


@require_safe
def performance(request: HttpRequest) -> HttpResponse:
    """Key figures, the course of one of them, and the table by scope."""
    state, days = _state(request)
    over_time, by_scope = services.query_tables(
        actor=person(request), requests=[state.over_time, state.by_scope], as_of=state.as_of
    )
    context = frame_of(request, state) | {"published": bool(days)}
    if not by_scope.is_empty:
        currency = _currency(by_scope, state)
        context |= _figures(request, state, in_currency(over_time, currency), in_currency(by_scope, currency), days)
        context |= {
            "currency": currency,
            "currencies": currency_links(request, by_scope, currency),
            "exports": exports(request, {"currency": currency} if len(by_scope.currencies) > 1 else {}),
        }
    remarks = _texts("info", over_time, by_scope)
    alike = state.attribution != "as_reported"
    context |= {
        "warnings": _texts("warn", over_time, by_scope),
        "remarks": [notice for notice in remarks if alike or notice.code != "networks_count_differently"],
        "unlike": [notice for notice in remarks if not alike and notice.code == "networks_count_differently"],
        "provenance": _provenance(by_scope.provenance, state),
        "may_export": people.may_for_some_brand(user=person(request), permission="metrics.export"),
    }
    return render(request, "metrics/performance.html", context)


@require_safe
def export_performance(request: HttpRequest) -> HttpResponse:
    """The lines of the table, all of them, in the order and with the filters of the page."""
    state, _ = _state(request)
    asked = state.by_scope
    file = services.export_metrics(
        actor=person(request),
        kind=request.GET.get("export", "csv"),
        as_of=state.as_of,
        metrics=asked.metrics,
        dimensions=asked.dimensions,
        start=state.start,
        end=state.end,
        filters=asked.filters,
        compare=asked.compare,
        attribution=asked.attribution,
        window=state.window,
        match=state.match,
        money=state.money,
        sort=asked.sort,
    )
    return as_download(file)


@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Give the state of the page a name."""
    query = request.POST.get("query", "")
    try:
        view = services.save_view(
            actor=person(request), name=request.POST.get("name", ""), query=query, shared="shared" in request.POST
        )
    except Problem as problem:
        if problem.status >= 403:
            raise
        messages.error(request, str(problem))
        return redirect("performance")
    messages.success(request, f"Saved as {view.name}.")
    return redirect(f"{reverse('performance')}?{view.query}")


@require_POST
def delete_view(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Take a saved view away."""
    services.delete_view(actor=person(request), view_id=view_id)
    messages.success(request, "The view is deleted.")
    return redirect("performance")


@require_http_methods(["GET", "HEAD", "POST"])
def factors(request: HttpRequest) -> HttpResponse:
    """Published incrementality factors, and a form to publish a file of them."""
    user = person(request)
    if request.method == "POST":
        return _publish(request)
    authority.require_somewhere(user=user, permission="metrics.view")
    sets = [
        {"set": made, "factors": [{"row": row, "scope": selectors.scope_of(row)} for row in made.factors.all()]}
        for made in selectors.factor_sets_visible(user=user)
    ]
    brands = people.brands_for(user=user, permission="factors.publish")
    context = {
        "sets": sets,
        "evidence": EVIDENCE,
        "brands": brands,
        "for_all": people.may(user=user, permission="factors.publish"),
        "may_publish": people.may_for_some_brand(user=user, permission="factors.publish"),
        "columns": services.FACTOR_COLUMNS,
    }
    return render(request, "metrics/factors.html", context)


def _publish(request: HttpRequest) -> HttpResponse:
    brand = services.brand_to_publish_for(actor=person(request), brand=request.POST.get("brand", ""))
    file = request.FILES.get("file")
    text = file.read(services.LARGEST_FACTOR_FILE + 1).decode("utf-8", "replace") if file else ""
    try:
        published = services.publish_factors(
            actor=person(request),
            brand=brand,
            source=request.POST.get("source", ""),
            note=request.POST.get("note", ""),
            factors=services.read_factor_file(text),
        )
    except Problem as problem:
        if problem.status in (403, 404):
            raise
        messages.error(request, str(problem))
        return redirect("metric-factors")
    words = "is published" if published.created else "was published before; nothing changed"
    messages.success(request, f"Version {published.factor_set.version} {words}.")
    return redirect("metric-factors")


@require_safe
def definitions(request: HttpRequest) -> HttpResponse:
    """What each figure means, from the registry that computes it."""
    context = {"metrics": METRICS.values(), "dimensions": DIMENSIONS.values()}
    return render(request, "metrics/definitions.html", context)


def _state(request: HttpRequest) -> tuple[PageState, dict[str, Any]]:
    brands = people.brands_for(user=person(request), permission="metrics.view")
    days = selectors.last_days(brand_ids=brands.values_list("pk", flat=True))
    latest = max(days.values(), default=timezone.now().date() - timedelta(days=1))
    state = read_state(request.GET, latest=latest, base=current_tenant().base_currency)
    return state, {str(account): day for account, day in days.items()}


def _currency(table: MetricTable, state: PageState) -> str:
    """The currency the page shows: a page of sums is of one. Others are a link away."""
    wanted = state.base if state.money == NATIVE else table.request.money
    return wanted if wanted in table.currencies else next(iter(table.currencies), wanted)


def _figures(
    request: HttpRequest, state: PageState, over_time: MetricTable, by_scope: MetricTable, days: dict[str, Any]
) -> dict[str, Any]:
    standing = standing_of(by_scope.provenance, timezone.now().date())
    title = f"{_series_label(state)}, {_GRAINS[over_time.request.dimensions[0]]}"
    asked = by_scope.request
    compared = _days(asked.comparison) if asked.comparison else ""
    restating = restating_from(standing, days)

    def narrowed(changes: Mapping[str, str]) -> str:
        return address(request, changes)

    layout = Layout(table=by_scope, tab=state.tab, standing=standing, address=narrowed, columns=state.shown)
    band = band_of(over_time, state.metric)
    return {
        "key_figures": key_figures(over_time),
        "fall": fall_of(by_scope) if state.attribution != "as_reported" else None,
        "chart_title": title,
        "chart": chart_of(
            series_of(over_time, state.metric),
            state.metric,
            title=title,
            currency=by_scope.currencies[0] if by_scope.currencies else "",
            compared=compared,
            restating_from=restating,
            gaps=gap_marks(by_scope.provenance),
            band=band,
        ),
        "chart_marks": [words for _, words in gap_marks(by_scope.provenance)],
        "chart_restating": restating is not None and restating <= state.end,
        "chart_band": bool(band),
        "rows": rows_of(layout),
        "total": total_row(layout),
        "counted": _counted(by_scope, state),
        "period_words": _days(asked.period),
        "compared_words": compared,
        "iroas_shown": "iroas" in state.shown,
        "iroas_scale": _scale(by_scope),
        "rows_url": rows_behind(by_scope, state),
    }


def _scale(table: MetricTable) -> float:
    """Where the intervals of a table end, so that all of them fit and break-even is among them."""
    if "iroas_high" not in table.lines.columns:
        return 2.4
    highest = table.lines["iroas_high"].max()
    return max(2.4, min(float(highest or 0.0), 12.0))  # type: ignore[arg-type]


def _series_label(state: PageState) -> str:
    metric = METRICS[state.metric]
    if not attributed_parts(metric.name):
        return metric.label
    if state.attribution == "incremental":
        return label_under(metric.name, state.attribution)
    return metric.label + _SERIES_WORDS[state.attribution].format("them" if metric.additive else "it")


def _counted(table: MetricTable, state: PageState) -> str:
    """What the table has, in a sentence: `3 networks, 12 campaigns`."""
    parts = []
    for name in dict.fromkeys((state.tab.parent or "network", state.tab.leaf)):
        count = table.lines.select(name).n_unique() if name in table.lines.columns else 0
        label = DIMENSIONS[name].label
        parts.append(f"{count:,} {label if label.isupper() else label.lower()}{'' if count == 1 else 's'}")
    return ", ".join(parts)


def _days(period: Any) -> str:
    first = f"{period.start:%-d %b}" if period.start.year == period.end.year else f"{period.start:%-d %b %Y}"
    return f"{first} – {period.end:%-d %b %Y}"


def _texts(severity: str, *tables: MetricTable) -> list[Notice]:
    found = {notice.text: notice for table in tables for notice in table.notices if notice.severity == severity}
    return list(found.values())


def _provenance(provenance: Provenance, state: PageState) -> list[str]:
    if provenance.as_of is None:
        return []
    latest: dict[str, Any] = {}
    for item in provenance.restating:
        latest[item.network] = max(latest.get(item.network, item.until), item.until)
    today = timezone.now().date()
    open_until = [f"{network_name(name)} restating until {day:%-d %b}" for name, day in latest.items() if day >= today]
    return [
        f"Data as of {provenance.as_of:%-d %b %Y %H:%M} UTC",
        *([f"as they stood on {state.as_of:%-d %b %Y %H:%M} UTC"] if state.as_of else []),
        *(open_until or ["All figures final"]),
        *_attribution_words(provenance, state),
    ]


def _attribution_words(provenance: Provenance, state: PageState) -> list[str]:
    if state.attribution == "common_window":
        return [f"Common window: {state.by_scope.rule.label}"]
    if state.attribution == "incremental":
        sources = sorted({factor.source for factor in provenance.factors})
        return [f"Incremental: {', '.join(sources) if sources else 'no factor published, taken as 1'}"]
    return ["As reported: each network's own window"]
