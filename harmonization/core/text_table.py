"""Rows of text cells whose columns become known while they are read, kept on disk in parts.

Records of JSON may leave keys out and bring new ones late in the file. Each part holds the columns known when it was
written; they are read together as one frame in which what a part did not know yet is empty.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from harmonization.core.source_file import HEAD_ROWS, RAGGED, SOURCE_ROW, FileTooLarge, Limits, raw_name, storable

_ROWS: Final = 20_000
_BYTES: Final = 16 * 1024**2


class TextTable:
    """Written row by row, then read as `OpenedFile.rows` gives it; memory is bounded by one part."""

    def __init__(self, folder: Path, name: str, limits: Limits) -> None:
        """`folder` is made; `name` is the file that errors speak of."""
        folder.mkdir()
        self._folder, self._name, self._limits = folder, name, limits
        self._columns: dict[str, int] = {}
        self._parts: list[Path] = []
        self._pending: list[tuple[int, str | None, dict[int, str | None]]] = []
        self._size = 0
        self._first: list[dict[int, str | None]] = []

    def add(self, source_row: int, cells: dict[str, str | None], ragged: str | None = None) -> None:
        """One row by its columns' names.

        Raises:
            FileTooLarge: the rows have more columns by now than are read.
        """
        columns = self._columns
        try:
            row = {columns[column]: text for column, text in cells.items()}
        except KeyError:
            row = {columns.setdefault(column, len(columns)): text for column, text in cells.items()}
        if len(columns) > self._limits.columns:
            raise FileTooLarge(
                f"The records have more than {self._limits.columns:,} different keys.",
                where=f"{self._name}, row {source_row}",
                fix="Export fewer fields; values that change from record to record do not belong into keys.",
            )
        if len(self._first) < HEAD_ROWS - 1:
            self._first.append(row)
        self._pending.append((source_row, ragged, row))
        self._size += sum(map(len, filter(None, cells.values())))
        if len(self._pending) >= _ROWS or self._size >= _BYTES:
            self._flush()

    def add_unread(self, source_row: int, text: str, reason: str) -> None:
        """A row that could not be cut into cells: its text stands in the first column, for the quarantine to show."""
        first = next(iter(self._columns), "record")
        self.add(source_row, {first: storable(text[:1000])}, storable(reason))

    def head_rows(self) -> tuple[tuple[str, ...], ...]:
        """The columns' names, then the first rows."""
        width = range(len(self._columns))
        rows = (tuple((row.get(position) or "") for position in width) for row in self._first)
        return (tuple(self._columns), *rows)

    def rows(self, header_row: int, width: int) -> pl.LazyFrame:
        """`raw_0..`, `source_row`, `ragged` of every row."""
        self._flush()
        schema: dict[str, pl.DataType] = {SOURCE_ROW: pl.Int64(), RAGGED: pl.String()}
        schema |= {raw_name(position): pl.String() for position in range(len(self._columns))}
        frame = (
            pl.scan_parquet(self._parts, schema=schema, missing_columns="insert", glob=False)
            if self._parts
            else pl.LazyFrame(schema=schema)
        )
        return frame.select(*(raw_name(position) for position in range(width)), SOURCE_ROW, RAGGED)

    def _flush(self) -> None:
        if not self._pending:
            return
        part = self._folder / f"{len(self._parts)}.parquet"
        series = [
            pl.Series(SOURCE_ROW, [row for row, _, _ in self._pending], dtype=pl.Int64),
            pl.Series(RAGGED, [ragged for _, ragged, _ in self._pending], dtype=pl.String),
        ]
        series += [
            pl.Series(raw_name(position), [row.get(position) for _, _, row in self._pending], dtype=pl.String)
            for position in range(len(self._columns))
        ]
        pl.DataFrame(series).write_parquet(part, compression="lz4")
        self._parts.append(part)
        self._pending, self._size = [], 0
