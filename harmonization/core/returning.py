"""Rows that come back: a load took them from an earlier one, and is itself in force no more.

What of them no load in force tells is the earlier load's again. Each load in force that arrived after it, the latest
first, is asked in the way it would have been asked had the one that is gone never been: by the profiles of the two and
by the keys of all that it told. So the figures are those of the loads in force, whatever was in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl

from harmonization.core.giving_way import Given, copy_rows, days_of, give_way, sums, without_rows
from harmonization.core.restatement import WIDE, Coverage, Move, Verdict, by_currency

_CELL = ["account_id", "campaign", "period_start", "period_end", "currency"]


@dataclass(frozen=True, slots=True)
class Told:
    """Where the rows are found that a load told when it was published, whatever others took of them since.

    Attributes:
        version: of the table in which it came.
        asides: files of what it gave up then, to loads that arrived later.
    """

    version: int | None
    asides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Freed:
    """Rows that `later` took from `earlier` and lets go of.

    Attributes:
        went: versions of the table between which they went: the last with them, the first without.
        asides: files of rows that went without a version of the table telling which (`Move.asides`).
        heirs: loads in force that arrived after `earlier`, the latest first, with what they cover. The one that is
            being committed is one of them.
    """

    earlier: str
    later: str
    heirs: Mapping[str, Coverage | None]
    went: tuple[int, int] | None = None
    asides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Returned:
    """What became of freed rows: those in force again, and as `moves` those that went to an heir."""

    earlier: str
    later: str
    rows: int = 0
    spend: Mapping[str, Decimal] = field(default_factory=dict)
    first: date | None = None
    last: date | None = None
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """Rows of a load that no load in force tells, by profiles: an estimate where keys decide."""

    rows: int = 0
    spend: Mapping[str, Decimal] = field(default_factory=dict)
    first: date | None = None
    last: date | None = None


def bring_back(
    freed: Freed,
    sources: Sequence[tuple[list[Path], list[Path]]],
    *,
    in_force: Sequence[Path],
    told: Callable[[str], list[Path]],
    judged: Callable[[str], Verdict],
    set_aside: Callable[[Given], Move],
    target: Path,
) -> Returned:
    """Share freed rows out among the heirs, and write what stays to `target`.

    Args:
        sources: files that hold the rows, each with files of the same load whose rows are to be left out of them.
        in_force: files of the earlier load in the version that is being made.
        told: files of what an heir told.
        judged: how an heir restates the earlier load.
        set_aside: keeps the rows that an heir takes.
    """
    moves: list[Move] = []
    files: list[Path] = []
    masks = []
    for held, without in sources:
        if not held:  # what went is all among the asides
            continue
        files += held
        masks.append(without_rows(held, without) & without_rows(held, in_force))
    free = np.concatenate(masks) if masks else np.zeros(0, np.bool_)
    for heir in freed.heirs:
        theirs = told(heir)
        if not theirs or not free.any():
            continue
        given = give_way(files, keys=theirs, verdict=judged(heir), earlier=freed.earlier, later=heir, among=free)
        moves.append(set_aside(given))
        free = free & ~given.mask
    if not free.any():
        return Returned(freed.earlier, freed.later, moves=tuple(moves))
    copy_rows(files, free, target)
    rows, spend = sums(files, free)
    first, last = days_of(files, free)
    return Returned(freed.earlier, freed.later, rows, spend, first, last, tuple(moves))


def shortfall(told: pl.DataFrame, now: pl.DataFrame, heirs: Sequence[tuple[pl.DataFrame, Verdict]]) -> Missing:
    """What of a load's profile neither it nor an heir tells now.

    Args:
        told: profile of what the load's file told; `now`: of its rows in force.
        heirs: profiles of the loads in force that arrived later, and how each restates the load.
    """
    left = told.select(*_CELL, "rows", "spend")
    for theirs, verdict in heirs:
        left = _less(left, theirs) if verdict.gone is None else left.filter(~verdict.gone.fill_null(False))
    left = _less(left, now).filter(pl.col("rows") > 0)
    if left.is_empty():
        return Missing()
    spend = by_currency(left.group_by("currency").agg(pl.col("spend").sum()))
    days = left.select(first=pl.col("period_start").min(), last=pl.col("period_end").max()).row(0)
    return Missing(int(left["rows"].sum()), spend, *days)


def _less(cells: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Rows and spend of each cell less those of the same cell of `others`, and never less than nothing."""
    both = cells.join(
        others.select(*_CELL, "rows", "spend"), on=_CELL, how="left", nulls_equal=True, suffix="_other"
    ).fill_null(0)
    return both.select(
        *_CELL,
        *(
            pl.max_horizontal(pl.col(name) - pl.col(f"{name}_other"), 0).cast(pl.Int64 if name == "rows" else WIDE)
            for name in ("rows", "spend")
        ),
    )
