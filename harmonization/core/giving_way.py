"""Which rows of a load's files give way to another's, what they come to, and files with or without them.

Rows are decided over all files of a load in order, as a mask of one byte a row. Keys are compared by parts of their
hash and rows are copied by batches, so that memory does not grow with either load beyond that byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from harmonization.core.restatement import KEY, WIDE, Move, Verdict, by_currency

Mask = npt.NDArray[np.bool_]
#: Keys of a part: one side of the comparison that is held at a time.
KEYS_AT_ONCE: Final = 1_000_000
_BATCH: Final = 131_072
_SEED: Final = 7
SOURCE_ROW: Final = "source_row"


@dataclass(frozen=True, slots=True)
class Given:
    """Rows of `files` that give way, as a mask over the files in order, and what they come to."""

    files: tuple[Path, ...]
    mask: Mask
    move: Move


def give_way(
    files: Sequence[Path],
    *,
    keys: Sequence[Path],
    verdict: Verdict,
    earlier: str,
    later: str,
    among: Mask | None = None,
) -> Given:
    """Rows of `files` whose key is among those of `keys`, and those that the verdict takes.

    Args:
        among: only these rows of `files` are there to give way.
    """
    mask = _with_keys(files, keys)
    if verdict.gone is not None:
        mask |= _matching(files, verdict.gone)
    if among is not None:
        mask &= among
    rows, spend = sums(files, mask)
    move = Move(
        later=later,
        earlier=earlier,
        mode="rows" if verdict.gone is None else "period",
        looks_filtered=verdict.looks_filtered,
        rows=rows,
        spend=spend,
        vanished_rows=verdict.vanished_rows,
        vanished_spend=verdict.vanished_spend,
        straddling_rows=verdict.straddling_rows,
        straddling_spend=verdict.straddling_spend,
    )
    return Given(tuple(files), mask, move)


def give_all(files: Sequence[Path], *, earlier: str, later: str) -> Given:
    """The same file, read anew: nothing of the earlier reading stays."""
    mask = np.ones(rows_of(files), np.bool_)
    rows, spend = sums(files, mask)
    return Given(tuple(files), mask, Move(later=later, earlier=earlier, mode="anew", rows=rows, spend=spend))


def rows_of(files: Sequence[Path]) -> int:
    """How many rows the files hold."""
    return sum(int(pq.read_metadata(path).num_rows) for path in files)


def sums(files: Sequence[Path], mask: Mask) -> tuple[int, dict[str, Decimal]]:
    """How many rows the mask marks, and their spend by currency."""
    rows = int(mask.sum())
    if not rows:
        return 0, {}
    parts = [
        frame.group_by("currency").agg(pl.col("spend").cast(WIDE).sum())
        for frame in _marked(files, mask, ["currency", "spend"])
    ]
    return rows, by_currency(pl.concat(parts).group_by("currency").agg(pl.col("spend").sum()))


def days_of(files: Sequence[Path], mask: Mask) -> tuple[Any, Any]:
    """First and last day of the rows that the mask marks; None and None where it marks none."""
    parts = [
        frame.select(pl.col("period_start").min(), pl.col("period_end").max())
        for frame in _marked(files, mask, ["period_start", "period_end"])
    ]
    if not parts:
        return None, None
    both = pl.concat(parts)
    return both["period_start"].min(), both["period_end"].max()


def copy_rows(files: Sequence[Path], mask: Mask, path: Path) -> int:
    """Write the rows that the mask marks into one Parquet file; how many that are."""
    empty = pl.concat([pl.read_parquet(one, n_rows=0) for one in files], how="diagonal")
    schema = _as_arrow(empty).schema
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
        for frame in _gathered(_marked(files, mask)):
            writer.write_table(_as_arrow(pl.concat([empty, frame], how="diagonal")))
    return int(mask.sum())


def without_rows(files: Sequence[Path], others: Sequence[Path]) -> Mask:
    """Rows of `files` whose number in the source is not among those of `others`, files of the same load."""
    if not others:
        return np.ones(rows_of(files), np.bool_)
    theirs = np.concatenate([_numbers(path) for path in others])
    return ~np.isin(np.concatenate([_numbers(path) for path in files]), theirs)


def _numbers(path: Path) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = pl.read_parquet(path, columns=[SOURCE_ROW])[SOURCE_ROW].cast(pl.Int64).to_numpy()
    return found


def _with_keys(files: Sequence[Path], keys: Sequence[Path]) -> Mask:
    rows, theirs = rows_of(files), rows_of(keys)
    mask = np.zeros(rows, np.bool_)
    if not rows or not theirs:
        return mask
    parts = -(-max(rows, theirs) // KEYS_AT_ONCE)
    ours = pl.concat([pl.scan_parquet(path).select(KEY) for path in files]).with_row_index("row")
    others = pl.concat([pl.scan_parquet(path).select(KEY) for path in keys])
    for part in range(parts):
        here = pl.col(KEY).hash(_SEED) % parts == part if parts > 1 else pl.lit(True)
        found = ours.filter(here).join(others.filter(here), on=KEY, how="semi").select("row")
        mask[found.collect(engine="streaming")["row"].to_numpy()] = True
    return mask


def _matching(files: Sequence[Path], condition: pl.Expr) -> Mask:
    columns = condition.meta.root_names()
    found = [frame.select(condition.fill_null(False).alias("is")) for frame in _batches(files, columns)]
    return pl.concat(found)["is"].to_numpy().astype(np.bool_) if found else np.zeros(0, np.bool_)


def _marked(files: Sequence[Path], mask: Mask, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    start = 0
    for frame in _batches(files, columns):
        here = mask[start : start + frame.height]
        start += frame.height
        if here.any():
            yield frame if here.all() else frame.filter(pl.Series(here))


def _batches(files: Sequence[Path], columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH, columns=list(columns) if columns else None):
                yield pl.DataFrame(pa.Table.from_batches([batch]))


def _gathered(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same rows in frames of a batch at least: few rows stay of many batches, and a row group of each is dear."""
    kept: list[pl.DataFrame] = []
    for frame in frames:
        kept.append(frame)
        if sum(one.height for one in kept) >= _BATCH:
            yield pl.concat(kept, how="diagonal")
            kept = []
    if kept:
        yield pl.concat(kept, how="diagonal")


def _as_arrow(frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())
