"""Matched pairs of a panel: which rows they are, and what each pair differs by in a window of the test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from measurement.core.arrays import Floats, Ints
from measurement.core.panel import Panel
from measurement.core.words import count_of
from tenants.core.problems import InvalidInput

_NAMED: Final = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class PairedTest:
    """Rows of the pairs and the windows, all positions from 0 and inclusive.

    Attributes:
        treated, control: rows of the panel, shape [pairs] each.
        start, end: the test. cooldown_end: last period of the cool-down, equal to `end` where there is none.
    """

    panel: Panel
    treated: Ints
    control: Ints
    start: int
    end: int
    cooldown_end: int

    @property
    def treated_names(self) -> tuple[str, ...]:
        """Names of the treated units, in the order of the pairs."""
        return tuple(self.panel.units[row] for row in self.treated)

    @property
    def control_names(self) -> tuple[str, ...]:
        """Names of the controls, in the order of the pairs."""
        return tuple(self.panel.units[row] for row in self.control)

    def log_differences(self, first: int, last: int, before: int | None = None) -> Floats:
        """Per pair: growth of the treated from the mean before to the mean of a window, less that of the control.

        Shape [pairs], in logs; NaN where a unit has nothing positive to take the log of.

        Args:
            before: periods that count as before, `start` without it.
        """
        panel = self.panel.outcome
        base = panel[:, : self.start if before is None else before].mean(axis=1)
        window = panel[:, first : last + 1].mean(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            growth: Floats = np.log(window) - np.log(base)
        growth[~np.isfinite(growth)] = np.nan
        difference: Floats = growth[self.treated] - growth[self.control]
        return difference

    def level_differences(self, values: Floats) -> Floats:
        """Per pair: sum of the test and cool-down less what the periods before make of it, treated less control.

        Args:
            values: outcome or cost of the panel, shape [units, periods].
        """
        change = self.changes(values)
        difference: Floats = change[self.treated] - change[self.control]
        return difference

    def changes(self, values: Floats, first: int | None = None, last: int | None = None) -> Floats:
        """Per unit: sum of a window less what the periods before the test make of it, shape [units].

        Args:
            first, last: of the window, inclusive; test and cool-down without them.
        """
        begin = self.start if first is None else first
        window = values[:, begin : (self.cooldown_end if last is None else last) + 1]
        change: Floats = window.sum(axis=1) - values[:, : self.start].mean(axis=1) * window.shape[1]
        return change


def paired_test(
    panel: Panel, pairs: Sequence[tuple[str, str]], *, start: int, end: int | None = None, cooldown: int = 0
) -> PairedTest:
    """The pairs `(treated, control)` of a panel, checked.

    Raises:
        InvalidInput: a unit is not in the panel, is in two pairs or paired with itself; fewer than two pairs; no period
            before the test, or a window beyond the panel.
    """
    if len(pairs) < 2:
        raise InvalidInput(
            f"A test of {count_of(len(pairs), 'pair')} is none.",
            where="pairs",
            fix="Give at least two; eight or more tell much.",
        )
    rows: dict[int, str] = {}
    for number, pair in enumerate(pairs, start=1):
        for unit in pair:
            row = panel.place.get(unit.casefold())
            if row is None:
                raise InvalidInput(
                    f"{unit!r} is not in the panel.", where=f"pair {number}", fix="Give the name as the file spells it."
                )
            if row in rows:
                raise InvalidInput(
                    f"{unit!r} stands in {rows[row]} too.", where=f"pair {number}", fix="Give each unit one partner."
                )
            rows[row] = f"pair {number}"
    last = len(panel.periods) - 1
    end = last - cooldown if end is None else end
    if start < 1:
        raise InvalidInput(
            "Nothing lies before the test.", where="start", fix="Start the test after at least one period."
        )
    if not start <= end <= last or cooldown < 0 or end + cooldown > last:
        raise InvalidInput(
            f"The test from period {start + 1} to {end + 1} with {count_of(cooldown, 'period')} of cool-down does not "
            f"lie within the panel's {last + 1} periods.",
            where="end",
            fix="Give a start, an end and a cool-down that the data cover.",
        )
    ordered = np.array(list(rows), dtype=np.int64).reshape(-1, 2)
    return PairedTest(
        panel=panel, treated=ordered[:, 0], control=ordered[:, 1], start=start, end=end, cooldown_end=end + cooldown
    )


def unpaired(units: Iterable[str], pairs: Sequence[tuple[str, str]]) -> str:
    """A sentence that names the units of a test that stand in no pair; empty where all do."""
    held = {name.casefold() for pair in pairs for name in pair}
    lone = [name for name in units if name.casefold() not in held]
    if not lone:
        return ""
    named = ", ".join(lone[:_NAMED]) + (f" and {len(lone) - _NAMED} more" if len(lone) > _NAMED else "")
    return f"{count_of(len(lone), 'unit')} of the test without a partner, not read: {named}."


def extra_spend(test: PairedTest) -> Floats | None:
    """Spend of the treated beyond what their past and their partner make of it, per pair; None where no cost is known.

    Raises:
        InvalidInput: the spend of the treated did not change at all, so that nothing was tested.
    """
    if test.panel.cost is None:
        return None
    spend = test.level_differences(test.panel.cost)
    if float(np.abs(spend).max()) < 1e-9:
        raise InvalidInput(
            "No pair's spend changed in the test.",
            where="cost",
            fix="Leave the cost out, or give the spend of the test.",
        )
    return spend
