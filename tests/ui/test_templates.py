"""Every template of the product: it compiles, its icons exist, and nothing in it breaks the content policy."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

from rmn_site.ui.navigation import NAVIGATION

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted(path.relative_to(ROOT / "templates").as_posix() for path in (ROOT / "templates").rglob("*.html"))
ICONS = set((ROOT / "tools" / "icons.txt").read_text(encoding="utf-8").split())


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_compiles(name):
    get_template(name)


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_keeps_to_the_content_policy(name):
    text = (ROOT / "templates" / name).read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=\s*[\"']|javascript:|hx-on", text)
    assert not re.search(r"<script(?![^>]*(src=|application/json))", text)
    assert not re.search(r"(src|href)=[\"'](https?:)?//", text)


@pytest.mark.parametrize("name", TEMPLATES)
def test_icons_of_the_template_are_in_the_sprite(name):
    text = (ROOT / "templates" / name).read_text(encoding="utf-8")
    named = set(re.findall(r'{% icon "([^"]+)"', text)) | set(re.findall(r'icon_name="([^"]+)"', text))
    named |= set(re.findall(r'{% chip (?:"[^"]*"|\S+) "[^"]*" "([^"]+)"', text))
    assert named <= ICONS


def test_icons_named_in_code_are_in_the_sprite():
    named = {item.icon for group in NAVIGATION for item in group.items}
    for path in (ROOT / "rmn_site" / "ui").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        named |= set(re.findall(r'(?:icon\(|icon_name: str = |_url, |"done": |"now": )"([a-z-]+)"', text))
    assert named - {""} <= ICONS


def test_files_of_the_front_end_stay_readable():
    for folder in ("static/css", "static/js", "templates"):
        for path in (ROOT / folder).rglob("*.*"):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 450, path
