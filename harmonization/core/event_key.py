"""The stable identity of a canonical row.

`event_key` is 128 bits in hex: XXH64 under seed 0, then under seed 1, of the row's words, and a word is XXH64 (under
the same seed, written as 8 bytes, least significant first) of one value of network, report, account and the contract's
natural key, in that order. A text is hashed as its UTF-8 bytes; a date as its days since 1970, an instant as its
microseconds since 1970 in UTC, a count as itself and money as its millionths, each as a signed 64-bit integer, least
significant byte first; null as the byte 1E. The same row in a later export of the same report has the same key,
whatever the file, the contract's version or the version of any library: restatements find what they replace by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import numpy as np
import polars as pl
import xxhash

from harmonization.core.digests import Words, compiled, hash_rows, hash_texts, worth_compiled
from harmonization.core.rmis import MONEY

IDENTITY: Final = ("network", "report", "account_id")
SEEDS: Final = (0, 1)
_NULL: Final = b"\x1e"
_DIGITS: Final = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def key_columns(natural_key: Sequence[str]) -> list[str]:
    """The columns that make the key, in its order."""
    return list(dict.fromkeys((*IDENTITY, *natural_key)))


def event_key(natural_key: Sequence[str]) -> pl.Expr:
    """The key over `IDENTITY` and `natural_key`, columns of the frame it is used on."""
    return pl.struct(key_columns(natural_key)).map_batches(_digest, return_dtype=pl.String(), is_elementwise=True)


def _digest(rows: pl.Series) -> pl.Series:
    columns = rows.struct.unnest().get_columns()
    first, second = (hash_rows(np.stack([words_of(column, seed) for column in columns]), seed) for seed in SEEDS)
    return hex_keys(first, second).alias(rows.name)


def words_of(values: pl.Series, seed: int) -> Words:
    """XXH64 of each value: (n,) uint64.

    Raises:
        TypeError: values of a type that no canonical column has.
    """
    empty = values.is_null()
    dtype = values.dtype
    if dtype == pl.String:
        found = hash_texts(values.fill_null("") if values.null_count() else values, seed)
    else:
        found = hash_rows(_integers(values).view(np.uint64).reshape(1, -1), seed)
    if values.null_count():
        found[empty.to_numpy()] = xxhash.xxh64_intdigest(_NULL, seed)
    return found


def _integers(values: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    dtype = values.dtype
    if dtype.is_decimal():
        array = values.cast(MONEY).rechunk().to_arrow()
        # 18 digits fill the lower half of the 16 bytes that Arrow gives a decimal; the upper repeats the sign.
        halves = np.frombuffer(array.buffers()[1], dtype=np.int64)
        return np.ascontiguousarray(halves[2 * array.offset :: 2][: len(values)])
    if dtype.is_integer() or dtype.is_temporal() or dtype == pl.Boolean:
        if isinstance(dtype, pl.Datetime):
            values = values.dt.cast_time_unit("us")
        return values.to_physical().cast(pl.Int64).fill_null(0).to_numpy().astype(np.int64)
    if dtype.is_float():
        return values.cast(pl.Float64).fill_null(0).to_numpy().view(np.int64)
    if dtype == pl.Null:
        return np.zeros(len(values), np.int64)
    raise TypeError(f"{values.name} is {dtype}, and no part of a key")


def hex_keys(first: Words, second: Words) -> pl.Series:
    """Two words a row as 32 hex digits."""
    if worth_compiled(first.size):
        digits = compiled().hex_of(first, second, _DIGITS)
    else:
        both = np.stack([first, second], axis=1).astype(">u8").view(np.uint8).reshape(-1, 16)
        digits = _DIGITS[np.stack([both >> 4, both & 15], axis=2).reshape(-1, 32)]
    return texts_of_bytes(digits)


def texts_of_bytes(digits: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> pl.Series:
    """ASCII bytes (n, width) as n texts, without a copy."""
    import pyarrow as pa

    rows, width = digits.shape
    offsets = pa.py_buffer(np.arange(0, (rows + 1) * width, width, dtype=np.int64))
    array = pa.LargeStringArray.from_buffers(rows, offsets, pa.py_buffer(np.ascontiguousarray(digits)))
    return cast(pl.Series, pl.from_arrow(array))
