from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from harmonization.core.event_table import EventTableFolder

OLD, NEW = "0" * 36, "1" * 36


@pytest.fixture
def table(tmp_path: Path) -> EventTableFolder:
    return EventTableFolder(tmp_path / "events")


@pytest.fixture
def staged(tmp_path: Path):
    """`staged(load, keys)`: a file of a load with a row for each key."""

    def _staged(load: str, keys: list[str]) -> list[Path]:
        path = tmp_path / "staged.parquet"
        day = date(2026, 11, 2)
        columns = {"campaign_id": "9001", "campaign_name": "Chips", "sku_id": "501", "account_id": "wm-1"}
        figures = {"currency": "USD", "spend": Decimal(1), "impressions": 100, "clicks": 1}
        rows = {"load_id": load, "period_start": day, "period_end": day, **columns, **figures}
        pl.DataFrame([{"event_key": key, **rows} for key in keys]).write_parquet(path)
        return [path]

    return _staged


def keys_of(table: EventTableFolder, version: int) -> list[tuple[str, str]]:
    return sorted(table.scan(version).select("event_key", "load_id").collect().iter_rows())


def test_a_load_can_be_restated_every_day_of_a_month(table, staged):
    days = [f"{day:02}" for day in range(31)]
    table.commit(staged(OLD, days), network="walmart", load_id=OLD)
    for day in days:
        load = f"{int(day) + 1:036}"
        last = table.commit(staged(load, [day]), network="walmart", load_id=load, supersedes=[OLD])
        assert last.superseded == 1
    rows = keys_of(table, last.version)
    assert [key for key, _ in rows] == days
    assert OLD not in {load for _, load in rows}


def test_superseded_rows_stay_unless_repeated(table, staged):
    table.commit(staged(OLD, ["a", "b"]), network="walmart", load_id=OLD)
    last = table.commit(staged(NEW, ["b", "c"]), network="walmart", load_id=NEW, supersedes=[OLD])
    assert keys_of(table, last.version) == [("a", OLD), ("b", NEW), ("c", NEW)]


def test_of_a_replaced_load_nothing_stays(table, staged):
    table.commit(staged(OLD, ["a", "b"]), network="walmart", load_id=OLD)
    last = table.commit(staged(NEW, ["c"]), network="walmart", load_id=NEW, supersedes=[OLD], replaces=[OLD])
    assert last.superseded == 2
    assert keys_of(table, last.version) == [("c", NEW)]


def test_rows_of_a_later_export_are_not_overwritten_by_an_earlier_one(table, staged):
    table.commit(staged(NEW, ["b", "c"]), network="walmart", load_id=NEW)
    last = table.commit(staged(OLD, ["a", "b"]), network="walmart", load_id=OLD, yields_to={NEW: None})
    assert (last.rows, last.superseded, last.yielded) == (1, 0, 1)
    assert keys_of(table, last.version) == [("a", OLD), ("b", NEW), ("c", NEW)]


def test_versions_outlive_the_log_retention_of_delta(tmp_path):
    table = EventTableFolder(tmp_path / "events")
    staged = tmp_path / "rows.parquet"
    pl.DataFrame({"event_key": ["a"], "load_id": ["l"]}).write_parquet(staged)
    table.commit([staged], network="walmart", load_id="l")
    settings = DeltaTable(str(table.folder)).metadata().configuration
    assert settings["delta.enableExpiredLogCleanup"] == "false"
