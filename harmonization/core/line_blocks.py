"""A large CSV file without quotes, cut into cells as it is read: no pass before, no copy beside it.

Blocks of whole lines are checked and cut by compiled loops, and the cells handed on as views into the block. A line
with too few or too many cells is told so. What this does not read (quotes, another encoding, NUL, carriage returns in
lines, lines without end) is found in the block where it stands, and the file is then read from its beginning by the
careful reader, which reads everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import polars as pl
import pyarrow as pa

from harmonization.core.digests import compiled
from harmonization.core.source_file import RAGGED, SOURCE_ROW, Limits, raw_name

BLOCK: Final = 16 * 1024**2
_NEWLINE: Final = 10

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Rows = np.ndarray[Any, np.dtype[np.int64]]


class NotPlainLinesError(ValueError):
    """The file is none that is read by lines alone."""


def is_plain(content: bytes | bytearray) -> bool:
    """Whether text is UTF-8 in lines without quotes, NUL and carriage returns of their own."""
    if any(sign in content for sign in (b'"', b"\0", b"\x01")):
        return False
    if b"\r" in content and content.count(b"\r") != content.count(b"\r\n"):
        return False
    if content.isascii():
        return True
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def plain_batches(
    path: Path, delimiter: str, header_row: int, width: int, limits: Limits, *, block: int = BLOCK
) -> Iterator[PlainBlock]:
    """Rows below the header.

    Raises:
        NotPlainLinesError: a line that the careful reader has to read.
    """
    number = header_row + 1
    with path.open("rb", buffering=0) as file:
        for _ in range(header_row):
            _skip_line(file, limits)
        rest = b""
        while True:
            room = bytearray(len(rest) + block)
            room[: len(rest)] = rest
            got = file.readinto(memoryview(room)[len(rest) :]) or 0
            end = len(rest) + got
            if end == 0:
                return
            if got:
                cut = room.rfind(b"\n", 0, end) + 1
                if cut == 0:
                    if end > limits.line:
                        raise NotPlainLinesError
                    rest = bytes(room[:end])
                    continue
            else:
                room[end:] = b"\n"
                cut = end + 1
            rest = bytes(room[cut:end])
            del room[cut:]
            batch = PlainBlock(room, ord(delimiter), width, number, limits)
            number += batch.height
            yield batch
            if not got:
                return


def _skip_line(file: Any, limits: Limits) -> None:
    """Move past one line of the unbuffered file."""
    start = file.tell()
    head = file.read(limits.line)
    end = head.find(b"\n")
    if end < 0 or not is_plain(head[: end + 1]):
        raise NotPlainLinesError
    file.seek(start + end + 1)


class PlainBlock:
    """Whole lines of the file, cut into cells: a batch of rows of which only those columns are made that are asked for.

    `data` are the block's bytes (uint8), `starts` and `ends` (width, height) bound the cells.
    """

    def __init__(self, content: bytearray, delimiter: int, width: int, first: int, limits: Limits) -> None:
        if not is_plain(content):
            raise NotPlainLinesError
        self.data: Bytes = np.frombuffer(content, np.uint8)
        self.height = int(np.count_nonzero(self.data == _NEWLINE))
        self.starts = np.empty((width, self.height), np.int32)
        self.ends = np.empty((width, self.height), np.int32)
        cells, begins = np.empty(self.height, np.int32), np.empty(self.height + 1, np.int32)
        compiled().cut_lines(self.data, np.uint8(delimiter), width, self.starts, self.ends, cells, begins)
        if self.height and int(np.diff(begins).max()) > limits.line:
            raise NotPlainLinesError
        self._width = width
        self._buffer = pa.py_buffer(content)
        self.source_rows = pl.Series(SOURCE_ROW, np.arange(first, first + self.height, dtype=np.int64))
        self.ragged = pl.Series(RAGGED, [None], dtype=pl.String).new_from_index(0, self.height)
        odd = np.flatnonzero(cells != width)
        if width > 1 and odd.size:
            notes = [_misfit(bytes(content[begins[at] : begins[at + 1]]), delimiter, width) for at in odd.tolist()]
            self.ragged = self.ragged.scatter(pl.Series(odd), pl.Series(notes, dtype=pl.String))

    def column(self, at: int, rows: Rows | None = None) -> pl.Series:
        """The texts of a column, or of some rows of it, as views into the block; null where there is none."""
        starts = self.starts[at] if rows is None else self.starts[at][rows]
        ends = self.ends[at] if rows is None else self.ends[at][rows]
        views, filled = np.empty((starts.size, 4), np.int32), np.empty(starts.size, np.bool_)
        empty = compiled().text_views(self.data, starts, ends, views, filled)
        validity = pa.py_buffer(np.packbits(filled, bitorder="little")) if empty else None
        buffers = [validity, pa.py_buffer(views), self._buffer]
        array = pa.Array.from_buffers(pa.string_view(), starts.size, buffers, null_count=empty)
        return cast(pl.Series, pl.from_arrow(array)).alias(raw_name(at))

    def frame(self, rows: Rows | None = None) -> pl.DataFrame:
        """All columns, `source_row` and `ragged`, of all rows or of some."""
        own = [self.source_rows, self.ragged]
        if rows is not None:
            own = [column.gather(rows) for column in own]
        return pl.DataFrame([*(self.column(at, rows) for at in range(self._width)), *own])


def _misfit(line: bytes, delimiter: int, width: int) -> str | None:
    """What is wrong with a line of another number of cells, None if it is blank."""
    text = line.decode().rstrip("\r\n")
    cells = text.split(chr(delimiter))
    if len(cells) < width:
        return f"only {len(cells)} of {width} cells" if text.strip() else None
    beyond = [cell for cell in cells[width:] if cell.strip()]
    return f"more than {width} cells: {', '.join(beyond)[:200]}" if beyond else None
