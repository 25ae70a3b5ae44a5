"""Logs and sums, and which column is what: what cannot be read is named by its place."""

from __future__ import annotations

import json
from datetime import date

import pytest

from measurement.core.panel_columns import columns_of
from measurement.core.test_data import read_log, read_summary
from tenants.core.problems import InvalidInput

COLUMNS = {"period": "period", "treated": "treated", "outcome": "sales"}


def test_a_log_is_read_in_the_order_of_its_periods():
    log = read_log(b"period,treated,sales,day\n2,no,5,2026-09-02\n1,yes,4.5,2026-09-01\n", **COLUMNS, date="day")
    assert (log.periods, log.treated.tolist(), log.outcome.tolist()) == ((1, 2), [True, False], [4.5, 5.0])
    assert log.days == (date(2026, 9, 1), date(2026, 9, 2))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("1,1,5\n1,0,6", "Period 1 has two rows"),
        ("1,1,5\n3,0,6", "Period 2 is missing"),
        ("2,1,5\n3,0,6", "Period 1 is missing"),
        ("1,1,\n2,0,6", 'line 2, column "sales"'),
        ("1,1,inf\n2,0,6", "is no number"),
        ("one,1,5\n2,0,6", 'line 2, column "period"'),
        ("1,perhaps,5\n2,0,6", 'line 2, column "treated"'),
        ("", "no rows"),
    ],
)
def test_a_log_with_a_fault_is_refused_by_line(rows, words):
    with pytest.raises(InvalidInput) as refusal:
        read_log(f"period,treated,sales\n{rows}".encode(), **COLUMNS)
    assert words in str(refusal.value)


def sums(**changes) -> bytes:
    arms = {"treated": {"sum": 3, "sum_of_squares": 5, "n": 3}, "control": {"sum": 2, "sum_of_squares": 4, "n": 3}}
    return json.dumps(arms | changes).encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no", "no JSON"),
        (b"[1]", "An object is expected"),
        (b'{"treated": {"sum": 1, "sum_of_squares": 1, "n": 2}}', "'control' is missing"),
        (sums(treated={"sum": 3, "n": 3}), "treated.sum_of_squares"),
        (sums(treated={"sum": 3, "sum_of_squares": 2.9, "n": 3}), "smaller than its sum allows"),
        (sums(treated={"sum": 3, "sum_of_squares": 5, "n": 1}), "treated.n"),
        (sums(treated={"sum": True, "sum_of_squares": 5, "n": 3}), "treated.sum"),
        (sums(until="soon"), "until"),
    ],
)
def test_sums_with_a_fault_are_refused_by_name(content, words):
    with pytest.raises(InvalidInput) as refusal:
        read_summary(content)
    assert words in str(refusal.value)


def test_sums_say_until_when_they_count():
    arms = read_summary(sums(until="2026-09-28", currency="eur"))
    assert (arms.until, arms.currency, arms.arms["treated"]["n"]) == (date(2026, 9, 28), "EUR", 3)


def test_columns_are_those_named_else_those_of_the_header():
    content = b"\xef\xbb\xbfDay;Market;Units;Revenue\n2026-09-01;a;1;2\n"
    assert columns_of(content, "panel", None) == {"date": "Day", "unit": "Market", "outcome": "Revenue"}
    assert columns_of(content, "panel", {"outcome": "units", "missing": "zero"})["outcome"] == "Units"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"outcome": "profit"}, "no column 'profit'"),
        ({"weather": "Day"}, "no part 'weather'"),
        ({"missing": "guess"}, "no way to read missing"),
    ],
)
def test_columns_that_are_not_there_are_named(told, words):
    with pytest.raises(InvalidInput, match=words):
        columns_of(b"day,geo,sales\n", "panel", told)


@pytest.mark.parametrize("content", [b"sales\n", b"\xff\xfe\n", b""])
def test_what_is_no_table_is_refused(content):
    with pytest.raises(InvalidInput):
        columns_of(content, "panel", None)


def test_a_log_with_one_far_period_is_refused_at_once() -> None:
    content = b"period,treated,outcome\n1,1,2\n2,0,2\n4000000000,0,3\n"
    with pytest.raises(InvalidInput, match="Period 3 is missing"):
        read_log(content, period="period", treated="treated", outcome="outcome")
