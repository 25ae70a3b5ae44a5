"""Figures and the small drawings that go with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join, json_script
from django.utils.safestring import SafeString

from rmn_site.ui import drawings, formats
from rmn_site.ui.tags.icons import icon

register = template.Library()

for _filter in (
    formats.number,
    formats.compact,
    formats.money,
    formats.money_whole,
    formats.money_compact,
    formats.percent,
    formats.ratio,
    formats.duration,
):
    register.filter(_filter.__name__, _filter)


_ARROWS = {"up": "arrow-up-right", "down": "arrow-down-right", "flat": "minus"}


@register.simple_tag
def delta(
    value: formats.Number | None, kind: formats.ChangeKind = "percent", good: str = "up", word: str = "", text: str = ""
) -> SafeString:
    """`{% delta 0.062 %}`: sign, arrow and word. kind percent | points | ratio | number | money, good up | down | none.

    `text` replaces the written difference where the caller has its own words ("$50,300 over").
    """
    made = formats.change(value, kind, good, word)
    return format_html(
        '<span class="delta {}">{}{} <small>{}</small></span>',
        made.tone,
        icon(_ARROWS[made.direction]),
        text or made.text,
        made.word,
    )


@register.simple_tag
def spark(
    values: Sequence[float | None], alt: str, compare: Sequence[float | None] = (), mark: int | None = None
) -> SafeString | str:
    """`{% spark series "Spend, 52 weeks" compare=previous mark=14 %}`: None in a series is a gap.

    `mark` is the position in the series where something began: an upright line.
    """
    drawn = drawings.sparkline(values, compare)
    if drawn is None:
        return ""
    dashed = format_html('<path class="c" d="{}"/>', drawn.compare) if drawn.compare else ""
    began = ""
    if mark is not None and len(values) > 1:
        at = round(drawings.scale_to(mark, 0, len(values) - 1) * drawings.SPARK_WIDTH, 1)
        began = format_html('<path class="m" d="M{0} 0L{0} {1}"/>', at, drawings.SPARK_HEIGHT)
    return format_html(
        '<svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path class="a" d="{}"/>{}{}<path d="{}"/></svg>',
        alt,
        drawn.area,
        began,
        dashed,
        drawn.line,
    )


_TILE_GROUPS = {"treated": "tr", "control": "co", "left out": "ex"}


@register.simple_tag
def tile_map(tiles: Sequence[Any], alt: str) -> SafeString:
    """`{% tile_map tiles "States: 9 treated, 39 control" %}`: equal tiles, each with label, name, column, row, group.

    group treated | control | left out; the name and the group are told where one points.
    """
    columns, rows = (1 + max((getattr(tile, way) for tile in tiles), default=0) for way in ("column", "row"))
    drawn = format_html_join(
        "",
        '<g class="{}"><title>{}: {}</title><rect x="{}" y="{}" width="31" height="31" rx="4"/>'
        '<text x="{}" y="{}">{}</text></g>',
        (
            (
                _TILE_GROUPS[tile.group], tile.name, tile.group, tile.column * 34 + 1, tile.row * 34 + 1,
                tile.column * 34 + 16.5, tile.row * 34 + 17, tile.label,
            )
            for tile in tiles
        ),
    )  # fmt: skip
    return format_html(
        '<svg class="tile" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        columns * 34,
        rows * 34,
        alt,
        drawn,
    )


@register.inclusion_tag("ui/kpi.html")
def kpi(
    label: str,
    value: str,
    unit: str = "",
    *,
    change: formats.Number | None = None,
    kind: formats.ChangeKind = "percent",
    good: str = "up",
    word: str = "",
    note: str = "",
    series: Sequence[float | None] = (),
    compare: Sequence[float | None] = (),
    alt: str = "",
    title: str = "",
) -> dict[str, Any]:
    """`{% kpi "Spend" spend|money_compact change=0.062 good="none" series=weeks %}` inside `<dl class="kpis">`."""
    return {
        "label": label,
        "value": value,
        "unit": unit,
        "change": change,
        "kind": kind,
        "good": good,
        "word": word,
        "note": note,
        "series": series,
        "compare": compare,
        "alt": alt or f"{label} over time",
        "title": title,
    }


@register.simple_tag
def interval(
    low: float | None,
    middle: float | None,
    high: float | None,
    maximum: float = 3.0,
    minimum: float = 0.0,
    reference: float | None = 1.0,
    modelled: bool = False,
) -> SafeString | str:
    """`{% interval 1.2 1.5 1.8 maximum=2.4 %}`: estimate with interval; grey when modelled and not tested.

    Hidden from assistive technology: the figures stand beside it as text.
    """
    if low is None or middle is None or high is None:
        return ""
    made = drawings.interval(
        float(low), float(middle), float(high), minimum=float(minimum), maximum=float(maximum), reference=reference
    )
    line = ""
    if made.reference is not None:
        line = format_html('<line class="ref" x1="{0}" x2="{0}" y1="0" y2="16"/>', made.reference)
    return format_html(
        '<svg class="iv{}" viewBox="0 0 96 16" aria-hidden="true">{}'
        '<line x1="{}" x2="{}" y1="8" y2="8"/><circle cx="{}" cy="8" r="4"/></svg>',
        " low" if modelled else "",
        line,
        made.low,
        made.high,
        made.middle,
    )


@register.simple_tag
def bar(value: float, maximum: float, tone: str = "", minimum: float = 0.0) -> SafeString:
    """`{% bar 41 100 tone="n1" %}`: tone n1..n6, good, bad, pos, neg; starts at zero, also with negative values."""
    made = drawings.bar(float(value), minimum=float(minimum), maximum=float(maximum))
    zero = ""
    if made.zero is not None:
        zero = format_html('<line x1="{0}%" x2="{0}%" y1="-4" y2="12"/>', made.zero)
    return format_html(
        '<svg class="bar" aria-hidden="true"><rect class="bg" x="0" y="0" width="100%" height="8" rx="2"/>'
        '<rect class="{}" x="{}%" y="0" width="{}%" height="8" rx="2"/>{}</svg>',
        tone,
        made.start,
        made.width,
        zero,
    )


@register.simple_tag
def confidence(value: float | None) -> SafeString:
    """`{% confidence 0.93 %}`: meter and figure; high from 0.9, middle from 0.6."""
    if value is None:
        return format_html('<span class="muted">{}</span>', formats.MISSING)
    level = "hi" if value >= 0.9 else "md" if value >= 0.6 else "lo"
    return format_html(
        '<span class="conf"><svg viewBox="0 0 44 6" aria-hidden="true"><rect class="bg" width="44" height="6" rx="3"/>'
        '<rect class="{}" width="{}" height="6" rx="3"/></svg><span class="tn sm">{}</span></span>',
        level,
        round(drawings.scale_to(value, 0, 1) * 44, 1),
        formats.percent(value, 0),
    )


@register.simple_tag
def chart(name: str, spec: Mapping[str, Any], height: str = "", alt: str = "") -> SafeString:
    """`{% chart "sales" spec "h300" %}`: canvas chart; spec {option, tip, alt, narrow, events} of static/js/charts.js.

    Raises:
        ValueError: neither the tag nor the spec has the written summary that stands for the picture.
    """
    summary = alt or spec.get("alt", "")
    if not summary:
        raise ValueError(f"chart {name!r} needs alt: the sentence that says what the picture shows")
    return format_html(
        '<div class="chart {}" id="{}" data-chart="{}-spec" role="img" aria-label="{}"></div>{}',
        height,
        name,
        name,
        summary,
        json_script(spec, f"{name}-spec"),
    )


_KEYS = {
    "line": '<line x1="0" x2="16" y1="5" y2="5" stroke="currentColor" stroke-width="2"/>',
    "dash": '<line x1="0" x2="16" y1="5" y2="5" stroke="currentColor" stroke-width="2" stroke-dasharray="4 3"/>',
    "dots": '<line x1="0" x2="16" y1="5" y2="5" stroke="currentColor" stroke-width="2" stroke-dasharray="2 2"/>',
    "dot": '<circle cx="8" cy="5" r="4" fill="currentColor"/>',
    "ring": '<circle cx="8" cy="5" r="3.5" fill="none" stroke="currentColor" stroke-width="2"/>',
    "box": '<rect x="2" y="0" width="12" height="10" rx="2" fill="currentColor"/>',
    "band": '<rect x="2" y="0" width="12" height="10" rx="2" fill="currentColor" opacity=".22"/>',
}


@register.simple_tag
def keyl(tone: str, text: str, kind: str = "line") -> SafeString:
    """`{% keyl "k-focus" "Spent" %}`: one key of a chart; kind line | dash | dots | dot | ring | box | band."""
    mark = format_html(_KEYS[kind])
    return format_html(
        '<span class="key"><svg viewBox="0 0 16 10" aria-hidden="true" class="{}">{}</svg>{}</span>', tone, mark, text
    )
