"""Loops over the cells of a block of lines, compiled by numba: numbering values, reading plain numbers and instants.

A cell that is not written plainly is left unread, for the reader that knows every form. See `compiled_loops`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harmonization.core.compiled_loops import compiled_loop, word_at

_M1 = np.uint64(0x9E3779B97F4A7C15)
_M2 = np.uint64(0xFF51AFD7ED558CCD)


@compiled_loop
def _hash(data: Any, start: Any, end: Any) -> Any:
    mixed = np.uint64(end - start) * _M1
    at = start
    while end - at >= 8:
        mixed = (mixed ^ word_at(data, at)) * _M2
        mixed ^= mixed >> np.uint64(29)
        at += 8
    tail = np.uint64(0)
    while at < end:
        tail = (tail << np.uint64(8)) | np.uint64(data[at])
        at += 1
    mixed = (mixed ^ tail) * _M2
    return mixed ^ (mixed >> np.uint64(32))


@compiled_loop
def number_slices(
    data: Any,
    starts: Any,
    ends: Any,
    slots: Any,
    hashes: Any,
    pool: Any,
    bounds: Any,
    count: Any,
    first: Any,
    codes: Any,
) -> Any:
    """Number the slices of `data` from row `first` on: `codes[row]` is 1 for the first value, 2 for the next, 0 empty.

    `slots` (int32, a power of two) is the hash table, `hashes[v]` that of value `v`, `pool[bounds[v]:bounds[v + 1]]`
    its bytes, `count` the values so far. Returns the row it came to, where there was no room left, and the values.
    """
    mask = np.uint64(slots.size - 1)
    for row in range(first, starts.size):
        start, end = starts[row], ends[row]
        length = end - start
        if length == 0:
            codes[row] = 0
            continue
        digest = _hash(data, start, end)
        at = digest & mask
        while True:
            value = slots[at]
            if value == 0:
                used = bounds[count + 1]
                if 2 * (count + 1) > slots.size or count + 3 > bounds.size or used + length > pool.size:
                    return row, count
                count += 1
                for place in range(length):
                    pool[used + place] = data[start + place]
                bounds[count + 1] = used + length
                hashes[count] = digest
                slots[at] = count
                codes[row] = count
                break
            if hashes[value] == digest and bounds[value + 1] - bounds[value] == length:
                begin = bounds[value]
                same = True
                place = 0
                while length - place >= 8 and same:
                    same = word_at(pool, begin + place) == word_at(data, start + place)
                    place += 8
                while place < length and same:
                    same = pool[begin + place] == data[start + place]
                    place += 1
                if same:
                    codes[row] = value
                    break
            at = (at + np.uint64(1)) & mask
    return starts.size, count


@compiled_loop
def fill_slots(slots: Any, hashes: Any, count: Any) -> None:
    """Put values 1 to `count` into an empty table."""
    mask = np.uint64(slots.size - 1)
    for value in range(1, count + 1):
        at = hashes[value] & mask
        while slots[at] != 0:
            at = (at + np.uint64(1)) & mask
        slots[at] = value


@compiled_loop
def read_numbers(data: Any, starts: Any, ends: Any, decimals: Any, digits: Any, values: Any, good: Any) -> Any:
    """Numbers such as `-12` and `3.50` times 10**decimals: `values[row, 0]`, its sign in `values[row, 1]` (int64).

    At most `digits` digits before the point and `decimals` after it. Returns how many cells it left unread.
    """
    left = 0
    for row in range(starts.size):
        at, end = starts[row], ends[row]
        negative = at < end and data[at] == 45
        if negative:
            at += 1
        whole = 0
        fraction = -1
        value = np.int64(0)
        plain = at < end
        while at < end:
            sign = data[at]
            if 48 <= sign <= 57:
                value = value * 10 + np.int64(sign - 48)
                if fraction < 0:
                    whole += 1
                else:
                    fraction += 1
            elif sign == 46 and fraction < 0 and decimals > 0:
                fraction = 0
            else:
                plain = False
                break
            if whole > digits or fraction > decimals:
                plain = False
                break
            at += 1
        if not plain or whole == 0 or fraction == 0:
            good[row] = False
            values[row, 0] = 0
            values[row, 1] = 0
            left += 1
            continue
        for _ in range(decimals - max(fraction, 0)):
            value *= 10
        if negative:
            value = -value
        good[row] = True
        values[row, 0] = value
        values[row, 1] = value >> 63
    return left


@compiled_loop
def read_instants(data: Any, starts: Any, ends: Any, between: Any, values: Any, good: Any) -> Any:
    """`2026-07-01 12:30:00`, with the byte `between` day and time, as microseconds since 1970: `values` (int64).

    Days from the civil calendar by Howard Hinnant's algorithm. Returns how many cells it left unread.
    """
    left = 0
    for row in range(starts.size):
        at = starts[row]
        plain = ends[row] - at == 19
        if plain:
            plain = (
                data[at + 4] == 45
                and data[at + 7] == 45
                and data[at + 10] == between
                and data[at + 13] == 58
                and data[at + 16] == 58
            )
        if plain:
            for place in range(19):
                sign = data[at + place]
                if place not in (4, 7, 10, 13, 16) and not 48 <= sign <= 57:
                    plain = False
        if plain:
            year = (
                np.int64(data[at] - 48) * 1000
                + np.int64(data[at + 1] - 48) * 100
                + np.int64(data[at + 2] - 48) * 10
                + np.int64(data[at + 3] - 48)
            )
            month = np.int64(data[at + 5] - 48) * 10 + np.int64(data[at + 6] - 48)
            day = np.int64(data[at + 8] - 48) * 10 + np.int64(data[at + 9] - 48)
            hour = np.int64(data[at + 11] - 48) * 10 + np.int64(data[at + 12] - 48)
            minute = np.int64(data[at + 14] - 48) * 10 + np.int64(data[at + 15] - 48)
            second = np.int64(data[at + 17] - 48) * 10 + np.int64(data[at + 18] - 48)
            longest = 31
            if month in (4, 6, 9, 11):
                longest = 30
            elif month == 2:
                longest = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
            plain = (
                year >= 1000 and 1 <= month <= 12 and 1 <= day <= longest and hour < 24 and minute < 60 and second < 60
            )
        good[row] = plain
        if not plain:
            values[row] = 0
            left += 1
            continue
        shifted = year - (1 if month <= 2 else 0)
        era = shifted // 400
        of_era = shifted - era * 400
        of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
        days = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
        values[row] = ((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000
    return left
