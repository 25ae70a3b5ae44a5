"""What surrounds the figures of the Performance page: scope, dates, switches, filters, columns and saved views. All of
them are links and forms that keep the rest of the address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, cast
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from accounts import selectors as people
from accounts.models import User
from harmonization.core.lineage_filters import FILTERS as ROWS_ASKED_BY
from harmonization.selectors import accounts_visible
from metrics import selectors
from metrics.core.columns import ALWAYS, COLUMNS, headings
from metrics.core.definitions import DIMENSIONS, METRICS
from metrics.core.export import EXPORT_FORMATS
from metrics.core.notices import network_name
from metrics.core.performance import CHARTED, TABS
from metrics.core.request import BASE, MATCHES, NATIVE, CommonRule
from metrics.core.table import MetricTable
from metrics.page_state import DEFAULT_SORT, PRESETS, PageState

_DRILL: Final = ("network", "retailer", "account", "placement", "campaign_type", "campaign", "ad_group", "sku")
#: Windows that networks report, for the choice of a common rule.
_WINDOWS: Final = (1, 3, 7, 14, 30)
_ASKED_IN_FILTERS: Final = frozenset({"network", "retailer", "account", "currency", "start", "end", "compare"})
_RULE: Final = frozenset({"window", "match"})


def person(request: HttpRequest) -> User:
    """Who asks."""
    return cast(User, request.user)  # LoginRequiredMiddleware lets nobody else in


def address(request: HttpRequest, changes: Mapping[str, str | None]) -> str:
    """The address of the page with some parameters changed; None takes one away."""
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"?{query.urlencode()}"


def frame_of(request: HttpRequest, state: PageState) -> dict[str, Any]:
    """Everything around the figures."""
    user = person(request)
    accounts = list(accounts_visible(user=user, permission="metrics.view"))
    return {
        "state": state,
        "default_sort": DEFAULT_SORT,
        "attribution": state.attribution,
        "scope": _scope(request, state, {str(item.pk): item.name for item in accounts}),
        "dates": {"start": state.start, "end": state.end, "compare": state.compare},
        "presets": [
            {
                "label": label,
                "url": address(request, {"start": f"{state.end - timedelta(days=days - 1)}", "end": f"{state.end}"}),
                "current": (state.end - state.start).days + 1 == days,
            }
            for days, label in PRESETS
        ],
        "tabs": [
            {"label": tab.label, "url": address(request, {"by": tab.name}), "current": tab is state.tab}
            for tab in TABS.values()
        ],
        "charted": [
            {"label": METRICS[name].label, "url": address(request, {"metric": name}), "current": name == state.metric}
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
        "kept": _kept(request, _ASKED_IN_FILTERS),
        "narrowed": bool(state.filters),
        "unfiltered_url": address(request, dict.fromkeys(state.filters, None)),
        **_columns(request, state),
        **_rule(request, state),
        **_money(request, state),
        **_views(request, user),
    }


def _kept(request: HttpRequest, asked: frozenset[str]) -> list[tuple[str, str]]:
    """Parameters that a form carries along because it does not ask for them."""
    return [(name, value) for name, values in request.GET.lists() if name not in asked for value in values]


def _columns(request: HttpRequest, state: PageState) -> dict[str, Any]:
    shown = state.shown
    return {
        "headings": headings(shown, state.attribution),
        "column_choices": [
            {"name": heading.name, "label": heading.label, "title": heading.title, "shown": heading.name in shown}
            for heading in headings([name for name in COLUMNS if name not in ALWAYS], state.attribution)
        ],
        "columns_kept": _kept(request, frozenset({"cols"})),
        "usual_columns_url": address(request, {"cols": None}),
    }


def _rule(request: HttpRequest, state: PageState) -> dict[str, Any]:
    rule = state.by_scope.rule
    return {
        "rule": rule,
        "windows": [
            {"value": days, "chosen": days == rule.click_days} for days in sorted({*_WINDOWS, rule.click_days})
        ],
        "matches": [{"value": name, "label": label, "chosen": name == rule.match} for name, label in MATCHES.items()],
        "rule_kept": _kept(request, _RULE),
        "usual_rule": rule == CommonRule(),
        "common_url": address(request, {"attribution": "common_window"}),
    }


def _money(request: HttpRequest, state: PageState) -> dict[str, Any]:
    """The way to one currency and back."""
    return {
        "converted": state.money != NATIVE,
        "convert_url": address(request, {"money": BASE, "currency": None}),
        "native_url": address(request, {"money": None}),
        "base_currency": state.base,
    }


def _views(request: HttpRequest, user: User) -> dict[str, Any]:
    here = reverse("performance")
    views = [
        {
            "id": view.pk,
            "name": view.name,
            "url": f"{here}?{view.query}",
            "own": view.owner_id == user.pk,
            "shared": view.shared,
            "owner": str(view.owner),
            "current": view.query == request.GET.urlencode(),
        }
        for view in selectors.views_visible(user=user)
    ]
    return {
        "saved_views": views,
        "current_view": next((view["name"] for view in views if view["current"]), ""),
        "page_query": request.GET.urlencode(),
        "may_share": people.may_for_some_brand(user=user, permission="views.share"),
    }


def exports(request: HttpRequest, also: Mapping[str, str]) -> list[dict[str, str]]:
    """Files of exactly what is shown: the same address, at the door of files."""
    door = reverse("performance-export")
    icons = {"csv": "download", "xlsx": "file-spreadsheet"}
    return [
        {"label": kind.upper(), "icon": icons[kind], "url": door + address(request, {**also, "export": kind})}
        for kind in EXPORT_FORMATS
    ]


def rows_behind(table: MetricTable, state: PageState) -> str:
    """Address of the rows of files that a table is made of; empty where rows cannot be asked by one of its filters."""
    filters = state.filters | {"report": sorted({item.report for item in table.provenance.reports})}
    members = [member for chosen in filters.values() for member in chosen]
    if any("," in member for member in members) or not filters.keys() <= ROWS_ASKED_BY.keys():
        return ""
    asked = {"start": str(state.start), "end": str(state.end)}
    asked |= {name: ",".join(chosen) for name, chosen in filters.items() if chosen}
    if state.as_of is not None:
        asked["as_of"] = state.as_of.isoformat()
    return f"{reverse('lineage')}?{urlencode(asked)}"


def currency_links(request: HttpRequest, table: MetricTable, shown: str) -> list[dict[str, str]]:
    """The other currencies of a page that shows one."""
    others = [code for code in table.currencies if code != shown]
    return [{"label": code, "url": address(request, {"currency": code})} for code in others]


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
            "url": address(request, dict.fromkeys(_DRILL, None)),
            "current": not steps,
        }
    ]
    for at, (name, member) in enumerate(steps):
        deeper = [other for other, _ in steps[at + 1 :]]
        label = network_name(member) if name == "network" else accounts.get(member, member)
        path.append(
            {
                "label": label,
                "url": address(request, dict.fromkeys(deeper, None)),
                "current": at == len(steps) - 1,
            }
        )
    return path
