"""The compiled loops say what the packages say, whatever the length of a text or a row."""

from __future__ import annotations

import numpy as np
import polars as pl
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from harmonization.core.digests import compiled, hash_rows, hash_texts
from harmonization.core.event_key import hex_keys

words = st.integers(0, 2**64 - 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=90), max_size=12), words)
def test_texts_are_hashed_alike(texts: list[str], seed: int) -> None:
    column = pl.Series(texts, dtype=pl.String)
    expected = [xxhash.xxh64_intdigest(text.encode(), seed) for text in texts]
    assert hash_texts(column, seed, by_loops=False).tolist() == expected
    assert hash_texts(column, seed, by_loops=True).tolist() == expected
    assert hash_texts(pl.concat([column, column]).slice(len(texts)), seed, by_loops=True).tolist() == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(words, min_size=3, max_size=3), min_size=1, max_size=14), words)
def test_rows_are_hashed_alike(rows: list[list[int]], seed: int) -> None:
    table = np.array(rows, dtype=np.uint64)
    expected = [xxhash.xxh64_intdigest(table[:, at].tobytes(), seed) for at in range(3)]
    assert hash_rows(table, seed, by_loops=False).tolist() == expected
    assert hash_rows(table, seed, by_loops=True).tolist() == expected


def test_keys_are_hex_with_the_first_word_first() -> None:
    first = np.array([0x0123456789ABCDEF, 0], dtype=np.uint64)
    second = np.array([0xFEDCBA9876543210, 2**64 - 1], dtype=np.uint64)
    expected = ["0123456789abcdeffedcba9876543210", "0" * 16 + "f" * 16]
    assert hex_keys(first, second).to_list() == expected
    digits = compiled().hex_of(first, second, np.frombuffer(b"0123456789abcdef", np.uint8))
    assert [bytes(row).decode() for row in digits] == expected


def test_what_was_added_to_the_filter_is_always_found() -> None:
    digests = np.random.default_rng(3).integers(0, 2**64, 4000, dtype=np.uint64)
    table = np.zeros(2**14, np.uint64)
    shift = np.uint64(50)
    new = compiled().add_to_filter(table, digests[:2000], shift)
    assert new.sum() < 20
    assert compiled().add_to_filter(table, digests[:2000], shift).all()
    assert compiled().add_to_filter(table, digests[2000:], shift).sum() < 40
