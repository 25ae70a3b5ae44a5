"""Campaigns whose spend, click rate or price of a click changed for days, with what that came to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from harmonization.core.findings import Found
from harmonization.core.level_shift import Sensitivity, find_shifts, usual

Floats = npt.NDArray[np.float64]

#: Days with fewer clicks (impressions for the click rate) say nothing about a ratio or a level.
FEWEST_CLICKS: Final = 10
FEWEST_IMPRESSIONS: Final = 500
#: Changes that move less of the account's spend of the latest four weeks than this are too small to be told.
LEAST_SHARE: Final = 0.005
MOST_CAMPAIGNS: Final = 5_000
_SENSITIVITY: Final = {
    "level_shift": Sensitivity(sigmas=3.0, factor=1.5),
    "ctr_change": Sensitivity(sigmas=4.0, factor=1.4),
    "cpc_change": Sensitivity(sigmas=4.0, factor=1.3),
}
_WORDS: Final = {
    "level_shift": ("Spend", "A budget, a bid or the export changed."),
    "ctr_change": ("Click rate", "Another placement, another creative, or impressions that are counted differently."),
    "cpc_change": ("Cost per click", "Bids or competition changed, or the unit of the cost did."),
}


@dataclass(frozen=True, slots=True)
class _Grid:
    """Figures as [campaign, day] with a column for every calendar day; NaN where a campaign has no row."""

    first: date
    keys: list[str]
    names: list[str]
    impressions: Floats
    clicks: Floats
    spend: Floats


def shifts_of_campaigns(campaigns: pl.DataFrame, *, recent_days: int) -> Iterator[Found]:
    """Lasting changes that reach into the latest `recent_days`, by currency, campaign and day.

    Args:
        campaigns: as in `DayStatistics.campaigns`, of rows that cover one day each.
    """
    for (currency,), part in campaigns.group_by(["currency"], maintain_order=True):
        grid = _grid(part)
        recent = grid.spend[:, -recent_days:]
        least = LEAST_SHARE * float(np.nansum(recent))
        for kind, (values, noise) in _series(grid).items():
            expected = usual(values)
            for shift in find_shifts(values, noise, _SENSITIVITY[kind]):
                if shift.last < values.shape[1] - recent_days:
                    continue
                days = slice(shift.first, shift.last + 1)
                spent = float(np.nansum(grid.spend[shift.series, days]))
                was = float(np.nansum(expected[shift.series, days]))
                money = abs(spent - was) if kind == "level_shift" else spent
                if money >= max(least, 0.01):
                    yield _found(kind, str(currency), grid, shift.series, shift.first, shift.last, shift.ratio, money)


def _found(
    kind: str, currency: str, grid: _Grid, series: int, first: int, last: int, ratio: float, money: float
) -> Found:
    start, end = grid.first + timedelta(days=first), grid.first + timedelta(days=last)
    word, why = _WORDS[kind]
    change = f"{ratio:.1f} times the usual" if ratio >= 2 else f"{ratio - 1:+.0%} against usual"
    return Found(
        kind=kind,
        subject=f"{currency} campaign {grid.keys[series]} from {start}",
        severity="warn" if ratio < 0.5 or ratio > 2 else "info",
        title=f"{word} of {grid.names[series]}: {change} since {start.day} {start:%b %Y}",
        detail=f"{why} Compared with the same weekdays of the four weeks before, for {last - first + 1} days.",
        rows=0,
        money={currency: Decimal(str(round(money, 2)))},
        evidence={
            "campaign": grid.keys[series],
            "campaign_name": grid.names[series],
            "ratio": round(ratio, 3),
            "days": last - first + 1,
            "spend": [
                None if np.isnan(value) else round(float(value), 2)
                for value in grid.spend[series, max(first - 28, 0) : last + 1]
            ],
        },
        first_day=start,
        last_day=end,
    )


def _grid(part: pl.DataFrame) -> _Grid:
    # The largest campaigns: what the others move is below the least share told anyway.
    sizes = part.group_by("campaign").agg(pl.col("spend").sum(), pl.col("name").drop_nulls().last())
    kept = sizes.sort("spend", "campaign", descending=[True, False]).head(MOST_CAMPAIGNS)
    keys: list[str] = kept["campaign"].to_list()
    row_of = {key: row for row, key in enumerate(keys)}
    first, last = part["day"].min(), part["day"].max()
    assert isinstance(first, date), "a campaign has days"
    assert isinstance(last, date), "a campaign has days"
    inside = part.filter(pl.col("campaign").is_in(keys))
    rows = np.array([row_of[key] for key in inside["campaign"]], dtype=np.int64)
    columns = (inside["day"] - first).dt.total_days().to_numpy()
    figures = {}
    for name in ("impressions", "clicks", "spend"):
        figures[name] = np.full((len(keys), (last - first).days + 1), np.nan)
        figures[name][rows, columns] = inside[name].cast(pl.Float64).to_numpy()
    names = [name or key or "(no campaign)" for name, key in zip(kept["name"].to_list(), keys, strict=True)]
    return _Grid(first=first, keys=keys, names=names, **figures)


def _series(grid: _Grid) -> dict[str, tuple[Floats, Floats]]:
    """Per kind of change the values and the noise of counting; unknown where too little happened."""
    usual_clicks = usual(grid.clicks)
    clicks, impressions = grid.clicks, grid.impressions
    with np.errstate(divide="ignore", invalid="ignore"):
        # A day of a large campaign that cost nothing is a fall, and a logarithm needs something to stand on.
        small = usual_clicks < FEWEST_CLICKS
        level = np.where(small, np.nan, np.maximum(grid.spend, 0.01))
        enough = (clicks >= FEWEST_CLICKS) & (grid.spend > 0)
        price = np.where(enough, grid.spend / clicks, np.nan)
        seen = (impressions >= FEWEST_IMPRESSIONS) & (clicks >= FEWEST_CLICKS)
        rate = np.where(seen, clicks / impressions, np.nan)
        counting = 1 / np.sqrt(np.maximum(clicks, 1.0))
        by_clicks = 1 / np.sqrt(np.fmax(usual_clicks, 1.0))
    return {
        "level_shift": (level, np.nan_to_num(by_clicks, nan=1.0)),
        "ctr_change": (rate, np.nan_to_num(counting, nan=1.0)),
        "cpc_change": (price, np.full(price.shape, 0.05)),
    }
