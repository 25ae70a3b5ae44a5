"""One page of everything: the frame, every tag and every state, with invented figures. Browser tests look at it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.template import engines
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone

from rmn_site.ui.context import BrandLink, Frame, Person
from rmn_site.ui.navigation import Link
from tenants.core.problems import InvalidInput

WEEKS = [41, 44, 43, 47, 52, 49, None, 51, 55, 58, 54, 60]
BEFORE = [38, 40, 41, 41, 44, 46, 45, 47, 46, 50, 49, 52]

FRAME = Frame(
    tenant="Acme Snacks",
    person=Person(name="Alice Ruiz", email="alice@acme.example", roles="planner, analyst"),
    navigation=[
        (
            "",
            [
                Link("Home", "/gallery", "home", "h", current=False),
                Link("Performance", "/gallery?page=performance", "chart-line", "p", current=True),
            ],
        ),
        ("Data", [Link("Jobs", "/job", "list-check", "j", current=False)]),
        ("Admin", [Link("API tokens", "/tokens", "key", "", current=False)]),
    ],
    brands=[
        BrandLink("All brands", "?", current=True),
        BrandLink("Acme Chips", "?brand=1", current=False),
    ],
    account=[Link("Password", "/accounts/password/change/", "lock", "", current=False)],
)


class UploadForm(forms.Form):
    """A form with each kind of control."""

    name = forms.CharField(help_text="As the retailer names it.")
    network = forms.ChoiceField(choices=[("a", "Amazon"), ("w", "Walmart")])
    kind = forms.ChoiceField(choices=[("d", "Daily"), ("w", "Weekly")], widget=forms.RadioSelect)
    note = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    replace = forms.BooleanField(required=False, label="Replace rows of the same days")


def _days(count: int) -> list[str]:
    return [(date(2026, 10, 1) + timedelta(days=day)).isoformat() for day in range(count)]


def chart_spec() -> dict[str, Any]:
    """A line with an interval and an event, as a page would declare it."""
    days = _days(42)
    level = [90_000 + 900 * index + (4000 if index % 7 == 5 else 0) for index in range(42)]
    return {
        "alt": "Daily sales rise from $90,000 to $127,000 in six weeks.",
        "tip": {"head": "longday", "rows": {"Sales": "usd0", "80% interval": "usd|range"}},
        "events": True,
        "option": {
            "grid": {"top": 28},
            "xAxis": {
                "type": "category",
                "data": days,
                "boundaryGap": False,
                "axisLabel": {"formatter": "@day", "interval": "@everyMonday"},
            },
            "yAxis": {"type": "value", "axisLabel": {"formatter": "@usd"}},
            "series": [
                {
                    "type": "custom",
                    "name": "80% interval",
                    "renderItem": "@band",
                    "data": [[day, value * 0.94, value * 1.06] for day, value in zip(days, level, strict=True)],
                    "itemStyle": {"color": "$focus/18"},
                    "encode": {"x": 0, "y": [1, 2]},
                },
                {
                    "type": "line",
                    "name": "Sales",
                    "data": level,
                    "showSymbol": False,
                    "lineStyle": {"color": "$focus", "width": 2},
                    "itemStyle": {"color": "$focus"},
                    "markLine": {
                        "silent": True,
                        "symbol": "none",
                        "lineStyle": {"color": "$base", "type": "dotted"},
                        "label": {"formatter": "Price +4%", "color": "$muted", "fontSize": 11},
                        "data": [{"xAxis": days[14]}],
                    },
                },
            ],
        },
    }


def render_page(template: str, path: str = "/gallery", **context: Any) -> str:
    """A template as a signed-in person would get it, without a database."""
    return render_to_string(
        template, {"frame": FRAME, **context}, request=RequestFactory().get(path, HTTP_HOST="acme.localhost")
    )


def render_text(text: str, path: str = "/gallery", **context: Any) -> str:
    """The same for the text of a template."""
    return str(engines["django"].from_string(text).render({"frame": FRAME, **context}, request_for(path)))


def request_for(path: str) -> HttpRequest:
    """A request to acme's host."""
    return RequestFactory().get(path, HTTP_HOST="acme.localhost")


def render_gallery(path: str = "/gallery?sort=-spend&page=2") -> str:
    """Everything at once."""
    faulty = UploadForm({"name": "", "network": "x", "kind": ""})
    faulty.add_error(None, "The file holds no rows.")
    return render_text(
        Path(__file__).with_name("gallery.html").read_text(encoding="utf-8"),
        path,
        weeks=WEEKS,
        before=BEFORE,
        spec=chart_spec(),
        form=faulty,
        fresh=UploadForm(auto_id="fresh_%s"),
        page=Paginator(range(120), 50).page(2),
        problem=InvalidInput(
            "Spend is not a number: 12,4O.",
            where='row 4711, column "Ad Spend"',
            fix="Correct the cell and upload the file again.",
            errors=[{"where": "row 4712", "detail": "The date is empty."}],
        ),
        moment=timezone.now() - timedelta(minutes=3),
        scope=[
            {"label": "All channels", "url": "?", "current": True},
            {"label": "Networks", "url": "?level=network", "current": False},
            {"label": "Placements", "url": "?level=placement", "current": False},
            {"label": "Audiences", "url": "?level=audience", "current": False},
            {"label": "SKUs", "url": "?level=sku", "current": False},
        ],
        dates={"start": date(2026, 10, 1), "end": date(2026, 11, 11), "compare": "previous"},
        attribution="common_window",
        stages=[
            {"state": "done", "label": "Read", "note": "1,048,212 rows"},
            {"state": "now", "label": "Transform", "note": "734,208 rows"},
            {"state": "part", "label": "Validate", "note": "3,142 in quarantine"},
            {"state": "failed", "label": "Write", "note": "disk is full"},
            {"state": "", "label": "Publish", "note": "waits"},
        ],
    )


def render_login() -> str:
    """The page to sign in, in a demo."""
    people = [
        {"name": "Alice Ruiz", "role": "Planner, prepares", "email": "alice@acme.example", "password": 'demo "snacks"'},
        {"name": "Priya Nair", "role": "Second approver", "email": "priya@acme.example", "password": "other"},
    ]
    return render_page(
        "account/login.html",
        "/accounts/login/",
        frame=Frame(tenant="Acme Snacks"),
        form=LoginForm(),
        demo_logins=people,
    )
