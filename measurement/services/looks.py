"""At which level an experiment is looked at, now and at its end, under what its plan says of looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from scipy.stats import norm

from measurement import selectors
from measurement.core.sequential import plan_looks
from measurement.models import Experiment, PanelVersion


@dataclass(frozen=True)
class Look:
    """One look: its two-sided level, the last day that it looks at (None: the planned end), what is said of it, and
    which of the planned looks it is, from 1 (None: the end, or none was planned)."""

    alpha: float
    until: date | None
    note: str = ""
    number: int | None = None


def look_of(experiment: Experiment, panel: PanelVersion, *, final: bool) -> Look:
    """The look that is taken now.

    Planned looks share the level of the whole by O'Brien and Fleming's spending at their share of the test's days:
    each is read at the level that its boundary leaves it, and the end at what is left. Looks that nobody took have
    spent nothing: boundaries are those of the looks that were taken.
    """
    days = _days(experiment)
    if experiment.looks != Experiment.Looks.GROUP_SEQUENTIAL or not days:
        return Look(experiment.alpha, None if final else panel.last_day)
    whole = days[-1]
    number = len(days) if final else selectors.look_reached(experiment, panel)
    taken = [one for one in selectors.looks_taken(experiment) if one < number]
    planned = plan_looks([days[one - 1] / whole for one in (*taken, number)] + ([] if final else [1.0]),
                         alpha=experiment.alpha)  # fmt: skip
    level = float(2.0 * norm.sf(planned[len(taken)].boundary))
    words = "the end" if final else f"look {number} of {len(days)}"
    note = f"Read at level {level:.2g}, {words}: planned looks share the level {experiment.alpha:g}."
    return Look(level, None if final else panel.last_day, note, None if final else number)


def _days(experiment: Experiment) -> list[int]:
    """Days of the test that are looked at, the last one its end."""
    if experiment.start_date is None or experiment.end_date is None:
        return []
    whole = (experiment.end_date - experiment.start_date).days + 1
    return [*(day for day in experiment.settings.get("look_at", []) if day < whole), whole]
