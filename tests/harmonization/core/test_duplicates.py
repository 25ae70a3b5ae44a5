"""Repeated rows are told from conflicting ones, however many are compared at a time."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harmonization.core.duplicates import find_duplicates
from harmonization.core.rows_aside import RowsAside

rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1)), min_size=1, max_size=30)


def frame(rows: list[tuple[int, int]], first: int) -> pl.LazyFrame:
    keys = [f"{key:016x}{key % 2:016x}" for key, _ in rows]
    numbers = range(first, first + len(rows))
    clicks = [clicks for _, clicks in rows]
    return pl.LazyFrame(
        {"event_key": keys, "source_row": numbers, "clicks": clicks}, schema_overrides={"clicks": pl.Int64}
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows, rows, st.sampled_from([1, 7, 1000]))
def test_the_first_of_its_key_counts(
    tmp_path: Path, earlier: list[tuple[int, int]], later: list[tuple[int, int]], at_once: int
) -> None:
    originals = [frame(list(dict(reversed(earlier)).items()), 1)]
    conflicting, repeated = find_duplicates(frame(later, 100), tmp_path, originals, at_once=at_once)
    first = dict(reversed(earlier))
    told: dict[str, list[int]] = {"conflicting": [], "repeated": []}
    for number, (key, clicks) in enumerate(later, start=100):
        if key in first:
            told["repeated" if first[key] == clicks else "conflicting"].append(number)
        else:
            first[key] = clicks
    assert (conflicting.to_list(), repeated.to_list()) == (told["conflicting"], told["repeated"])


@pytest.mark.parametrize("sizes", [[3], [9000], [5, 9000, 5], [60_000, 60_000], []])
def test_rows_aside_come_back_in_their_order(tmp_path: Path, sizes: list[int]) -> None:
    aside, number = RowsAside(tmp_path, "some"), 0
    for size in sizes:
        numbers = range(number, number + size)
        aside.put(pl.DataFrame({"n": numbers, "text": [f"text number {each}" for each in numbers]}))
        number += size
    found = aside.frame()
    if found is None:
        assert not number
    else:
        assert found.collect()["n"].to_list() == list(range(number))
