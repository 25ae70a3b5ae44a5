"""Parquet files as a Delta table's log names them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from deltalake import Schema
from deltalake.transaction import AddAction, RemoveAction

from harmonization.core.giving_way import rows_of


def unused_name(folder: Path, stem: str) -> Path:
    """A name no other attempt can have used: a file of a dead attempt is never mistaken for this one's."""
    return folder / f"{stem}-{time.time_ns():x}.parquet"


def schema_of(files: Sequence[Path]) -> Schema:
    """The union of the files' columns as a Delta schema."""
    frames = [pl.read_parquet(path, n_rows=0) for path in files]
    return Schema.from_arrow(pl.concat(frames, how="diagonal").to_arrow().schema)


def add_action(folder: Path, path: Path) -> AddAction:
    """The table below `folder` gains the file."""
    stats: dict[str, Any] = {"numRecords": rows_of([path])}
    return AddAction(
        path=path.relative_to(folder).as_posix(),
        size=path.stat().st_size,
        partition_values={},
        modification_time=int(path.stat().st_mtime * 1000),
        data_change=True,
        stats=json.dumps(stats),
    )


def remove_action(folder: Path, path: Path) -> RemoveAction:
    """The table below `folder` loses the file; it lies there until a vacuum."""
    return RemoveAction(
        path=path.relative_to(folder).as_posix(),
        deletion_timestamp=int(time.time() * 1000),
        data_change=True,
        partition_values={},
        size=path.stat().st_size,
    )
