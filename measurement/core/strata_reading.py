"""Units drawn within strata, such as SKUs held out of advertising: growth of the treated against like units.

Within a stratum the design draws which units are treated. The statistic is the difference of mean growth, averaged over
strata by how many are treated there; the test draws again within strata, and the interval inverts it. Growth is in logs
where every unit sold in the test. Else it is taken in shares of what the unit sold before, so that an empty shelf is a
number, and the effect adds to that share.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np

from measurement.core.ancova import ancova_row
from measurement.core.answers import Estimate, PanelReading, Sensitivity, UnitEffect
from measurement.core.arrays import Bools, Floats, Ints
from measurement.core.drawn_reading import DrawnTest, drawn_reading
from measurement.core.inversion import Reassigned, reassigned
from measurement.core.log_effects import effect_of, lift_of_log, over_rest, sales_of_log, scaled
from measurement.core.panel import Panel
from measurement.core.returns import margin_of_changes, return_of
from measurement.core.treated_panel import clear_of_rounding
from measurement.core.words import count_of
from tenants.core.problems import InvalidInput

Growth = Literal["auto", "log", "share"]
DRAWS: Final = 9_999
_WHY: Final = "Drawn within {count} strata: compared within them, by the draws that the design could have made."


def analyze_strata(
    panel: Panel,
    *,
    strata: Sequence[tuple[Sequence[str], Sequence[str]]],
    start: int,
    end: int | None = None,
    cooldown: int = 0,
    growth: Growth = "auto",
    alpha: float = 0.05,
    seed: int = 1,
    why_method: str = "",
    sensitivity: bool = True,
) -> PanelReading:
    """Reading of a test whose treated units were drawn within strata.

    Args:
        strata: (treated, controls) names of each, both at least one. Held-out SKUs are the treated ones: what
            advertising earned is then the negative of the effect.
        start, end: positions from 0, both inclusive; a cool-down counts to the test in every figure.
        growth: `log`, `share`, or `auto`: logs unless a unit sold nothing in the test.
        sensitivity: whether to ask other methods too.

    Raises:
        InvalidInput: units or windows that the panel does not hold, a unit in two strata, a stratum with one arm, or a
            unit that sold nothing before.
    """
    test = _Strata(panel, strata, start, end, cooldown)
    scale = _scale(test, growth)
    draws = _Draws(test, seed)
    found = draws.test(test.growth(scale, test.start, test.cooldown_end))
    observed = panel.outcome[test.treated].sum(axis=0)
    base = float(test.base[test.treated].sum())

    def sold(first: int, last: int) -> Estimate | None:
        if not np.isfinite(test.growth(scale, first, last)).all():
            return None
        effect = effect_of(draws.test(test.growth(scale, first, last)), alpha)
        if scale == "log":
            return sales_of_log(effect, float(observed[first : last + 1].sum()))
        # The effect is a share of what each treated unit sold before, period by period.
        return scaled(effect, base * (last - first + 1))

    incremental = sold(test.start, test.cooldown_end)
    assert incremental is not None
    total = float(observed[test.start : test.cooldown_end + 1].sum())
    cost, margin = _cost(test, alpha)
    listed = f"all {found.count:,} assignments" if draws.exact else f"{found.count:,} drawn assignments"
    words = "log growth" if scale == "log" else "growth in shares of sales before"
    return drawn_reading(
        DrawnTest(
            panel=panel,
            method="strata",
            why_method=why_method or _WHY.format(count=len(strata)),
            procedure=f"randomisation test of {words} within strata over {listed}, and its inversion",
            alpha=alpha,
            p_value=found.p_value(),
            start=test.start,
            end=test.end,
            cooldown_end=test.cooldown_end,
            treated=tuple(panel.units[row] for row in test.treated),
            controls=tuple(panel.units[row] for row in test.controls),
            lift=lift_of_log(effect_of(found, alpha)) if scale == "log" else over_rest(incremental, total),
            incremental=incremental,
            iroas=return_of(incremental, cost, margin) if cost else None,
            cost=cost,
            quiet=_quiet(test),
            sold=sold,
            is_share=scale == "log",
            by_unit=_by_unit(test),
            placebos=_placebos(test, scale),
            sensitivity=_beside(test, draws, scale, alpha, total) if sensitivity else (),
            warnings=_warnings(test, found, scale, growth, alpha),
            details={"strata": len(strata), "assignments": found.count, "growth": scale},
        )
    )


class _Strata:
    """Rows of the units that take part, their stratum and arm, and the windows."""

    def __init__(
        self,
        panel: Panel,
        strata: Sequence[tuple[Sequence[str], Sequence[str]]],
        start: int,
        end: int | None,
        cooldown: int,
    ) -> None:
        self.panel = panel
        last = len(panel.periods) - 1
        self.start, self.end = start, last - cooldown if end is None else end
        self.cooldown_end = self.end + cooldown
        if not 1 <= start <= self.end <= self.cooldown_end <= last:
            raise InvalidInput(
                f"The test from period {start + 1} to {self.end + 1} with {cooldown} of cool-down does not lie within "
                f"the panel's {last + 1} periods, with at least one before it.",
                where="start",
                fix="Give a start, an end and a cool-down that the data cover.",
            )
        rows: dict[int, tuple[int, bool]] = {}
        for number, (treated, controls) in enumerate(strata):
            if not treated or not controls:
                raise InvalidInput(
                    "One arm is empty.", where=f"stratum {number + 1}", fix="Give treated units and controls in each."
                )
            for unit in (*treated, *controls):
                row = panel.place.get(unit.casefold())
                if row is None:
                    raise InvalidInput(
                        f"{unit!r} is not in the panel.",
                        where=f"stratum {number + 1}",
                        fix="Spell it as the file does.",
                    )
                if row in rows:
                    raise InvalidInput(
                        f"{unit!r} stands there twice.", where=f"stratum {number + 1}", fix="Give each unit one place."
                    )
                rows[row] = number, False
            for unit in treated:
                rows[panel.place[unit.casefold()]] = number, True
        if not rows:
            raise InvalidInput("There is no stratum.", where="strata", fix="Give at least one.")
        self.rows = np.array(list(rows), dtype=np.int64)
        self.stratum = np.array([one[0] for one in rows.values()], dtype=np.int64)
        self.kinds: Bools = np.array([one[1] for one in rows.values()])
        self.treated: Ints = self.rows[self.kinds]
        self.controls: Ints = self.rows[~self.kinds]
        self.base: Floats = panel.outcome[:, :start].mean(axis=1)
        for row in self.rows:
            if self.base[row] <= 0.0:
                raise InvalidInput(
                    f"{panel.units[row]!r} sold nothing before the test.",
                    where=f"unit {panel.units[row]}",
                    fix="Leave it out, or pool it with its like.",
                )
        # Weights of units: within a stratum the arms are averaged, over strata by how many are treated.
        self.shares = np.bincount(self.stratum, weights=self.kinds) / self.kinds.sum()

    def growth(self, scale: str, first: int, last: int, before: int | None = None) -> Floats:
        """Of each unit, from the mean before to the mean of a window, shape [units that take part]."""
        outcome = self.panel.outcome[self.rows]
        base = outcome[:, : self.start if before is None else before].mean(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = outcome[:, first : last + 1].mean(axis=1) / base
            growth: Floats = np.log(ratio) if scale == "log" else ratio - 1.0
        return growth

    def differences(self, kinds: Bools, values: Floats) -> Floats:
        """The statistic of assignments, shape [assignments, units], of values, shape [units]."""
        found = np.zeros(len(kinds))
        for number, share in enumerate(self.shares):
            members = self.stratum == number
            inside, part = kinds[:, members].astype(np.float64), values[members]
            count = int(self.kinds[members].sum())
            treated = inside @ part
            found += share * (treated / count - (part.sum() - treated) / (int(members.sum()) - count))
        return found


def _scale(test: _Strata, growth: Growth) -> str:
    sold = test.panel.outcome[test.rows, test.start : test.cooldown_end + 1].sum(axis=1)
    empty = np.flatnonzero(sold <= 0.0)
    if growth == "log" and len(empty):
        raise InvalidInput(
            f"{test.panel.units[test.rows[empty[0]]]!r} sold nothing in the test, and nothing has no log.",
            where="growth",
            fix="Use shares of the sales before.",
        )
    return "share" if growth == "share" or len(empty) else "log"


def _draws(test: _Strata, seed: int) -> tuple[Bools, bool]:
    """Other assignments that the design could have drawn; all of them where they are few enough."""
    members = [np.flatnonzero(test.stratum == number) for number in range(len(test.shares))]
    counts = [int(test.kinds[places].sum()) for places in members]
    total = math.prod(math.comb(len(places), count) for places, count in zip(members, counts, strict=True))
    size = len(test.kinds)
    if total <= DRAWS + 1:
        choices = [itertools.combinations(places, count) for places, count in zip(members, counts, strict=True)]
        listed = np.zeros((total, size), dtype=bool)
        for at, chosen in enumerate(itertools.product(*choices)):
            listed[at, list(itertools.chain.from_iterable(chosen))] = True
        return listed[(listed != test.kinds).any(axis=1)], True
    rng = np.random.default_rng(seed)
    drawn = np.zeros((DRAWS, size), dtype=bool)
    for places, count in zip(members, counts, strict=True):
        order = np.argsort(rng.random((DRAWS, len(places))), axis=1)[:, :count]
        np.put_along_axis(drawn, places[order], True, axis=1)
    return drawn, False


class _Draws:
    """Assignments that the design could have drawn, and the test over them."""

    def __init__(self, test: _Strata, seed: int) -> None:
        self._strata = test
        self._others, self.exact = _draws(test, seed)
        self._slope = 1.0 - test.differences(self._others, test.kinds.astype(np.float64))

    def test(self, values: Floats) -> Reassigned:
        """Of a figure of each unit, shape [units that take part]."""
        seen = float(self._strata.differences(self._strata.kinds[None, :], values)[0])
        shortfall = seen - self._strata.differences(self._others, values)
        return reassigned(center=seen, shortfall=shortfall, slope=self._slope, exact=self.exact)


def _cost(test: _Strata, alpha: float) -> tuple[float | None, float]:
    """Spend of the treated beyond what their past makes of it, less the like of the controls in their strata; and half
    of its interval, from how controls of a stratum differ."""
    if test.panel.cost is None:
        return None, 0.0
    cost = test.panel.cost[test.rows]
    length = test.cooldown_end - test.start + 1
    change = cost[:, test.start : test.cooldown_end + 1].sum(axis=1) - length * cost[:, : test.start].mean(axis=1)
    extra = float(test.differences(test.kinds[None, :], change)[0]) * int(test.kinds.sum())
    like = [change[(test.stratum == number) & ~test.kinds] for number in range(len(test.shares))]
    # About the mean of its stratum a control differs by less than from another unit.
    apart = [(one - one.mean()) * math.sqrt(len(one) / (len(one) - 1.0)) for one in like if len(one) > 1]
    controls = np.concatenate(apart or like)
    margin = margin_of_changes(change[test.kinds], controls, alpha)
    return clear_of_rounding(extra, test.panel.cost), margin


def _quiet(test: _Strata) -> Floats:
    """The treated as the controls of their strata moved, shape [periods]."""
    panel = test.panel.outcome
    course = np.zeros(panel.shape[1])
    for row, number in zip(test.treated, test.stratum[test.kinds], strict=True):
        like = test.rows[(test.stratum == number) & ~test.kinds]
        course += test.base[row] * (panel[like] / test.base[like][:, None]).mean(axis=0)
    return course


def _beside(test: _Strata, draws: _Draws, scale: str, alpha: float, sold: float) -> tuple[Sensitivity, ...]:
    """The other scale of growth and the plain sums, each by the same draws."""
    length, count = test.cooldown_end - test.start + 1, int(test.kinds.sum())
    found = []
    other = "share" if scale == "log" else "log"
    if np.isfinite(test.growth(other, test.start, test.cooldown_end)).all():
        growth = draws.test(test.growth(other, test.start, test.cooldown_end))
        effect = effect_of(growth, alpha)
        lift = (
            lift_of_log(effect)
            if other == "log"
            else over_rest(scaled(effect, float(test.base[test.treated].sum()) * length), sold)
        )
        found.append(_row(f"strata_{other}", lift, growth.p_value(), "the same draws"))
    else:
        found.append(Sensitivity("strata_log", None, None, "a unit sold nothing in the test, and nothing has no log"))
    outcome = test.panel.outcome[test.rows]
    change = outcome[:, test.start : test.cooldown_end + 1].sum(axis=1) - length * test.base[test.rows]
    levels = draws.test(change)
    lift = over_rest(scaled(effect_of(levels, alpha), count), sold)
    found.append(_row("did", lift, levels.p_value(), "in levels within strata, the same draws"))
    found.append(ancova_row(outcome, test.kinds, start=test.start, last=test.cooldown_end, alpha=alpha))
    return tuple(found)


def _row(method: str, lift: Estimate, p_value: float, note: str) -> Sensitivity:
    if not math.isfinite(lift.value):
        return Sensitivity(method, None, p_value, "no lift: nothing would have been sold by this method")
    return Sensitivity(method, lift, p_value, note)


def _placebos(test: _Strata, scale: str) -> Floats:
    """Lifts of windows before the test that are as long as it, none overlapping."""
    length = test.cooldown_end - test.start + 1
    found = []
    for first in range(test.start - length, length - 1, -length):
        growth = test.growth(scale, first, first + length - 1, before=first)
        if np.isfinite(growth).all():
            effect = float(test.differences(test.kinds[None, :], growth)[0])
            found.append(math.expm1(effect) if scale == "log" else effect)
    return np.array(found[::-1])


def _by_unit(test: _Strata) -> tuple[UnitEffect, ...]:
    panel = test.panel.outcome
    window = slice(test.start, test.cooldown_end + 1)
    found = []
    for row, number in zip(test.treated, test.stratum[test.kinds], strict=True):
        like = test.rows[(test.stratum == number) & ~test.kinds]
        counterfactual = test.base[row] * (panel[like] / test.base[like][:, None]).mean(axis=0)
        expected, sold = float(counterfactual[window].sum()), float(panel[row, window].sum())
        found.append(
            UnitEffect(
                unit=test.panel.units[row],
                lift=sold / expected - 1.0 if expected > 0.0 else None,
                observed=panel[row],
                counterfactual=counterfactual,
            )
        )
    return tuple(sorted(found, key=lambda one: -float(one.observed[window].sum())))


def _warnings(test: _Strata, found: Reassigned, scale: str, growth: Growth, alpha: float) -> list[str]:
    said = []
    if found.least_p > alpha:
        said.append(
            f"The design could have drawn only {count_of(found.count, 'assignment')}: the smallest p is "
            f"{found.least_p:.3g}, and the interval has no ends at {alpha:g}."
        )
    if scale == "share" and growth == "auto":
        said.append("Some units sold nothing in the test: growth is in shares of sales before, not in logs.")
    if test.start < test.cooldown_end - test.start + 1:
        said.append(f"Only {count_of(test.start, 'period')} before a test of {test.cooldown_end - test.start + 1}.")
    return said
