"""Rows put aside while a file is read: in memory as long as they are few, on disk from then on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

#: Rows that are held in memory.
_HELD_ROWS: Final = 100_000
#: So many rows of one batch are written at once: making each text one of its own takes longer than the disk.
_MANY_ROWS: Final = 8_192


class RowsAside:
    """Frames of one shape, kept in the order they come in."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._held: list[pl.DataFrame] = []
        self._spilt: list[Path] = []
        self._rows = 0

    def put(self, rows: pl.DataFrame) -> None:
        """Keep rows, which may be views into the block of a file: the block is let go."""
        if rows.is_empty():
            return
        many = rows.height > _MANY_ROWS
        self._held.append(rows if many else _compact(rows))
        self._rows += rows.height
        if many or self._rows > _HELD_ROWS:
            path = self._folder / f"{self._name}-{len(self._spilt)}.parquet"
            pl.concat(self._held).write_parquet(path, compression="lz4")
            self._spilt.append(path)
            self._held.clear()
            self._rows = 0

    def frame(self) -> pl.LazyFrame | None:
        """All rows, None if there are none."""
        # Few frames: a plan over many small ones is worked through once for each.
        frames = [pl.scan_parquet(self._spilt)] if self._spilt else []
        if self._held:
            frames.append(pl.concat(self._held, rechunk=True).lazy())
        return pl.concat(frames) if frames else None


def _compact(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with texts of their own: as they come, they hold the block of the file that they stand in."""
    # Whatever Polars and Arrow hand on between them keeps the block: only values of their own let it go.
    return pl.DataFrame({name: rows[name].to_list() for name in rows.columns}, schema=rows.schema)
