"""Readings of cells as they lie in the file: quick, of the plainest form alone, and never of anything otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import polars as pl
import pyarrow as pa

from harmonization.core import moments
from harmonization.core.digests import compiled_cells
from harmonization.core.line_blocks import PlainBlock
from harmonization.core.rmis import MONEY

_PLAIN_FORMS = {"%Y-%m-%d %H:%M:%S": " ", "%Y-%m-%dT%H:%M:%S": "T"}
_MONEY_DIGITS, _COUNT_DIGITS = 12, 18


class Direct(Protocol):
    """What it finds in a cell is what the field's whole reading would; where it finds nothing, nothing is said."""

    def __call__(self, cells: pl.Series) -> pl.Series: ...

    def of_block(self, block: PlainBlock, at: int) -> pl.Series: ...


@dataclass(frozen=True, slots=True)
class PlainAmount:
    """Money such as `201.68`."""

    def __call__(self, cells: pl.Series) -> pl.Series:
        return cells.cast(MONEY, strict=False)

    def of_block(self, block: PlainBlock, at: int) -> pl.Series:
        values, good = np.empty((block.height, 2), np.int64), np.empty(block.height, np.bool_)
        left = compiled_cells().read_numbers(
            block.data, block.starts[at], block.ends[at], MONEY.scale, _MONEY_DIGITS, values, good
        )
        kind = pa.decimal128(MONEY.precision, MONEY.scale)
        buffers = [_validity(good, left), pa.py_buffer(values)]
        return cast(pl.Series, pl.from_arrow(pa.Array.from_buffers(kind, block.height, buffers, null_count=left)))


@dataclass(frozen=True, slots=True)
class PlainCount:
    """Counts such as `1204`."""

    def __call__(self, cells: pl.Series) -> pl.Series:
        return cells.cast(pl.Int64, strict=False)

    def of_block(self, block: PlainBlock, at: int) -> pl.Series:
        values, good = np.empty((block.height, 2), np.int64), np.empty(block.height, np.bool_)
        left = compiled_cells().read_numbers(
            block.data, block.starts[at], block.ends[at], 0, _COUNT_DIGITS, values, good
        )
        buffers = [_validity(good, left), pa.py_buffer(np.ascontiguousarray(values[:, 0]))]
        return cast(pl.Series, pl.from_arrow(pa.Array.from_buffers(pa.int64(), block.height, buffers, null_count=left)))


@dataclass(frozen=True, slots=True)
class PlainInstant:
    """Instants in the first form of a field."""

    form: str
    zone: str

    def __call__(self, cells: pl.Series) -> pl.Series:
        return moments.to_instant(cells, [self.form], self.zone)

    def of_block(self, block: PlainBlock, at: int) -> pl.Series:
        between = _PLAIN_FORMS.get(self.form)
        if between is None:
            return self(block.column(at))
        values, good = np.empty(block.height, np.int64), np.empty(block.height, np.bool_)
        left = compiled_cells().read_instants(
            block.data, block.starts[at], block.ends[at], np.uint8(ord(between)), values, good
        )
        buffers = [_validity(good, left), pa.py_buffer(values)]
        array = pa.Array.from_buffers(pa.timestamp("us"), block.height, buffers, null_count=left)
        return moments.in_utc(cast(pl.Series, pl.from_arrow(array)), self.zone)


def _validity(good: np.ndarray[tuple[int], np.dtype[np.bool_]], left: int) -> pa.Buffer | None:
    return pa.py_buffer(np.packbits(good, bitorder="little")) if left else None
