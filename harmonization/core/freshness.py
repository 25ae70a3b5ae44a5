"""How fresh a report of an account is: how often it comes, how far it reaches, until when it may still change."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

Standing = Literal["no_figures", "on_time", "late", "stopped"]

DEFAULT_CADENCE_DAYS: Final = 7
#: Fewer arrivals say nothing about how often a report comes.
FEWEST_ARRIVALS: Final = 3
#: A source that is this many times its cadence late has stopped.
STOPPED_AFTER: Final = 4
_GRACE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file of the report: when it came, and the days its figures cover."""

    at: datetime
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often files come, and how many days behind their arrival they reach; `learned` from so many arrivals."""

    every_days: int
    behind_days: int
    learned: int

    @property
    def is_known(self) -> bool:
        return self.learned >= FEWEST_ARRIVALS


@dataclass(frozen=True, slots=True)
class Freshness:
    """Where a report stands on a day.

    Attributes:
        last_day: last day with figures.
        expected_by: day on which the next file should be there.
        late_days: days since then, 0 where it is not late.
        final_until: last day whose figures are final; later ones may still be restated.
        restating_until: day on which the last day becomes final.
    """

    standing: Standing
    last_day: date | None
    cadence: Cadence
    expected_by: date | None
    late_days: int
    final_until: date | None
    restating_until: date | None

    def is_restating(self, today: date) -> bool:
        return self.restating_until is not None and self.restating_until > today


def learn_cadence(arrivals: Sequence[Arrival]) -> Cadence:
    """The median time between arrivals on different days, and the median lag of figures behind their arrival.

    Files that arrive together, or fill in older days (a backfill), say nothing about the rhythm: of each day of
    arrival the furthest reach counts, and only where it reaches further than any before.
    """
    reach: dict[date, date] = {}
    for one in arrivals:
        day = one.at.date()
        reach[day] = max(reach.get(day, one.last_day), one.last_day)
    advances: list[tuple[date, date]] = []
    for day in sorted(reach):
        if not advances or reach[day] > advances[-1][1]:
            advances.append((day, reach[day]))
    gaps = [(later[0] - earlier[0]).days for earlier, later in pairwise(advances)]
    if len(advances) < FEWEST_ARRIVALS:
        # Too few to tell a rhythm; a file covers about as many days as lie between two of them.
        spans = [(one.last_day - one.first_day).days + 1 for one in arrivals]
        every = min(max(int(statistics.median(spans)), 1), 31) if spans else DEFAULT_CADENCE_DAYS
        return Cadence(every_days=every, behind_days=1, learned=len(advances))
    lags = [max((day - last).days, 0) for day, last in advances]
    return Cadence(
        every_days=max(round(statistics.median(gaps)), 1),
        behind_days=round(statistics.median(lags)),
        learned=len(advances),
    )


def freshness_of(arrivals: Sequence[Arrival], *, restatement_days: int, today: date) -> Freshness:
    """Where a report stands today.

    Args:
        restatement_days: days after its last day for which the network may still change figures.
        today: in the report's own zone.
    """
    cadence = learn_cadence(arrivals)
    if not arrivals:
        return Freshness("no_figures", None, cadence, None, 0, None, None)
    last = max(one.last_day for one in arrivals)
    newest = max(one.at.date() for one in arrivals if one.last_day == last)
    # The next file brings figures up to a cadence later; it is due that long after the one that reached furthest.
    expected = max(newest, last + timedelta(days=cadence.behind_days)) + timedelta(days=cadence.every_days) + _GRACE
    late = max((today - expected).days, 0)
    standing: Standing = "on_time"
    if late:
        standing = "stopped" if late > STOPPED_AFTER * cadence.every_days + 7 else "late"
    return Freshness(
        standing=standing,
        last_day=last,
        cadence=cadence,
        expected_by=expected,
        late_days=late,
        final_until=min(last, today - timedelta(days=restatement_days + 1)),
        restating_until=last + timedelta(days=restatement_days),
    )
