"""The Delta table of events: staged Parquet files become a version of it, whole or not at all.

A version that was written but never published (its publisher died between the commit here and the one in the
database) is undone by the next publisher, so readers, who open only the published version, and writers agree.

The table is not partitioned by folder: a file holds rows of one load, and its path names network and load.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import polars as pl
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from harmonization.core.restatement import KEY, Coverage, Move, Verdict, anew, judge, profile, restate

#: Versions are read as long as the product says, not for the thirty days that Delta keeps its log by default.
_PROPERTIES: Final = {"delta.enableExpiredLogCleanup": "false"}


@dataclass(frozen=True, slots=True)
class Committed:
    """A version of the table.

    Attributes:
        rows: rows it gained.
        superseded: rows of earlier loads that the new ones replaced.
        yielded: new rows that were left out, for a later export tells them.
        moves: the same, load by load, also where nothing gave way.
    """

    version: int
    rows: int
    superseded: int
    yielded: int = 0
    moves: tuple[Move, ...] = ()


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
        covers: Coverage | None = None,
        supersedes: Iterable[str] = (),
        replaces: Iterable[str] = (),
        yields_to: Mapping[str, Coverage | None] | None = None,
        properties: dict[str, str] | None = None,
    ) -> Committed:
        """Move staged files into the table and commit them as one version.

        Args:
            staged: Parquet files on the same file system; they are moved, not copied, unless rows of them yield.
            covers: the days that the new rows tell, and how they restate them; None replaces by key alone.
            supersedes: load ids whose rows give way to the new ones (`restatement.restate`).
            replaces: load ids of which no row stays: the same file, read anew. Its keys may be other ones now.
            yields_to: load ids, with what they cover, to which new rows give way: exports that arrived later and were
                published first, the latest of them first.
            properties: kept in the version's commit info, to trace it to job and attempt.

        Returns:
            the new version; rows of superseded loads that did not give way stay as they are.
        """
        target = self.folder / network
        target.mkdir(parents=True, exist_ok=True)
        offered = sum(_rows(path) for path in staged)
        if covers is not None:
            self._keep_profile(load_id, staged)
        given_up = self._yield(staged, load_id, yields_to or {})
        files = []
        for number, path in enumerate(staged):
            # A name no other attempt can have used: a file of a dead attempt is never mistaken for this one's.
            moved = target / f"{load_id}-{number}-{time.time_ns():x}.parquet"
            stay = given_up.stay(path)
            if stay is None:
                path.rename(moved)
            else:
                stay.sink_parquet(moved, engine="streaming")
            files.append(moved)
        added = [_add(self.folder, path) for path in files]
        commit = CommitProperties(custom_metadata=properties or {})
        rows = sum(_rows(path) for path in files)
        if self.head is None:
            create_table_with_add_actions(
                str(self.folder),
                schema=_schema(files),
                add_actions=added,
                configuration=_PROPERTIES,
                commit_properties=commit,
            )
            return Committed(version=self._open().version(), rows=rows, superseded=0)
        self._evolve(_schema(files))
        replaced, moves = self._replace(files, load_id, covers, set(supersedes), set(replaces), network)
        return Committed(
            version=self._write([*replaced, *added], commit),
            rows=rows,
            superseded=sum(move.rows for move in moves),
            yielded=offered - rows,
            moves=(*moves, *given_up.moves),
        )

    def restate(
        self,
        load_id: str,
        *,
        network: str,
        covers: Coverage,
        supersedes: Iterable[str],
        properties: dict[str, str] | None = None,
    ) -> Committed:
        """Let rows of earlier loads give way to those of a load that the table has already."""
        files = [path for _, path in self._files_of({load_id})]
        if not files:
            return Committed(version=self._open().version(), rows=0, superseded=0)
        actions, moves = self._replace(files, load_id, covers, set(supersedes), set(), network)
        version = self._open().version()
        if actions:
            version = self._write(actions, CommitProperties(custom_metadata=properties or {}))
        return Committed(version=version, rows=0, superseded=sum(move.rows for move in moves), moves=tuple(moves))

    def vacuum(self, versions: Iterable[int]) -> tuple[int, int]:
        """Delete every data file that none of `versions` needs; how many files and bytes that were.

        A file no version names is the torso of a publisher that died. The log stays, and so the numbers of versions.
        The caller keeps publishers away meanwhile, and includes the version that readers open.
        """
        needed = {path for version in versions for path in self._paths(DeltaTable(str(self.folder), version=version))}
        files, size = 0, 0
        for path in self.folder.glob("*/*.parquet"):
            if path not in needed and not path.parent.name.startswith("_"):
                files, size = files + 1, size + path.stat().st_size
                path.unlink()
        return files, size

    @property
    def size(self) -> int:
        """Bytes of everything below the folder, files of former versions too."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def _write(self, actions: list[AddAction | RemoveAction], commit: CommitProperties) -> int:
        table = self._open()
        table.create_write_transaction(actions=actions, mode="append", schema=table.schema(), commit_properties=commit)
        return int(self._open().version())

    def _yield(self, staged: Sequence[Path], load_id: str, later: Mapping[str, Coverage | None]) -> _GivenUp:
        """Which staged rows give way to loads that arrived later, judged over all staged files together."""
        theirs = [path for _, path in self._files_of(set(later))]
        if not theirs or not staged:
            return _GivenUp()
        keys = _keys(theirs)
        stay, moves = _all(staged), []
        for other, covers in later.items():
            rows = [path for _, path in self._files_of({other})]
            if rows:
                verdict = self._judge(load_id, other, covers)
                done = restate(stay, keys=keys, verdict=verdict, earlier=load_id, later=other)
                stay = done.stay
                moves.append(done.move)
        return _GivenUp(stay, len(staged), tuple(moves))

    def _open(self) -> DeltaTable:
        return DeltaTable(str(self.folder))

    def _evolve(self, wanted: Schema) -> None:
        table = self._open()
        if not _PROPERTIES.items() <= table.metadata().configuration.items():
            table.alter.set_table_properties(dict(_PROPERTIES))
        present = {field.name for field in table.schema().fields}
        added = [field for field in wanted.fields if field.name not in present]
        if added:
            table.alter.add_columns(added)

    def _replace(
        self,
        files: Sequence[Path],
        load_id: str,
        covers: Coverage | None,
        loads: set[str],
        whole: set[str],
        network: str,
    ) -> tuple[list[AddAction | RemoveAction], list[Move]]:
        """Rewrite the files of superseded loads without the rows that give way, of `whole` without any."""
        keys = _keys(files)
        actions: list[AddAction | RemoveAction] = []
        moves = []
        by_load: dict[str, list[Path]] = {}
        for load, path in self._files_of(loads | whole):
            by_load.setdefault(load, []).append(path)
        for load, old in by_load.items():
            if load in whole:
                done = anew(_all(old), earlier=load, later=load_id)
            else:
                verdict = self._judge(load, load_id, covers)
                done = restate(_all(old), keys=keys, verdict=verdict, earlier=load, later=load_id)
            moves.append(done.move)
            if not done.move.rows:
                continue
            # Named after the load alone: a file that is rewritten every day must not get a longer name every day.
            kept = self.folder / network / f"{load}-kept-{time.time_ns():x}.parquet"
            done.stay.sink_parquet(kept, engine="streaming")
            actions += [self._remove(path) for path in old]
            if _rows(kept):
                actions.append(_add(self.folder, kept))
            else:
                kept.unlink()
        return actions, moves

    def _judge(self, earlier: str, later: str, covers: Coverage | None) -> Verdict:
        return Verdict() if covers is None else judge(self._profile(earlier), self._profile(later), covers)

    def _keep_profile(self, load_id: str, staged: Sequence[Path]) -> None:
        """Before anything yields: a load is judged by what its file told, whatever of it is in force."""
        path = self._profile_path(load_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        profile(_all(staged)).write_parquet(path)

    def _profile(self, load_id: str) -> pl.DataFrame:
        path = self._profile_path(load_id)
        if path.exists():
            return pl.read_parquet(path)
        # A load of a time before there were profiles.
        return profile(_all([path for _, path in self._files_of({load_id})]))

    def _profile_path(self, load_id: str) -> Path:
        return self.folder / "_profiles" / f"{load_id}.parquet"

    def _remove(self, path: Path) -> RemoveAction:
        return RemoveAction(
            path=path.relative_to(self.folder).as_posix(),
            deletion_timestamp=int(time.time() * 1000),
            data_change=True,
            partition_values={},
            size=path.stat().st_size,
        )

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


@dataclass(frozen=True, slots=True)
class _GivenUp:
    """What of the staged files stays beside later exports; without a frame, all of it."""

    rows: pl.LazyFrame | None = None
    files: int = 0
    moves: tuple[Move, ...] = ()

    def stay(self, staged: Path) -> pl.LazyFrame | None:
        """The rows of one staged file that stay; None where the file is to be taken as it is."""
        if self.rows is None or not any(move.rows for move in self.moves):
            return None
        if self.files == 1:
            return self.rows
        # Within a load a row of the source has one event, so its number names it in whichever file it lies.
        return pl.scan_parquet(staged).join(self.rows.select("source_row"), on="source_row", how="semi")


def _all(files: Sequence[Path]) -> pl.LazyFrame:
    """The rows of several files, whose columns may differ."""
    return pl.concat([pl.scan_parquet(path) for path in files], how="diagonal")


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
