"""Cells of too few buyers are withheld, on every way out of figures.

A line whose attributed orders are fewer than `request.smallest_cell` shows "<k" for its orders and "withheld" for
every other figure about buyers (sales, units, new-to-brand, and ratios over them). What is withheld in a line is left
out of the totals too, so that it cannot be subtracted back from them. That is primary suppression: whether another
line must be withheld as well, for other totals to be safe, is for a suppressor that is registered here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import polars as pl

from metrics.core.definitions import METRICS, attributed_parts
from metrics.core.metric import BOTTOM, PREVIOUS, TOP
from metrics.core.parts import CELL, is_sum
from metrics.core.table import CURRENCY, MetricTable, Notice, roll_up

#: Before the name of a figure: a column of text that stands for it where it is withheld.
WITHHELD: Final = "withheld."
Suppressor = Callable[[MetricTable], MetricTable]

_suppressors: list[Suppressor] = []


def register_suppressor(suppressor: Suppressor) -> None:
    """Have every table that leaves pass a function, after small cells were withheld. It gives the table back with
    figures made null and the text that stands for them under `withheld.<metric>`."""
    if suppressor not in _suppressors:
        _suppressors.append(suppressor)


def remove_suppressor(suppressor: Suppressor) -> None:
    """Take it out again."""
    _suppressors.remove(suppressor)


def suppressed(table: MetricTable) -> MetricTable:
    """The table as it may leave."""
    table = withhold_small_cells(table)
    for suppressor in _suppressors:
        table = suppressor(table)
    return table


def withhold_small_cells(table: MetricTable) -> MetricTable:
    """The table without figures of fewer buyers than its request allows."""
    k = table.request.smallest_cell
    if not k or CELL.name not in table.lines.columns:
        return table
    lines, rest = (_withheld(frame, table, k) for frame in (table.lines, table.rest))
    hidden = sum(frame.filter(_small_ever(frame, k)).height for frame in (table.lines, table.rest))
    if not hidden:
        return table
    # Totals of what is shown: with what is withheld they would give it away.
    totals = roll_up(pl.concat([lines, rest], how="diagonal"), table.request, ()).sort(CURRENCY, nulls_last=True)
    noun = "line is" if hidden == 1 else "lines are"
    notice = Notice(
        code="small_cells",
        severity="warn",
        text=f"{hidden} {noun} of fewer than {k} orders: figures about their buyers are withheld, and left out of "
        "totals so that they cannot be subtracted back.",
    )
    return replace(table, lines=lines, rest=rest, totals=_withheld(totals, table, k), notices=(*table.notices, notice))


def _small(k: int, prefix: str = "") -> pl.Expr:
    orders = pl.col(prefix + CELL.name)
    return (orders > 0) & (orders < k)


def _small_ever(frame: pl.DataFrame, k: int) -> pl.Expr:
    """Whether a line is small now or in the period compared with."""
    prefixes = [prefix for prefix in ("", PREVIOUS) if prefix + CELL.name in frame.columns]
    return pl.any_horizontal(_small(k, prefix).fill_null(value=False) for prefix in prefixes)


def _withheld(frame: pl.DataFrame, table: MetricTable, k: int) -> pl.DataFrame:
    """A frame with the figures about buyers of its small lines made null, and the words that stand for them."""
    shown = [name for name in table.request.metrics if attributed_parts(name)]
    columns = frame.columns
    periods = ("", PREVIOUS) if f"{PREVIOUS}{CELL.name}" in columns else ("",)
    made = []
    for prefix in periods:
        small = _small(k, prefix).fill_null(value=False)
        made += [
            pl.when(small).then(None).otherwise(pl.col(name)).alias(name)
            for name in columns
            if name.startswith(PREVIOUS) == bool(prefix) and _about_buyers(name.removeprefix(PREVIOUS), table)
        ]
    small = _small(k).fill_null(value=False)
    words = [
        pl.when(small).then(pl.lit(f"<{k}" if name == "orders" else "withheld")).alias(WITHHELD + name)
        for name in shown
    ]
    return frame.with_columns(*made, *words)


def _about_buyers(name: str, table: MetricTable) -> bool:
    metric = METRICS.get(name.removeprefix(TOP).removeprefix(BOTTOM))
    if name == CELL.name:
        return False
    if metric is None or not (metric.name in table.request.metrics or is_sum(name, table.request)):
        return False
    return bool(attributed_parts(metric.name))
