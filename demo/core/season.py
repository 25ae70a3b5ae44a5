"""Events of the year: what they do to demand, and to spending.

The dates are of this world. Demand is what the same money brings; spending follows the events as planners do, less
than fully, so that weeks with the same spend and different results exist.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from demo.core.arrays import Floats
from demo.core.profiles import NetworkKey


@dataclass(frozen=True)
class Event:
    """A run of days, both ends included, and its factors on revenue per spend and on spend. No network: all of them."""

    name: str
    first: dt.date
    last: dt.date
    demand: float
    spend: float
    network: NetworkKey | None = None


def events_between(first: dt.date, last: dt.date) -> tuple[Event, ...]:
    """The events with a day in this range, in order of time."""
    events = []
    for year in range(first.year, last.year + 1):
        events += [
            Event("Big game", dt.date(year, 2, 2), dt.date(year, 2, 8), 1.20, 1.12),
            Event("Prime Day", dt.date(year, 7, 14), dt.date(year, 7, 17), 1.55, 1.60, "amazon_ads"),
            Event("Back to school", dt.date(year, 8, 3), dt.date(year, 8, 23), 1.06, 1.08),
            Event("Prime Big Deal Days", dt.date(year, 10, 6), dt.date(year, 10, 7), 1.45, 1.50, "amazon_ads"),
            Event("Halloween", dt.date(year, 10, 12), dt.date(year, 10, 31), 1.22, 1.15),
            Event("Winter holidays", dt.date(year, 12, 14), dt.date(year, 12, 27), 1.10, 1.06),
        ]
    return tuple(event for event in events if event.first <= last and first <= event.last)


def weekly_factors(events: tuple[Event, ...], network: NetworkKey, first: dt.date, weeks: int) -> tuple[Floats, Floats]:
    """Factors on demand and on spend, each of shape [weeks]: the mean over the days of the week."""
    demand, spend = np.ones(7 * weeks), np.ones(7 * weeks)
    for event in events:
        if event.network in (None, network):
            days = slice(max((event.first - first).days, 0), (event.last - first).days + 1)
            demand[days] *= event.demand
            spend[days] *= event.spend
    return demand.reshape(weeks, 7).mean(axis=1), spend.reshape(weeks, 7).mean(axis=1)
