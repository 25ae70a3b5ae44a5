"""Plans that are fixed: one text and one hash each, and no change that goes unseen."""

import datetime as dt
import json
from dataclasses import replace

import pytest

from measurement.core.analysis_plan import (
    AnalysisPlan,
    Hypothesis,
    InvalidPlan,
    PlanChanged,
    canonical_json,
    plan_changes,
    plan_sha256,
    plan_units,
    read_plan,
    verify_plan,
)
from measurement.core.assignment import InvalidDesign
from measurement.core.stratified import draw_pairs, match_pairs
from tests.measurement.core.histories import history


def plan(**given):
    usual = {
        "kind": "holdback",
        "outcome": "sales, Walmart",
        "currency": "USD",
        "history_from": dt.date(2026, 6, 1),
        "start": dt.date(2026, 9, 14),
        "end": dt.date(2026, 10, 11),
        "cooldown": 7,
        "treated": ("Texas", "Ohio"),
        "control": ("Iowa", "Utah", "Maine"),
        "exclusion_rules": ("a state with fewer than 50 orders a day",),
        "hypotheses": (Hypothesis(name="sales rise", outcome="sales", effect=0.05),),
    }
    return AnalysisPlan(**(usual | given))


def sha(one):
    return plan_sha256(canonical_json(one))


def test_the_hash_is_that_of_the_canonical_text():
    """Computed apart from the product: printf '%s' TEXT | sha256sum."""
    text = canonical_json(plan())
    assert text.startswith('{"admissible":[],"alpha":0.05,"cells":{},"control":["Iowa","Maine","Utah"],"cooldown":7,')
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text
    assert plan_sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_order_and_spelling_of_unicode_do_not_matter():
    turned = plan(treated=("Ohio", "Texas"), control=("Maine", "Utah", "Iowa"))
    assert sha(turned) == sha(plan())
    assert sha(plan(outcome="Z\u00fcrich")) == sha(plan(outcome="Zu\u0308rich"))


CHANGES = {
    "kind": "heavy_up",
    "outcome": "units",
    "currency": "EUR",
    "history_from": dt.date(2026, 6, 2),
    "start": dt.date(2026, 9, 15),
    "end": dt.date(2026, 10, 12),
    "cooldown": 0,
    "treated": ("Texas",),
    "control": ("Iowa", "Utah"),
    "excluded": ("Nevada",),
    "pairs": (("Texas", "Iowa"),),
    "cells": {"Texas": "high"},
    "method": "sc",
    "alpha": 0.1,
    "seed": 2,
    "placebos": 59,
    "randomised": True,
    "admissible": (("Texas", "Ohio"), ("Iowa", "Utah")),
    "exclusion_rules": (),
    "hypotheses": (Hypothesis(name="sales rise", outcome="sales", effect=0.06),),
    "looks": (dt.date(2026, 9, 20),),
}


@pytest.mark.parametrize("name", AnalysisPlan.__slots__)
def test_every_member_counts(name):
    """A member that is added to plans must be added to the hash."""
    changed = replace(plan(), **{name: CHANGES[name]})
    assert sha(changed) != sha(plan())
    assert list(plan_changes(plan(), changed)) == [name]
    with pytest.raises(PlanChanged, match="SHA-256"):
        verify_plan(canonical_json(changed), sha(plan()))


@pytest.mark.parametrize("given", [{}, *({name: value} for name, value in CHANGES.items())], ids=str)
def test_a_plan_comes_back_from_its_text(given):
    one = plan(**given)
    again = verify_plan(json.dumps(json.loads(canonical_json(one)), indent=2), sha(one).upper() + "\n")
    assert canonical_json(again) == canonical_json(one)
    assert again.start == one.start


def test_units_come_from_an_assignment():
    drawn = draw_pairs(match_pairs(history(units=9)), seed=1)
    one = plan(**plan_units(drawn))
    assert one.pairs == drawn.pairs
    assert set(one.excluded) == set(drawn.of("excluded"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"outcome": " "}, "no outcome"),
        ({"start": dt.date(2026, 10, 12)}, "not in order"),
        ({"history_from": dt.date(2026, 9, 14)}, "not in order"),
        ({"cooldown": -1}, "negative"),
        ({"treated": ()}, "arm is empty"),
        ({"method": "magic"}, "no method 'magic'"),
        ({"alpha": 0.0}, "alpha is out of range"),
        ({"placebos": 0}, "no placebos"),
        ({"hypotheses": ()}, "no hypothesis is primary"),
        ({"hypotheses": (Hypothesis(name="x", outcome="y", effect=float("nan")),)}, "effect is out of range"),
        ({"looks": (dt.date(2026, 10, 11),)}, "not inside the test"),
        ({"control": ("texas", "Iowa")}, "'texas' has two places"),
    ],
)
def test_plans_that_leave_something_open(given, words):
    with pytest.raises(InvalidPlan, match=words):
        plan(**given)


def test_unknown_kind():
    with pytest.raises(InvalidDesign, match="no kind"):
        plan(kind="miracle")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: "{", "no JSON"),
        (lambda text: "[]", "not of the format"),
        (lambda text: text.replace("plan/1", "plan/2"), "not of the format"),
        (lambda text: text.replace('"seed"', '"sead"'), "no 'sead'"),
        (lambda text: text.replace('"start":"2026-09-14",', ""), "missing or wrong"),
        (lambda text: text.replace("2026-09-14", "14 Sep"), "date of the plan"),
        (lambda text: text.replace('"name":', '"nome":'), "missing or wrong"),
    ],
)
def test_texts_that_are_no_plan(change, words):
    with pytest.raises(InvalidPlan, match=words):
        read_plan(change(canonical_json(plan())))
