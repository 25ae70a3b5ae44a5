"""Under which rule outcomes are counted: as each network reports them, or one rule for all.

A common rule names a window after a click and which purchases count; it counts all channels, all buyers and no views.
Each load gives the column that is exactly that; else the one that comes nearest among those of the same purchases, and
what differs is said; else nothing. No figure is scaled from one window to another, and purchases of another kind (halo
for same SKU, category for brand) are never taken for those asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import polars as pl

from harmonization.core.rmis import MONEY, Attribution
from metrics.core.metric import Metric
from metrics.core.request import CommonRule

Fit = Literal["headline", "exact", "nearest", "none"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The column that a load's figure is read from; None where it has none that may be.

    Attributes:
        difference: how the column's rule differs from the one asked for, in words; empty where it does not.
    """

    column: str | None
    fit: Fit
    difference: str = ""


NOTHING: Final = Choice(None, "none")


@lru_cache(maxsize=4096)
def parsed(column: str) -> Attribution:
    """What an attribution column means."""
    return Attribution.parse(column)


def as_reported(metric: Metric, headline: Mapping[str, str], columns: Collection[str]) -> Choice:
    """The column that the network itself shows for a figure.

    A network names its headline for sales, orders and units. The part from new buyers is the column of the same rule
    for new buyers; other outcomes are read under the headline's windows, or where there is but one of them.
    """
    column = headline.get(metric.outcome)
    if metric.ntb == "all" and column is not None:
        return Choice(column, "headline") if column in columns else NOTHING
    same = [
        one
        for one in columns
        if parsed(one).metric == metric.outcome and parsed(one).channel == "all" and parsed(one).ntb == metric.ntb
    ]
    if column is not None:
        rule = parsed(column)
        same = [one for one in same if _rule(parsed(one)) == _rule(rule)]
    elif len(same) > 1:
        windows = {_rule(parsed(one)) for one in headline.values()}
        same = [one for one in same if _rule(parsed(one)) in windows]
    return Choice(same[0], "headline") if len(same) == 1 else NOTHING


def _rule(of: Attribution) -> tuple[object, ...]:
    return of.click_days, of.view_days, of.touch, of.match, of.view_match, of.model


def under(rule: CommonRule, metric: Metric, columns: Iterable[str]) -> Choice:
    """The column of a load that a common rule reads."""
    fitting = [
        (column, of)
        for column in sorted(columns)
        if (of := parsed(column)).metric == metric.outcome
        and of.ntb == metric.ntb
        and of.channel == "all"
        and of.match == rule.match
        and of.click_days is not None
        and of.model == "last_touch"
    ]
    if not fitting:
        return NOTHING
    # Views add sales of another kind: a column without them is nearer, whatever its window.
    column, of = min(
        fitting,
        key=lambda item: (
            item[1].view_days is not None,
            abs((item[1].click_days or 0) - rule.click_days),
            -(item[1].click_days or 0),
            item[0],
        ),
    )
    difference = _difference(of, rule)
    return Choice(column, "nearest" if difference else "exact", difference)


def _difference(of: Attribution, rule: CommonRule) -> str:
    told = []
    if of.click_days != rule.click_days:
        more = "more" if (of.click_days or 0) > rule.click_days else "less"
        told.append(f"{of.click_days}-day click instead of {rule.click_days}, so it counts {more}")
    if of.view_days is not None:
        told.append(f"views of {of.view_days} day{'' if of.view_days == 1 else 's'} are counted too")
    return "; ".join(told)


@dataclass(frozen=True, slots=True)
class Reading:
    """Which column each load's figure is read from.

    Attributes:
        choices: by load; those of which at least some rows are read.
    """

    choices: Mapping[str, Choice]

    @property
    def value(self) -> pl.Expr:
        """The figure of a row; null where its load does not tell it."""
        loads: dict[str, list[str]] = {}
        for load, choice in sorted(self.choices.items()):
            if choice.column is not None:
                loads.setdefault(choice.column, []).append(load)
        if len(loads) == 1 and self.complete:
            return pl.col(next(iter(loads)))
        return pl.coalesce(
            *(pl.when(pl.col("load_id").is_in(members)).then(pl.col(column)) for column, members in loads.items()),
            pl.lit(None, MONEY),
        )

    @property
    def complete(self) -> bool:
        """Whether every load tells it."""
        return all(choice.column is not None for choice in self.choices.values())

    @property
    def silent(self) -> bool:
        """Whether no load tells it."""
        return all(choice.column is None for choice in self.choices.values())

    def of_fit(self, *fits: Fit) -> pl.Expr:
        """Whether a row's load is read with one of these fits."""
        return pl.col("load_id").is_in(sorted(load for load, choice in self.choices.items() if choice.fit in fits))
