"""Rows that repeat an earlier row's natural key, by whether they say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from harmonization.core.source_file import SOURCE_ROW

#: Rows that are compared in memory at a time, 40 bytes each and as much again to sort them.
_AT_ONCE: Final = 2_000_000
_TURN: Final = "turn"
_KEY: Final = ("first", "second")


def _no_rows() -> pl.Series:
    return pl.Series(dtype=pl.Int64)


@dataclass(frozen=True, slots=True, eq=False)
class Duplicates:
    """Rows known, after a look at the whole file, to repeat an earlier row's natural key, by number in the file.

    `conflicting` rows (Int64) say something else than the first and are quarantined; `repeated` ones say the same and
    are skipped. `by_rule` are rows that repeat an earlier one in the columns of a rule of kind `unique`, by its id.
    """

    conflicting: pl.Series = field(default_factory=_no_rows)
    repeated: pl.Series = field(default_factory=_no_rows)
    by_rule: Mapping[str, pl.Series] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(len(self.conflicting) or len(self.repeated) or self.by_rule)


NO_DUPLICATES: Final = Duplicates()


def key_words() -> tuple[pl.Expr, pl.Expr]:
    """The two words of `event_key`, as `first` and `second` (UInt64)."""
    key = pl.col("event_key")
    first, second = (key.str.slice(at, 16).str.to_integer(base=16, dtype=pl.UInt64) for at in (0, 16))
    return first.alias("first"), second.alias("second")


def find_duplicates(
    rows: pl.LazyFrame, scratch: Path, originals: Sequence[pl.LazyFrame] = (), *, at_once: int = _AT_ONCE
) -> tuple[pl.Series, pl.Series]:
    """Rows that repeat an earlier row's natural key, or that of an original: those that say something else, and those
    that say the same.

    Args:
        rows: canonical rows; `originals` have the same columns.
        scratch: a folder for what the rows are compared by.
        at_once: rows that are compared in memory at a time.
    """
    before = [frame.with_columns(pl.lit(0, dtype=pl.Int8).alias(_TURN)) for frame in originals]
    every = pl.concat([*before, rows.with_columns(pl.lit(1, dtype=pl.Int8).alias(_TURN))])
    content = pl.struct(pl.all().exclude(SOURCE_ROW, _TURN)).hash().alias("content")
    digests = scratch / "digests.parquet"
    every.select(*key_words(), SOURCE_ROW, _TURN, content).sink_parquet(digests, compression="lz4", engine="streaming")
    frame = pl.scan_parquet(digests)
    parts = 1 + frame.select(pl.len()).collect().item() // at_once
    found = [_repeats(frame.filter(pl.col("first") % parts == part)) for part in range(parts)]
    told = pl.concat(found).sort(SOURCE_ROW)
    return told.filter(~pl.col("same"))[SOURCE_ROW], told.filter("same")[SOURCE_ROW]


def _repeats(digests: pl.LazyFrame) -> pl.DataFrame:
    """`source_row` and `same` of the rows that are not the first with their key."""
    is_first = pl.any_horizontal(pl.col(word) != pl.col(word).shift() for word in _KEY).fill_null(True)
    return (
        digests.collect(engine="streaming")
        .sort(*_KEY, _TURN, SOURCE_ROW)
        .with_columns(is_first.alias("is_first"))
        .with_columns(pl.when("is_first").then("content").forward_fill().alias("original"))
        .filter(~pl.col("is_first") & (pl.col(_TURN) == 1))
        .select(SOURCE_ROW, (pl.col("content") == pl.col("original")).alias("same"))
    )
