"""How figures are written."""

from decimal import Decimal

import pytest

from rmn_site.ui import formats

MINUS = formats.MINUS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (742, "742"),
        (Decimal("9.5"), "9.50"),
        (1_000, "1k"),
        (31_840, "31.8k"),
        (999_950, "1M"),
        (1_142_600, "1.14M"),
        (96_418_220, "96.4M"),
        (2_500_000_000, "2.5B"),
        (-1_142_600, f"{MINUS}1.14M"),
        (None, "—"),
    ],
)
def test_compact(value, text):
    assert formats.compact(value) == text


def test_money_to_the_cent_of_its_currency():
    assert formats.money(Decimal("388.1")) == "$388.10"
    assert formats.money(Decimal("-388.105")) == f"{MINUS}$388.11"
    assert formats.money(1200, "JPY") == "¥1,200"
    assert formats.money(12, "CHF") == "CHF\N{NO-BREAK SPACE}12.00"
    assert formats.money(None) == "—"


def test_whole_and_compact_money():
    assert formats.money_whole(Decimal("1142600.40")) == "$1,142,600"
    assert formats.money_compact(-31_840, "EUR") == f"{MINUS}€31.8k"


def test_halves_round_up_whatever_the_type():
    assert formats.number(0.125, 2) == formats.number(Decimal("0.125"), 2) == "0.13"


def test_what_rounds_to_zero_has_no_sign():
    assert formats.number(-0.004, 2) == "0.00"


def test_percent_is_of_a_fraction():
    assert formats.percent(0.084) == "8.4%"
    assert formats.percent(Decimal("1.046")) == "104.6%"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0.4 s"),
        (7, "7 s"),
        (17.2, "17 s"),
        (59.7, "1 min"),
        (125, "2 min 5 s"),
        (900, "15 min"),
        (12_000, "3 h 20 min"),
    ],
)
def test_duration(seconds, text):
    assert formats.duration(seconds) == text


def test_change_has_sign_direction_tone_and_word():
    assert formats.change(0.062) == formats.Change("+6.2%", "up", "good", "up")
    assert formats.change(-0.011, "points", good="down") == formats.Change(f"{MINUS}1.1 pts", "down", "good", "down")
    assert formats.change(50_300, "money", good="down") == formats.Change("+$50.3k", "up", "bad", "up")
    assert formats.change(0.2, good="none").tone == "flat"


def test_change_too_small_to_write_is_level():
    assert formats.change(0.0004) == formats.Change("0.0%", "flat", "flat", "level")


def test_change_without_comparison_is_not_zero():
    assert formats.change(None).text == "—"
    assert formats.change(None).word == "no comparison"
