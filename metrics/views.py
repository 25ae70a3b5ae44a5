"""The Performance page, its files, and what its figures mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import selectors as people
from accounts.models import User
from accounts.rest.downloads import as_download
from harmonization.selectors import accounts_visible
from metrics import selectors, services
from metrics.core.definitions import DIMENSIONS, METRICS, attributed_parts
from metrics.core.export import EXPORT_FORMATS
from metrics.core.notices import network_name
from metrics.core.performance import (
    CHARTED,
    FIGURES,
    TABS,
    gap_marks,
    in_currency,
    key_figures,
    restating_from,
    rows_of,
    standing_of,
    total_row,
)
from metrics.core.table import MetricTable, Notice, Provenance
from metrics.core.time_series import chart_of, series_of
from metrics.page_state import DEFAULT_SORT, PRESETS, PageState, read_state
from tenants.selectors import current_tenant

_GRAINS = {"date": "daily", "week": "weekly"}
_DRILL = ("network", "retailer", "account", "placement", "campaign", "sku")


@require_safe
def performance(request: HttpRequest) -> HttpResponse:
    """Key figures, the course of one of them, and the table by scope."""
    state, days = _state(request)
    over_time, by_scope = services.query_tables(actor=_me(request), requests=[state.over_time, state.by_scope])
    context = _frame_of(request, state) | {"published": bool(days)}
    if not by_scope.is_empty:
        currency = _currency(by_scope, state)
        context |= _figures(request, state, in_currency(over_time, currency), in_currency(by_scope, currency), days)
        context |= {
            "currency": currency,
            "currencies": _currency_links(request, by_scope, currency),
            "exports": _exports(request, {"currency": currency} if len(by_scope.currencies) > 1 else {}),
        }
    remarks = _texts("info", over_time, by_scope)
    context |= {
        "warnings": _texts("warn", over_time, by_scope),
        "remarks": [notice for notice in remarks if notice.code != "networks_count_differently"],
        "unlike": [notice for notice in remarks if notice.code == "networks_count_differently"],
        "provenance": _provenance(by_scope.provenance),
        "may_export": people.may_for_some_brand(user=_me(request), permission="metrics.export"),
    }
    return render(request, "metrics/performance.html", context)


@require_safe
def export_performance(request: HttpRequest) -> HttpResponse:
    """The lines of the table, all of them, in the order and with the filters of the page."""
    state, _ = _state(request)
    asked = state.by_scope
    file = services.export_metrics(
        actor=_me(request),
        kind=request.GET.get("export", "csv"),
        metrics=asked.metrics,
        dimensions=asked.dimensions,
        start=state.start,
        end=state.end,
        filters=asked.filters,
        compare=asked.compare,
        sort=asked.sort,
    )
    return as_download(file)


@require_safe
def definitions(request: HttpRequest) -> HttpResponse:
    """What each figure means, from the registry that computes it."""
    context = {"metrics": METRICS.values(), "dimensions": DIMENSIONS.values()}
    return render(request, "metrics/definitions.html", context)


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)  # LoginRequiredMiddleware lets nobody else in


def _state(request: HttpRequest) -> tuple[PageState, dict[str, Any]]:
    brands = people.brands_for(user=_me(request), permission="metrics.view")
    days = selectors.last_days(brand_ids=brands.values_list("pk", flat=True))
    latest = max(days.values(), default=timezone.now().date() - timedelta(days=1))
    return read_state(request.GET, latest=latest), {str(account): day for account, day in days.items()}


def _address(request: HttpRequest, changes: Mapping[str, str | None]) -> str:
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"?{query.urlencode()}"


def _currency(table: MetricTable, state: PageState) -> str:
    """The currency the page shows: a page of sums is of one. Others are a link away."""
    base = current_tenant().base_currency
    return base if base in table.currencies else next(iter(table.currencies), base)


def _currency_links(request: HttpRequest, table: MetricTable, shown: str) -> list[dict[str, str]]:
    others = [code for code in table.currencies if code != shown]
    return [{"label": code, "url": _address(request, {"currency": code})} for code in others]


def _exports(request: HttpRequest, also: Mapping[str, str]) -> list[dict[str, str]]:
    """Files of exactly what is shown: the same address, at the door of files."""
    door = reverse("performance-export")
    icons = {"csv": "download", "xlsx": "file-spreadsheet"}
    return [
        {"label": kind.upper(), "icon": icons[kind], "url": door + _address(request, {**also, "export": kind})}
        for kind in EXPORT_FORMATS
    ]


def _figures(
    request: HttpRequest, state: PageState, over_time: MetricTable, by_scope: MetricTable, days: dict[str, Any]
) -> dict[str, Any]:
    standing = standing_of(by_scope.provenance, timezone.now().date())
    metric = METRICS[state.metric]
    grain = _GRAINS[over_time.request.dimensions[0]]
    of_networks = (
        f" as each network reports {'them' if metric.additive else 'it'}" if attributed_parts(metric.name) else ""
    )
    title = f"{metric.label}{of_networks}, {grain}"
    asked = by_scope.request
    compared = _days(asked.comparison) if asked.comparison else ""
    currency = by_scope.currencies[0] if by_scope.currencies else ""
    restating = restating_from(standing, days)

    def narrowed(changes: Mapping[str, str]) -> str:
        return _address(request, changes)

    return {
        "key_figures": key_figures(over_time),
        "chart_title": title,
        "chart": chart_of(
            series_of(over_time, state.metric),
            state.metric,
            title=title,
            currency=currency,
            compared=compared,
            restating_from=restating,
            gaps=gap_marks(by_scope.provenance),
        ),
        "chart_marks": [words for _, words in gap_marks(by_scope.provenance)],
        "chart_restating": restating is not None and restating <= state.end,
        "rows": rows_of(by_scope, state.tab, standing, narrowed),
        "total": total_row(by_scope),
        "counted": _counted(by_scope, state),
        "period_words": _days(asked.period),
        "compared_words": compared,
    }


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


def _provenance(provenance: Provenance) -> list[str]:
    if provenance.as_of is None:
        return []
    latest: dict[str, Any] = {}
    for item in provenance.restating:
        latest[item.network] = max(latest.get(item.network, item.until), item.until)
    today = timezone.now().date()
    open_until = [f"{network_name(name)} restating until {day:%-d %b}" for name, day in latest.items() if day >= today]
    return [
        f"Data as of {provenance.as_of:%-d %b %Y %H:%M} UTC",
        *(open_until or ["All figures final"]),
        "As reported: each network's own window",
    ]


def _frame_of(request: HttpRequest, state: PageState) -> dict[str, Any]:
    """Scope, dates, switches and filters: all of them links and forms that keep the rest of the address."""
    accounts = list(accounts_visible(user=_me(request), permission="metrics.view"))
    return {
        "state": state,
        "figures": FIGURES,
        "default_sort": DEFAULT_SORT,
        "scope": _scope(request, state, {str(item.pk): item.name for item in accounts}),
        "dates": {"start": state.start, "end": state.end, "compare": state.compare},
        "presets": [
            {
                "label": label,
                "url": _address(request, {"start": f"{state.end - timedelta(days=days - 1)}", "end": f"{state.end}"}),
                "current": (state.end - state.start).days + 1 == days,
            }
            for days, label in PRESETS
        ],
        "tabs": [
            {"label": tab.label, "url": _address(request, {"by": tab.name}), "current": tab is state.tab}
            for tab in TABS.values()
        ],
        "charted": [
            {
                "label": METRICS[name].label,
                "url": _address(request, {"metric": name}),
                "current": name == state.metric,
            }
            for name in CHARTED
        ],
        "filter_fields": [
            {"name": name, "label": DIMENSIONS[name].label, "options": _options(members, state.filters.get(name, []))}
            for name, members in (
                ("network", {item.retailer.network: network_name(item.retailer.network) for item in accounts}),
                ("retailer", {item.retailer.name: item.retailer.name for item in accounts}),
                ("account", {str(item.pk): item.name for item in accounts}),
                ("currency", {item.currency: item.currency for item in accounts}),
            )
        ],
        "kept": [
            (name, value)
            for name, values in request.GET.lists()
            if name not in {"network", "retailer", "account", "currency"}
            for value in values
        ],
        "narrowed": bool(state.filters),
        "unfiltered_url": _address(request, dict.fromkeys(state.filters, None)),
    }


def _options(members: Mapping[str, str], chosen: list[str]) -> list[dict[str, Any]]:
    return [
        {"value": value, "label": label, "chosen": value in chosen}
        for value, label in sorted(members.items(), key=lambda member: member[1])
    ]


def _scope(request: HttpRequest, state: PageState, accounts: Mapping[str, str]) -> list[dict[str, Any]]:
    """The way down to what the page is narrowed to. `accounts` names them by id."""
    steps = [
        (name, members[0] if len(members) == 1 else f"{len(members)} of {DIMENSIONS[name].label.lower()}")
        for name in _DRILL
        if (members := state.filters.get(name))
    ]
    path: list[dict[str, Any]] = [
        {
            "label": "All channels",
            "url": _address(request, dict.fromkeys(_DRILL, None)),
            "current": not steps,
        }
    ]
    for at, (name, member) in enumerate(steps):
        deeper = [other for other, _ in steps[at + 1 :]]
        label = network_name(member) if name == "network" else accounts.get(member, member)
        path.append(
            {
                "label": label,
                "url": _address(request, dict.fromkeys(deeper, None)),
                "current": at == len(steps) - 1,
            }
        )
    return path
