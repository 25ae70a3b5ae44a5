"""From rows of text cells to the three Parquet files of a run.

Every batch is judged once. Good rows are written as they come; all others are put aside as they lie in the file, and so
is a row whose key may have been there before. Afterwards the plan goes over the rows put aside alone: it says which
rules they break, and which of them are good after all. Memory holds a batch, the filter of keys, and what is put aside
up to a limit beyond which it lies on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from harmonization.core.contract import Unique
from harmonization.core.duplicates import Duplicates, find_duplicates, key_words
from harmonization.core.event_key import hex_keys
from harmonization.core.event_writer import EventWriter
from harmonization.core.executor import Executor, LocalExecutor, PartitionPlan
from harmonization.core.partition import Judged
from harmonization.core.plan import Recipe, lay_out
from harmonization.core.row_batch import RowBatch, Rows, as_frame
from harmonization.core.rows_aside import RowsAside
from harmonization.core.seen_keys import SeenKeys
from harmonization.core.source_file import RAGGED, SOURCE_ROW, OpenedFile, raw_name
from harmonization.core.summary import Outcome, count_rows
from harmonization.core.tally import Tally
from harmonization.core.uniqueness import repeated_in_columns

EVENTS: Final = "events.parquet"
QUARANTINE: Final = "quarantine.parquet"
SKIPPED: Final = "skipped.parquet"
BATCH_ROWS: Final = 131_072
#: Files of fewer rows go through the plan as a whole: batches have a cost of their own.
WHOLE_BELOW: Final = 50_000
#: CSV files of so many bytes are cut by compiled loops, if they are plain.
PLAIN_FROM: Final = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class Tuning:
    """Sizes that change how a run is done and never what comes out."""

    batch_rows: int = BATCH_ROWS
    whole_below: int = WHOLE_BELOW
    plain_from: int = PLAIN_FROM


@dataclass(slots=True)
class Earlier:
    """What several files of one call share: the keys written so far, and the files with their rows."""

    keys: SeenKeys
    events: list[Path]


@dataclass(frozen=True, slots=True)
class ReportRows:
    """The rows of one opened report, from below its header to its end, as often as they are asked for."""

    opened: OpenedFile
    last_header_row: int
    width: int
    batch_rows: int = BATCH_ROWS

    def batches(self) -> Iterator[Rows]:
        if self.opened.batches is not None:
            return self.opened.batches(self.last_header_row, self.width)
        return iter(self.frame().collect_batches(chunk_size=self.batch_rows, maintain_order=True, engine="streaming"))

    def frame(self) -> pl.LazyFrame:
        return self.opened.rows(self.last_header_row, self.width)


@dataclass(frozen=True, slots=True)
class _Rows:
    """A partition whose first batches were looked at already."""

    frames: Iterator[Rows]

    def batches(self) -> Iterator[Rows]:
        return self.frames


class GoodRows:
    """Writes the good rows of every batch and puts the others aside."""

    def __init__(
        self, writer: EventWriter, tally: Tally, keys: SeenKeys, constants: Mapping[str, str | None], scratch: Path
    ) -> None:
        self.rows_in = 0
        self._writer, self._tally, self._keys, self._constants = writer, tally, keys, constants
        self._aside = RowsAside(scratch, "aside")

    def accept(self, judged: Judged) -> None:
        rows, good = judged.rows, judged.good
        self.rows_in += rows.height
        first, second = judged.keys
        # Keys of rows put aside count too: one of them may be good after all, and then it is the first of its key.
        again = self._keys.maybe_seen(first)
        good = good & ~again if again.any() else good
        columns, numbered, breaks = judged.columns, judged.numbered, judged.breaks
        if not good.all():
            self._aside.put(rows.only(~good))
            first, second = first[good], second[good]
            columns, numbered = judged.only(good)
            breaks = {rule: flags[good] for rule, flags in breaks.items()}
        self._keys.written(first, columns[SOURCE_ROW].to_numpy())
        columns["event_key"] = hex_keys(first, second)
        self._writer.write(first.size, columns, numbered, self._constants)
        self._tally.add(first.size, columns, numbered, self._constants)
        self._tally.add_breaks(columns[SOURCE_ROW], breaks)

    def aside(self) -> pl.LazyFrame | None:
        """The rows put aside, None if there are none."""
        return self._aside.frame()


def run(
    rows: ReportRows,
    recipe: Recipe,
    scratch: Path,
    *,
    expected: int,
    looking: Callable[[], None] = lambda: None,
    earlier: Earlier | None = None,
    executor: Executor | None = None,
    tuning: Tuning = Tuning(),
) -> Outcome:
    """Write the three files of one report to `scratch`.

    Args:
        expected: about how many rows there are, for the size of the filter of keys.
        looking: called before the rows put aside are looked at.
        earlier: of the files before this one, where several are read as one.
    """
    binding = recipe.binding
    if earlier is not None:
        # Before a row is read: a file that turns out not to be plain is forgotten from its beginning.
        earlier.keys.next_file()
    frames = rows.batches()
    first = _first(frames, tuning.whole_below)
    rows_in = sum(frame.height for frame in first)
    tally = Tally(binding)
    compares_rows = any(isinstance(rule, Unique) for rule in binding.contract.rules)
    with ExitStack() as stack:
        keys = earlier.keys if earlier else None
        writer = stack.enter_context(EventWriter(scratch / EVENTS, recipe.columns))
        if rows_in < tuning.whole_below:
            aside = pl.concat(map(as_frame, first)).lazy() if first else None
        elif compares_rows:
            # Rules that compare rows need them all in one place.
            aside = rows.frame()
            rows_in = count_rows(aside)
        else:
            if keys is None:
                keys = stack.enter_context(SeenKeys(scratch, expected))
                keys.next_file()
            plan = PartitionPlan(binding.contract.text, binding.headers, recipe.context, recipe)
            started = plan.start()
            sink = GoodRows(writer, tally, keys, started.constants, scratch)
            (executor or LocalExecutor()).map_partitions(plan, [_Rows(chain(first, frames))], sink)
            rows_in, aside = sink.rows_in, sink.aside()
            # The look at what was put aside needs the room.
            first.clear()
            if earlier is None:
                keys.close_filter()
        looking()
        _close_look(aside, rows, recipe, writer, tally, keys, earlier, scratch)
    return Outcome(
        tally=tally,
        events=scratch / EVENTS,
        quarantine=scratch / QUARANTINE,
        skipped=scratch / SKIPPED,
        rows_in=rows_in,
        rules_not_applied=recipe.rules_not_applied,
        columns=recipe.columns,
    )


def _first(frames: Iterator[Rows], rows: int) -> list[Rows]:
    """So many batches that they have `rows` rows, or all."""
    found: list[Rows] = []
    while sum(frame.height for frame in found) < rows and (frame := next(frames, None)) is not None:
        found.append(frame)
    return found


def _close_look(
    aside: pl.LazyFrame | None,
    source: ReportRows,
    recipe: Recipe,
    writer: EventWriter,
    tally: Tally,
    keys: SeenKeys | None,
    earlier: Earlier | None,
    scratch: Path,
) -> None:
    """The plan over the rows put aside: the good ones after all are written, the others go where they belong."""
    if aside is None:
        aside = _no_rows(source.width)
    again = scratch / "again.parquet"
    lay_out(aside, recipe).good.sink_parquet(again, engine="streaming")
    duplicates = _duplicates(again, source, recipe, keys, earlier, scratch)
    plan = lay_out(aside, recipe, duplicates)
    if duplicates:
        plan.good.sink_parquet(again, engine="streaming")
    good = pl.scan_parquet(again)
    for frame in good.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True, engine="streaming"):
        writer.write_frame(frame)
        tally.add_frame(frame, plan.warnings)
        if earlier is not None:
            words = frame.select(key_words()[0]).to_series().to_numpy()
            earlier.keys.maybe_seen(words)
            earlier.keys.written(words, frame[SOURCE_ROW].to_numpy())
    rest = pl.scan_parquet(_without(aside, again, scratch))
    others = lay_out(rest, recipe, duplicates)
    others.quarantined.sink_parquet(scratch / QUARANTINE, engine="streaming")
    others.skipped.sink_parquet(scratch / SKIPPED, engine="streaming")


def _without(aside: pl.LazyFrame, good: Path, scratch: Path) -> Path:
    """The rows of `aside` that are not good, on disk, for their reasons are looked at more than once."""
    path = scratch / "others.parquet"
    numbers = pl.scan_parquet(good).select(SOURCE_ROW)
    aside.join(numbers, on=SOURCE_ROW, how="anti").sink_parquet(path, engine="streaming")
    return path


def _no_rows(width: int) -> pl.LazyFrame:
    cells = {raw_name(position): pl.String() for position in range(width)}
    return pl.LazyFrame(schema={**cells, SOURCE_ROW: pl.Int64(), RAGGED: pl.String()})


def _duplicates(
    again: Path, source: ReportRows, recipe: Recipe, keys: SeenKeys | None, earlier: Earlier | None, scratch: Path
) -> Duplicates:
    """Which of the good rows in `again` repeat a row of `again`, or one that was written before."""
    rows = pl.scan_parquet(again)
    originals = [] if keys is None else _originals(rows, source, recipe, keys, earlier, scratch)
    conflicting, repeated = find_duplicates(rows, scratch, originals)
    return Duplicates(conflicting, repeated, repeated_in_columns(again, recipe.binding))


def _originals(
    rows: pl.LazyFrame, source: ReportRows, recipe: Recipe, keys: SeenKeys, earlier: Earlier | None, scratch: Path
) -> list[pl.LazyFrame]:
    """The rows written before whose keys `rows` may repeat."""
    words = rows.select(key_words()[0]).collect(engine="streaming").to_series()
    if words.is_empty():
        return []
    originals = []
    numbers, before = keys.rows_with(words.to_numpy())
    if numbers.size:
        # The file is read once more, for the rows alone that others repeat.
        wanted = np.unique(numbers)
        kept = RowsAside(scratch, "original")
        for batch in map(RowBatch, source.batches()):
            there = batch.source_rows.to_numpy()
            if batch.height:
                first, last = np.searchsorted(wanted, [there.min(), there.max() + 1])
                if last > first:
                    kept.put(batch.only(np.isin(there, wanted[first:last])))
        found = kept.frame()
        if found is not None:
            path = scratch / "originals.parquet"
            lay_out(found, recipe).good.sink_parquet(path, engine="streaming")
            originals.append(pl.scan_parquet(path))
    if before and earlier is not None:
        theirs = rows.select("event_key").unique()
        # Files of one report may differ in optional columns; what a file lacks is empty in it.
        told = [pl.scan_parquet(path) for path in earlier.events]
        before_them = pl.concat([*told, rows.head(0)], how="diagonal").join(theirs, on="event_key", how="semi")
        originals.append(before_them.select(recipe.columns))
    return originals
