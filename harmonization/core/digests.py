"""XXH64 of many values at once: of texts, and of rows of 64-bit words.

XXH64 is Yann Collet's (specification at https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md). Long columns are
hashed by compiled loops, short ones by the xxhash package and by numpy, with equal results: compiling, or loading what
was compiled before, takes longer than a small file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any, Final, cast

import numpy as np
import polars as pl
import xxhash

Words = np.ndarray[Any, np.dtype[np.uint64]]

#: From so many values on the compiled loops are used, and from fewer where something else has loaded them.
COMPILED_FROM: Final = 50_000
_LOADED_FROM: Final = 1_000

_PRIMES: Final = tuple(
    np.uint64(prime)
    for prime in (
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    )
)
_P1, _P2, _P3, _P4, _P5 = _PRIMES


@cache
def compiled() -> ModuleType:
    """The compiled loops; imported late, for numba is slow to load."""
    from harmonization.core import compiled_loops

    return compiled_loops


@cache
def compiled_cells() -> ModuleType:
    """The compiled loops over cells."""
    from harmonization.core import compiled_cells as loops

    return loops


@cache
def compiled_lines() -> ModuleType:
    """The compiled loops over lines."""
    from harmonization.core import compiled_lines as loops

    return loops


def worth_compiled(values: int) -> bool:
    """Whether the compiled loops are the quicker way for so many values."""
    return values >= (_LOADED_FROM if f"{__package__}.compiled_loops" in sys.modules else COMPILED_FROM)


def hash_texts(texts: pl.Series, seed: int, *, by_loops: bool | None = None) -> Words:
    """XXH64 of each text's UTF-8 bytes; `texts` is of strings without nulls.

    Returns:
        (n,) uint64.
    """
    if not (worth_compiled(len(texts)) if by_loops is None else by_loops):
        digest: Callable[[bytes, int], int] = xxhash.xxh64_intdigest
        return np.fromiter((digest(text, seed) for text in texts.cast(pl.Binary)), dtype=np.uint64, count=len(texts))
    array = texts.rechunk().cast(pl.Binary).to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = array.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(texts) + 1]
    content = np.frombuffer(data, dtype=np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
    return cast(Words, compiled().hash_slices(content, starts, np.uint64(seed)))


def hash_rows(words: Words, seed: int, *, by_loops: bool | None = None) -> Words:
    """XXH64 of each column of `words` (k, n), its k words as little-endian bytes in turn.

    Returns:
        (n,) uint64.
    """
    if worth_compiled(words.shape[1]) if by_loops is None else by_loops:
        return cast(Words, compiled().hash_rows(words, np.uint64(seed)))
    with np.errstate(over="ignore"):
        return _hash_rows(words, np.uint64(seed))


def _rotate(values: Words, bits: int) -> Words:
    return (values << np.uint64(bits)) | (values >> np.uint64(64 - bits))


def _round(lane: Words, word: Words) -> Words:
    return _rotate(lane + word * _P2, 31) * _P1


def _hash_rows(words: Words, seed: np.uint64) -> Words:
    count, rows = words.shape
    zero = np.zeros(rows, np.uint64)
    done = 0
    if count >= 4:
        lanes = [zero + seed + _P1 + _P2, zero + seed + _P2, zero + seed, zero + seed - _P1]
        for done in range(0, count - count % 4, 4):
            lanes = [_round(lane, words[done + place]) for place, lane in enumerate(lanes)]
        done += 4
        mixed = sum((_rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)), start=zero)
        for lane in lanes:
            mixed = (mixed ^ _round(zero, lane)) * _P1 + _P4
    else:
        mixed = zero + seed + _P5
    mixed = mixed + np.uint64(8 * count)
    for word in words[done:]:
        mixed = _rotate(mixed ^ _round(zero, word), 27) * _P1 + _P4
    mixed = (mixed ^ (mixed >> np.uint64(33))) * _P2
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _P3
    return cast(Words, mixed ^ (mixed >> np.uint64(32)))
