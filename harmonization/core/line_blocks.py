"""A large CSV file without quotes, cut into cells as it is read: no pass before, no copy beside it.

Blocks of whole lines are checked and cut by compiled loops, and the cells handed on as views into the block. A line
with too few or too many cells is told so. What this does not read (quotes, another encoding, NUL, carriage returns in
lines, lines without end) is found in the block where it stands, and the file is then read from its beginning by the
careful reader, which reads everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from harmonization.core.digests import compiled
from harmonization.core.source_file import RAGGED, SOURCE_ROW, Limits, raw_name

BLOCK: Final = 16 * 1024**2

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


class NotPlainLinesError(ValueError):
    """The file is none that is read by lines alone."""


def is_plain(content: bytes) -> bool:
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
) -> Iterator[pl.DataFrame]:
    """Rows below the header: `raw_n` (text), `source_row` (Int64) and `ragged` (text).

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
            frame = _frame(bytes(memoryview(room)[:cut]), ord(delimiter), width, number, limits)
            number += frame.height
            yield frame
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


def _frame(content: bytes, delimiter: int, width: int, first: int, limits: Limits) -> pl.DataFrame:
    if not is_plain(content):
        raise NotPlainLinesError
    lines = content.count(b"\n")
    data = np.frombuffer(content, np.uint8)
    starts, ends = np.empty((width, lines), np.int32), np.empty((width, lines), np.int32)
    cells, begins = np.empty(lines, np.int32), np.empty(lines + 1, np.int32)
    loops = compiled()
    loops.cut_lines(data, np.uint8(delimiter), width, starts, ends, cells, begins)
    if lines and int(np.diff(begins).max()) > limits.line:
        raise NotPlainLinesError
    buffer = pa.py_buffer(content)
    columns = [_column(data, buffer, starts[at], ends[at]).alias(raw_name(at)) for at in range(width)]
    ragged = pl.Series(RAGGED, [None], dtype=pl.String).new_from_index(0, lines)
    if width > 1 and (cells != width).any():
        odd = np.flatnonzero(cells != width)
        notes = [_misfit(content[begins[at] : begins[at + 1]], delimiter, width) for at in odd.tolist()]
        ragged = ragged.scatter(pl.Series(odd), pl.Series(notes, dtype=pl.String))
    numbers = pl.Series(SOURCE_ROW, np.arange(first, first + lines, dtype=np.int64))
    return pl.DataFrame([*columns, numbers, ragged])


def _column(data: Bytes, buffer: Any, starts: Any, ends: Any) -> pl.Series:
    rows = starts.size
    views, filled = np.empty((rows, 4), np.int32), np.empty(rows, np.bool_)
    empty = compiled().text_views(data, starts, ends, views, filled)
    validity = pa.py_buffer(np.packbits(filled, bitorder="little")) if empty else None
    array = pa.Array.from_buffers(pa.string_view(), rows, [validity, pa.py_buffer(views), buffer], null_count=empty)
    found = pl.from_arrow(array)
    assert isinstance(found, pl.Series)
    return found


def _misfit(line: bytes, delimiter: int, width: int) -> str | None:
    """What is wrong with a line of another number of cells, None if it is blank."""
    text = line.decode().rstrip("\r\n")
    cells = text.split(chr(delimiter))
    if len(cells) < width:
        return f"only {len(cells)} of {width} cells" if text.strip() else None
    beyond = [cell for cell in cells[width:] if cell.strip()]
    return f"more than {width} cells: {', '.join(beyond)[:200]}" if beyond else None
