"""Projections of daily spend, and budgets held against them."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from planning.core.pace import AccountSpend, pace
from planning.core.pacing import _points, point, project, used_up, weekday_shares

MONDAY = date(2026, 1, 5)
WEEK = np.array([1.1, 1.0, 0.95, 0.9, 1.0, 1.3, 0.75])


def series(random, days, *, drift=0.0, memory=0.0, noise=0.2):
    """Spend of `days` days with weekdays, noise that lasts, and a level that wanders."""
    errors, last = np.zeros(days), 0.0
    for at in range(days):
        last = memory * last + random.normal(0.0, noise * np.sqrt(1.0 - memory**2))
        errors[at] = last
    level = np.cumsum(random.normal(0.0, drift, days)) if drift else 0.0
    return 100.0 * WEEK[np.arange(days) % 7] * np.exp(errors + level - noise**2 / 2.0)


@pytest.mark.parametrize(
    "kind", [{}, {"memory": 0.4, "noise": 0.3}, {"drift": 0.01, "memory": 0.3, "noise": 0.3}, {"noise": 0.5}]
)
def test_the_band_covers_eighty_percent(kind):
    """Back-test: of 200 series, the sum of the 20 days to come lies in the band as often as it says."""
    random, count, ahead = np.random.default_rng(5), 200, 20
    covered = 0
    for _ in range(count):
        whole = series(random, 180 + ahead, **kind)
        found = project(whole[:180], MONDAY, ahead)
        covered += bool(found.low[-1] <= whole[180:].sum() <= found.high[-1])
    error = np.sqrt(0.8 * 0.2 / count)
    assert covered / count == pytest.approx(0.8, abs=3.0 * error)


@pytest.mark.parametrize("kind", [{"noise": 0.4}, {"noise": 0.0}, {"drift": 0.05}])
def test_projections_made_at_once_are_those_made_one_by_one(kind):
    spend = series(np.random.default_rng(3), 140, **kind)
    spend[20:30], spend[66:130] = 0.0, 0.0
    days, origins = (np.arange(140) + 3) % 7, np.arange(14, 141)
    alone = [point(spend[:at], days[:at], 9) for at in origins]
    np.testing.assert_allclose(_points(spend, days, origins, 9), alone, rtol=1e-12, atol=1e-12)


def test_weekdays_and_level_are_found():
    quiet = 100.0 * np.tile(WEEK, 12)
    found = project(quiet, MONDAY, 14)
    assert found.daily == pytest.approx(np.tile(quiet[:7], 2), rel=0.08)
    assert weekday_shares(quiet, np.arange(quiet.size) % 7).argmax() == 5
    assert found.total[-1] == pytest.approx(1400.0 * WEEK.mean() / 1.0, rel=0.03)


def test_one_wild_day_hardly_moves_the_level():
    calm = series(np.random.default_rng(1), 84)
    wild = calm.copy()
    wild[-3] *= 20.0
    weekdays = np.arange(84) % 7
    assert point(wild, weekdays, 7).sum() < 1.3 * point(calm, weekdays, 7).sum()


def test_too_short_a_series_is_not_projected():
    assert project([5.0] * 13, MONDAY, 7) is None
    assert project([5.0] * 40, MONDAY, 0) is None
    assert project([0.0] * 60, MONDAY, 3).total[-1] == 0.0
    assumed = project([5.0] * 20, MONDAY, 7)
    assert assumed.judged_by == 0
    assert assumed.low[-1] < 35.0 < assumed.high[-1]


def test_the_day_a_budget_is_used_up():
    assert used_up([10.0, 20.0, 30.0], 20.0, MONDAY) == MONDAY + timedelta(days=1)
    assert used_up([10.0, 20.0], 21.0, MONDAY) is None


def account(name, spend, *, first=MONDAY, today=None, open_days=0, zone="UTC"):
    last = first + timedelta(days=len(spend) - 1)
    return AccountSpend(
        name=name, zone=zone, first=first, spend=spend, today=today or last + timedelta(days=1),
        final_until=last - timedelta(days=open_days),
    )  # fmt: skip


START, END = MONDAY + timedelta(days=70), MONDAY + timedelta(days=97)  # four weeks, of which two are told


def even(days, amount=10.0):
    return [amount] * days


def test_spent_planned_projected_and_status():
    found = pace(280.0, START, END, [account("Amazon", even(84))])
    assert (found.spent, found.planned, round(found.projected, 6)) == (140.0, 140.0, 280.0)
    assert found.status == "on pace"
    assert np.isnan(found.ahead[:14]).all()
    assert found.actual[13] == 140.0
    assert pace(200.0, START, END, [account("Amazon", even(84))]).status == "over"
    assert pace(900.0, START, END, [account("Amazon", even(84))]).status == "under"


def test_the_cap_is_hit_where_the_projection_crosses_it():
    found = pace(200.0, START, END, [account("Amazon", even(84))])
    assert found.cap_day == START + timedelta(days=19)
    noisy = [10.0 + (3.0 if at % 3 else -6.0) for at in range(84)]
    band = pace(200.0, START, END, [account("Amazon", noisy)])
    assert band.cap_earliest <= band.cap_day <= band.cap_latest
    assert pace(900.0, START, END, [account("Amazon", even(84))]).cap_day is None


def test_accounts_that_are_ahead_late_or_stopped():
    ahead = account("Amazon", even(88), open_days=3)
    behind = account("Walmart", even(80), today=MONDAY + timedelta(days=88))
    gone = account("Criteo", even(30), today=MONDAY + timedelta(days=88))
    found = pace(560.0, START, END, [ahead, behind, gone])
    assert found.spent_until == MONDAY + timedelta(days=79)
    assert (found.spent, found.planned) == (200.0, 200.0), "both to the last day that both have told"
    assert found.projected == pytest.approx(560.0), "days that one has told and the other not are told once"
    words = " ".join(found.notes)
    assert "Walmart is 8 days late" in words
    assert "Criteo has no figures since" in words
    assert "Amazon may still restate" in words
    assert "80.00 that some accounts have told of later days is in the projection" in words


def test_an_account_without_a_day_of_the_period_hides_no_overspending():
    today = MONDAY + timedelta(days=80)
    quick = account("Amazon", even(80), today=today)
    slow = account("Walmart", even(68, 1.0), today=today)
    found = pace(90.0, START, END, [quick, slow])
    assert (found.status, found.spent, found.planned) == ("over", 0.0, 0.0)
    assert found.low >= 100.0, "what is told cannot be taken back"
    assert pace(5000.0, START, END, [quick, slow]).status == "under"
    short = account("New", even(3), first=START - timedelta(days=4), today=today)
    assert pace(90.0, START, END, [quick, short]).status == "over", "known without a projection"
    assert pace(5000.0, START, END, [quick, short]).status == "no data"


def test_before_it_begins_after_it_ended_and_without_data():
    late = pace(280.0, START, END, [account("Amazon", even(60))])
    assert (late.status, late.spent) == ("not begun", 0.0)
    assert late.projected == pytest.approx(280.0)
    done = pace(280.0, START, END, [account("Amazon", even(120))])
    assert (done.status, done.spent, done.projected) == ("ended", 280.0, 280.0)
    assert pace(280.0, START, END, []).status == "no data"
    assert pace(280.0, START, END, [account("Amazon", even(5), first=START)]).projected is None
