"""Loops that cut a block of whole lines into cells, compiled by numba. See `compiled_loops`.

`data` is uint8, its first `size` bytes end with a newline, and eight bytes or more lie behind them. For cell `c` of
line `n`, `starts[c, n]` and `ends[c, n]` (int32) bound it; cells beyond `width` are counted in `found[n]` (int32) and
not kept, missing ones are empty. `begins[n]` (int32) is where a line begins. A carriage return before the newline
belongs to the line's end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harmonization.core.compiled_loops import compiled_loop
from harmonization.core.compiled_words import load_word, lowest_bit, repeated

_NEWLINE, _RETURN, _QUOTE = 10, 13, 34
_NEWLINES, _QUOTES, _ONES = repeated(_NEWLINE), repeated(_QUOTE), repeated(1)
_SEVEN_BITS = repeated(0x7F)


@compiled_loop
def _zero_bytes(word: Any) -> Any:
    """The highest bit of each byte of `word` that is 0, and no other."""
    return ~(((word & _SEVEN_BITS) + _SEVEN_BITS) | word | _SEVEN_BITS)


@compiled_loop
def cut_lines(
    data: Any, size: Any, delimiter: Any, width: Any, starts: Any, ends: Any, found: Any, begins: Any
) -> None:
    """Cut lines without quotes."""
    delimiters = np.uint64(delimiter) * _ONES
    line, cell, start = 0, 0, np.int64(0)
    begins[0] = 0
    for at in range(0, size, 8):
        word = load_word(data, np.uint64(at))
        hits = _zero_bytes(word ^ delimiters) | _zero_bytes(word ^ _NEWLINES)
        while hits != np.uint64(0):
            place = at + np.int64(lowest_bit(hits) >> np.uint64(3))
            hits &= hits - np.uint64(1)
            if place >= size:
                break
            end = place
            last = data[np.uint64(place)] == _NEWLINE
            if last and end > start and data[np.uint64(end - 1)] == _RETURN:
                end -= 1
            if cell < width:
                starts[cell, line] = start
                ends[cell, line] = end
            cell += 1
            start = place + 1
            if last:
                found[line] = cell
                for missing in range(cell, width):
                    starts[missing, line] = end
                    ends[missing, line] = end
                line += 1
                begins[line] = start
                cell = 0


@compiled_loop
def cut_quoted_lines(
    data: Any,
    size: Any,
    delimiter: Any,
    width: Any,
    starts: Any,
    ends: Any,
    found: Any,
    begins: Any,
    doubled: Any,
) -> Any:
    """Cut lines of which some cells are quoted: bounds are those of what stands between the quotes.

    `doubled[n]` (bool) says where a cell holds a doubled quote. Returns whether every quote is one that opens or closes
    a cell, or is doubled within one, and no line ends between quotes; if not, nothing else holds.
    """
    delimiters = np.uint64(delimiter) * _ONES
    line, cell, start = 0, 0, np.int64(0)
    quoted, inside = False, False
    closed, skipped = np.int64(-1), np.int64(-1)
    begins[0] = 0
    doubled[0] = False
    for at in range(0, size, 8):
        word = load_word(data, np.uint64(at))
        hits = _zero_bytes(word ^ delimiters) | _zero_bytes(word ^ _NEWLINES) | _zero_bytes(word ^ _QUOTES)
        while hits != np.uint64(0):
            place = at + np.int64(lowest_bit(hits) >> np.uint64(3))
            hits &= hits - np.uint64(1)
            if place >= size:
                break
            sign = data[np.uint64(place)]
            if sign == _QUOTE:
                if place == skipped:
                    continue
                if inside:
                    if data[np.uint64(place + 1)] == _QUOTE:
                        skipped = place + 1
                        doubled[line] = True
                    else:
                        inside = False
                        closed = place
                elif place == start and not quoted:
                    inside, quoted = True, True
                else:
                    return False
                continue
            last = sign == _NEWLINE
            if inside:
                if last:
                    return False
                continue
            end = place
            if last and end > start and data[np.uint64(end - 1)] == _RETURN:
                end -= 1
            if quoted:
                if closed + 1 != end:
                    return False
                quoted = False
                start += 1
                end = closed
            if cell < width:
                starts[cell, line] = start
                ends[cell, line] = end
            cell += 1
            start = place + 1
            if last:
                found[line] = cell
                for missing in range(cell, width):
                    starts[missing, line] = end
                    ends[missing, line] = end
                line += 1
                begins[line] = start
                cell = 0
                if line < doubled.size:
                    doubled[line] = False
    return True


@compiled_loop
def join_quotes(data: Any, starts: Any, ends: Any, lines: Any) -> None:
    """Make one quote of each doubled one in the cells of some `lines` (int64), where they lie."""
    for at in range(lines.size):
        line = lines[at]
        for cell in range(starts.shape[0]):
            to = starts[cell, line]
            place = to
            while place < ends[cell, line]:
                data[to] = data[place]
                # Between the quotes of a cell no quote stands alone.
                place += 2 if data[place] == _QUOTE else 1
                to += 1
            ends[cell, line] = to


@compiled_loop
def text_views(data: Any, starts: Any, ends: Any, views: Any, filled: Any) -> Any:
    """Arrow's string views (n, 2) uint64 into `data` of the slices given; `filled[n]` says which are not empty.

    Returns how many are empty. The layout is that of the Arrow columnar format, Variable-size Binary View: 32 bits of
    length, then up to 12 bytes of text, or four of them and 32 bits each of buffer 0 and the place in it.
    """
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    every = np.uint64(0xFFFFFFFFFFFFFFFF)
    empty = 0
    for row in range(starts.size):
        start = np.uint64(starts[row])
        length = np.uint64(ends[row]) - start
        filled[row] = length > np.uint64(0)
        if length == np.uint64(0):
            empty += 1
            views[row, 0] = 0
            views[row, 1] = 0
            continue
        head = load_word(data, start)
        if length > np.uint64(12):
            views[row, 0] = length | head << half
            views[row, 1] = start << half
            continue
        rest = np.uint64(0)
        if length < np.uint64(8):
            head &= every >> (np.uint64(64) - (length << np.uint64(3)))
        elif length > np.uint64(8):
            left = length - np.uint64(8)
            rest = load_word(data, start + np.uint64(8)) & (every >> (np.uint64(64) - (left << np.uint64(3))))
        views[row, 0] = length | head << half
        views[row, 1] = head >> half | (rest & low) << half
    return empty
