"""Attributed outcomes as the long table that they are: a row for each figure of each event."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import polars as pl

from harmonization.core.attribution import Attribution
from harmonization.core.rmis import ATTRIBUTIONS, MONEY

PREFIX: Final = "att__"
_FROM_EVENT: Final = ("purchased_sku_id", "purchased_gtin")


def attributions_long(events: pl.LazyFrame) -> pl.LazyFrame:
    """The table `attributions` of wide `events`: the columns of `rmis.ATTRIBUTIONS`, in their order.

    A figure that a report does not tell has no row; one that it tells to be 0 has.

    Raises:
        ValueError: a column whose name begins as an attribution's does is none.
    """
    present = events.collect_schema().names()
    wide = [name for name in present if name.startswith(PREFIX)]
    told = [{"column": name, **asdict(Attribution.parse(name))} for name in wide]
    schema = {"column": pl.String()} | {
        column.name: column.dtype for column in ATTRIBUTIONS if column.name not in ("event_key", "value", *_FROM_EVENT)
    }
    qualifiers = pl.DataFrame(told, schema=schema)
    of_event = [name for name in _FROM_EVENT if name in present]
    missing = [pl.lit(None, dtype=pl.String).alias(name) for name in _FROM_EVENT if name not in present]
    long = (
        events.select("event_key", *of_event, pl.col(wide).cast(MONEY))
        .unpivot(on=wide, index=["event_key", *of_event], variable_name="column", value_name="value")
        .filter(pl.col("value").is_not_null())
        if wide
        else events.select("event_key", *of_event)
        .head(0)
        .with_columns(pl.lit(None, dtype=pl.String).alias("column"), pl.lit(None, dtype=MONEY).alias("value"))
    )
    return (
        long.join(qualifiers.lazy(), on="column", how="left")
        .with_columns(missing)
        .select(column.name for column in ATTRIBUTIONS)
    )
