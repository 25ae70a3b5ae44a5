"""Good rows to a Parquet file, batch by batch, in one row group a batch.

Texts are written as dictionaries, for nearly all repeat; whole numbers, money and instants as differences, fractions by
the byte, which is both smaller and quicker than a general dictionary. Only texts and fractions are compressed then:
differences are packed as tight as their values let them. Readers see plain texts, INT64 decimals and UTC instants:
nothing in the file says how it was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from harmonization.core import rmis
from harmonization.core.batch_cells import Numbered

#: Level 1 of zstd: half the time of level 3 for a file larger by a few per cent.
_LEVEL: Final = 1
#: Of a dictionary with more unused values than this a batch is given only those it uses.
_SPARE_VALUES: Final = 1024
_TEXTS: Final = pa.dictionary(pa.int32(), pa.string())
#: Columns that readers leave row groups out by.
_PRUNED_BY: Final = ("period_start", "period_end", "event_ts_utc", "source_row")


class EventWriter:
    """A Parquet file of the canonical `columns`, in that order."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.rows = 0
        self._columns = list(columns)
        self._schema = pa.schema([pa.field(name, _type_of(name)) for name in columns])
        texts = [name for name in columns if self._schema.field(name).type == _TEXTS and name != "event_key"]
        differences = [name for name in columns if _by_difference(self._schema.field(name).type)]
        fractions = [name for name in columns if pa.types.is_floating(self._schema.field(name).type)]
        packed = [name for name in columns if name not in (*differences, "event_key")]
        encodings = dict.fromkeys(differences, "DELTA_BINARY_PACKED") | dict.fromkeys(fractions, "BYTE_STREAM_SPLIT")
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            # A key is a digest, and no codec makes that smaller.
            compression={name: "ZSTD" if name in packed else "NONE" for name in columns},
            compression_level=dict.fromkeys(packed, _LEVEL) or None,
            use_dictionary=texts,
            column_encoding=encodings,
            write_statistics=[name for name in _PRUNED_BY if name in columns],
            store_decimal_as_integer=True,
            store_schema=False,
        )
        self._constants: dict[tuple[str, str | None], Any] = {}

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def write(
        self,
        rows: int,
        columns: Mapping[str, pl.Series],
        numbered: Mapping[str, Numbered],
        constants: Mapping[str, str | None],
    ) -> None:
        """Write `rows` rows: each canonical column is in exactly one of the three mappings, or null throughout."""
        if not rows:
            return
        arrays = []
        for name, field in zip(self._columns, self._schema, strict=True):
            if name in columns:
                arrays.append(_array(columns[name], field.type))
            elif name in numbered:
                arrays.append(_coded(numbered[name]))
            else:
                arrays.append(self._constant(name, constants.get(name), rows, field.type))
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=rows)
        self.rows += rows

    def write_frame(self, frame: pl.DataFrame) -> None:
        """Write rows that have every canonical column."""
        self.write(frame.height, {name: frame[name] for name in self._columns}, {}, {})

    def _constant(self, name: str, value: str | None, rows: int, kind: pa.DataType) -> pa.Array:
        if value is None:
            return pa.nulls(rows, kind)
        kept = self._constants.get((name, value))
        if kept is None or len(kept) < rows:
            kept = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([value], pa.string()))
            self._constants[name, value] = kept
        return kept.slice(0, rows)


def _type_of(name: str) -> pa.DataType:
    dtype = rmis.COLUMNS[name].dtype if name in rmis.COLUMNS else rmis.MONEY
    if name == "event_key":
        return pa.large_string()
    if dtype == pl.String:
        return _TEXTS
    return pl.Series([], dtype=dtype).to_arrow().type


def _by_difference(kind: pa.DataType) -> bool:
    # A decimal of up to 18 digits is stored as a 64-bit integer, a longer one as bytes.
    short = pa.types.is_decimal(kind) and kind.precision <= 18
    return bool(pa.types.is_int64(kind) or pa.types.is_timestamp(kind) or short)


def _array(column: pl.Series, kind: pa.DataType) -> pa.Array:
    array = column.to_arrow(compat_level=pl.CompatLevel.oldest())
    if kind == _TEXTS:
        coded = array.dictionary_encode()
        return pa.DictionaryArray.from_arrays(coded.indices.cast(pa.int32()), coded.dictionary.cast(pa.string()))
    return array if array.type == kind else array.cast(kind)


def _coded(texts: Numbered) -> pa.Array:
    codes, values = texts.codes, texts.values
    if len(values) > max(_SPARE_VALUES, len(codes) // 8):
        used = np.zeros(len(values) + 1, np.bool_)
        used[codes] = True
        used[-1] = False
        kept = np.flatnonzero(used)
        places = np.full(len(values) + 1, -1, np.int32)
        places[kept] = np.arange(kept.size, dtype=np.int32)
        codes, values = places[codes], values.gather(kept)
    missing = codes < 0
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, mask=missing if missing.any() else None),
        pa.array(values.to_arrow(compat_level=pl.CompatLevel.oldest())).cast(pa.string()),
    )
