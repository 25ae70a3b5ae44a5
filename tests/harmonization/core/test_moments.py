"""Instants of every form against Python's datetime and zoneinfo."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmonization.core.moments import to_day, to_hour, to_instant

UTC = datetime.UTC
ZONES = ["UTC", "America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"]
# Zone rules of Polars and of Python are not the same edition far ahead.
naive = st.datetimes(datetime.datetime.fromisoformat("1990-01-01"), datetime.datetime.fromisoformat("2035-12-31")).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
instants = naive.map(lambda moment: moment.replace(tzinfo=UTC))
zones = st.sampled_from(ZONES)


def read(cells: list[str], *formats: str, zone: str = "UTC") -> list[datetime.datetime | None]:
    return to_instant(pl.Series(cells, dtype=pl.String), formats, zone).to_list()


def in_zone(local: datetime.datetime, zone: str) -> datetime.datetime | None:
    """The earlier of two such times; none where the clock left it out."""
    at = local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    return at if at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == local else None


@given(st.lists(naive, max_size=6), zones)
def test_local_times_of_each_form(moments: list[datetime.datetime], zone: str) -> None:
    expected = [in_zone(moment, zone) for moment in moments]
    assert read([moment.isoformat() for moment in moments], "iso", zone=zone) == expected
    assert read([moment.isoformat(sep=" ") for moment in moments], "iso", zone=zone) == expected
    whole = [moment.replace(microsecond=0) for moment in moments]
    cells = [moment.strftime("%d.%m.%Y %H:%M:%S") for moment in whole]
    assert read(cells, "iso", "%d.%m.%Y %H:%M:%S", zone=zone) == [in_zone(moment, zone) for moment in whole]


# All of one year, so that clock changes lie among them, and a few hours around two of them.
of_a_year = st.datetimes(datetime.datetime.fromisoformat("2024-01-01"), datetime.datetime.fromisoformat("2024-12-31"))
around = st.sampled_from(["2024-03-10 00:00", "2024-11-02 23:00", "2024-03-31 01:00", "2024-10-27 01:00", "2024-04-07"])
near_a_change = st.builds(
    lambda start, minutes: datetime.datetime.fromisoformat(start) + datetime.timedelta(minutes=minutes),
    around,
    st.integers(0, 4 * 60),
)


@settings(max_examples=200)
@given(st.lists(of_a_year | near_a_change, max_size=8), zones)
def test_local_times_of_one_year_around_its_clock_changes(moments: list[datetime.datetime], zone: str) -> None:
    cells = [moment.isoformat() for moment in moments]
    assert read(cells, "iso", zone=zone) == [in_zone(moment, zone) for moment in moments]


@given(st.lists(instants, max_size=6), st.integers(-14 * 60, 14 * 60), zones)
def test_an_offset_in_the_cell_wins_over_the_zone(moments: list[datetime.datetime], minutes: int, zone: str) -> None:
    offset = datetime.timezone(datetime.timedelta(minutes=minutes))
    spelled = [moment.astimezone(offset).isoformat() for moment in moments]
    assert read(spelled, "iso", zone=zone) == moments
    assert read([text[:-3] + text[-2:] for text in spelled], "iso", zone=zone) == moments
    assert read([moment.replace(tzinfo=None).isoformat() + "Z" for moment in moments], "iso", zone=zone) == moments


@given(st.lists(instants, max_size=6), zones)
def test_stamps(moments: list[datetime.datetime], zone: str) -> None:
    millis = [str(round(moment.timestamp() * 1000)) for moment in moments]
    assert read(millis, "epoch_ms", zone=zone) == moments
    seconds = [str(int(moment.timestamp())) for moment in moments]
    assert read(seconds, "epoch_s", zone=zone) == [moment.replace(microsecond=0) for moment in moments]


@given(st.lists(naive, max_size=6), zones)
def test_excel_days_with_their_time(moments: list[datetime.datetime], zone: str) -> None:
    since = [moment - datetime.datetime.fromisoformat("1899-12-30") for moment in moments]
    cells = [repr(span / datetime.timedelta(days=1)) for span in since]
    assert read(cells, "excel", zone=zone) == [in_zone(moment, zone) for moment in moments]


@given(st.lists(instants, max_size=6), zones, zones)
def test_days_and_hours_are_those_of_the_report(moments: list[datetime.datetime], zone: str, report_zone: str) -> None:
    cells = pl.Series([moment.isoformat() for moment in moments], dtype=pl.String)
    local = [moment.astimezone(ZoneInfo(report_zone)) for moment in moments]
    assert to_day(cells, ["iso"], zone, report_zone).to_list() == [moment.date() for moment in local]
    assert to_hour(cells, ["iso"], zone, report_zone).to_list() == [moment.hour for moment in local]


def test_clock_changes() -> None:
    gap, fold = "2024-03-10 02:30:00", "2024-11-03 01:30:00"
    assert read([gap, fold], "iso", zone="America/New_York") == [
        None,
        datetime.datetime(2024, 11, 3, 5, 30, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("1714528800", "epoch_ms"),
        ("1714528800000", "epoch_s"),
        ("171452880", "epoch_ms"),
        ("7", "epoch_s"),
        ("-1714528800", "epoch_s"),
        ("1.7145288E+12", "epoch_ms"),
        ("60", "excel"),
        ("3000000", "excel"),
        ("2024-02-30", "iso"),
        ("2024-05-01T25:00", "iso"),
        ("2024-05-01T10:00+99", "iso"),
        ("01.05.2024", "iso"),
        ("2024-05-01 10", "iso"),
        ("yesterday", "iso"),
        ("2024-05-01 10:00", "%Y-%m-%d %H:%M:%S"),
    ],
)
def test_what_is_no_instant_stays_unread(cell: str, form: str) -> None:
    assert read([cell], form) == [None]


def test_a_plain_day_keeps_its_date_whatever_the_zones() -> None:
    cells = pl.Series(["2024-05-01", "45413"])
    assert to_day(cells, ["iso"], "Asia/Tokyo", "America/New_York").to_list() == [datetime.date(2024, 5, 1)] * 2


def test_a_pattern_with_an_offset() -> None:
    assert read(["01/May/2024:10:00:00 +0200"], "%d/%b/%Y:%H:%M:%S %z", zone="Asia/Tokyo") == [
        datetime.datetime(2024, 5, 1, 8, tzinfo=UTC)
    ]
