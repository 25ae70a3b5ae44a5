"""A large CSV file of one record a line, cut into cells as it is read: no pass before, no copy beside it.

Blocks of whole lines are checked and cut by compiled loops, and the cells handed on as views into the block. A line
with too few or too many cells is told so. What this does not read (records over several lines, quotes inside bare
cells, another encoding, NUL, carriage returns in lines, lines without end) is found in the block where it stands, and
the file is then read from its beginning by the careful reader, which reads everything.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import polars as pl
import pyarrow as pa

from harmonization.core.digests import compiled_lines
from harmonization.core.source_file import RAGGED, SOURCE_ROW, Limits, raw_name

BLOCK: Final = 8 * 1024**2
_NEWLINE: Final = 10
#: The compiled loops read words of eight bytes, the last of them from the last byte on.
_SPARE: Final = 8

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Rows = np.ndarray[Any, np.dtype[np.int64]]


class NotPlainLinesError(ValueError):
    """The file is none that is read by lines alone."""


def is_plain(content: bytes | bytearray, delimiter: str | None = None) -> bool:
    """Whether whole lines are UTF-8 without NUL and carriage returns of their own, each with its quotes in pairs.

    Without a `delimiter`, any of the usual ones may part cells.
    """
    if not _is_text(content):
        return False
    if b'"' not in content:
        return True
    signs = [delimiter] if delimiter else [",", ";", "\t", "|"]
    return any(_is_quoted_well(content, sign) for sign in signs)


def _is_quoted_well(content: bytes | bytearray, delimiter: str) -> bool:
    sign = re.escape(delimiter)
    cell = rf'(?:"(?:[^"\r\n]|"")*"|[^"\r\n{sign}]*)'
    record = re.compile(rf"{cell}(?:{sign}{cell})*".encode())
    return all(record.fullmatch(line) for line in content.splitlines())


def _is_text(content: bytes | bytearray) -> bool:
    if b"\0" in content or b"\x01" in content:
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
            _skip_line(file, delimiter, limits)
        rest = b""
        # A new block is as much work for the machine as reading into it: those nobody holds any more are used again.
        rooms: list[bytearray] = []
        while True:
            room = _free(rooms, len(rest) + block + _SPARE)
            room[: len(rest)] = rest
            got = file.readinto(memoryview(room)[len(rest) : -_SPARE]) or 0
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
            room[cut:] = b"\n" * _SPARE
            batch = PlainBlock(room, ord(delimiter), width, number, limits)
            number += batch.height
            yield batch
            if not got:
                return


def _free(rooms: list[bytearray], size: int) -> bytearray:
    """One of the `rooms` that nothing looks into, made `size` bytes long, or a new one."""
    for room in rooms:
        try:
            if len(room) < size:
                room.extend(bytes(size - len(room)))
            else:
                # Also tells whether the bytes are held: then their number cannot change.
                del room[size - 1 :]
                room.append(0)
        except BufferError:
            continue
        return room
    rooms.append(bytearray(size))
    return rooms[-1]


def _skip_line(file: Any, delimiter: str, limits: Limits) -> None:
    """Move past one line of the unbuffered file."""
    start = file.tell()
    head = file.read(limits.line)
    end = head.find(b"\n")
    if end < 0 or not is_plain(head[: end + 1], delimiter):
        raise NotPlainLinesError
    file.seek(start + end + 1)


class PlainBlock:
    """Whole lines of the file, cut into cells: a batch of rows of which only those columns are made that are asked for.

    `data` are the block's bytes (uint8) and a few more, `starts` and `ends` (width, height) bound the cells.
    """

    def __init__(self, content: bytearray, delimiter: int, width: int, first: int, limits: Limits) -> None:
        """`content` ends with `_SPARE` bytes beyond its lines."""
        if not _is_text(content):
            raise NotPlainLinesError
        size = len(content) - _SPARE
        self.data: Bytes = np.frombuffer(content, np.uint8)
        self.height = int(np.count_nonzero(self.data[:size] == _NEWLINE))
        self.starts = np.empty((width, self.height), np.int32)
        self.ends = np.empty((width, self.height), np.int32)
        cells, begins = np.empty(self.height, np.int32), np.empty(self.height + 1, np.int32)
        into = (self.data, size, np.uint8(delimiter), width, self.starts, self.ends, cells, begins)
        doubled = None
        if b'"' in content:
            doubled = np.empty(self.height, np.bool_)
            if not compiled_lines().cut_quoted_lines(*into, doubled):
                raise NotPlainLinesError
        else:
            compiled_lines().cut_lines(*into)
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
        if doubled is not None and doubled.any():
            compiled_lines().join_quotes(self.data, self.starts, self.ends, np.flatnonzero(doubled))

    def column(self, at: int, rows: Rows | None = None) -> pl.Series:
        """The texts of a column, or of some rows of it, as views into the block; null where there is none."""
        starts = self.starts[at] if rows is None else self.starts[at][rows]
        ends = self.ends[at] if rows is None else self.ends[at][rows]
        views, filled = np.empty((starts.size, 2), np.uint64), np.empty(starts.size, np.bool_)
        empty = compiled_lines().text_views(self.data, starts, ends, views, filled)
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
    if '"' in text:
        try:
            cells = next(csv.reader([text], delimiter=chr(delimiter)))
        except csv.Error as error:
            raise NotPlainLinesError from error
    else:
        cells = text.split(chr(delimiter))
    if len(cells) < width:
        return f"only {len(cells)} of {width} cells" if text.strip() else None
    beyond = [cell for cell in cells[width:] if cell.strip()]
    return f"more than {width} cells: {', '.join(beyond)[:200]}" if beyond else None
