"""The home page."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import selectors as people
from accounts.models import User
from metrics.core.notices import network_name, network_tone
from metrics.core.performance import standing_of
from metrics.core.table import MetricTable
from planning import home
from tenants.selectors import current_tenant


@require_safe
def home_page(request: HttpRequest) -> HttpResponse:
    """Where things stand."""
    user = cast(User, request.user)
    steps = home.first_steps(user=user)
    context: dict[str, Any] = {
        "today": timezone.now(),
        "steps": _with_states(steps),
        "done": sum(step.done for step in steps),
        "may_plan": people.may_for_some_brand(user=user, permission="scenarios.manage"),
    }
    until = home.last_day_of_data(user=user) if _sees_figures(user) else None
    if until is not None:
        figures = _figures(user, until)
        # Without a total (the last four weeks name no currency) there is no figure to show, and the page says so.
        context |= figures if figures["total"] else {}
    return render(request, "planning/home.html", context)


def _sees_figures(user: User) -> bool:
    return people.may_for_some_brand(user=user, permission="metrics.view")


def _with_states(steps: list[home.Step]) -> list[tuple[str, home.Step]]:
    """done, now (the first that is not), todo."""
    following = next((step for step in steps if not step.done), None)
    return [("done" if step.done else "now" if step is following else "todo", step) for step in steps]


def _figures(user: User, until: Any) -> dict[str, Any]:
    by_network, by_day = home.key_figures(user=user, until=until)
    items = home.attention(user=user, until=until)
    currency = _main_currency(by_network.totals, current_tenant().base_currency)
    total = _row(by_network.totals, currency)
    standing = standing_of(by_network.provenance, timezone.now().date())
    return {
        "until": until,
        "currency": currency,
        "total": total,
        "changes": {name: _change(total, name) for name in ("spend", "sales", "cpc")}
        | {"roas": _difference(total, "roas")},
        "days": {name: _series(by_day, currency, name) for name in ("spend", "sales", "roas", "cpc")},
        "networks": [
            row
            | {
                "name": network_name(row["network"]),
                "tone": network_tone(row["network"]),
                "change": _change(row, "spend"),
                "standing": standing.of(standing.accounts.get(row["network"], ())),
            }
            for row in by_network.lines.iter_rows(named=True)
            if row["currency"] == currency
        ],
        "attention": items,
        "at_stake": sum(item.money for item in items if item.money is not None),
        "months": _months_chart(home.months_by_network(user=user, until=until), currency),
        "as_of": by_network.provenance.as_of,
    }


def _main_currency(totals: Any, base: str) -> str:
    """The base currency where anything was spent in it, else the one most was spent in: figures are never mixed."""
    spent = {row["currency"]: row["spend"] or 0 for row in totals.iter_rows(named=True) if row["currency"]}
    return base if base in spent or not spent else max(spent, key=lambda code: spent[code])


def _row(frame: Any, currency: str) -> dict[str, Any]:
    return next((row for row in frame.iter_rows(named=True) if row["currency"] == currency), {})


def _change(row: dict[str, Any], name: str) -> float | None:
    now, before = row.get(name), row.get(f"previous.{name}")
    return float(now) / float(before) - 1 if now is not None and before else None


def _difference(row: dict[str, Any], name: str) -> float | None:
    now, before = row.get(name), row.get(f"previous.{name}")
    return float(now) - float(before) if now is not None and before is not None else None


def _series(table: MetricTable, currency: str, name: str) -> list[float | None]:
    return [
        None if row[name] is None else float(row[name])
        for row in table.lines.iter_rows(named=True)
        if row["currency"] == currency
    ]


def _months_chart(table: MetricTable, currency: str) -> dict[str, Any]:
    """Attributed sales by month, stacked by network, in the order in which networks first appear."""
    rows = [row for row in table.lines.iter_rows(named=True) if row["currency"] == currency]
    months = sorted({str(row["month"]) for row in rows})
    networks = sorted({row["network"] for row in rows}, key=network_tone)
    value = {(str(row["month"]), row["network"]): row["sales"] for row in rows}
    series = [
        {
            "type": "bar",
            "stack": "sales",
            "name": network_name(network),
            "data": [float(value.get((month, network)) or 0) for month in months],
            "itemStyle": {"color": f"${network_tone(network)}-fill"},
            "barCategoryGap": "35%",
        }
        for network in networks
    ]
    totals = [sum(float(value.get((month, network)) or 0) for network in networks) for month in months]
    high = max(zip(totals, months, strict=True), default=(0.0, ""))
    return {
        "keys": [(f"k-{network_tone(network)}", network_name(network)) for network in networks],
        "spec": {
            "alt": f"Attributed sales by month and network; the highest month is {high[1]} with {high[0]:,.0f}.",
            "tip": {"rows": {network_name(network): "usd0" for network in networks}},
            "option": {
                "xAxis": {"type": "category", "data": months, "axisLabel": {"formatter": "@mon"}},
                "yAxis": {"type": "value", "axisLabel": {"formatter": "@usd"}},
                "series": series,
            },
        },
    }
