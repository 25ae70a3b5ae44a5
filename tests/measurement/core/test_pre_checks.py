"""Drift before a test with its error rates, tests in each other's way, balance, and assignments as planned."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from measurement.core.assignment import Assigned, Assignment, InvalidDesign
from measurement.core.panel import Panel
from measurement.core.pre_checks import Occupied, balance, compare_assignments, contaminations, pre_trend
from tests.measurement.core.histories import history


def plain(seed, *, units=16, periods=84, drift=0.0, noise=0.04):
    """Units around one common path; the first four drift by so much per period."""
    rng = np.random.default_rng(seed)
    common = np.cumsum(rng.normal(0.0, 0.01, periods))
    logs = common + rng.normal(0.0, noise, (units, periods)) + rng.normal(7.0, 0.4, (units, 1))
    logs[:4] += drift * np.arange(periods)
    return Panel(
        units=tuple(f"u{number}" for number in range(units)), periods=tuple(range(periods)), outcome=np.exp(logs)
    )


TREATED = ("u0", "u1", "u2", "u3")


def check(panel, **given):
    return pre_trend(panel, **({"treated": TREATED, "duration": 14, "margin": 0.03} | given))


@pytest.mark.parametrize("weighted", [True, False])
def test_joint_test_holds_its_error_rate(weighted):
    """Of 160 panels without drift about 5 % are rejected: at most 17 by a one-sided 99.9 % bound."""
    rejected = sum(check(plain(seed, periods=56), weighted=weighted).p_joint <= 0.05 for seed in range(160))
    assert rejected <= 17


def test_equivalence_holds_its_error_rate_at_the_margin():
    """Where the drift is the margin itself, "smaller than it" is shown in at most 5 % of panels (17 of 160)."""
    per_period = 0.03 / 14
    shown = sum(check(plain(seed, drift=per_period, noise=0.01), weighted=False).equivalent for seed in range(160))
    assert shown <= 17


def test_a_steady_history_is_called_so():
    found = check(plain(3, noise=0.01))
    assert found.verdict == "steady"
    assert found.low < found.drift < found.high
    assert "each test errs at 0.05" in found.words


@pytest.mark.parametrize("weighted", [True, False])
def test_a_drift_is_seen_and_measured(weighted):
    found = check(plain(5, drift=0.003, noise=0.01), weighted=weighted)
    assert found.verdict == "drifting"
    assert found.drift == pytest.approx(0.003 * 14, rel=0.35)
    assert found.p_joint < 0.05


def test_noise_is_unclear_rather_than_steady():
    assert check(plain(1, noise=0.4, periods=28), weighted=False, margin=0.01).verdict == "unclear"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"margin": 0.0}, "out of range"),
        ({"treated": ()}, "arm is empty"),
        ({"treated": ("nobody",)}, "no unit 'nobody'"),
        ({"excluded": TREATED}, "arm is empty"),
        ({"treated": tuple(f"u{number}" for number in range(15))}, "arm is empty"),
    ],
)
def test_drift_that_cannot_be_asked_for(given, words):
    with pytest.raises(InvalidDesign, match=words):
        check(plain(1), **given)


def test_short_histories_are_refused():
    panel = plain(1)
    with pytest.raises(InvalidDesign, match="too few to see a drift"):
        check(replace(panel, periods=panel.periods[:6], outcome=panel.outcome[:, :6]))


def occupied(name="new", units=("a", "b"), start=10, end=20, retailer="walmart"):
    return Occupied(name=name, retailer=retailer, units=units, start=dt.date(2026, 3, start), end=dt.date(2026, 3, end))


def test_tests_are_in_the_way_only_where_units_days_and_retailer_meet():
    others = [
        occupied("same days", ("B", "c"), 20, 25),
        occupied("earlier", ("a",), 1, 9),
        occupied("other units", ("c",)),
        occupied("other retailer", retailer="criteo"),
        occupied("everywhere", ("a",), 5, 10, retailer=""),
    ]
    found = contaminations(occupied(), others)
    assert [(one.name, one.units, one.first.day, one.last.day) for one in found] == [
        ("everywhere", ("a",), 10, 10),
        ("same days", ("B",), 20, 20),
    ]
    assert found[1].words == "same days at walmart holds 1 of the units from 2026-03-20 to 2026-03-20: B."


def test_a_test_that_ends_before_it_starts():
    with pytest.raises(InvalidDesign, match="ends before"):
        contaminations(occupied(start=12, end=11), [])


def test_balance_finds_the_larger_arm():
    panel = history(units=20)
    order = np.argsort(panel.outcome.mean(axis=1))
    large, small = [panel.units[at] for at in order[10:]], [panel.units[at] for at in order[:10]]
    assert "mean" in balance(panel, treated=large, control=small).unbalanced
    assert balance(panel, treated=large, control=small).differences["mean"] > 1.0
    mixed = balance(panel, treated=large[::2] + small[::2], control=large[1::2] + small[1::2])
    assert abs(mixed.differences["mean"]) < 0.5
    with pytest.raises(InvalidDesign, match="arm is empty"):
        balance(panel, treated=[], control=small)


def assigned(**groups):
    return Assignment(rows=tuple(Assigned(unit=unit, group=group) for unit, group in groups.items()))


def test_assignments_as_planned_or_not():
    planned = assigned(a="treated", b="control", c="excluded", d="control")
    assert compare_assignments(planned, assigned(a="treated", b="control", d="control")).as_planned
    found = compare_assignments(planned, assigned(a="control", b="control", e="treated", c="treated"))
    assert found.moved == {"a": ("treated", "control"), "c": ("excluded", "treated")}
    assert (found.missing, found.added, found.as_planned) == (("d",), ("e",), False)
