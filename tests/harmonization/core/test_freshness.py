"""Freshness: the rhythm is learned from arrivals, lateness and finality follow."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from harmonization.core.freshness import Arrival, Cadence, freshness_of, learn_cadence


def arrival(day: date, reach: date, days: int = 7) -> Arrival:
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    return Arrival(at=at, first_day=reach - timedelta(days=days - 1), last_day=reach)


def weekly(count: int, start: date = date(2026, 9, 7)) -> list[Arrival]:
    """Every Monday the week up to the Saturday before."""
    days = [start + timedelta(weeks=n) for n in range(count)]
    return [arrival(day, day - timedelta(days=2)) for day in days]


def test_a_weekly_report():
    assert learn_cadence(weekly(5)) == Cadence(every_days=7, behind_days=2, learned=5)


def test_a_backfill_changes_no_rhythm():
    older = [arrival(date(2026, 9, 9), date(2026, 1, month), 10) for month in (10, 20)]
    assert learn_cadence([*weekly(5), *older]).every_days == 7


def test_a_single_file_covers_what_lies_between_two():
    cadence = learn_cadence([arrival(date(2026, 9, 7), date(2026, 9, 6), 14)])
    assert (cadence.every_days, cadence.is_known) == (14, False)


def test_on_time_until_a_day_after_it_is_due():
    arrivals = weekly(4)  # the last on 28 September, up to the 26th
    assert freshness_of(arrivals, restatement_days=14, today=date(2026, 10, 6)).standing == "on_time"
    late = freshness_of(arrivals, restatement_days=14, today=date(2026, 10, 8))
    assert (late.standing, late.expected_by, late.late_days) == ("late", date(2026, 10, 6), 2)
    assert freshness_of(arrivals, restatement_days=14, today=date(2026, 12, 1)).standing == "stopped"


def test_final_and_restating():
    found = freshness_of(weekly(4), restatement_days=14, today=date(2026, 9, 30))
    assert found.final_until == date(2026, 9, 15)
    assert found.restating_until == date(2026, 10, 10)
    assert found.is_restating(date(2026, 10, 9))
    assert not found.is_restating(date(2026, 10, 10))
    assert freshness_of(weekly(4), restatement_days=14, today=date(2026, 11, 30)).final_until == date(2026, 9, 26)


def test_nothing_yet():
    found = freshness_of([], restatement_days=14, today=date(2026, 9, 30))
    assert (found.standing, found.last_day) == ("no_figures", None)
