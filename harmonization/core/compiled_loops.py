"""Loops over bytes and rows, compiled by numba: what numpy and Polars have no vectorised form for.

Compiled once on a machine and kept beside this file, or in the user's cache where that folder cannot be written. Each
has a slower twin elsewhere that gives the same results, and a test that says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

from harmonization.core.compiled_words import load_word

Loop = TypeVar("Loop", bound=Callable[..., Any])

_P1 = np.uint64(0x9E3779B185EBCA87)
_P2 = np.uint64(0xC2B2AE3D27D4EB4F)
_P3 = np.uint64(0x165667B19E3779F9)
_P4 = np.uint64(0x85EBCA77C2B2AE63)
_P5 = np.uint64(0x27D4EB2F165667C5)
_ZERO = np.uint64(0)


def compiled_loop(loop: Loop) -> Loop:
    """The loop, compiled on its first call."""
    try:
        return numba.njit(loop, cache=True, nogil=True, boundscheck=False)  # type: ignore[no-any-return]
    except RuntimeError:
        # No folder to keep it in: compiled anew in each process.
        return numba.njit(loop, nogil=True, boundscheck=False)  # type: ignore[no-any-return]


@compiled_loop
def _rotate(value: Any, bits: Any) -> Any:
    return (value << np.uint64(bits)) | (value >> np.uint64(64 - bits))


@compiled_loop
def _round(lane: Any, word: Any) -> Any:
    return _rotate(lane + word * _P2, 31) * _P1


@compiled_loop
def _finish(mixed: Any) -> Any:
    mixed = (mixed ^ (mixed >> np.uint64(33))) * _P2
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _P3
    return mixed ^ (mixed >> np.uint64(32))


@compiled_loop
def _merge(a: Any, b: Any, c: Any, d: Any) -> Any:
    mixed = _rotate(a, 1) + _rotate(b, 7) + _rotate(c, 12) + _rotate(d, 18)
    mixed = (mixed ^ _round(_ZERO, a)) * _P1 + _P4
    mixed = (mixed ^ _round(_ZERO, b)) * _P1 + _P4
    mixed = (mixed ^ _round(_ZERO, c)) * _P1 + _P4
    return (mixed ^ _round(_ZERO, d)) * _P1 + _P4


@compiled_loop
def hash_rows(words: Any, seed: Any) -> Any:
    """XXH64 of each column of `words` (k, n) uint64: (n,) uint64."""
    count, rows = words.shape
    found = np.empty(rows, np.uint64)
    whole = count - count % 4 if count >= 4 else 0
    for row in range(rows):
        if whole:
            a, b, c, d = seed + _P1 + _P2, seed + _P2, seed, seed - _P1
            for at in range(0, whole, 4):
                a = _round(a, words[at, row])
                b = _round(b, words[at + 1, row])
                c = _round(c, words[at + 2, row])
                d = _round(d, words[at + 3, row])
            mixed = _merge(a, b, c, d)
        else:
            mixed = seed + _P5
        mixed += np.uint64(8 * count)
        for at in range(whole, count):
            mixed = _rotate(mixed ^ _round(_ZERO, words[at, row]), 27) * _P1 + _P4
        found[row] = _finish(mixed)
    return found


@compiled_loop
def hash_slices(data: Any, starts: Any, seed: Any) -> Any:
    """XXH64 of each slice of bytes: `data` uint8, `starts` (n + 1,) int64; (n,) uint64."""
    eight = np.uint64(8)
    rows = starts.size - 1
    found = np.empty(rows, np.uint64)
    for row in range(rows):
        at = np.uint64(starts[row])
        left = np.uint64(starts[row + 1]) - at
        length = left
        if length >= np.uint64(32):
            a, b, c, d = seed + _P1 + _P2, seed + _P2, seed, seed - _P1
            while left >= np.uint64(32):
                a = _round(a, load_word(data, at))
                b = _round(b, load_word(data, at + eight))
                c = _round(c, load_word(data, at + np.uint64(16)))
                d = _round(d, load_word(data, at + np.uint64(24)))
                at += np.uint64(32)
                left -= np.uint64(32)
            mixed = _merge(a, b, c, d)
        else:
            mixed = seed + _P5
        mixed += length
        while left >= eight:
            mixed = _rotate(mixed ^ _round(_ZERO, load_word(data, at)), 27) * _P1 + _P4
            at += eight
            left -= eight
        if left >= np.uint64(4):
            half = _ZERO
            for place in range(4):
                half |= np.uint64(data[at + np.uint64(place)]) << np.uint64(8 * place)
            mixed = _rotate(mixed ^ (half * _P1), 23) * _P2 + _P3
            at += np.uint64(4)
            left -= np.uint64(4)
        while left > _ZERO:
            mixed = _rotate(mixed ^ (np.uint64(data[at]) * _P5), 11) * _P1
            at += np.uint64(1)
            left -= np.uint64(1)
        found[row] = _finish(mixed)
    return found


@compiled_loop
def add_to_filter(filter_words: Any, digests: Any, shift: Any) -> Any:
    """Add `digests` (n,) uint64 to a blocked Bloom filter of 2**(64 - shift) words; True where one was there before.

    The top bits choose the word, thirty of the lower ones five bits of it (Putze, Sanders, Singler: Cache-, hash- and
    space-efficient Bloom filters, 2007). A digest that was added before is always found.
    """
    found = np.zeros(digests.size, np.bool_)
    one, mask = np.uint64(1), np.uint64(63)
    for row in range(digests.size):
        digest = digests[row]
        bits = (
            (one << (digest & mask))
            | (one << ((digest >> np.uint64(6)) & mask))
            | (one << ((digest >> np.uint64(12)) & mask))
            | (one << ((digest >> np.uint64(18)) & mask))
            | (one << ((digest >> np.uint64(24)) & mask))
        )
        at = digest >> shift
        word = filter_words[at]
        if word & bits == bits:
            found[row] = True
        else:
            filter_words[at] = word | bits
    return found


@compiled_loop
def hex_of(first: Any, second: Any, signs: Any) -> Any:
    """The bytes of two words a row as hex digits, most significant first: (n, 32) uint8; `signs` are the 16 digits."""
    found = np.empty((first.size, 32), np.uint8)
    for row in range(first.size):
        one, two = first[row], second[row]
        for place in range(16):
            found[row, 15 - place] = signs[one & np.uint64(15)]
            found[row, 31 - place] = signs[two & np.uint64(15)]
            one >>= np.uint64(4)
            two >>= np.uint64(4)
    return found
