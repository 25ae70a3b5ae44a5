"""A batch of rows of text cells, as a frame or as a block of plain lines of which columns are made when asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from harmonization.core.line_blocks import PlainBlock
from harmonization.core.source_file import RAGGED, SOURCE_ROW

Rows = pl.DataFrame | PlainBlock
Flags = np.ndarray[Any, np.dtype[np.bool_]]


class RowBatch:
    """The columns `raw_n` (text), `source_row` (Int64) and `ragged` (text) of a batch."""

    def __init__(self, rows: Rows) -> None:
        self.block = rows if isinstance(rows, PlainBlock) else None
        self._frame = None if isinstance(rows, PlainBlock) else rows
        self.height = rows.height
        self.source_rows = rows[SOURCE_ROW] if isinstance(rows, pl.DataFrame) else rows.source_rows
        self.ragged = rows[RAGGED] if isinstance(rows, pl.DataFrame) else rows.ragged
        self._made: dict[str, pl.Series] = {}

    def column(self, name: str) -> pl.Series:
        """The column `raw_n`."""
        if self._frame is not None:
            return self._frame[name]
        if name not in self._made:
            self._made[name] = self._plain().column(int(name.removeprefix("raw_")))
        return self._made[name]

    def select(self, names: Iterable[str]) -> pl.DataFrame:
        return pl.DataFrame([self.column(name) for name in names])

    def only(self, kept: Flags) -> pl.DataFrame:
        """All columns of the rows `kept`."""
        if self._frame is not None:
            return self._frame.filter(pl.Series(kept))
        return self._plain().frame(np.flatnonzero(kept))

    def _plain(self) -> PlainBlock:
        assert self.block is not None
        return self.block


def as_frame(rows: Rows) -> pl.DataFrame:
    return rows if isinstance(rows, pl.DataFrame) else rows.frame()
