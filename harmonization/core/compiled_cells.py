"""Loops over the cells of a block of lines, compiled by numba: numbering values, reading plain numbers and instants.

A cell that is not written plainly is left unread, for the reader that knows every form. See `compiled_loops`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harmonization.core.compiled_loops import compiled_loop
from harmonization.core.compiled_words import load_word

_M1 = np.uint64(0x9E3779B97F4A7C15)
_M2 = np.uint64(0xFF51AFD7ED558CCD)


@compiled_loop
def _low_bytes(count: Any) -> Any:
    """A mask of the `count` (1 to 8) lowest bytes of a word."""
    return np.uint64(0xFFFFFFFFFFFFFFFF) >> (np.uint64(64) - (count << np.uint64(3)))


@compiled_loop
def _hash(data: Any, at: Any, length: Any) -> Any:
    eight = np.uint64(8)
    mixed = length * _M1
    while length > eight:
        mixed = (mixed ^ load_word(data, at)) * _M2
        mixed ^= mixed >> np.uint64(32)
        at += eight
        length -= eight
    mixed = (mixed ^ (load_word(data, at) & _low_bytes(length))) * _M2
    return mixed ^ (mixed >> np.uint64(32))


@compiled_loop
def _same(one: Any, at_one: Any, other: Any, at_other: Any, length: Any) -> Any:
    eight = np.uint64(8)
    while length > eight:
        if load_word(one, at_one) != load_word(other, at_other):
            return False
        at_one += eight
        at_other += eight
        length -= eight
    return (load_word(one, at_one) ^ load_word(other, at_other)) & _low_bytes(length) == np.uint64(0)


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

    `slots` (uint64, a power of two) is the hash table, the upper half of a digest beside a value's number;
    `hashes[v]` is the digest of value `v`, `pool[bounds[v]:bounds[v + 1]]` its bytes, `count` the values so far. `data`
    has eight bytes to spare. Returns the row it came to, where there was no room left, and the values.
    """
    half, one = np.uint64(32), np.uint64(1)
    mask = np.uint64(slots.size - 1)
    # Rows of one value lie together in many exports, and most of all those of a day.
    last, last_start, last_length = np.uint64(0), np.uint64(0), np.uint64(0)
    for number in range(first, starts.size):
        row = np.uint64(number)
        start = np.uint64(starts[row])
        length = np.uint64(ends[row]) - start
        if length == np.uint64(0):
            codes[row] = 0
            continue
        if length == last_length and _same(data, last_start, data, start, length):
            codes[row] = last
            continue
        digest = _hash(data, start, length)
        at = digest & mask
        while True:
            slot = slots[at]
            if slot == np.uint64(0):
                used = bounds[count + 1]
                size = np.int64(length)
                if 2 * (count + 1) > slots.size or count + 3 > bounds.size or used + size + 8 > pool.size:
                    return number, count
                count += 1
                for place in range(size):
                    pool[used + place] = data[start + np.uint64(place)]
                bounds[count + 1] = used + size
                hashes[count] = digest
                value = np.uint64(count)
                slots[at] = (digest >> half << half) | value
                break
            if slot >> half == digest >> half:
                value = slot & np.uint64(0xFFFFFFFF)
                begin = np.uint64(bounds[value])
                if np.uint64(bounds[value + one]) - begin == length and _same(pool, begin, data, start, length):
                    break
            at = (at + one) & mask
        codes[row] = value
        last, last_start, last_length = value, start, length
    return starts.size, count


@compiled_loop
def fill_slots(slots: Any, hashes: Any, count: Any) -> None:
    """Put values 1 to `count` into an empty table."""
    mask = np.uint64(slots.size - 1)
    for value in range(1, count + 1):
        digest = hashes[value]
        at = digest & mask
        while slots[at] != np.uint64(0):
            at = (at + np.uint64(1)) & mask
        slots[at] = (digest >> np.uint64(32) << np.uint64(32)) | np.uint64(value)


@compiled_loop
def read_numbers(data: Any, starts: Any, ends: Any, decimals: Any, digits: Any, values: Any, good: Any) -> Any:
    """Numbers such as `-12` and `3.50` times 10**decimals: `values[row, 0]`, its sign in `values[row, 1]` (int64).

    At most `digits` digits before the point and `decimals` after it. Returns how many cells it left unread.
    """
    left = 0
    one = np.uint64(1)
    for row in range(starts.size):
        # Unsigned, or each access would ask first whether the place counts from the end.
        at, end = np.uint64(starts[row]), np.uint64(ends[row])
        negative = at < end and data[at] == 45
        if negative:
            at += one
        whole = 0
        fraction = -1
        value = np.int64(0)
        plain: Any = at < end
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
            at += one
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
