"""How far along, how final and how well something is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil

from rmn_site.ui import formats
from rmn_site.ui.tags.icons import icon

register = template.Library()


@register.simple_tag
def chip(text: str, tone: str = "", icon_name: str = "", title: str = "") -> SafeString:
    """`{% chip "running" "info" "refresh" %}`: tone good | bad | warn | info | dashed."""
    hint = format_html(' title="{}"', title) if title else ""
    picture = icon(icon_name) if icon_name else ""
    return format_html('<span class="chip {}"{}>{}{}</span>', tone, hint, picture, text)


@register.simple_tag
def finality(state: str, until: str = "") -> SafeString:
    """`{% finality "restating" "26 Nov" %}`: final | restating | provisional | missing (until then says how much)."""
    if state == "final":
        return chip("final", "", "check")
    if state == "missing":
        return chip(until or "missing", "bad", "plug-connected-x")
    return chip(f"{state} until {until}" if until else state, "warn", "refresh")


@register.simple_tag
def suppressed(kind: str = "primary", k: int = 50, policy: str = "") -> SafeString:
    """`{% suppressed "primary" 50 "Small cells v3" %}`: "<50", or "withheld" for a complementary cell; never 0."""
    by = f" by policy {policy}" if policy else ""
    if kind == "primary":
        return format_html('<span class="supp" title="Fewer than {0}: withheld{1}">&lt;{0}</span>', k, by)
    return format_html(
        '<span class="supp" title="Withheld{}, so that a smaller cell cannot be worked out from a sum">withheld</span>',
        by,
    )


@register.inclusion_tag("ui/progress.html")
def progress(value: float | None, maximum: float | None, label: str) -> dict[str, Any]:
    """`{% progress 734208 1048212 "734,208 of 1,048,212 rows" %}`; without a maximum the bar says only "at work"."""
    known = value is not None and bool(maximum)
    return {"known": known, "value": value, "maximum": maximum, "label": label}


_STAGE_ICONS = {"done": "circle-check", "now": "refresh", "part": "alert-triangle", "failed": "circle-x"}


@register.inclusion_tag("ui/stages.html")
def stages(items: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """`{% stages job.stages %}`: each {state: done | now | part | failed | "", label, note}."""
    return {"items": [{**item, "icon": _STAGE_ICONS.get(item.get("state", ""), "circle-dashed")} for item in items]}


@register.inclusion_tag("ui/empty.html")
def empty(
    title: str, why: str, action_url: str = "", action_label: str = "", icon_name: str = "database", what: str = ""
) -> dict[str, str]:
    """`{% empty "No uploads yet" "Nobody has sent a file." url "Upload a file" what="Each file and its rows." %}`."""
    return {
        "title": title,
        "why": why,
        "what": what,
        "action_url": action_url,
        "action_label": action_label,
        "icon": icon_name,
    }


@register.inclusion_tag("ui/problem.html")
def problem(error: Any, diagnostic_id: str = "", unaffected: str = "") -> dict[str, Any]:
    """`{% problem error request_id %}`: a Problem (or its `as_dict()`): what is wrong, where, the next move."""
    document = error.as_dict() if hasattr(error, "as_dict") else error
    if not isinstance(document, Mapping):
        document = {"detail": str(error)}
    return {"problem": document, "diagnostic_id": diagnostic_id, "unaffected": unaffected}


@register.simple_tag
def prov(*items: str, how: str = "", told: str = "") -> SafeString:
    """`{% prov "Data as of 02:10 UTC" "Common window: 7-day click" how=url %}`: the footer under every figure.

    With `told` the text stands in the footer itself and opens there.
    """
    parts = format_html_join("", "<span>{}</span>", ((item,) for item in items if item))
    link = format_html('<a href="{}">How this is computed</a>', how) if how else ""
    text = format_html("<details><summary>How this is computed</summary><p>{}</p></details>", told) if told else ""
    return format_html('<div class="cf">{}{}{}</div>', parts, link, text)


@register.simple_tag
def when(moment: datetime | None, missing: str = formats.MISSING) -> SafeString:
    """`{% when job.started %}`: "3 minutes ago", with the instant in UTC as the title."""
    if moment is None:
        return format_html('<span class="muted">{}</span>', missing)
    at = moment.astimezone(UTC)
    now = timezone.now()
    if abs((now - at).total_seconds()) < 60:
        text = "just now" if at <= now else "in a moment"
    elif at < now:
        text = f"{timesince(at, now, depth=1)} ago"
    else:
        text = f"in {timeuntil(at, now, depth=1)}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.isoformat(timespec="seconds"),
        f"{at:%d %b %Y %H:%M:%S} UTC",
        text,
    )
