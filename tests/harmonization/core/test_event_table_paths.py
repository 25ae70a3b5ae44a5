"""The event table wherever a tenant's folder lies."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from harmonization.core.event_table import EventTableFolder
from harmonization.core.rmis import MONEY


def staged(folder: Path, name: str, **columns: list[object]) -> Path:
    path = folder / name
    pl.DataFrame(columns, schema_overrides={"spend": MONEY}).write_parquet(path)
    return path


@pytest.mark.parametrize("name", ["plain", "with space", "100% näm+e#1"])
def test_folder_of_any_name(tmp_path, name):
    home = tmp_path / name
    home.mkdir()
    table = EventTableFolder(home / "events")
    first = table.commit(
        [staged(home, "a.parquet", event_key=["a", "b"], load_id=["l1", "l1"], spend=[Decimal(1), Decimal(2)])],
        network="amazon_ads",
        load_id="l1",
    )
    second = table.commit(
        [staged(home, "b.parquet", event_key=["c"], load_id=["l2"], spend=[Decimal(4)], clicks=[7])],
        network="walmart_connect",
        load_id="l2",
    )
    assert table.scan(first.version).select(pl.col("spend").sum()).collect().item() == Decimal(3)
    rows = table.scan(second.version).sort("event_key").collect()
    assert rows["spend"].to_list() == [Decimal(1), Decimal(2), Decimal(4)]
    assert rows["clicks"].to_list() == [None, None, 7]
    assert rows.schema["spend"] == MONEY
