"""Days, hours and instants from what networks write for them: local times, ISO 8601, stamps, Excel's day numbers.

A local time is taken in its zone. The hour that a clock change repeats is read as the earlier of the two; a time that
it leaves out never was, and is not readable.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

import polars as pl

from harmonization.core import transforms
from harmonization.core.contract_parts import DATE_WORDS

_UTC: Final = pl.Datetime("us", "UTC")
_LOCAL: Final = pl.Datetime("us")
_ISO: Final = (
    r"^(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?) ?(?P<offset>Z|UTC|[+-][0-9]{2}:?[0-9]{2})?)?$"
)
#: Stamps of fewer digits would be days of the early seventies, or counts.
_EPOCH_S: Final = r"^([0-9]{9,10})(?:\.[0-9]+)?$"
_EPOCH_MS: Final = r"^([0-9]{12,13})(?:\.0+)?$"
#: Excel's days before March 1900 are wrong by one, and nobody advertised then.
_EXCEL: Final = r"^([0-9]{2,6}(?:\.[0-9]+)?)$"
_EXCEL_FIRST, _EXCEL_LAST = 61, 2_958_465
#: Of so many days, ten years, a table of offsets from UTC is made.
_TABLE_DAYS: Final = 3660
_DAY_US: Final = 86_400_000_000


def tells_time(form: str) -> bool:
    """Whether a format reads instants, of which a day has to be told."""
    return form in DATE_WORDS or "%H" in form or "%I" in form


def to_instant(cells: pl.Series, formats: Sequence[str], zone: str) -> pl.Series:
    """Instants in UTC, by the first of `formats` (words of `DATE_WORDS` or strptime patterns) that reads the cell."""
    read = pl.Series(cells.name, [None] * len(cells), dtype=_UTC)
    for form in formats:
        if read.null_count() == cells.null_count():
            break
        found = _by_form(cells, form, zone)
        read = found if read.null_count() == len(read) else read.zip_with(read.is_not_null(), found)
    return read


def to_day(cells: pl.Series, formats: Sequence[str], zone: str, report_zone: str) -> pl.Series:
    """Days: dates as they stand; of instants, the day in `report_zone`."""
    words = [form for form in formats if tells_time(form)]
    read = transforms.to_date(cells, [form for form in formats if form not in words])
    if not words or read.null_count() == cells.null_count():
        return read
    days = to_instant(cells, words, zone).dt.convert_time_zone(report_zone).dt.date()
    return read.zip_with(read.is_not_null(), days)


def to_hour(cells: pl.Series, formats: Sequence[str], zone: str, report_zone: str) -> pl.Series:
    """Hours 0 to 23 of instants in `report_zone`."""
    return to_instant(cells, formats, zone).dt.convert_time_zone(report_zone).dt.hour()


def _by_form(cells: pl.Series, form: str, zone: str) -> pl.Series:
    if form == "iso":
        return _iso(cells, zone)
    if form == "epoch_s":
        seconds = cells.str.extract(_EPOCH_S).cast(pl.Int64)
        return (seconds * 1_000_000).cast(_LOCAL).dt.replace_time_zone("UTC")
    if form == "epoch_ms":
        return (cells.str.extract(_EPOCH_MS).cast(pl.Int64) * 1000).cast(_LOCAL).dt.replace_time_zone("UTC")
    if form == "excel":
        return in_utc(_excel(cells), zone)
    if "%z" in form:
        return cells.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
    return in_utc(cells.str.to_datetime(form, strict=False, time_unit="us"), zone)


def in_utc(read: pl.Series, zone: str) -> pl.Series:
    """Local times of `zone` in UTC: by subtraction on days without a change of clocks, which nearly all are."""
    if zone == "UTC":
        return read.dt.replace_time_zone("UTC")
    first, last = read.min(), read.max()
    if not isinstance(first, datetime) or not isinstance(last, datetime) or (last - first).days > _TABLE_DAYS:
        return _converted(read, zone)
    days = pl.select(pl.datetime_range(first.date(), last.date() + timedelta(days=1), "1d", time_unit="us")).to_series()
    midnights = _converted(days, zone).dt.replace_time_zone(None)
    offset = days - midnights
    # Both ends of a day must exist and be as far from UTC, and its midnight must not come twice.
    steady = (offset == offset.shift(-1)) & (_converted(days, zone, "latest").dt.replace_time_zone(None) == midnights)
    known = offset.set(~steady.fill_null(False), None)
    if known.null_count() == 1 and known[:-1].n_unique() == 1:
        shifted: pl.Series = read - known[0]
        return shifted.dt.replace_time_zone("UTC")
    origin = days.cast(pl.Int64)[0]
    place = ((read.cast(pl.Int64) - origin) // _DAY_US).cast(pl.UInt32)
    moved = (read - known.gather(place)).dt.replace_time_zone("UTC")
    return transforms.rescued(read, moved, lambda rest: _converted(rest, zone))


def _converted(read: pl.Series, zone: str, ambiguous: Literal["earliest", "latest"] = "earliest") -> pl.Series:
    local = read.dt.replace_time_zone(zone, ambiguous=ambiguous, non_existent="null")
    return local.dt.convert_time_zone("UTC")


def _iso(cells: pl.Series, zone: str) -> pl.Series:
    parts = cells.str.extract_groups(_ISO).struct.unnest()
    time = parts["time"].fill_null("00:00")
    time = time.zip_with(time.str.len_bytes() > 5, time + ":00")
    stamp = parts["day"] + " " + time
    read = stamp.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    offset = parts["offset"]
    minutes = offset.str.extract(r"^[+-]([0-9]{2})").cast(pl.Int64) * 60 + offset.str.extract(r"([0-9]{2})$").cast(
        pl.Int64
    )
    minutes = minutes.zip_with(~offset.str.starts_with("-").fill_null(False), -minutes).fill_null(0)
    known = (read - (minutes * 60_000_000).cast(pl.Duration("us"))).dt.replace_time_zone("UTC")
    return known.zip_with(offset.is_not_null(), in_utc(read, zone))


def _excel(cells: pl.Series) -> pl.Series:
    """Day numbers as local times, to the millisecond: a binary fraction of a day says no more."""
    days = cells.str.extract(_EXCEL).cast(pl.Float64, strict=False)
    days = days.set(~days.is_between(_EXCEL_FIRST, _EXCEL_LAST + 1, closed="left").fill_null(False), None)
    since = (days * (_DAY_US / 1000)).round(0).cast(pl.Int64) * 1000
    epoch = -25_569 * _DAY_US
    return (since + epoch).cast(_LOCAL)
