"""What later data say of days that were known before: figures are restated, and a reading must tell where they were."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from measurement.core.panel import Panel
from measurement.core.words import count_of

#: Figures are written to cents; a smaller difference is rounding.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, kw_only=True)
class Restated:
    """Figures of the outcome that two panels have in common and tell differently.

    Attributes:
        changed, known: how many differ, and how many both have.
        treated, control: change of the sum of the group over the days that both have, as a fraction.
    """

    changed: int
    known: int
    treated: float
    control: float


def restated(
    before: Panel,
    now: Panel,
    *,
    treated: Collection[str],
    control: Collection[str],
    first: dt.date,
    until: dt.date,
) -> Restated:
    """How the outcome of the units changed from one panel to the next, over days from `first` and before `until`."""
    columns = {day: at for at, day in enumerate(now.periods)}
    days = [
        (at, columns[day])
        for at, day in enumerate(before.periods)
        if isinstance(day, dt.date) and first <= day < until and day in columns
    ]
    changed = known = 0
    shifts = []
    for group in (treated, control):
        keys = [unit.casefold() for unit in group]
        rows = [(before.place[key], now.place[key]) for key in keys if key in before.place and key in now.place]
        old = before.outcome[np.ix_([row for row, _ in rows], [at for at, _ in days])]
        new = now.outcome[np.ix_([row for _, row in rows], [at for _, at in days])]
        changed += int((np.abs(new - old) > _ROUNDING * np.maximum(np.abs(old), 1.0)).sum())
        known += old.size
        total = float(old.sum())
        shifts.append(float(new.sum()) / total - 1.0 if total else 0.0)
    return Restated(changed=changed, known=known, treated=shifts[0], control=shifts[1])


def since(panel: Panel, first: dt.date) -> Panel:
    """The panel without what lies before a day."""
    kept = [at for at, day in enumerate(panel.periods) if not isinstance(day, dt.date) or day >= first]
    if len(kept) == len(panel.periods):
        return panel
    left_out = count_of(len(panel.periods) - len(kept), "period")
    return replace(
        panel,
        periods=tuple(panel.periods[at] for at in kept),
        outcome=panel.outcome[:, kept],
        cost=None if panel.cost is None else panel.cost[:, kept],
        notes=(
            *panel.notes,
            f"{left_out} before {first:%-d %b %Y} left out: no part of the plan.",
        ),
    )
