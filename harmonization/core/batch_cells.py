"""The columns that one cell of a row feeds, for a batch of rows at a time.

A cell that repeats itself (most do: campaigns, products, days) is read once a value: its values are numbered, the
expressions of the recipe are evaluated over the new ones of each batch, and rows take what their number points at. A
cell that does not is read over the whole batch: first as it lies, by the conversion's `direct` reading, and where that
finds nothing, over the few cells it could not read, with everything that the recipe says about them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from harmonization.core.cells import Cell
from harmonization.core.conversions import Conversion
from harmonization.core.event_key import SEEDS, words_of
from harmonization.core.numbering import Numbering, Numbers
from harmonization.core.row_batch import RowBatch
from harmonization.core.source_file import raw_name

#: A cell of so many distinct values is read over whole batches from then on.
VALUES_LIMIT: Final = 100_000
#: In the first batch, a cell repeats itself where at most one row in so many brings a new value.
_REPEATS: Final = 8
_BAD: Final = "__bad"
_EMPTY: Final = "__empty"

Flags = np.ndarray[Any, np.dtype[np.bool_]]
Codes = np.ndarray[Any, np.dtype[np.int32]]
Words = np.ndarray[Any, np.dtype[np.uint64]]


@dataclass(frozen=True, slots=True)
class CellPlan:
    """One cell with all that is known from it alone.

    `stages` are evaluated in turn and name the canonical `columns` among their results; `bad` says where a row has to
    be looked at closely because of this cell: a rule is broken, a skip rule applies, a cell cannot be read.
    """

    cell: Cell
    text: pl.Expr
    stages: tuple[tuple[pl.Expr, ...], ...]
    columns: tuple[str, ...]
    bad: pl.Expr
    direct: Mapping[str, Conversion]

    @property
    def raw(self) -> list[str]:
        """The file's columns that the cell is made of."""
        cell = self.cell
        positions = cell.positions if cell.when_position is None else (*cell.positions, cell.when_position)
        return [raw_name(position) for position in dict.fromkeys(positions)]

    def evaluate(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`columns`, `__bad` and `__empty` of rows that have the `raw` columns."""
        frame = rows.lazy().with_columns(self.text)
        for stage in self.stages:
            frame = frame.with_columns(stage)
        return frame.select(
            *self.columns,
            self.bad.fill_null(False).alias(_BAD),
            pl.col(self.cell.name).is_null().alias(_EMPTY),
        ).collect()


@dataclass(slots=True)
class CellBatch:
    """What a cell gave for one batch.

    `columns` are whole columns; `numbered` are texts as numbers into the values of `Numbered`, null as -1. `bad` and
    `empty` are None where no row is.
    """

    columns: dict[str, pl.Series] = field(default_factory=dict)
    numbered: dict[str, Numbered] = field(default_factory=dict)
    bad: Flags | None = None
    empty: Flags | None = None


@dataclass(slots=True)
class Numbered:
    """Texts of a batch as `codes` into distinct `values`, null as -1.

    `words` are those of keys by `numbers`, the values as they stand in the file, where the text is part of a key.
    """

    codes: Codes
    values: pl.Series
    numbers: Numbers
    words: tuple[Words, Words] | None

    def texts(self) -> pl.Series:
        codes = pl.Series(self.codes)
        return self.values.gather(codes.set(codes < 0, None) if (self.codes < 0).any() else codes)


class RepeatingCell:
    """A cell whose values are numbered from 1 as they come; 0 is a row without one."""

    def __init__(self, plan: CellPlan, key_columns: Sequence[str]) -> None:
        self.plan = plan
        self._raw = plan.raw[0]
        self._numbering = Numbering(self._raw)
        self._key_columns = [name for name in plan.columns if name in key_columns]
        self._table = pl.DataFrame()
        self._bad: Flags = np.empty(0, np.bool_)
        self._empty: Flags = np.empty(0, np.bool_)
        self._texts: dict[str, tuple[Codes, pl.Series]] = {}
        self._words: dict[str, tuple[Words, Words]] = {}
        self._grow(pl.Series(self._raw, [None], dtype=pl.String))

    @property
    def values(self) -> int:
        """How many distinct values there were."""
        return self._numbering.values

    def apply(self, rows: RowBatch) -> CellBatch:
        at, new = self._numbering.number(rows)
        if len(new):
            self._grow(new)
        numbers = pl.Series(at)
        found = CellBatch()
        for name in self.plan.columns:
            column = self._table[name]
            if column.dtype == pl.String:
                codes, values = self._texts[name]
                found.numbered[name] = Numbered(codes[at], values, at, self._words.get(name))
            else:
                found.columns[name] = column.gather(numbers)
        if self._bad.any():
            bad = self._bad[at]
            found.bad = bad if bad.any() else None
        if self._empty[1:].any() or not at.all():
            found.empty = self._empty[at]
        return found

    def _grow(self, values: pl.Series) -> None:
        new = self.plan.evaluate(values.to_frame())
        self._table = (
            pl.concat([self._table, new.select(self.plan.columns)])
            if self._table.width
            else new.select(self.plan.columns)
        )
        self._bad = np.concatenate([self._bad, new[_BAD].to_numpy()])
        self._empty = np.concatenate([self._empty, new[_EMPTY].to_numpy()])
        for name in self.plan.columns:
            column = new[name]
            if column.dtype == pl.String:
                whole = self._table[name]
                distinct = whole.drop_nulls().unique(maintain_order=True)
                places = pl.DataFrame({"value": distinct}).with_row_index("place")
                codes = pl.DataFrame({"value": whole}).join(places, on="value", how="left", maintain_order="left")[
                    "place"
                ]
                self._texts[name] = codes.cast(pl.Int32).fill_null(-1).to_numpy(), distinct
            if name in self._key_columns:
                before = self._words.get(name, (np.empty(0, np.uint64), np.empty(0, np.uint64)))
                first, second = (
                    np.concatenate([old, words_of(column, seed)]) for old, seed in zip(before, SEEDS, strict=True)
                )
                self._words[name] = (first, second)


class VaryingCell:
    """A cell of which every row may say something else, or one made of several columns."""

    def __init__(self, plan: CellPlan, null_tokens: Sequence[str]) -> None:
        self.plan = plan
        tokens = pl.Series(["", *null_tokens], dtype=pl.String)
        made_directly = set(plan.direct) == set(plan.columns) and len(plan.raw) == 1 and plan.cell.default is None
        # A token for "no value" that reads as one (`0`, `9999`) has to be looked for in every cell.
        self._direct = made_directly and all(
            each.direct is not None and each.direct(tokens).null_count() == len(tokens) for each in plan.direct.values()
        )

    @property
    def is_quick(self) -> bool:
        """Whether the cell is read as it lies."""
        return self._direct

    def apply(self, rows: RowBatch) -> CellBatch:
        return self._apply_directly(rows) if self._direct else self._apply_wholly(rows)

    def _apply_wholly(self, rows: RowBatch) -> CellBatch:
        found = self.plan.evaluate(rows.select(self.plan.raw))
        bad, empty = found[_BAD], found[_EMPTY]
        return CellBatch(
            columns={name: found[name] for name in self.plan.columns},
            bad=bad.to_numpy() if bad.any() else None,
            empty=empty.to_numpy() if empty.any() else None,
        )

    def _apply_directly(self, rows: RowBatch) -> CellBatch:
        name, block = self.plan.raw[0], rows.block
        columns = {}
        for target, each in self.plan.direct.items():
            if each.direct is not None:
                at = self.plan.cell.positions[0]
                columns[target] = (
                    each.direct.of_block(block, at) if block is not None else each.direct(rows.column(name))
                )
        batch = CellBatch(columns=columns)
        # Where the direct reading finds a value there is a text, and no cell that cannot be read.
        present = [column.alias(target) for target, column in columns.items()]
        if name in self.plan.bad.meta.root_names():
            present.append(rows.column(name))
        judged = pl.DataFrame(present)
        judged = judged.with_columns(pl.lit("read").alias(self.plan.cell.name)).select(self.plan.bad.fill_null(False))
        bad = judged.to_series().to_numpy()
        if bad.size != rows.height:
            bad = np.full(rows.height, bool(bad[0]))
        missed = [column.is_null() for column in columns.values() if column.null_count()]
        if missed:
            again = pl.DataFrame(missed, schema=[f"{at}" for at in range(len(missed))]).select(pl.any_horizontal("*"))
            bad = bad.copy()
            batch.empty = self._read_again(rows.column(name), again.to_series().arg_true(), columns, bad)
        batch.bad = bad if bad.any() else None
        return batch

    def _read_again(self, raw: pl.Series, again: pl.Series, columns: dict[str, pl.Series], bad: Flags) -> Flags | None:
        """Read the cells at the rows `again` with all that the recipe says; returns where they are empty."""
        cells = raw.gather(again)
        distinct = cells.unique()
        read = self.plan.evaluate(distinct.to_frame()).with_columns(distinct)
        read = cells.to_frame().join(read, on=raw.name, how="left", nulls_equal=True, maintain_order="left")
        for name, column in columns.items():
            columns[name] = column.scatter(again, read[name])
        at = again.to_numpy()
        bad[at] = read[_BAD].to_numpy()
        empty = np.zeros(len(raw), np.bool_)
        empty[at] = read[_EMPTY].to_numpy()
        return empty if empty.any() else None


def repeats_itself(cells: pl.Series) -> bool:
    """Whether a column is worth numbering, by its first batch."""
    return cells.n_unique() <= max(len(cells) // _REPEATS, 1)
