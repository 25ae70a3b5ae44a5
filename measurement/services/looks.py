"""At which level an experiment is looked at, now and at its end, under what its plan says of looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from measurement.models import Experiment, PanelVersion


@dataclass(frozen=True)
class Look:
    """One look: its two-sided level, and the last day that it looks at (None: the planned end)."""

    alpha: float
    until: date | None


def look_of(experiment: Experiment, panel: PanelVersion, *, final: bool) -> Look:
    """The look that is taken now."""
    return Look(experiment.alpha, None if final else panel.last_day)
