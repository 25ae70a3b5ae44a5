"""Parquet exports: typed columns as text cells, so that a contract reads them as it reads any export.

Nothing is lost on the way: integers and decimals keep every digit, a float has the shortest text that reads back as
the same number, dates and times are ISO 8601, with the zone's offset where the column has a zone. A struct becomes
columns with dots, a list JSON text. The file is read by Arrow and checked batch by batch before anything computes on
it: a damaged page is an error that names the file, and memory is bounded by a batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
from polars.exceptions import PanicException, PolarsError
from pyarrow import parquet

from harmonization.core.json_records import Number, spell
from harmonization.core.mixed_text import REPLACEMENT
from harmonization.core.source_file import (
    HEAD_ROWS,
    RAGGED,
    SOURCE_ROW,
    FileTooLarge,
    Head,
    Limits,
    OpenedFile,
    UnreadableFile,
    raw_name,
)

_BATCH: Final = 16_384
_MOMENT: Final = "%Y-%m-%dT%H:%M:%S%.f"


def open_parquet(path: Path, *, scratch: Path, limits: Limits) -> OpenedFile:
    """Open a Parquet file. Rows are numbered from 1.

    Raises:
        UnreadableFile: damaged, encrypted, no columns, or two columns of one name.
        FileTooLarge: it expands beyond the limits, or has too many columns.
    """
    clean = scratch / "text.parquet"
    try:
        with parquet.ParquetFile(path, memory_map=False, pre_buffer=False) as file:
            _refuse_large(file.metadata, path, limits)
            names, head = _write(file, clean, path.name, limits)
    except (pa.ArrowException, OSError, ValueError, MemoryError, PolarsError, PanicException) as error:
        raise UnreadableFile(
            f"The Parquet file is damaged: {_first_line(error)}.", where=path.name, fix="Export it again."
        ) from error
    rows = (tuple(names), *(tuple(cell or "" for cell in row) for row in head.rows()))

    def frame(header_row: int, width: int) -> pl.LazyFrame:
        return pl.scan_parquet(clean, glob=False).select(
            *(raw_name(position) for position in range(width)), SOURCE_ROW, RAGGED
        )

    return OpenedFile(Head(rows=rows, kind="parquet"), frame)


def _refuse_large(metadata: parquet.FileMetaData, path: Path, limits: Limits) -> None:
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    expanded = sum(group.total_byte_size for group in groups)
    # A run of equal values takes no room however long it is: as text each cell has at least a separator.
    cells = metadata.num_rows * max(metadata.num_columns, 1)
    if max(expanded, cells) > limits.file_size:
        raise FileTooLarge(
            f"The file holds {metadata.num_rows:,} rows of {metadata.num_columns:,} columns, {expanded:,} bytes.",
            where=path.name,
            fix="Export a shorter period.",
        )


def _write(file: parquet.ParquetFile, clean: Path, name: str, limits: Limits) -> tuple[list[str], pl.DataFrame]:
    columns = list(_leaves(pl.from_arrow(file.schema_arrow.empty_table())))  # type: ignore[arg-type]
    names = [column for column, _ in columns]
    if not names:
        raise UnreadableFile("The Parquet file has no columns.", where=name, fix="Export the report again.")
    if len(names) > limits.columns:
        raise FileTooLarge(
            f"The file has {len(names):,} columns; the limit is {limits.columns:,}.",
            where=name,
            fix="Export fewer columns.",
        )
    if len(set(names)) < len(names):
        twice = next(column for column in names if names.count(column) > 1)
        raise UnreadableFile(f"Two columns are called {twice!r}.", where=name, fix="Give them distinct names.")
    head, done = pl.DataFrame(schema={raw_name(position): pl.String for position in range(len(names))}), 0
    writer: parquet.ParquetWriter | None = None
    try:
        for batch in file.iter_batches(batch_size=_BATCH, use_threads=False):
            batch.validate(full=True)
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame), "a record batch has columns"
            cells = _as_text(frame, [expression for _, expression in columns])
            if head.height < HEAD_ROWS - 1:
                head = pl.concat([head, cells.head(HEAD_ROWS - 1 - head.height)])
            told = cells.with_columns(
                pl.int_range(done + 1, done + 1 + pl.len(), dtype=pl.Int64).alias(SOURCE_ROW), _unfit(len(names))
            )
            # A rule that the row breaks as well shows the cell, and no database takes a NUL.
            told = told.with_columns(
                pl.col(raw_name(position)).str.replace_all("\0", REPLACEMENT, literal=True)
                for position in range(len(names))
            )
            table = told.to_arrow(compat_level=pl.CompatLevel.oldest())
            writer = writer or parquet.ParquetWriter(clean, table.schema, compression="lz4")
            writer.write_table(table)
            done += cells.height
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        empty = head.with_columns(pl.lit(0, pl.Int64).alias(SOURCE_ROW), pl.lit(None, pl.String).alias(RAGGED))
        empty.clear().write_parquet(clean)
    return names, head


def _as_text(frame: pl.DataFrame, expressions: list[pl.Expr]) -> pl.DataFrame:
    return frame.select(expression.alias(raw_name(position)) for position, expression in enumerate(expressions))


def _unfit(width: int) -> pl.Expr:
    nul = pl.any_horizontal(
        pl.col(raw_name(position)).str.contains("\0", literal=True).fill_null(False) for position in range(width)
    )
    return pl.when(nul).then(pl.lit("a cell holds a NUL character")).alias(RAGGED)


def _leaves(frame: pl.DataFrame) -> Iterator[tuple[str, pl.Expr]]:
    for name, dtype in frame.schema.items():
        yield from _leaf(name, pl.col(name), dtype)


def _leaf(name: str, cells: pl.Expr, dtype: pl.DataType) -> Iterator[tuple[str, pl.Expr]]:
    if isinstance(dtype, pl.Struct):
        for inner in dtype.fields:
            yield from _leaf(f"{name}.{inner.name}", cells.struct.field(inner.name), _instance(inner.dtype))
    else:
        yield name, _text(cells, dtype)


def _instance(dtype: Any) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else dtype  # type: ignore[no-any-return]


def _text(cells: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype.is_float():
        return _each(cells, _float)
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            return cells.dt.strftime(_MOMENT)
        return cells.dt.strftime(f"{_MOMENT}%:z").str.replace(r"\+00:00$", "Z")
    if isinstance(dtype, pl.Duration):
        return cells.dt.to_string("iso")
    if dtype.is_nested():
        return _each(cells, _nested)
    if isinstance(dtype, pl.Binary):
        return _each(cells, _bytes)
    return cells.cast(pl.String)


def _each(cells: pl.Expr, spelled: Callable[[Any], str]) -> pl.Expr:
    """Python for the few kinds whose text Polars does not give exactly."""

    def convert(batch: pl.Series) -> pl.Series:
        texts = [None if value is None else spelled(value) for value in batch.to_list()]
        return pl.Series(batch.name, texts, dtype=pl.String)

    return cells.map_batches(convert, return_dtype=pl.String, is_elementwise=True)


def _float(value: float) -> str:
    """Without an exponent: contracts read `0.0000001`, not `1e-07`."""
    text = repr(value)
    if math.isfinite(value) and "e" in text:
        return format(Decimal(text), "f")
    return text.removesuffix(".0")


def _bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"0x{value.hex()}"


def _nested(value: Any) -> str:
    return spell(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | pl.Series):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return Number(format(value, "f"))
    if isinstance(value, float):
        return Number(_float(value)) if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return _bytes(value)
    return value if value is None or isinstance(value, bool | int | str) else value.isoformat()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
