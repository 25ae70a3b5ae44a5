"""Whether a frame is the table of the canonical schema that it claims to be."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from harmonization.core.attribution import Attribution
from harmonization.core.attributions_long import PREFIX
from harmonization.core.rmis import MONEY, TABLE_VOCABULARIES, TABLES, Column


@dataclass(frozen=True, slots=True)
class Departure:
    """A column that is not as the schema says, in words; `rows` counts values at fault, 0 where the whole column is."""

    column: str
    detail: str
    rows: int = 0


def departures(table: str, frame: pl.LazyFrame) -> list[Departure]:
    """Every way in which `frame` is not the `table` (a key of `TABLES`); none where it conforms.

    Columns that are always there are missing or of another type, columns are unknown, values are outside the closed
    list of their column, rows repeat the table's key. Of `events`, attribution columns are known by their names.

    Raises:
        KeyError: there is no such table.
    """
    described = TABLES[table]
    known = {column.name: column for column in described.columns}
    schema = frame.collect_schema()
    found = [
        Departure(column.name, "is missing")
        for column in described.columns
        if column.always and column.name not in schema
    ]
    for name, dtype in schema.items():
        wanted = _dtype(table, name, known)
        if wanted is None:
            found.append(Departure(name, "is no column of the table"))
        elif dtype != wanted:
            found.append(Departure(name, f"is {dtype}, not {wanted}"))
    sound = {name for name in schema if name in known and schema[name] == known[name].dtype}
    return [*found, *_values(frame, sorted(sound)), *_key(frame, [name for name in described.key if name in sound])]


def _dtype(table: str, name: str, known: dict[str, Column]) -> pl.DataType | None:
    if name in known:
        return known[name].dtype
    if table == "events" and name.startswith(PREFIX):
        try:
            Attribution.parse(name)
        except ValueError:
            return None
        return MONEY
    return None


def _values(frame: pl.LazyFrame, names: list[str]) -> list[Departure]:
    closed = [name for name in names if name in TABLE_VOCABULARIES]
    if not closed:
        return []
    counted = frame.select((~pl.col(name).is_in(TABLE_VOCABULARIES[name])).sum() for name in closed).collect(
        engine="streaming"
    )
    return [
        Departure(name, "has values outside its closed list", rows)
        for name, rows in zip(closed, counted.row(0), strict=True)
        if rows
    ]


def _key(frame: pl.LazyFrame, key: list[str]) -> list[Departure]:
    if not key:
        return []
    rows, different = frame.select(pl.len(), pl.struct(key).n_unique().alias("n")).collect(engine="streaming").row(0)
    return [Departure(", ".join(key), "does not tell rows apart", rows - different)] if rows != different else []
