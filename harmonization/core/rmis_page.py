"""docs/rmis.md, written from the schema: `python -m harmonization.core.rmis_page > docs/rmis.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import polars as pl

from harmonization.core import rmis

_INTRODUCTION = """\
# RMIS: the canonical schema

Written by `python -m harmonization.core.rmis_page` from `harmonization/core/rmis.py`; a test holds the two together.

Every report of every network becomes rows of `events`. Attributed outcomes are a long table in thought: one row per
metric, window, product scope, channel, new-to-brand split and model, for networks differ in all of these. On disk each
combination is a column of `events` whose name carries it, such as
`att__sales__c14__vx__click__same_sku__all__all__last_touch`: sales within 14 days after a click, of the advertised
product, through all channels, from all buyers, credited to the last touch. `attributions_long` gives the long table.

Columns marked *always* are there in every row, null where the network does not tell; others only where a report has
them. Placement and impression terms follow the IAB/MRC Retail Media Measurement Guidelines (January 2024) and the IAB /
IAB Europe in-store definitions (December 2024); currencies are ISO 4217, zones IANA, product numbers GS1."""


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    for table in rmis.TABLES.values():
        yield f"\n## {table.name}\n"
        yield f"{table.description} Key: {', '.join(f'`{name}`' for name in table.key)}.\n"
        yield "| column | type | always | meaning |"
        yield "|---|---|---|---|"
        for column in table.columns:
            words = rmis.TABLE_VOCABULARIES.get(column.name)
            told = column.description[:1].upper() + column.description[1:]
            listed = f": {', '.join(f'`{word}`' for word in words)}" if words and column.name != "placement" else ""
            yield f"| `{column.name}` | {_type(column)} | {'always' if column.always else ''} | {told}{listed} |"
    yield "\n## Canonical placements\n"
    yield "| placement | where |"
    yield "|---|---|"
    for name, description in rmis.PLACEMENT_DESCRIPTIONS.items():
        yield f"| `{name}` | {description} |"


def _type(column: rmis.Column) -> str:
    if isinstance(column.dtype, pl.Decimal):
        return f"decimal({column.dtype.precision}, {column.dtype.scale})"
    named = {
        pl.String(): "text",
        pl.Int64(): "whole number",
        pl.Int8(): "whole number",
        pl.Float64(): "number",
        pl.Date(): "date",
        pl.Boolean(): "true or false",
    }
    return named.get(column.dtype, "instant, UTC")


if __name__ == "__main__":
    sys.stdout.write(page())
