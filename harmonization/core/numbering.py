"""The distinct values of a text column, numbered from 1 as they come; 0 is no value."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import polars as pl
import pyarrow as pa

from harmonization.core.digests import compiled_cells
from harmonization.core.row_batch import RowBatch

Numbers = np.ndarray[Any, np.dtype[np.uint32]]


class Numbering:
    """Numbers the cells of batches of one kind: frames, whose values Polars numbers, or blocks of plain lines."""

    def __init__(self, column: str) -> None:
        self._column, self._at = column, int(column.removeprefix("raw_"))
        self._kind = pl.Categorical(pl.Categories.random())
        # Polars forgets the numbers of a category with the last column that has it.
        self._kept = pl.Series(column, [None], dtype=self._kind)
        self.values = 0
        self._slots = np.zeros(1 << 12, np.uint64)
        self._hashes = np.zeros((1 << 11) + 2, np.uint64)
        self._pool = np.zeros(1 << 16, np.uint8)
        self._bounds = np.zeros((1 << 11) + 2, np.int64)

    def number(self, rows: RowBatch) -> tuple[Numbers, pl.Series]:
        """The numbers of the rows, and the values that are new with them, in the order of their numbers."""
        return self._number_block(rows) if rows.block is not None else self._number_texts(rows.column(self._column))

    def _number_texts(self, cells: pl.Series) -> tuple[Numbers, pl.Series]:
        known = cells.cast(self._kind).to_physical()
        most = known.max()
        fresh = pl.Series(self._column, [], dtype=pl.String)
        if isinstance(most, int) and most >= self.values:
            new = (known >= self.values).arg_true()
            numbered = pl.DataFrame({"number": known.gather(new), self._column: cells.gather(new)})
            fresh = numbered.unique("number").sort("number")[self._column]
            self.values = most + 1
        numbers = (known + 1).fill_null(0) if known.null_count() else known + 1
        return numbers.to_numpy(), fresh

    def _number_block(self, rows: RowBatch) -> tuple[Numbers, pl.Series]:
        block = rows.block
        assert block is not None
        before, row = self.values, 0
        numbers = np.empty(rows.height, np.uint32)
        while row < rows.height:
            row, self.values = compiled_cells().number_slices(
                block.data, block.starts[self._at], block.ends[self._at], self._slots, self._hashes, self._pool,
                self._bounds, self.values, row, numbers,
            )  # fmt: skip
            if row < rows.height:
                self._grow()
        if self.values == before:
            return numbers, pl.Series(self._column, [], dtype=pl.String)
        bounds = self._bounds[before + 1 : self.values + 2]
        content = pa.py_buffer(self._pool[bounds[0] : bounds[-1]].copy())
        offsets = pa.py_buffer(np.ascontiguousarray(bounds - bounds[0]))
        new = pa.LargeStringArray.from_buffers(self.values - before, offsets, content)
        return numbers, cast(pl.Series, pl.from_arrow(new)).alias(self._column)

    def _grow(self) -> None:
        """Twice the room for values and their bytes."""
        self._hashes = np.concatenate([self._hashes, np.zeros_like(self._hashes)])
        self._bounds = np.concatenate([self._bounds, np.zeros_like(self._bounds)])
        self._pool = np.concatenate([self._pool, np.zeros_like(self._pool)])
        self._slots = np.zeros(2 * self._slots.size, np.uint64)
        compiled_cells().fill_slots(self._slots, self._hashes, self.values)
