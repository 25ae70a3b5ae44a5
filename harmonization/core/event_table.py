"""The Delta table of events: staged Parquet files become a version of it, whole or not at all.

A version that was written but never published (its publisher died between the commit here and the one in the
database) is undone by the next publisher, so readers, who open only the published version, and writers agree.

The table is not partitioned by folder: a file holds rows of one load, and its path names network and load.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import numpy as np
import polars as pl
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from harmonization.core.delta_files import add_action, remove_action, schema_of, unused_name
from harmonization.core.giving_way import Given, Mask, copy_rows, give_all, give_way, rows_of
from harmonization.core.restatement import Coverage, Move, Verdict, judge, merged, profile
from harmonization.core.returning import Freed, Missing, Returned, Told, bring_back, shortfall

#: Versions are read as long as the product says, not for the thirty days that Delta keeps its log by default.
_PROPERTIES: Final = {"delta.enableExpiredLogCleanup": "false"}
#: Rows that are the table's in no version; folders of this mark are no part of it.
_ASIDES: Final = "_asides"


@dataclass(frozen=True, slots=True)
class Committed:
    """A version of the table.

    Attributes:
        rows: rows it gained.
        superseded: rows of earlier loads that the new ones replaced.
        yielded: new rows that were left out, for a later export tells them.
        moves: the same, load by load, also where nothing gave way.
        returned: rows of earlier loads that are in force again, one for each of `frees`.
    """

    version: int
    rows: int
    superseded: int
    yielded: int = 0
    moves: tuple[Move, ...] = ()
    returned: tuple[Returned, ...] = ()


@dataclass(frozen=True, slots=True)
class Deleted:
    """Files that a vacuum removed, their bytes, and the versions whose log is gone, so that none can open them."""

    files: int
    bytes: int
    lost: tuple[int, ...] = ()


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
        frees: Sequence[Freed] = (),
        told: Mapping[str, Told] | None = None,
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
            frees: what the replaced loads had taken from earlier ones, those that arrived last first; `holds` has to
                be true of each.
            told: where to find what other loads told; what of it is gone is not compared with.
            properties: kept in the version's commit info, to trace it to job and attempt.

        Returns:
            the new version; rows of superseded loads that did not give way stay as they are.
        """
        target = self.folder / network
        target.mkdir(parents=True, exist_ok=True)
        offered = rows_of(staged)
        if covers is not None:
            self._keep_profile(load_id, staged)
        told = told or {}
        away, yields = self._yield(staged, load_id, yields_to or {}, told)
        files = []
        if away.any():
            files = [unused_name(target, f"{load_id}-0")]
            copy_rows(staged, ~away, files[0])
        else:
            for number, path in enumerate(staged):
                files.append(unused_name(target, f"{load_id}-{number}"))
                path.rename(files[-1])
        ours = [add_action(self.folder, path) for path in files]
        commit = CommitProperties(custom_metadata=properties or {})
        rows = rows_of(files)
        if self.head is None:
            create_table_with_add_actions(
                str(self.folder),
                schema=schema_of(files),
                add_actions=ours,
                configuration=_PROPERTIES,
                commit_properties=commit,
            )
            return Committed(version=self._open().version(), rows=rows, superseded=0)
        self._evolve(schema_of(files))
        # By the keys of all that it tells: what it gives up itself is told no less.
        keys = list(staged) if away.any() else files
        actions, moves, now = self._replace(keys, load_id, covers, set(supersedes), set(replaces), network)
        brought, returned = self._bring_back(frees, {load_id: keys}, told, now, target)
        moves = merged([*moves, *yields, *(move for one in returned for move in one.moves)])
        return Committed(
            version=self._write([*actions, *brought, *ours], commit),
            rows=rows,
            superseded=sum(move.rows for move in moves if move.later == load_id),
            yielded=offered - rows,
            moves=tuple(moves),
            returned=tuple(returned),
        )

    def restate(
        self,
        load_id: str,
        *,
        network: str,
        covers: Coverage,
        supersedes: Iterable[str],
        told: Mapping[str, Told] | None = None,
        properties: dict[str, str] | None = None,
    ) -> Committed:
        """Let rows of earlier loads give way to those of a load that the table has already."""
        files = self._told(load_id, told or {})
        if not files:
            return Committed(version=self._open().version(), rows=0, superseded=0)
        actions, moves, _ = self._replace(files, load_id, covers, set(supersedes), set(), network)
        version = self._open().version()
        if actions:
            version = self._write(actions, CommitProperties(custom_metadata=properties or {}))
        return Committed(version=version, rows=0, superseded=sum(move.rows for move in moves), moves=tuple(moves))

    def holds(self, freed: Freed) -> bool:
        """Whether the rows are still there: neither a version's log nor a file was deleted."""
        try:
            files = [path for held, without in self._sources(freed) for path in (*held, *without)]
        except DeltaError:
            return False
        return all(path.exists() for path in files)

    def missing(self, load_id: str, heirs: Mapping[str, Coverage | None]) -> Missing:
        """What a load told that is in force neither as its own nor as that of an heir (`Freed.heirs`)."""
        told, files = self._profile(load_id), self._files(load_id)
        there = [(self._profile(heir), self._judge(load_id, heir, covers)) for heir, covers in heirs.items()]
        return shortfall(told, profile(_all(files)) if files else told.clear(), there)

    def vacuum(self, current: int, versions: Iterable[int], asides: Iterable[str] = ()) -> Deleted:
        """Delete every data file that neither `current`, the version that readers open, nor `versions` need.

        A file no version names is the torso of a publisher that died. The log stays, and so the numbers of versions;
        where somebody deleted the log of a former version, nobody can open it and it needs nothing. Of what was set
        aside, `asides` stay. The caller keeps publishers away meanwhile.
        """
        needed = set(self._paths(DeltaTable(str(self.folder), version=current)))
        lost = []
        for version in sorted(set(versions) - {current}):
            try:
                needed.update(self._paths(DeltaTable(str(self.folder), version=version)))
            except DeltaError:
                lost.append(version)
        needed.update(self.folder / aside for aside in asides)
        files, size = 0, 0
        for path in (*self.folder.glob("[!_]*/*.parquet"), *self.folder.glob(f"{_ASIDES}/*.parquet")):
            if path not in needed:
                files, size = files + 1, size + path.stat().st_size
                path.unlink()
        return Deleted(files, size, tuple(lost))

    @property
    def size(self) -> int:
        """Bytes of everything below the folder, files of former versions too."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def _write(self, actions: list[AddAction | RemoveAction], commit: CommitProperties) -> int:
        table = self._open()
        table.create_write_transaction(actions=actions, mode="append", schema=table.schema(), commit_properties=commit)
        return int(self._open().version())

    def _yield(
        self, staged: Sequence[Path], load_id: str, later: Mapping[str, Coverage | None], told: Mapping[str, Told]
    ) -> tuple[Mask, list[Move]]:
        """Which staged rows give way to loads that arrived later, judged over all staged files together.

        They are set aside, for no version of the table ever has them.
        """
        away, moves = np.zeros(rows_of(staged), np.bool_), []
        for other, covers in later.items():
            if not (theirs := self._told(other, told)):
                continue
            verdict = self._judge(load_id, other, covers)
            given = give_way(staged, keys=theirs, verdict=verdict, earlier=load_id, later=other, among=~away)
            moves.append(self._set_aside(given))
            away |= given.mask
        return away, moves

    def _set_aside(self, given: Given) -> Move:
        move = given.move
        if not move.rows:
            return move
        aside = unused_name(self.folder / _ASIDES, f"{move.earlier}-{move.later}")
        copy_rows(given.files, given.mask, aside)
        return replace(move, asides=(aside.relative_to(self.folder).as_posix(),))

    def _bring_back(
        self,
        frees: Sequence[Freed],
        ours: dict[str, list[Path]],
        told: Mapping[str, Told],
        now: dict[str, list[Path]],
        target: Path,
    ) -> tuple[list[AddAction | RemoveAction], list[Returned]]:
        actions: list[AddAction | RemoveAction] = []
        done = []
        for freed in frees:
            in_force = now.setdefault(freed.earlier, self._files(freed.earlier))
            for heir in freed.heirs:
                ours.setdefault(heir, self._told(heir, told))
            back = unused_name(target, f"{freed.earlier}-back")
            one = bring_back(
                freed,
                self._sources(freed),
                in_force=in_force,
                told=ours.__getitem__,
                judged=lambda heir, freed=freed: self._judge(freed.earlier, heir, freed.heirs[heir]),  # type: ignore[misc]
                set_aside=self._set_aside,
                target=back,
            )
            if one.rows:
                actions.append(add_action(self.folder, back))
                now[freed.earlier] = [*in_force, back]
            done.append(one)
        return actions, done

    def _sources(self, freed: Freed) -> list[tuple[list[Path], list[Path]]]:
        sources: list[tuple[list[Path], list[Path]]] = [([self.folder / aside], []) for aside in freed.asides]
        if freed.went is not None:
            with_them, without = (self._files(freed.earlier, version) for version in freed.went)
            sources.append((with_them, without))
        return sources

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
        keys: Sequence[Path],
        load_id: str,
        covers: Coverage | None,
        loads: set[str],
        whole: set[str],
        network: str,
    ) -> tuple[list[AddAction | RemoveAction], list[Move], dict[str, list[Path]]]:
        """Rewrite the files of superseded loads without the rows that give way, of `whole` without any.

        Args:
            keys: files of all that the load tells.

        Returns:
            also the files of these loads as they are then.
        """
        actions: list[AddAction | RemoveAction] = []
        moves = []
        by_load: dict[str, list[Path]] = {}
        for load, path in self._files_of(loads | whole):
            by_load.setdefault(load, []).append(path)
        now = {load: list(old) for load, old in by_load.items()}
        for load, old in by_load.items():
            if load in whole:
                given = give_all(old, earlier=load, later=load_id)
            else:
                verdict = self._judge(load, load_id, covers)
                given = give_way(old, keys=keys, verdict=verdict, earlier=load, later=load_id)
            moves.append(given.move)
            if not given.move.rows:
                continue
            actions += [remove_action(self.folder, path) for path in old]
            now[load] = []
            if not given.mask.all():
                # Named after the load alone: a file that is rewritten every day must not get a longer name every day.
                now[load] = [unused_name(self.folder / network, f"{load}-kept")]
                copy_rows(old, ~given.mask, now[load][0])
                actions.append(add_action(self.folder, now[load][0]))
        return actions, moves, now

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

    def _told(self, load: str, told: Mapping[str, Told]) -> list[Path]:
        """Files of what a load told, as far as they are kept; rows may be in several of them."""
        where = told.get(load, Told(None))
        files = [*self._files(load), *(self.folder / aside for aside in where.asides)]
        if where.version is not None:
            with suppress(DeltaError):
                files += self._files(load, where.version)
        return [path for path in dict.fromkeys(files) if path.exists()]

    def _files(self, load: str, version: int | None = None) -> list[Path]:
        return [path for _, path in self._files_of({load}, version)]

    def _files_of(self, loads: set[str], version: int | None = None) -> list[tuple[str, Path]]:
        if not loads:
            return []
        table = self._open() if version is None else DeltaTable(str(self.folder), version=version)
        return [(load, path) for path in self._paths(table) for load in loads if path.name.startswith(f"{load}-")]

    def _paths(self, table: DeltaTable) -> list[Path]:
        """The files of a version; the log writes them as URIs do."""
        paths = table.get_add_actions(flatten=True)["path"].to_pylist()
        return [self.folder / unquote(str(path)) for path in paths]


def _all(files: Sequence[Path]) -> pl.LazyFrame:
    """The rows of several files, whose columns may differ."""
    return pl.concat([pl.scan_parquet(path) for path in files], how="diagonal")
