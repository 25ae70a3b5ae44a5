"""The icon sprite."""

from __future__ import annotations

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

SPRITE = "vendor/tabler-icons/sprite.svg"


@register.simple_tag
def icon(name: str) -> SafeString:
    """`{% icon "home" %}`: a decorative icon of the sprite (tools/icons.txt); the meaning is in the words beside it."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static(SPRITE), name)
