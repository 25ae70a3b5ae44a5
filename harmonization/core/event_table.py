"""The Delta table of events: staged Parquet files become a version of it, whole or not at all.

A version that was written but never published (its publisher died between the commit here and the one in the
database) is undone by the next publisher, so readers, who open only the published version, and writers agree.

The table is not partitioned by folder: a file holds rows of one load, and its path names network and load.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

KEY = "event_key"


@dataclass(frozen=True, slots=True)
class Committed:
    """A version of the table.

    Attributes:
        rows: rows it gained.
        superseded: rows of earlier loads that the new ones replaced.
        yielded: new rows that were left out, for a later export tells them.
    """

    version: int
    rows: int
    superseded: int
    yielded: int = 0


class EventTableFolder:
    """The table below one folder. All paths are local; one writer at a time is the caller's business."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def head(self) -> int | None:
        """The newest version written, published or not; None while there is no table."""
        return self._open().version() if DeltaTable.is_deltatable(str(self.folder)) else None

    def scan(self, version: int) -> pl.LazyFrame:
        """Rows of one version, lazily; columns that a file lacks are null.

        The files are opened by their paths: `pl.scan_delta` takes them from URIs, and does not find one whose folder
        has a space in its name.
        """
        table = DeltaTable(str(self.folder), version=version)
        schema = pl.DataFrame(pa.schema(table.schema().to_arrow()).empty_table()).schema
        files = self._paths(table)
        if not files:
            return pl.LazyFrame(schema=schema)
        return pl.scan_parquet(files, schema=schema, missing_columns="insert")

    def restore(self, version: int | None) -> None:
        """Make `version` the head again if something newer, never published, lies on top of it."""
        head = self.head
        if head is None or head == version:
            return
        if version is None:
            # Nothing was ever published: what lies here is the torso of a first load.
            shutil.rmtree(self.folder)
            return
        self._open().restore(version)

    def commit(
        self,
        staged: Sequence[Path],
        *,
        network: str,
        load_id: str,
        supersedes: Iterable[str] = (),
        replaces: Iterable[str] = (),
        yields_to: Iterable[str] = (),
        properties: dict[str, str] | None = None,
    ) -> Committed:
        """Move staged files into the table and commit them as one version.

        Args:
            staged: Parquet files on the same file system; they are moved, not copied, unless rows of them yield.
            supersedes: load ids whose rows give way to new rows of the same `event_key`.
            replaces: load ids of which no row stays: the same file, read anew. Its keys may be other ones now.
            yields_to: load ids before whose rows new rows of the same `event_key` give way: exports made later, which
                were published first.
            properties: kept in the version's commit info, to trace it to job and attempt.

        Returns:
            the new version; rows of superseded loads, `replaces` aside, that were not repeated stay as they are.
        """
        target = self.folder / network
        target.mkdir(parents=True, exist_ok=True)
        later = [path for _, path in self._files_of(set(yields_to))]
        offered = sum(_rows(path) for path in staged)
        files = []
        for number, path in enumerate(staged):
            # A name no other attempt can have used: a file of a dead attempt is never mistaken for this one's.
            moved = target / f"{load_id}-{number}-{time.time_ns():x}.parquet"
            if later:
                pl.scan_parquet(path).join(_keys(later), on=KEY, how="anti").sink_parquet(moved)
            else:
                path.rename(moved)
            files.append(moved)
        added = [_add(self.folder, path) for path in files]
        commit = CommitProperties(custom_metadata=properties or {})
        rows = sum(_rows(path) for path in files)
        if self.head is None:
            create_table_with_add_actions(
                str(self.folder), schema=_schema(files), add_actions=added, commit_properties=commit
            )
            return Committed(version=self._open().version(), rows=rows, superseded=0)
        self._evolve(_schema(files))
        replaced, superseded = self._replace(files, set(supersedes), set(replaces), network)
        table = self._open()
        table.create_write_transaction(
            actions=[*replaced, *added], mode="append", schema=table.schema(), commit_properties=commit
        )
        version = self._open().version()
        return Committed(version=version, rows=rows, superseded=superseded, yielded=offered - rows)

    def _open(self) -> DeltaTable:
        return DeltaTable(str(self.folder))

    def _evolve(self, wanted: Schema) -> None:
        table = self._open()
        present = {field.name for field in table.schema().fields}
        added = [field for field in wanted.fields if field.name not in present]
        if added:
            table.alter.add_columns(added)

    def _replace(
        self, files: Sequence[Path], loads: set[str], whole: set[str], network: str
    ) -> tuple[list[AddAction | RemoveAction], int]:
        """Rewrite the files of superseded loads without the keys that the new files bring, of `whole` without any."""
        fresh = _keys(files)
        actions: list[AddAction | RemoveAction] = []
        superseded = 0
        for load, old in self._files_of(loads | whole):
            rows = pl.scan_parquet(old)
            # Named after the load alone: a file that is rewritten every day must not get a longer name every day.
            kept_path = self.folder / network / f"{load}-kept-{time.time_ns():x}.parquet"
            kept = rows.head(0) if load in whole else rows.join(fresh, on=KEY, how="anti")
            kept.sink_parquet(kept_path)
            before, after = _rows(old), _rows(kept_path)
            if before == after:
                kept_path.unlink()
                continue
            superseded += before - after
            actions.append(
                RemoveAction(
                    path=old.relative_to(self.folder).as_posix(),
                    deletion_timestamp=int(time.time() * 1000),
                    data_change=True,
                    partition_values={},
                    size=old.stat().st_size,
                )
            )
            if after:
                actions.append(_add(self.folder, kept_path))
            else:
                kept_path.unlink()
        return actions, superseded

    def _files_of(self, loads: set[str]) -> list[tuple[str, Path]]:
        if not loads:
            return []
        return [
            (load, path) for path in self._paths(self._open()) for load in loads if path.name.startswith(f"{load}-")
        ]

    def _paths(self, table: DeltaTable) -> list[Path]:
        """The files of a version; the log writes them as URIs do."""
        paths = table.get_add_actions(flatten=True)["path"].to_pylist()
        return [self.folder / unquote(str(path)) for path in paths]


def _keys(files: Sequence[Path]) -> pl.LazyFrame:
    return pl.concat([pl.scan_parquet(path).select(KEY) for path in files]).unique()


def _schema(files: Sequence[Path]) -> Schema:
    """The union of the files' columns as a Delta schema."""
    frames = [pl.read_parquet(path, n_rows=0) for path in files]
    return Schema.from_arrow(pl.concat(frames, how="diagonal").to_arrow().schema)


def _rows(path: Path) -> int:
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def _add(folder: Path, path: Path) -> AddAction:
    stats: dict[str, Any] = {"numRecords": _rows(path)}
    return AddAction(
        path=path.relative_to(folder).as_posix(),
        size=path.stat().st_size,
        partition_values={},
        modification_time=int(path.stat().st_mtime * 1000),
        data_change=True,
        stats=json.dumps(stats),
    )
