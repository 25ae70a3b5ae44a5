"""Which rows of earlier loads give way to a later export of the same account and report.

An export that restates by `period` is the whole truth for the days it covers: rows that it no longer tells are gone,
under whatever key they were told. One that restates by `rows` replaces rows of the same key and nothing else.

A file may cover its days and still not be whole: somebody exported one campaign. So the two exports are compared before
rows vanish that nothing replaces. Where more than `LARGE_SHARE` of an earlier export's rows or money would go, and what
is new does not add up to it, the later one looks filtered and replaces by key alone.

The comparison is of profiles: rows and figures by campaign and days, written down when a load is published and never
changed. So what two exports are to each other does not depend on what has become of either meanwhile, nor on the order
in which they were published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

import polars as pl

KEY: Final = "event_key"
Mode = Literal["period", "rows", "anew"]

#: More than this share of an earlier load's rows or spend, gone without a successor, looks like a filtered export.
LARGE_SHARE: Final = 1 / 3
#: How far figures under new names may be from those under vanished ones for the new to be the old renamed.
_ALIKE_BY_DAY: Final = 0.10
_ALIKE_IN_ALL: Final = 0.02
WIDE: Final = pl.Decimal(38, 6)
_FIGURES: Final = ("spend", "impressions", "clicks")
_CAMPAIGN: Final = ("account_id", "campaign", "currency")
_CELL: Final = ("account_id", "campaign", "period_start", "period_end", "currency")


@dataclass(frozen=True, slots=True)
class Coverage:
    """The days that an export tells, first to last in the source's zone, and how it restates them.

    `confirmed`: a person said that the export is whole; it is not compared with what was there.
    """

    first: date
    last: date
    restates: Literal["period", "rows"] = "period"
    confirmed: bool = False

    def inside(self) -> pl.Expr:
        """Rows wholly within the days."""
        return (pl.col("period_start") >= self.first) & (pl.col("period_end") <= self.last)

    def meets(self) -> pl.Expr:
        """Rows that share a day with them."""
        return (pl.col("period_start") <= self.last) & (pl.col("period_end") >= self.first)


@dataclass(frozen=True, slots=True)
class Move:
    """What one load took from another.

    Attributes:
        later, earlier: load ids; `later` is in force.
        mode: by period, by key, or `anew`: the same file was read again.
        looks_filtered: it would have been by period, but the later export does not look whole.
        rows, spend: what gave way; spend by currency code.
        vanished_rows, vanished_spend: how much less than the earlier export the later one tells, campaign by campaign
            and day by day. Taken away by period; kept where the export looks filtered.
        straddling_rows, straddling_spend: multi-day rows of the earlier load that reach over a border of the later
            one's days. They stay, and the days on which both tell are told twice.
        asides: files below the table's folder with rows that no version of the table told as the earlier load's, or
            told before it lost them to another: they are found there, should the later load be replaced.
    """

    later: str
    earlier: str
    mode: Mode
    looks_filtered: bool = False
    rows: int = 0
    spend: Mapping[str, Decimal] = field(default_factory=dict)
    vanished_rows: int = 0
    vanished_spend: Mapping[str, Decimal] = field(default_factory=dict)
    straddling_rows: int = 0
    straddling_spend: Mapping[str, Decimal] = field(default_factory=dict)
    asides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a later export restates an earlier one, from their profiles; fields as of `Move`.

    `gone` are the rows that leave by period; None where keys alone decide.
    """

    gone: pl.Expr | None = None
    looks_filtered: bool = False
    vanished_rows: int = 0
    vanished_spend: Mapping[str, Decimal] = field(default_factory=dict)
    straddling_rows: int = 0
    straddling_spend: Mapping[str, Decimal] = field(default_factory=dict)


def profile(rows: pl.LazyFrame) -> pl.DataFrame:
    """Rows, spend, impressions and clicks of canonical rows by account, campaign, days and currency."""
    campaign = pl.coalesce("campaign_id", "campaign_name", "sku_id").alias("campaign")
    return (
        rows.with_columns(campaign)
        .group_by(_CELL)
        .agg(pl.len().cast(pl.Int64).alias("rows"), *(pl.col(name).cast(WIDE).sum() for name in _FIGURES))
        .collect(engine="streaming")
    )


def judge(old: pl.DataFrame, new: pl.DataFrame, covers: Coverage) -> Verdict:
    """How an export with the profile `new` restates one with the profile `old`."""
    if covers.restates == "rows":
        return Verdict()
    same_account = pl.col("account_id").is_in(new["account_id"].unique().implode(), nulls_equal=True)
    old = old.filter(same_account)
    inside = old.filter(covers.inside())
    straddling = old.filter(covers.meets() & ~covers.inside())
    apart = inside.join(_told_longer(inside, new), on=_CELL, how="anti", nulls_equal=True)
    cells = apart.join(new, on=_CELL, how="left", nulls_equal=True, suffix="_new").fill_null(0)
    lost = cells.select(*_CELL, *(_excess(name, f"{name}_new") for name in ("rows", *_FIGURES)))
    filtered = not covers.confirmed and _is_large(lost, inside) and not _is_made_up_for(lost, inside, new)
    return Verdict(
        gone=None if filtered else same_account & covers.inside(),
        looks_filtered=filtered,
        vanished_rows=int(lost["rows"].sum()),
        vanished_spend=_spend(lost),
        straddling_rows=int(straddling["rows"].sum()),
        straddling_spend=_spend(straddling),
    )


