"""Logs of switchbacks: what is read, and how bad rows are named."""

from __future__ import annotations

import datetime as dt

import pytest

from measurement.core.switchback_log import read_switchback_log
from tenants.core.problems import InvalidInput

_COLUMNS = {"period": "day", "treated": "on", "outcome": "sales"}


def read(text):
    return read_switchback_log(text.encode(), **_COLUMNS)


def test_days_in_any_order():
    log = read("sales;on;day;note\n5.5;1;2026-01-06;x\n4;0;2026-01-05;\n7;True;2026-01-07;\n")
    assert log.periods == (dt.date(2026, 1, 5), dt.date(2026, 1, 6), dt.date(2026, 1, 7))
    assert log.treated.tolist() == [0, 1, 1]
    assert log.outcome.tolist() == [4.0, 5.5, 7.0]
    assert log.weekdays == ["0", "1", "2"]
    assert "sorted" in log.notes[0]


def test_numbered_periods_have_no_weekdays():
    assert read("day,on,sales\n7,1,2\n8,0,3\n").weekdays is None


def test_weekly_periods_are_one_step_apart():
    assert len(read("day,on,sales\n2026-01-05,1,2\n2026-01-12,0,3\n2026-01-19,0,3\n").periods) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("day,sales\n1,2\n2,3\n", "no column 'on'.*'day', 'sales'"),
        ("", "no column 'day'"),
        ("day,on,sales\n1,1,2\n", r"has 1 period\."),
        ("day,on,sales\n1,2,2\n2,0,3\n", "line 2.*'2' is neither 0 nor 1"),
        ("day,on,sales\n1,1,NaN\n2,0,3\n", "line 2.*'NaN' first"),
        ("day,on,sales\n1,1,\n2,0,3\n", "line 2.*'' is no number"),
        ("day,on,sales\n1,1,2\nnoon,0,3\n", "line 3.*'noon' is neither"),
        ("day,on,sales\n1,1,2\n1,0,3\n", "Period 1 stands there twice"),
        ("day,on,sales\n1,1,2\n2,0,3\n4,0,3\n", "After period 2 comes 4"),
        ("day,on,sales\n1,1,2\n2026-01-05,0,3\n", "Some periods are days"),
        ("day,on,sales\n1,1,2\n2\n", "line 3.*shorter"),
    ],
)
def test_bad_rows_are_named(text, words):
    with pytest.raises(InvalidInput) as told:
        read(text)
    told.match(words)


def test_another_encoding_is_named():
    with pytest.raises(InvalidInput, match="not UTF-8"):
        read_switchback_log("day,on,sales\n1,1,é".encode("utf-16"), **_COLUMNS)
