"""The days a scenario is compared with: as many as its horizon has, so that before and after are like with like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LikePeriod:
    """Days of data that stand for "now".

    Attributes:
        kind: `before` ends the day before the horizon begins; `latest` is the last stretch of data as long as the
            horizon, where there are no days right before it; `shorter` is all there is, to be scaled up.
        scale: what spend over these days is multiplied by to be spend over the horizon.
    """

    start: date
    end: date
    kind: Literal["before", "latest", "shorter"]
    scale: float

    @property
    def text(self) -> str:
        """For people: which days, and why those."""
        days = f"{self.start:%-d %b %Y} – {self.end:%-d %b %Y}"
        if self.kind == "before":
            return f"{days}, as many days right before the horizon"
        if self.kind == "latest":
            return f"{days}, the latest as many days with data"
        return f"{days}, all the data there is, scaled by {self.scale:.2f} to the length of the horizon"


def like_period(horizon: tuple[date, date], data: tuple[date, date]) -> LikePeriod:
    """The days to compare a horizon with.

    Args:
        horizon, data: first and last day of each, inclusive.
    """
    (start, end), (first, last) = horizon, data
    days = (end - start).days + 1
    # Differences of days, which the first days of the calendar have too.
    if (start - first).days >= days and (start - last).days <= 1:
        return LikePeriod(start - _DAY * days, start - _DAY, "before", 1.0)
    if (last - first).days + 1 >= days:
        return LikePeriod(last - _DAY * (days - 1), last, "latest", 1.0)
    return LikePeriod(first, last, "shorter", days / ((last - first).days + 1))
