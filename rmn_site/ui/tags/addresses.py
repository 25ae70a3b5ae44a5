"""Links that keep the state of the page, which is all in its address."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django import template
from django.core.paginator import Page
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


def address_with(context: Context, **changes: Any) -> str:
    """The query of this page with some parameters changed; None takes one away."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.inclusion_tag("ui/export_links.html", takes_context=True)
def export_links(context: Context, url: str, kinds: str = "csv xlsx") -> dict[str, Any]:
    """`{% export_links url %}`: exactly what the page has filtered, as CSV and XLSX (`?export=csv`)."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    links = []
    for kind in kinds.split():
        query["export"] = kind
        picture = "file-spreadsheet" if kind == "xlsx" else "download"
        links.append({"url": f"{url}?{query.urlencode()}", "label": kind.upper(), "icon": picture})
    return {"links": links}


@register.inclusion_tag("ui/pagination.html", takes_context=True)
def pagination(context: Context, page: Page[Any], noun: str = "rows") -> dict[str, Any]:
    """`{% pagination page "uploads" %}`: where one is, and the way on, with the filters kept."""
    return {
        "page": page,
        "noun": noun,
        "previous": address_with(context, page=page.previous_page_number()) if page.has_previous() else "",
        "next": address_with(context, page=page.next_page_number()) if page.has_next() else "",
    }


@register.inclusion_tag("ui/sort_header.html", takes_context=True)
def sort_header(
    context: Context,
    label: str,
    name: str,
    numeric: bool = False,
    default: str = "",
    title: str = "",
    marked: bool = False,
) -> dict[str, Any]:
    """`{% sort_header "Spend" "spend" numeric=True default="-spend" %}`: a `<th>`; the state is `?sort=-spend`.

    `default` is the order of the table when the address says none. A first click on a figure sorts from the largest.
    A column that the page is about is `marked`.
    """
    current = context["request"].GET.get("sort", default)
    order = {name: "ascending", f"-{name}": "descending"}.get(current, "")
    turned = name if order == "descending" or (not order and not numeric) else f"-{name}"
    return {
        "label": label,
        "order": order,
        "numeric": numeric,
        "title": title,
        "marked": marked,
        "url": address_with(context, sort=turned, page=None),
    }


@register.simple_tag
def poll(url: str, seconds: float = 2, active: bool = True) -> SafeString | str:
    """`<section id="progress" {% poll url active=job.is_open %}>`: replaces itself with what `url` answers.

    The fragment that answers carries the tag again while there is something to wait for, and not after.
    """
    if not active:
        return ""
    # Dropped, not queued: an answer slower than the interval must not be followed by a request of what it replaced.
    return format_html(
        'hx-get="{}" hx-trigger="every {}s" hx-swap="outerHTML" hx-target="this" hx-sync="this:drop"', url, seconds
    )


@register.simple_tag
def fill_values(**values: str) -> SafeString:
    """`<button {% fill_values login=a.email password=a.password %}>`: writes values into the form of the page."""
    return format_html('type="button" data-rmn="fill" data-values="{}"', json.dumps(values))


@register.simple_tag
def query_of(**values: Any) -> str:
    """`{% query_of upload=upload.id as query %}`: an encoded query string of its own, without that of the page."""
    return f"?{urlencode({name: value for name, value in values.items() if value is not None})}"