def added(a: Mapping[str, Decimal], b: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Amounts by currency, summed."""
    return {code: a.get(code, Decimal(0)) + b.get(code, Decimal(0)) for code in sorted({*a, *b})}


def total(moves: Sequence[Move], name: str) -> dict[str, Decimal]:
    """The sum over moves of one of their amounts by currency (`spend`, `vanished_spend`, `straddling_spend`)."""
    found: dict[str, Decimal] = {}
    for move in moves:
        amounts: Any = getattr(move, name)
        found = added(found, amounts)
    return found


def merged(moves: Iterable[Move]) -> list[Move]:
    """One move for two loads: rows that one takes from another and rows that it is heir to are told together."""
    found: dict[tuple[str, str], Move] = {}
    for move in moves:
        pair = (move.later, move.earlier)
        before = found.get(pair)
        found[pair] = (
            move
            if before is None
            else replace(
                before,
                rows=before.rows + move.rows,
                spend=added(before.spend, move.spend),
                asides=(*before.asides, *move.asides),
            )
        )
    return list(found.values())


def _excess(name: str, other: str) -> pl.Expr:
    more = pl.col(name).fill_null(0) - pl.col(other).fill_null(0)
    return pl.when(more > 0).then(more).otherwise(0).cast(WIDE).alias(name)


def _told_longer(inside: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Cells of `inside` that a longer one of the same campaign contains and adds up to: figures to date, told again."""
    both = inside.join(new, on=_CAMPAIGN, how="inner", nulls_equal=True, suffix="_new").filter(
        (pl.col("period_start_new") <= pl.col("period_start")) & (pl.col("period_end_new") >= pl.col("period_end")),
        (pl.col("period_start_new") < pl.col("period_start")) | (pl.col("period_end_new") > pl.col("period_end")),
    )
    longer = [*_CAMPAIGN, "period_start_new", "period_end_new"]
    enough = both.group_by(longer).agg(
        pl.all_horizontal(
            pl.col(f"{name}_new").first().fill_null(0).cast(pl.Float64)
            >= pl.col(name).sum().cast(pl.Float64) * (1 - _ALIKE_IN_ALL)
            for name in _FIGURES
        ).alias("enough")
    )
    return both.join(enough.filter("enough"), on=longer, how="semi", nulls_equal=True).select(_CELL).unique()


def _is_large(lost: pl.DataFrame, inside: pl.DataFrame) -> bool:
    rows = float(inside["rows"].sum())
    shares = [float(lost["rows"].sum()) / rows if rows else 0.0]
    before = _spend(inside)
    shares += [float(amount / before[code]) for code, amount in _spend(lost).items() if before.get(code)]
    return max(shares) > LARGE_SHARE


def _is_made_up_for(lost: pl.DataFrame, inside: pl.DataFrame, new: pl.DataFrame) -> bool:
    """Whether what is new tells the figures of what is lost, day by day: then the one is the other, renamed."""
    days = inside.select(first=pl.col("period_start").min(), last=pl.col("period_end").max()).row(0)
    there = new.filter(Coverage(*days).meets())
    cells = there.join(inside, on=_CELL, how="left", nulls_equal=True, suffix="_old").fill_null(0)
    won = cells.select(*_CELL, *(_excess(name, f"{name}_old") for name in ("rows", *_FIGURES)))
    both = pl.concat([won, lost])
    whole_days = bool((both["period_start"] == both["period_end"]).all())
    by = ["currency", "period_start"] if whole_days else ["currency"]
    tolerance = _ALIKE_BY_DAY if whole_days else _ALIKE_IN_ALL
    # Figures that are zero throughout tell nothing; where all are, the numbers of rows have to do.
    told = [name for name in _FIGURES if lost[name].sum()] or ["rows"]
    sides = [frame.group_by(by).agg(pl.col(told).sum().cast(pl.Float64)) for frame in (lost, won)]
    joined = sides[0].join(sides[1], on=by, how="full", coalesce=True, nulls_equal=True, suffix="_new").fill_null(0)
    return all(
        float((joined[f"{name}_new"] - joined[name]).abs().sum()) <= tolerance * abs(float(joined[name].sum()))
        for name in told
    )


def _spend(cells: pl.DataFrame) -> dict[str, Decimal]:
    return by_currency(cells.group_by("currency").agg(pl.col("spend").sum()))


def by_currency(sums: pl.DataFrame) -> dict[str, Decimal]:
    """Rows of currency and amount as a mapping in the order of the codes, without what is nothing."""
    amounts = sorted((code or "unknown", amount) for code, amount in sums.iter_rows())
    return {code: amount for code, amount in amounts if amount}
