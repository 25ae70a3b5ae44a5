"""What a person asks of an experiment: read field by field, every fault told at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from measurement.core.terms import read_terms
from tenants.core.problems import InvalidInput

ASKED = {"name": "North", "kind": "geo"}


def faults(**changes) -> set[str]:
    with pytest.raises(InvalidInput) as refusal:
        read_terms(ASKED | changes)
    return {error["where"] for error in refusal.value.errors}


def test_what_is_typed_becomes_what_is_meant():
    terms = read_terms(
        ASKED
        | {
            "start_date": "2026-09-01", "end_date": date(2026, 9, 28), "currency": "usd", "planned_spend": "1,200.50",
            "settings": {"durations": "21, 14, 14", "effects": [0.1, "0.05"], "include": " a, b ", "power": "0.9",
                         "treated_share": "", "keep_apart": "on"},
        }
    )  # fmt: skip
    assert (terms.start_date, terms.end_date) == (date(2026, 9, 1), date(2026, 9, 28))
    assert (terms.currency, terms.planned_spend) == ("USD", Decimal("1200.50"))
    assert terms.settings == {
        "durations": [14, 21], "effects": [0.05, 0.1], "include": ["a", "b"], "power": 0.9, "keep_apart": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"kind": "rumour"}, "kind"),
        ({"action": "shout"}, "action"),
        ({"start_date": "soon"}, "start_date"),
        ({"start_date": "2026-09-02", "end_date": "2026-09-01"}, "end_date"),
        ({"start_date": "2026-09-02", "end_date": "2028-09-01"}, "end_date"),
        ({"cooldown_days": "-1"}, "cooldown_days"),
        ({"cooldown_days": 1.5}, "cooldown_days"),
        ({"currency": "dollars"}, "currency"),
        ({"currency": "U1D"}, "currency"),
        ({"planned_spend": "a lot"}, "planned_spend"),
        ({"planned_spend": "1e400"}, "planned_spend"),
        ({"alpha": 0.5}, "alpha"),
        ({"alpha": "nan"}, "alpha"),
        ({"alpha": True}, "alpha"),
        ({"seed": 2**40}, "seed"),
        ({"method": "guess"}, "method"),
        ({"kind": "ab", "method": "sc"}, "method"),
        ({"state": "read"}, "state"),
        ({"plan_sha256": "0"}, "plan_sha256"),
        ({"settings": [1]}, "settings"),
        ({"settings": {"luck": 1}}, "settings.luck"),
        ({"settings": {"durations": ["0"]}}, "settings.durations"),
        ({"settings": {"effects": [-1]}}, "settings.effects"),
        ({"settings": {"include": ["a"], "exclude": ["A"]}}, "settings.exclude"),
        ({"settings": {"power": 1}}, "settings.power"),
        ({"settings": {"design": "dice"}}, "settings.design"),
        ({"settings": {"cells": ["", "b"]}}, "settings.cells"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(change, where):
    assert faults(**change) == {where}


def test_everything_wrong_is_told_at_once():
    assert faults(name="", alpha=3, settings={"power": 2, "luck": 1}) == {
        "name", "alpha", "settings.power", "settings.luck",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"start_date": "9999-12-31"}, "start_date"),
        ({"end_date": date(1, 1, 1)}, "end_date"),
        ({"name": "a\x00b"}, "name"),
        ({"hypothesis": "\ud800"}, "hypothesis"),
        ({"settings": {"include": ["a\x00"]}}, "settings.include"),
        ({"settings": {"cells": ["\udfff"]}}, "settings.cells"),
        ({"settings": {"effects": [0]}}, "settings.effects"),
    ],
)
def test_what_no_database_or_calendar_holds_is_refused(change, where):
    assert where in faults(**change)
