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
    """One look: its two-sided level, the last day that it looks at (None: the planned end), and what is said of it."""

    alpha: float
    until: date | None
    note: str = ""


def look_of(experiment: Experiment, panel: PanelVersion, *, final: bool) -> Look:
    """The look that is taken now.

    Planned looks share the level of the whole by O'Brien and Fleming's spending at their share of the test's days:
    each is read at the level that its boundary leaves it, and the end at what is left.
    """
    days = _days(experiment)
    if experiment.looks != Experiment.Looks.GROUP_SEQUENTIAL or not days:
        return Look(experiment.alpha, None if final else panel.last_day)
    whole = days[-1]
    planned = plan_looks([day / whole for day in days], alpha=experiment.alpha)
    place = len(planned) - 1 if final else selectors.look_reached(experiment, panel) - 1
    level = float(2.0 * norm.sf(planned[place].boundary))
    words = "the end" if final else f"look {place + 1} of {len(planned)}"
    note = f"Read at level {level:.2g}, {words}: planned looks share the level {experiment.alpha:g}."
    return Look(level, None if final else panel.last_day, note)


def _days(experiment: Experiment) -> list[int]:
    """Days of the test that are looked at, the last one its end."""
    if experiment.start_date is None or experiment.end_date is None:
        return []
    whole = (experiment.end_date - experiment.start_date).days + 1
    return [*(day for day in experiment.settings.get("look_at", []) if day < whole), whole]
