"""What became of quarantined rows when their file was read anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

from harmonization.core.source_file import SOURCE_ROW

_WIDE = pl.Decimal(38, 6)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows in quarantine before and now, and where those of before went; spend of the rescued by currency."""

    before: int
    now: int
    rescued: int
    skipped: int
    newly: int
    rescued_spend: dict[str, Decimal]


def compare_readings(before: Path | None, *, events: Sequence[Path], quarantine: Path | None) -> Outcome:
    """Compare two readings of one file by the numbers of its rows.

    Args:
        before: the quarantine of the earlier reading; None where it had none.
        events, quarantine: what the new reading made of the file.
    """
    was, now = _rows(before), _rows(quarantine)
    published = pl.concat([pl.scan_parquet(path) for path in events], how="diagonal")
    rescued = (
        published.join(was.lazy(), on=SOURCE_ROW, how="semi")
        .group_by("currency")
        .agg(pl.len().alias("rows"), pl.col("spend").cast(_WIDE).sum())
        .collect(engine="streaming")
    )
    count = int(rescued["rows"].sum())
    still = was.join(now, on=SOURCE_ROW, how="semi").height
    spend = {row["currency"] or "unknown": row["spend"] for row in rescued.iter_rows(named=True) if row["spend"]}
    return Outcome(
        before=was.height,
        now=now.height,
        rescued=count,
        skipped=was.height - still - count,
        newly=now.height - still,
        rescued_spend=dict(sorted(spend.items())),
    )


def _rows(path: Path | None) -> pl.DataFrame:
    if path is None or not path.exists():
        return pl.DataFrame(schema={SOURCE_ROW: pl.Int64})
    return pl.scan_parquet(path).select(pl.col(SOURCE_ROW).cast(pl.Int64)).unique().collect(engine="streaming")
