"""How a weekly budget is spent while it is being learnt which lines earn more.

The policy of the product is contextual Thompson sampling (Thompson 1933; Russo et al., A Tutorial on Thompson Sampling,
2018) through the solver of budgets, with four changes, since a concave allocation spreads money, and so explores, by
itself: the deviations of the draw are scaled down (`temperature`), beliefs are shared over the tree and the features, a
small reserve is given as floors to lines that little is known of and that may be worth it
(`optimization.core.learning.probing`), and beliefs forget a little every week.

A learner has no hidden state. What it believes is a fold over the weeks that were observed, in the order of the weeks,
whenever they were told; the random numbers of a week follow from the seed and the week alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optimization.core.learning.allocation import Allocator
from optimization.core.learning.beliefs import Belief, LoneBelief, Posterior, ScalePrior, SharedBelief
from optimization.core.learning.noise import FULL_SHARE, NOISE, noise_variance
from optimization.core.learning.probing import probe_chances, probe_gains, systematic
from optimization.core.learning.shocks import ShockedBelief, WeekShock
from optimization.core.problem import path_text
from optimization.core.responses import Floats
from tenants.core.problems import InvalidInput

#: A line that spent and sold nothing is read as having sold this share of what was expected.
NO_SALE = 0.1
#: How a week was decided where the draw with its probes could not be.
WITHOUT_PROBES, BY_EXPECTATION, AS_BEFORE = "without probes", "by expectation", "as the last allocation"


class UnusableFeedback(InvalidInput):
    """Spend or sales of a week that nothing can be learnt from."""

    code = "unusable-feedback"
    title = "The week cannot be learnt from"


class NothingAllowed(InvalidInput):
    """No allocation of a week meets the constraints, whatever is believed."""

    code = "no-allocation"
    title = "The week cannot be allocated"


@dataclass(frozen=True, eq=False)
class Decision:
    """The allocation of one week and how it was drawn; all arrays of shape (n,).

    Attributes:
        spend: money per cell.
        mean, sd: posterior of theta, or None where nothing is believed.
        draw: theta that was drawn, or None.
        temperature: factor of the deviations of the draw.
        probed: True for the cells that got a floor from the reserve.
        probe_chance: probability of each cell to get one.
        price: what money was worth at each cell by that draw: revenue of one more unit.
        fallback: empty where the draw was allocated, else what was instead, for the draw could not be.
    """

    spend: Floats
    mean: Floats | None = None
    sd: Floats | None = None
    draw: Floats | None = None
    temperature: float = 0.0
    probed: NDArray[np.bool_] | None = None
    probe_chance: Floats | None = None
    price: Floats | None = None
    fallback: str = ""


@dataclass(frozen=True, eq=False)
class ObservedWeek:
    """What a week turned out to be; arrays of shape (n,), features (n, f).

    Attributes:
        week: its number, from 0.
        spend, sales: money; what is not told counts for nothing.
        told: False for cells whose figures are not known; None where all are.
    """

    week: int
    features: Floats
    spend: Floats
    sales: Floats
    told: NDArray[np.bool_] | None = None


class Policy(Protocol):
    """Decides weeks and is told later what they were."""

    def decide(self, week: int, features: Floats) -> Decision:
        """Allocate a week, whose features have shape (n, f)."""
        ...

    def observe(self, seen: ObservedWeek) -> None:
        """Take in what a week was; a week told again replaces what was told before."""
        ...


@dataclass(frozen=True)
class LearningSettings:
    """What the learner may be told.

    Attributes:
        temperature: 0 decides by expectation, 1 by posterior draws as they are.
        shared: learn over the tree and the features; False keeps every cell to itself.
        reserve: most that probes may take, share of the budget; less where fewer lines are worth one.
        outlook: weeks for which a finding of a probe is of use.
        forgetting: step of each cell's offset per week that is allowed for, on the logarithm.
        noise: relative standard deviation of a line's weekly sales.
        shock, retailer_shock: standard deviation expected of what a week does to all lines, and to those of each
            retailer, on the logarithm; without the first a week's readings are taken as independent.
        random_weeks: chance of a week whose budget is spread at random (epsilon-greedy).
    """

    temperature: float = 0.05
    shared: bool = True
    reserve: float = 0.03
    outlook: float = 6.0
    forgetting: float = 0.03
    noise: float = NOISE
    shock: float = 0.1
    retailer_shock: float = 0.05
    random_weeks: float = 0.0


#: The policy of the product, and those it is measured against.
RECOMMENDED = LearningSettings()
GREEDY_SHARED = LearningSettings(temperature=0.0, reserve=0.0)
_ALONE = LearningSettings(temperature=0.0, shared=False, reserve=0.0, forgetting=0.0, shock=0.0, retailer_shock=0.0)
GREEDY = _ALONE
EPSILON_GREEDY = replace(_ALONE, random_weeks=0.1)
TEXTBOOK_THOMPSON = replace(_ALONE, temperature=1.0)


class EqualSplit:
    """Every line gets the same, within its bounds and those of the nodes."""

    def __init__(self, allocator: Allocator) -> None:
        self._spend = np.full(len(allocator), allocator.mean_line)

    def decide(self, week: int, features: Floats) -> Decision:
        return Decision(self._spend)

    def observe(self, seen: ObservedWeek) -> None:
        """Nothing is learnt."""


class Learner:
    """Belief, draw, solver, reserve: every learning policy is one setting of this.

    Args:
        allocator: cells, curves at factor 1, constraints and weekly budget.
        prior: beliefs before the first week.
        settings: which policy.
        seed: of its own draws; the same seed and the same weeks give the same decisions.
    """

    def __init__(
        self, allocator: Allocator, prior: ScalePrior, settings: LearningSettings, seed: int | Sequence[int]
    ) -> None:
        self.allocator, self.settings, self.prior = allocator, settings, prior
        self.last: Floats | None = None
        self.shocks: dict[int, WeekShock] = {}
        self._seed = (seed,) if isinstance(seed, int) else tuple(seed)
        self._seen: dict[int, ObservedWeek] = {}
        self._until, self._belief = 0, self._unread()

    def decide(self, week: int, features: Floats, closed: NDArray[np.bool_] | None = None) -> Decision:
        """Allocate a week.

        Args:
            features: of that week, shape (n, f).
            closed: cells that are out of stock that week, shape (n,).

        Raises:
            NothingAllowed: no spend meets the constraints.
        """
        settings, n = self.settings, len(self.allocator)
        posterior = self.posterior(week, features)
        rng = np.random.default_rng([*self._seed, week])
        # All random numbers of a week are drawn at once, so that settings can be compared draw by draw.
        normal, uniform, mixture = rng.standard_normal(n), rng.random(2), rng.exponential(size=n)
        if uniform[0] < settings.random_weeks:
            return Decision(self.allocator.budget * mixture / mixture.sum(), posterior.mean, posterior.sd)
        allocator = self.allocator.closed(closed)
        decision = self.allocate(
            posterior, normal, settings.temperature, self.chances(posterior, allocator), uniform[1], allocator
        )
        self.last = decision.spend
        return decision

    def posterior(self, week: int, features: Floats) -> Posterior:
        """What is believed now about a week with these features, shape (n, f)."""
        found = self._folded().posterior(features)
        unseen = week - self._until
        if unseen <= 0 or self.settings.forgetting <= 0.0:
            return found
        drifted = found.covariance.copy()
        np.fill_diagonal(drifted, np.diagonal(drifted) + unseen * self.settings.forgetting**2)
        return Posterior(found.mean, drifted)

    def chances(self, posterior: Posterior, allocator: Allocator | None = None) -> Floats:
        """Probability of each cell to be probed, shape (n,): those that are worth it, as far as the reserve goes."""
        there = allocator or self.allocator
        if self.settings.reserve <= 0.0:
            return np.zeros(len(there))
        gains = np.maximum(
            probe_gains(there, posterior, self.floor, noise=self.settings.noise, weeks=self.settings.outlook), 0.0
        )
        most = max(1, int(self.settings.reserve * there.budget / self.floor + 1e-9))
        return probe_chances(gains, min(most, int(np.count_nonzero(gains))), there.domain.upper > 0.0)

    @property
    def floor(self) -> float:
        """Money of one probe: as much as a reading without excess noise takes, or all of a smaller reserve."""
        return min(FULL_SHARE * self.allocator.mean_line, self.settings.reserve * self.allocator.budget)

    def allocate(
        self,
        posterior: Posterior,
        normal: Floats,
        temperature: float,
        chance: Floats,
        start: float,
        allocator: Allocator | None = None,
    ) -> Decision:
        """The decision that these random numbers make of a belief.

        A limit on return or cost may be out of reach by the draw, or with the probes; then the week is decided without
        probes, then by what is expected of the factors, then as the last allocation if it keeps the bounds.

        Args:
            normal: independent standard normal numbers, shape (n,).
            chance: probability of each cell to be probed, with a whole number as sum, shape (n,).
            start: uniform in [0, 1), chooses which are.

        Raises:
            NothingAllowed: none of these is possible.
        """
        there = allocator or self.allocator
        draw = posterior.draw(normal, temperature)
        probed = systematic(chance, start)
        made = Decision(draw, posterior.mean, posterior.sd, draw, temperature, probed, chance)
        factor, none = np.exp(draw), np.zeros(probed.size, dtype=np.bool_)
        found = there.priced(factor, np.where(probed, self.floor, 0.0) if probed.any() else None)
        if found is not None:
            return replace(made, spend=found.spend, price=found.price)
        if probed.any() and (found := there.priced(factor)) is not None:
            return replace(made, spend=found.spend, price=found.price, probed=none, fallback=WITHOUT_PROBES)
        if (found := there.priced(posterior.factor)) is not None:
            return replace(made, spend=found.spend, price=found.price, probed=none, fallback=BY_EXPECTATION)
        kept = None if self.last is None else np.minimum(self.last, there.domain.upper)
        if kept is not None and there.admits(kept):
            return replace(made, spend=kept, probed=none, fallback=AS_BEFORE)
        raise _nothing(there)

    def observe(self, seen: ObservedWeek) -> None:
        """Take in what a week was; a week told again replaces what was told before.

        Raises:
            UnusableFeedback: an amount is negative or not a number.
        """
        _check(seen)
        late = seen.week < self._until
        self._seen[seen.week] = seen
        if late:
            self._start_over()

    def _folded(self) -> Belief:
        for week in range(self._until, max(self._seen, default=-1) + 1):
            if week in self._seen:
                self._learn(self._seen[week])
            if self.settings.forgetting > 0.0:
                self._belief.forget(self.settings.forgetting)
            self._until = week + 1
        return self._belief

    def _start_over(self) -> None:
        self._until, self._belief = 0, self._unread()
        self.shocks = {}

    def _unread(self) -> Belief:
        settings, paths = self.settings, self.allocator.paths
        if not settings.shared:
            return LoneBelief(self.prior, paths)
        if settings.shock <= 0.0:
            return SharedBelief(self.prior, paths)
        return ShockedBelief(self.prior, paths, settings.shock, settings.retailer_shock)

    def _learn(self, week: ObservedWeek) -> None:
        expected = self.allocator.problem.responses.value(week.spend)
        told = (week.spend > 0.0) & (expected > 0.0)
        seen = np.flatnonzero(told if week.told is None else told & week.told)
        variance = np.log1p(noise_variance(week.spend[seen], self.allocator.mean_line, self.settings.noise))
        # No sale at all has no logarithm; it must count all the same, or lines that sell nothing would look average.
        least = NO_SALE * np.exp(self._belief.posterior(week.features).mean[seen]) * expected[seen]
        sales = np.where(week.sales[seen] > 0.0, week.sales[seen], least)
        reading = np.log(sales / expected[seen]) + 0.5 * variance
        self._belief.update(week.features, seen, reading, variance)
        if isinstance(self._belief, ShockedBelief) and self._belief.last is not None and seen.size:
            self.shocks[week.week] = self._belief.last


def _nothing(allocator: Allocator) -> NothingAllowed:
    conflict = allocator.conflict
    if conflict is None:
        return NothingAllowed(
            "No allocation meets the limits on return and cost by what is believed now, and there is none before it.",
            where="global_constraints",
            fix="Lower the smallest return or raise the largest cost, or let the budget be spent in part.",
        )
    parties = "; ".join(f"{one.kind} {one.value:,.2f} of {path_text(one.path)}" for one in conflict.members)
    return NothingAllowed(
        f"The bounds cannot be met together: {parties}.", where="bounds", fix="Relax one of them, or restock."
    )


def _check(week: ObservedWeek) -> None:
    for name, values in (("spend", week.spend), ("sales", week.sales)):
        bad = ~(np.isfinite(values) & (values >= 0.0))
        wrong = np.flatnonzero(bad if week.told is None else bad & week.told)
        if wrong.size:
            raise UnusableFeedback(
                f"The {name} of line {wrong[0]} is {values[wrong[0]]:g}.",
                where=f"{name}, line {wrong[0]}",
                fix="Give zero or a positive number.",
            )
