"""What the checks of the data look at: sums per day, and per day and campaign.

Two phases: `summarise` makes partial aggregates of any part of the rows in one streaming pass each, and `merge` adds
partial aggregates up, so that parts may be read one after the other or by several machines. Everything after that
works on a table with a row per day and campaign, however many events there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

_SUM: Final = pl.Decimal(38, 6)
#: Columns whose emptiness says nothing: lineage, ratios of rows without clicks, what only some reports have.
_NOT_COUNTED: Final = ("event_key", "source_row", "load_id", "contract", "report", "unread", "network", "grain")
#: Part of a row that makes two days of the same figures: everything but the day itself.
_FIGURES: Final = ("campaign_id", "campaign_name", "ad_group_id", "sku_id", "keyword", "search_term", "placement_raw")
NULLS, NULL_SPEND = "nulls__", "null_spend__"
COMPARED, MISMATCHED, MISMATCHED_SPEND = "compared__", "mismatched__", "mismatched_spend__"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio that a report states and its own figures give: numerator over denominator, times `factor`.

    Two values agree when they differ by no more than the stated one's rounding or 1 %.
    """

    stated: str
    numerator: str
    denominator: str
    rounding: float
    factor: float = 1.0


def ratios(columns: Sequence[str], headline: Mapping[str, str]) -> list[Ratio]:
    """The ratios that these columns allow to compare; `headline` names the network's own figure of each metric."""
    sales, orders = headline.get("sales", ""), headline.get("orders", "")
    known = [
        Ratio("reported_ctr", "clicks", "impressions", 0.000_1),
        Ratio("reported_cpc", "spend", "clicks", 0.005_1),
        Ratio("reported_cpm", "spend", "impressions", 0.005_1, 1000.0),
        Ratio("reported_acos", "spend", sales, 0.000_1),
        Ratio("reported_roas", sales, "spend", 0.005_1),
        Ratio("reported_cpa", "spend", orders, 0.005_1),
        Ratio("reported_cvr", orders, "clicks", 0.000_1),
    ]
    return [one for one in known if {one.stated, one.numerator, one.denominator} <= set(columns)]


@dataclass(frozen=True, slots=True)
class DayStatistics:
    """Sums of one account and report.

    Attributes:
        days: one row per `day` (period_start) and `currency`: rows, impressions, clicks, spend, `spread_rows` (rows of
            more than one day), `last` (last period_end), `negative_rows`, `negative_spend` (positive), `fingerprint`
            (the same for two days with the same figures), and per column what the prefixes of this module say.
        campaigns: one row per day, currency and campaign (its id, or its name): rows, impressions, clicks, spend.
    """

    days: pl.DataFrame
    campaigns: pl.DataFrame


def summarise(events: pl.LazyFrame, *, headline: Mapping[str, str]) -> DayStatistics:
    """Partial aggregates of rows of RMIS events, in two streaming passes.

    Args:
        headline: metric -> attribution column that is the network's own figure, for the stated ratios.
    """
    columns = events.collect_schema().names()
    day = [pl.col("period_start").alias("day"), pl.col("currency").fill_null("unknown").alias("currency")]
    spend = pl.col("spend").fill_null(0).cast(_SUM)
    negative = (pl.col("spend") < 0).fill_null(False)
    sums = [
        pl.len().cast(pl.Int64).alias("rows"),
        pl.col("impressions").sum(),
        pl.col("clicks").sum(),
        spend.sum().alias("spend"),
    ]
    per_column = []
    for column in counted(columns):
        empty = pl.col(column).is_null()
        per_column += [
            empty.sum().cast(pl.Int64).alias(NULLS + column),
            spend.filter(empty).sum().alias(NULL_SPEND + column),
        ]
    for ratio in ratios(columns, headline):
        both, wrong = _disagrees(ratio)
        per_column += [
            both.sum().cast(pl.Int64).alias(COMPARED + ratio.stated),
            wrong.sum().cast(pl.Int64).alias(MISMATCHED + ratio.stated),
            spend.filter(wrong).sum().alias(MISMATCHED_SPEND + ratio.stated),
        ]
    days = events.group_by(*day).agg(
        *sums,
        (pl.col("period_end") > pl.col("period_start")).sum().cast(pl.Int64).alias("spread_rows"),
        pl.col("period_end").max().alias("last"),
        negative.sum().cast(pl.Int64).alias("negative_rows"),
        spend.filter(negative).sum().neg().alias("negative_spend"),
        # A sum, so that neither the order of the rows nor that of the parts matters; below 2^40, so that it fits.
        (_row_hash(columns) % 2**40).sum().cast(pl.Int64).alias("fingerprint"),
        *per_column,
    )
    campaign = pl.coalesce(*(name for name in ("campaign_id", "campaign_name") if name in columns))
    named = "campaign_name" if "campaign_name" in columns else "campaign_id"
    campaigns = events.group_by(*day, campaign.fill_null("").alias("campaign")).agg(
        *sums, pl.col(named).drop_nulls().last().alias("name")
    )
    return DayStatistics(days.collect(engine="streaming"), campaigns.collect(engine="streaming"))


def merge(parts: Sequence[DayStatistics]) -> DayStatistics:
    """Partial aggregates of parts of the same rows, added up.

    A column that one part lacks is empty in it: its rows count as empty there.
    """
    days = pl.concat([_with_absent(part, parts) for part in parts], how="diagonal_relaxed")
    kept = [name for name in days.columns if name not in ("day", "currency", "last")]
    campaigns = pl.concat([part.campaigns for part in parts], how="vertical_relaxed")
    return DayStatistics(
        days.group_by("day", "currency").agg(*(pl.col(name).sum() for name in kept), pl.col("last").max()),
        campaigns.group_by("day", "currency", "campaign").agg(
            *(pl.col(name).sum() for name in ("rows", "impressions", "clicks", "spend")),
            pl.col("name").drop_nulls().last(),
        ),
    )


def counted(columns: Sequence[str]) -> list[str]:
    """Columns whose empty cells are counted."""
    return [name for name in columns if name not in _NOT_COUNTED and not name.startswith(("reported_", "rmn_"))]


def _with_absent(part: DayStatistics, parts: Sequence[DayStatistics]) -> pl.DataFrame:
    names = {name for other in parts for name in other.days.columns if name.startswith((NULLS, NULL_SPEND))}
    absent = sorted(names - set(part.days.columns))
    return part.days.with_columns(
        (pl.col("rows") if name.startswith(NULLS) else pl.col("spend")).alias(name) for name in absent
    )


def _disagrees(ratio: Ratio) -> tuple[pl.Expr, pl.Expr]:
    stated = pl.col(ratio.stated).cast(pl.Float64)
    below = pl.col(ratio.denominator).cast(pl.Float64)
    derived = pl.col(ratio.numerator).cast(pl.Float64) * ratio.factor / below
    both = (stated.is_not_null() & (below > 0) & derived.is_not_null()).fill_null(False)
    allowed = pl.max_horizontal(pl.lit(ratio.rounding), 0.01 * derived.abs())
    return both, (both & ((stated - derived).abs() > allowed)).fill_null(False)


def _row_hash(columns: Sequence[str]) -> pl.Expr:
    named = [pl.col(name) for name in _FIGURES if name in columns]
    return pl.struct(*named, "impressions", "clicks", "spend").hash(seed=1)
