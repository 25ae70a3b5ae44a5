"""The scope bar and the messages of the frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.template.context import Context

from rmn_site.ui.tags.addresses import address_with

register = template.Library()

_COMPARISONS = (
    ("previous", "Previous period, same weekdays"),
    ("previous_exact", "Previous period, to the day"),
    ("year", "Same weeks of last year"),
    ("none", "Nothing"),
)
_COMPARED = {"previous": "vs previous", "previous_exact": "vs previous", "year": "vs last year", "none": ""}
_ATTRIBUTIONS = (
    ("as_reported", "As reported"),
    ("common_window", "Common window"),
    ("incremental", "Incremental"),
)


@register.inclusion_tag("ui/scope_bar.html", takes_context=True)
def scope_bar(
    context: Context,
    scope: Sequence[Mapping[str, Any]] | None = None,
    dates: Mapping[str, Any] | None = None,
    attribution: str = "",
) -> dict[str, Any]:
    """The second bar. scope [{label, url, current}], dates {start, end, compare}, attribution as_reported | ...

    What is chosen goes into the address as start, end, compare and attribution; other parameters are kept.
    """
    query = context["request"].GET
    links = [
        {"label": label, "url": address_with(context, attribution=name), "current": name == attribution}
        for name, label in _ATTRIBUTIONS
    ]
    return {
        "scope": scope,
        "dates": dates,
        "comparisons": _COMPARISONS,
        "compared": _COMPARED.get(str((dates or {}).get("compare", "none")), ""),
        "kept": [
            (name, value)
            for name, values in query.lists()
            if name not in {"start", "end", "compare", "page"}
            for value in values
        ],
        "attributions": links if attribution else [],
    }


_MESSAGE_TONES = {
    "success": ("good", "circle-check"),
    "warning": ("warn", "alert-triangle"),
    "error": ("bad", "alert-circle"),
}


@register.filter
def message_tone(message: Any) -> str:
    """Tone of a message of django.contrib.messages."""
    return _MESSAGE_TONES.get(message.level_tag, ("info", ""))[0]


@register.filter
def message_icon(message: Any) -> str:
    """Icon of a message of django.contrib.messages."""
    return _MESSAGE_TONES.get(message.level_tag, ("", "info-circle"))[1]
