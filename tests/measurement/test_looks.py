"""Looks before the end: only where the plan has them, and at the level that it leaves them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from scipy.stats import norm

from measurement import services
from measurement.core.reading_json import reading_from_dict
from measurement.core.sequential import plan_looks
from measurement.models import Experiment
from tenants.core.problems import InvalidInput
from tests.measurement.conftest import END, START, as_csv, fresh, geo_rows, summary, treated_of

SETTINGS = {"design": "pairs", "durations": [28]}


def test_planned_looks_are_taken_once_each_at_their_level(running, send, alice, today):
    one = running(looks="group_sequential", settings=SETTINGS | {"look_at": [14]})

    def sent(days: int) -> None:
        send(one, as_csv(geo_rows(START + timedelta(days=days - 1), treated=treated_of(one))))
        today(START + timedelta(days=days))

    sent(10)
    with pytest.raises(services.EarlyLook):
        services.analyse_experiment(experiment=fresh(one))
    sent(15)
    first = services.analyse_experiment(experiment=fresh(one))
    early, late = (float(2 * norm.sf(look.boundary)) for look in plan_looks([0.5, 1.0], alpha=0.05))
    read = reading_from_dict(first.result)
    assert (first.interim, read.alpha) == (True, pytest.approx(early))
    assert read.periods[read.end] == START + timedelta(days=14)
    assert "look 1 of 2" in read.warnings[0]
    assert fresh(one).state == Experiment.State.RUNNING
    sent(16)
    with pytest.raises(services.EarlyLook):
        services.analyse_experiment(experiment=fresh(one))
    sent(28)
    today(END + timedelta(1))
    last = services.analyse_experiment(experiment=fresh(one))
    assert (last.interim, reading_from_dict(last.result).alpha) == (False, pytest.approx(late))
    assert early < 0.01 < late < 0.05
    assert fresh(one).state == Experiment.State.READ


def test_always_valid_looks_are_wider_and_never_forget(experiment, send, alice, today):
    one = experiment(kind="ab", looks="always_valid", settings={"baseline_rate": 0.1, "effects": [0.2]})
    one = services.choose_candidate(actor=alice, experiment=services.design_experiment(experiment=one), choice=0)
    one = services.register_experiment(actor=alice, experiment=one)
    today(START)
    services.start_experiment(actor=alice, experiment=one)
    today(START + timedelta(3))
    send(one, summary(until=str(START + timedelta(2))), "sums.json")
    first = services.analyse_experiment(experiment=fresh(one))
    read = reading_from_dict(first.result)
    assert first.interim
    assert "always-valid" in read.procedure
    assert read.lift.low < -0.03526
    assert read.lift.high > 1.44989
    assert read.p_value > 0.0619
    today(END + timedelta(1))
    doubled = {
        arm: {name: 2 * value for name, value in sums.items()}
        for arm, sums in {
            "treated": {"sum": 2422.7, "sum_of_squares": 134698.29, "n": 3461},
            "control": {"sum": 1396.87, "sum_of_squares": 52377.9767, "n": 3407},
        }.items()
    }
    send(one, summary(until=str(END), **doubled), "sums.json")
    last = services.analyse_experiment(experiment=fresh(one))
    after = reading_from_dict(last.result)
    assert "over 2 looks" in after.procedure
    assert read.lift.low <= after.lift.low < after.lift.high <= read.lift.high
    assert after.p_value <= read.p_value


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"looks": "always_valid"}, "looks"),
        ({"kind": "switchback", "looks": "group_sequential", "settings": {"look_at": [7]}}, "looks"),
        ({"looks": "group_sequential"}, "settings.look_at"),
    ],
)
def test_looks_that_cannot_be_are_refused(experiment, change, where):
    with pytest.raises(InvalidInput) as refusal:
        experiment(**change)
    assert where in {error["where"] for error in refusal.value.errors}
