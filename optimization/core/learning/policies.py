"""How a weekly budget is spent while it is being learnt which lines earn more.

The policy of the product is contextual Thompson sampling (Thompson 1933; Russo et al., A Tutorial on Thompson Sampling,
2018) through the solver of budgets, with four changes, since a concave allocation spreads money, and so explores, by
itself: the deviations of the draw are scaled down (`temperature`), beliefs are shared over the tree and the features, a
small reserve is given as floors to lines that are drawn by their posterior standard deviation, and beliefs forget a
little every week.

The others are what it is measured against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optimization.core.learning.allocation import Allocator
from optimization.core.learning.beliefs import Belief, LoneBelief, Posterior, ScalePrior, SharedBelief
from optimization.core.learning.noise import NOISE, noise_variance
from optimization.core.responses import Floats
from tenants.core.problems import InvalidInput

#: Share of the choice of probes that does not look at the beliefs.
EVEN_SHARE = 0.2
#: A line that spent and sold nothing is read as having sold this share of what was expected.
NO_SALE = 0.1


class UnusableFeedback(InvalidInput):
    """Spend or sales of a week that nothing can be learnt from."""

    code = "unusable-feedback"
    title = "The week cannot be learnt from"


@dataclass(frozen=True, eq=False)
class Decision:
    """The allocation of one week and how it was drawn; all arrays of shape (n,).

    Attributes:
        spend: money per cell.
        mean, sd: posterior of theta, or None where nothing is believed.
        draw: theta that was allocated with, or None.
        temperature: factor of the deviations of the draw.
        probed: True for the cells that got a floor from the reserve.
        probe_chance: probability of each cell to get one.
        price: what money was worth at each cell by that draw: revenue of one more unit.
    """

    spend: Floats
    mean: Floats | None = None
    sd: Floats | None = None
    draw: Floats | None = None
    temperature: float = 0.0
    probed: NDArray[np.bool_] | None = None
    probe_chance: Floats | None = None
    price: Floats | None = None


class Policy(Protocol):
    """Decides weeks in order and is told their sales later."""

    def decide(self, features: Floats) -> Decision:
        """Allocate the next week, whose features have shape (n, f)."""
        ...

    def learn(self, features: Floats, spend: Floats, sales: Floats) -> None:
        """Take in the sales of a past week; weeks come in order, each once."""
        ...


@dataclass(frozen=True)
class LearningSettings:
    """What the learner may be told.

    Attributes:
        temperature: 0 decides by expectation, 1 by posterior draws as they are.
        shared: learn over the tree and the features; False keeps every cell to itself.
        reserve: share of the first week's budget given as floors to lines drawn for their uncertainty; it falls in step
            with the mean posterior standard deviation.
        probes: number of lines that share the reserve.
        forgetting: step of each cell's offset per week that is allowed for, on the logarithm.
        noise: relative standard deviation of a line's weekly sales.
        random_weeks: chance of a week whose budget is spread at random (epsilon-greedy).
    """

    temperature: float = 0.1
    shared: bool = True
    reserve: float = 0.03
    probes: int = 4
    forgetting: float = 0.03
    noise: float = NOISE
    random_weeks: float = 0.0


#: The policy of the product, and those it is measured against.
RECOMMENDED = LearningSettings()
GREEDY_SHARED = LearningSettings(temperature=0.0, reserve=0.0)
GREEDY = LearningSettings(temperature=0.0, shared=False, reserve=0.0, forgetting=0.0)
EPSILON_GREEDY = LearningSettings(temperature=0.0, shared=False, reserve=0.0, forgetting=0.0, random_weeks=0.1)
TEXTBOOK_THOMPSON = LearningSettings(temperature=1.0, shared=False, reserve=0.0, forgetting=0.0)


class EqualSplit:
    """Every line gets the same, within its bounds and those of the nodes."""

    def __init__(self, allocator: Allocator) -> None:
        self._spend = np.full(len(allocator), allocator.budget / len(allocator))

    def decide(self, features: Floats) -> Decision:
        return Decision(self._spend)

    def learn(self, features: Floats, spend: Floats, sales: Floats) -> None:
        """Nothing is learnt."""


class Learner:
    """Belief, draw, solver, reserve: every learning policy is one setting of this.

    Args:
        allocator: cells, curves at factor 1, bounds and weekly budget.
        prior: beliefs before the first week.
        settings: which policy.
        seed: of its own draws; the same seed and the same sales give the same decisions.
    """

    def __init__(
        self, allocator: Allocator, prior: ScalePrior, settings: LearningSettings, seed: int | Sequence[int]
    ) -> None:
        self.allocator, self.settings = allocator, settings
        kind = SharedBelief if settings.shared else LoneBelief
        self.belief: Belief = kind(prior, allocator.paths)
        self._rng = np.random.default_rng(seed)
        self._mean_line = allocator.budget / len(allocator)
        self._first_doubt: float | None = None

    def decide(self, features: Floats) -> Decision:
        """Allocate the next week, whose features have shape (n, f)."""
        settings, n = self.settings, len(self.allocator)
        posterior = self.posterior(features)
        # All random numbers of a week are drawn at once, so that settings can be compared draw by draw.
        normal, uniform, mixture = self._rng.standard_normal(n), self._rng.random(2), self._rng.exponential(size=n)
        if uniform[0] < settings.random_weeks:
            return Decision(self.allocator.budget * mixture / mixture.sum(), posterior.mean, posterior.sd)
        doubt = float(posterior.sd.mean())
        self._first_doubt = doubt if self._first_doubt is None else self._first_doubt
        chance = probe_chances(posterior.factor_sd, settings.probes if settings.reserve > 0.0 else 0)
        return self.allocate(posterior, normal, settings.temperature, chance, uniform[1])

    def posterior(self, features: Floats) -> Posterior:
        """What is believed now about a week with these features, shape (n, f)."""
        return self.belief.posterior(features)

    def allocate(
        self, posterior: Posterior, normal: Floats, temperature: float, chance: Floats, start: float
    ) -> Decision:
        """The decision that these random numbers make of a belief.

        Args:
            normal: independent standard normal numbers, shape (n,).
            chance: probability of each cell to be probed, with a whole number as sum, shape (n,).
            start: uniform in [0, 1), chooses which are.
        """
        draw = posterior.draw(normal, temperature)
        probed = _systematic(chance, start)
        calm = 1.0 if self._first_doubt is None else min(1.0, float(posterior.sd.mean()) / self._first_doubt)
        floor = calm * self.settings.reserve * self.allocator.budget / max(self.settings.probes, 1)
        spend, price = self.allocator.priced(np.exp(draw), np.where(probed, floor, 0.0))
        return Decision(spend, posterior.mean, posterior.sd, draw, temperature, probed, chance, price)

    def learn(self, features: Floats, spend: Floats, sales: Floats) -> None:
        """Take in the sales of a past week; weeks come in order, each once.

        Raises:
            UnusableFeedback: an amount is negative or not a number.
        """
        _check(spend, sales)
        seen = np.flatnonzero(spend > 0.0)
        variance = np.log1p(noise_variance(spend[seen], self._mean_line, self.settings.noise))
        expected = self.allocator.problem.responses.value(spend)[seen]
        # No sale at all has no logarithm; it must count all the same, or lines that sell nothing would look average.
        least = NO_SALE * np.exp(self.posterior(features).mean[seen]) * expected
        told = np.where(sales[seen] > 0.0, sales[seen], least)
        reading = np.log(told / expected) + 0.5 * variance
        self.belief.update(features, seen, reading, variance)
        if self.settings.forgetting > 0.0:
            self.belief.forget(self.settings.forgetting)


def _check(spend: Floats, sales: Floats) -> None:
    for name, values in (("spend", spend), ("sales", sales)):
        wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0.0)))
        if wrong.size:
            raise UnusableFeedback(
                f"The {name} of line {wrong[0]} is {values[wrong[0]]:g}.",
                where=f"{name}, line {wrong[0]}",
                fix="Give zero or a positive number.",
            )


def probe_chances(spread: Floats, probes: int) -> Floats:
    """Probability of each cell to be probed: in proportion to its spread, with the sum `probes`; shape (n,).

    A fifth of each probe is chosen evenly, so that no line is certain to be probed or not to be, and the log can judge
    other choices.
    """
    if probes >= spread.size:
        return np.ones(spread.size)
    chance, open_, left = np.zeros(spread.size), spread > 0.0, float(probes)
    while open_.any() and left > 0.0:
        share = left * spread / float(spread[open_].sum())
        sure = open_ & (share >= 1.0)
        if not sure.any():
            chance[open_] = share[open_]
            break
        chance[sure] = 1.0
        open_ &= ~sure
        left -= float(sure.sum())
    aimed = float(chance.sum())
    even = (1.0 - EVEN_SHARE) * aimed
    return (1.0 - EVEN_SHARE) * chance + (probes - even) / spread.size


def _systematic(chance: Floats, start: float) -> NDArray[np.bool_]:
    """Systematic sampling (Madow 1949): each cell with just its chance, and always the same number of cells."""
    total = np.cumsum(chance)
    crossed = np.floor(total + start + 1e-12) - np.floor(np.concatenate([[0.0], total[:-1]]) + start + 1e-12)
    return np.asarray(crossed >= 1.0)
