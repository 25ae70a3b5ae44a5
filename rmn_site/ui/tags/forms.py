"""Fields of Django forms."""

from __future__ import annotations

from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select

register = template.Library()


def _shape(bound: BoundField) -> str:
    widget = bound.field.widget
    if isinstance(widget, CheckboxSelectMultiple | RadioSelect):
        return "group"
    if isinstance(widget, CheckboxInput):
        return "check"
    return "select" if isinstance(widget, Select) else "text"


_CONTROL = {"text": "form-control", "select": "form-select", "check": "form-check-input", "group": "form-check-input"}


@register.inclusion_tag("ui/field.html")
def field(bound: BoundField, label: str = "", hint: str = "") -> dict[str, Any]:
    """`{% field form.email %}`: label, control, help and error, the last two tied to it by aria-describedby."""
    shape = _shape(bound)
    identifier = bound.id_for_label or bound.auto_id
    hint_text = hint or bound.help_text
    described = [f"{bound.auto_id}_helptext"] if hint_text else []
    if bound.errors:
        described.append(f"{bound.auto_id}_error")
    widget_attributes = bound.field.widget.attrs
    if _CONTROL[shape] not in widget_attributes.get("class", "").split():
        # On the widget and not only on this rendering: the single buttons of a group are drawn one by one.
        widget_attributes["class"] = f"{widget_attributes.get('class', '')} {_CONTROL[shape]}".strip()
    attributes: dict[str, str | bool] = {}
    if described:
        attributes["aria-describedby"] = " ".join(described)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return {
        "bound": bound,
        "shape": shape,
        "label": label or bound.label,
        "hint": hint_text,
        "identifier": identifier,
        "control": bound.as_widget(attrs=attributes),
        "optional": not bound.field.required and shape != "check",
    }
