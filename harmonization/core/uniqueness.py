"""Rules of kind `unique`: rows that repeat an earlier row of the file in some columns.

No row tells by itself, so they are looked for in what a first run wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from harmonization.core.binding import Binding
from harmonization.core.contract import Contract, Severity, Unique
from harmonization.core.rules import Violation, unique_columns
from harmonization.core.source_file import SOURCE_ROW


def is_among(rows: pl.Series) -> pl.Expr:
    """Whether a row is one of `rows` (Int64), by number in the file."""
    return pl.col(SOURCE_ROW).is_in(rows.implode()) if len(rows) else pl.lit(False)


def repeated_in_columns(events: Path, binding: Binding) -> dict[str, pl.Series]:
    """By rule of kind `unique`, the rows of `events` (Parquet) that are not the first with their values.

    Rows with a null among the values are not compared: what is not known is not known to be the same.
    """
    rules = [rule for rule in binding.contract.rules if isinstance(rule, Unique)]
    if not rules:
        return {}
    frame = pl.scan_parquet(events)
    there = set(frame.collect_schema().names())
    found = {rule.id: unique_columns(rule, binding, there) for rule in rules}
    repeats = {rule: _repeats(frame, columns) for rule, columns in found.items() if columns}
    return {rule: rows for rule, rows in repeats.items() if len(rows)}


def _repeats(frame: pl.LazyFrame, columns: list[str]) -> pl.Series:
    # Eight bytes a row instead of its values; what collides by chance is told apart by the values themselves below.
    known = frame.filter(pl.all_horizontal(pl.col(column).is_not_null() for column in columns))
    hashed = known.with_columns(pl.struct(columns).hash().alias("digest"))
    several = (hashed.select("digest").group_by("digest").len().filter(pl.col("len") > 1).select("digest")).collect(
        engine="streaming"
    )
    if several.is_empty():
        return pl.Series(dtype=pl.Int64)
    rows = hashed.join(several.lazy(), on="digest", how="semi").select(SOURCE_ROW, *columns).collect(engine="streaming")
    later = rows.sort(SOURCE_ROW).filter(~pl.struct(columns).is_first_distinct())
    return later[SOURCE_ROW]


def unique_violations(contract: Contract, by_rule: Mapping[str, pl.Series], severity: Severity) -> list[Violation]:
    """The rules of `severity` that some rows break."""
    return [
        Violation(rule.id, None, is_among(by_rule[rule.id]))
        for rule in contract.rules
        if isinstance(rule, Unique) and rule.severity == severity and rule.id in by_rule
    ]
