"""Contrast of the colour tokens, WCAG 2.2: 4.5 for text, 3 for lines and the borders of controls."""

import re
from pathlib import Path

import pytest
from django.conf import settings

CSS = (Path(settings.BASE_DIR) / "static" / "css" / "tokens.css").read_text(encoding="utf-8")


def tokens(selector):
    block = re.search(rf"{re.escape(selector)} {{(.*?)\n}}", CSS, re.S).group(1)
    return dict(re.findall(r"--rmn-([\w-]+): (#[0-9a-f]{6});", block, re.I))


LIGHT = tokens('[data-bs-theme="light"]')
DARK = LIGHT | tokens('\n[data-bs-theme="dark"]')
THEMES = {"light": LIGHT, "dark": DARK}


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("text", ["ink", "muted", "info", "good", "bad", "warn"])
@pytest.mark.parametrize("ground", ["surface", "canvas", "sunken", "hover"])
def test_text(theme, text, ground):
    assert contrast(THEMES[theme][text], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("tone", ["good", "bad", "warn", "info"])
def test_text_of_a_status_on_its_own_ground(theme, tone):
    for text in (tone, "ink", "muted"):
        assert contrast(THEMES[theme][text], THEMES[theme][f"{tone}-bg"]) >= 4.5, text


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("line", ["n1", "n2", "n3", "n4", "n5", "n6", "focus", "base", "control"])
def test_lines(theme, line):
    assert contrast(THEMES[theme][line], THEMES[theme]["surface"]) >= 3
