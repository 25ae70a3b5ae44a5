"""How many rows of each load stand in a version of the event table, told by its log alone."""

from __future__ import annotations

from pathlib import Path

from deltalake import DeltaTable

_LOAD_ID = 36  # signs of a UUID, with which the name of each file begins


def rows_by_load(folder: Path, version: int) -> dict[str, int]:
    """Load id -> rows of it that readers of this version see. No data file is opened."""
    if not DeltaTable.is_deltatable(str(folder)):
        return {}
    actions = DeltaTable(str(folder), version=version).get_add_actions(flatten=True)
    rows: dict[str, int] = {}
    for path, count in zip(actions["path"].to_pylist(), actions["num_records"].to_pylist(), strict=True):
        load = str(path).rpartition("/")[2][:_LOAD_ID]
        rows[load] = rows.get(load, 0) + int(count or 0)
    return rows
