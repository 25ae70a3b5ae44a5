"""A market with known truth, to measure what learning costs.

One market has 100 cells under 5 levels (channel, retailer, placement, audience, SKU) and 52 weeks. In week t cell i
sells, in expectation,

    exp(theta_it) k_i g(x / k_i)        g(u) = ln(1 + u) for half of the cells, u / (1 + u) for the others

    theta_it = intercept + weights . features_it + offsets of its nodes + own offset + drift_it

- Features, standardised: price position and content score of the SKU (constant), season (a yearly wave whose peak is
  the category's), promotion (one week in five). Their weights are drawn, as are all offsets.
- Drift: none, or a random walk of each cell with the given step per week.
- Sales are lognormal around that with 35 % noise. A line with less than a quarter of the mean line's budget sells by
  few orders, and its noise grows as counts do: variance by (quarter / spend). Without it a cent on each line would tell
  everything, and learning would cost nothing.
- Where shocks are asked for, the sales of all lines in a week are also multiplied by one lognormal factor of mean 1.
- The sales of a week are known one week late: who decides week t knows the weeks up to t - 2.
- The budget is 0.4 of the sum of the k. No line may get more than 20 % of it, no retailer of a channel more than 45 %.

The curves' k and family are known to whoever learns, exactly or with an error of `bend_error`; the factor exp(theta) is
not: learning is about which lines earn more, not about their bend. Every policy that is run on a market meets the same
truth and the same noise.

Regret of a week is the expected revenue of the best allocation, found with the true factors by the same solver, less
that of the allocation chosen. It is told in weeks of the market's mean best revenue.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from optimization.core.learning.allocation import Allocator
from optimization.core.learning.beliefs import ScalePrior
from optimization.core.learning.noise import noise_variance
from optimization.core.problem import BudgetProblem, Cell, Curve, NodeBound, Path
from optimization.core.responses import Family, Floats

FEATURES = ("price position", "content score", "season", "promotion")
#: What the generator draws from; a calibrated learner believes just this.
TRUTH = ScalePrior(
    intercept=math.log(4.0),
    intercept_sd=0.3,
    weights=(-0.2, 0.2, 0.25, 0.15),
    weights_sd=(0.2, 0.2, 0.2, 0.2),
    level_sd=(0.2, 0.2, 0.2, 0.1),
    cell_sd=0.4,
)
#: How far below the truth a pessimistic prior sees every line, on the logarithm: at a quarter of what it earns.
PESSIMISM = -math.log(0.25)
#: Weeks until the sales of a week are known.
DELAY = 1
#: Weekly budget as a share of the sum of the k.
BUDGET = 0.4


def pessimistic(prior: ScalePrior) -> ScalePrior:
    """The same spreads around a level that is too low."""
    return replace(prior, intercept=prior.intercept - PESSIMISM)


@dataclass(frozen=True, eq=False)
class Market:
    """One drawn market of n cells and w weeks.

    Attributes:
        allocator: the cells with their curves at factor 1 as whoever learns knows them, bounds and weekly budget.
        true: the same with the true curves.
        features: shape (w, n, 4).
        theta: true logarithm of the factor, shape (w, n).
        shocks: standard normal noise of each week's sales, shape (w, n).
        common: what each week does to all lines, on the logarithm, shape (w,).
    """

    allocator: Allocator
    true: Allocator
    features: Floats
    theta: Floats
    shocks: Floats
    common: Floats

    @classmethod
    def drawn(
        cls,
        seed: int,
        *,
        cells: int = 100,
        weeks: int = 52,
        drift: float = 0.0,
        bend_error: float = 0.0,
        shock: float = 0.0,
    ) -> Market:
        """Draw a market.

        Args:
            seed: the same seed gives the same market, with drift or curve errors but for these.
            cells, weeks: its size.
            drift: step of each theta per week, 0.06 for "6 % weekly drift".
            bend_error: spread of ln k as known around the true one; 0 knows the bend of every curve.
            shock: spread of what a week does to the sales of all lines, on the logarithm.
        """
        rng = np.random.default_rng([seed, 1])
        paths: list[Path] = [
            (f"channel{i % 3}", f"retailer{i % 4}", f"placement{i // 4 % 3}", f"audience{i // 12 % 2}", f"sku{i}")
            for i in range(cells)
        ]
        k = np.exp(rng.normal(math.log(1000.0), 0.6, cells))
        features = _drawn_features(rng, cells, weeks)
        weights = rng.normal(TRUTH.weights, TRUTH.weights_sd)
        level = rng.normal(TRUTH.intercept, TRUTH.intercept_sd) + rng.normal(0.0, TRUTH.cell_sd, cells)
        for depth, sd in enumerate(TRUTH.level_sd, start=1):
            names = sorted({path[:depth] for path in paths})
            offset = dict(zip(names, rng.normal(0.0, sd, len(names)), strict=True))
            level = level + np.array([offset[path[:depth]] for path in paths])
        theta = level + features @ weights
        shocks = rng.standard_normal((weeks, cells))
        steps = rng.standard_normal((weeks, cells))
        steps[0] = 0.0
        known = k * np.exp(bend_error * rng.standard_normal(cells))
        budget = BUDGET * float(k.sum())
        true = _allocator(paths, k, budget)
        allocator = true if bend_error == 0.0 else _allocator(paths, known, budget)
        common = shock * np.random.default_rng([seed, 2]).standard_normal(weeks) - 0.5 * shock**2
        return cls(allocator, true, features, theta + drift * np.cumsum(steps, axis=0), shocks, common)

    @property
    def weeks(self) -> int:
        return len(self.theta)

    @cached_property
    def best(self) -> Floats:
        """Expected revenue of the best allocation of each week, money, shape (w,)."""
        return np.array([self.revenue(week, self.best_spend(week)) for week in range(self.weeks)])

    def best_spend(self, week: int) -> Floats:
        """The allocation that the true factors call for, money, shape (n,)."""
        return self.true.allocate(np.exp(self.theta[week]))

    def revenue(self, week: int, spend: Floats) -> float:
        """Expected revenue of an allocation, money."""
        return float(self.true.revenue(np.exp(self.theta[week]), spend).sum())

    def sales(self, week: int, spend: Floats) -> Floats:
        """Attributed sales of a week with their noise, money, shape (n,); zero where nothing was spent."""
        sd = np.sqrt(np.log1p(noise_variance(spend, self.allocator.budget / len(self.allocator))))
        expected = self.true.revenue(np.exp(self.theta[week]), spend)
        noise = sd * self.shocks[week] - 0.5 * sd**2 + self.common[week]
        return np.where(spend > 0.0, expected * np.exp(noise), 0.0)


def _allocator(paths: Sequence[Path], k: Floats, budget: float) -> Allocator:
    lines = [
        Cell(
            path[-1],
            path,
            Curve(Family.LOG if number % 2 else Family.MICHAELIS_MENTEN, float(scale), float(scale)),
            max_spend=0.2 * budget,
        )
        for number, (path, scale) in enumerate(zip(paths, k, strict=True))
    ]
    prefixes = sorted({path[:2] for path in paths})
    caps = [NodeBound(prefix, None, 0.45 * budget) for prefix in prefixes]
    return Allocator.of(BudgetProblem.of(lines, budget, node_bounds=caps))


def _drawn_features(rng: np.random.Generator, cells: int, weeks: int) -> Floats:
    """Price position, content score, season and promotion, shape (w, n, 4)."""
    constant = rng.standard_normal((2, cells))
    category = rng.integers(0, 5, cells)
    peak = rng.uniform(0.0, 52.0, 5)[category]
    season = math.sqrt(2.0) * np.cos(2.0 * math.pi * (np.arange(weeks)[:, None] - peak[None, :]) / 52.0)
    promoted = rng.random((weeks, cells)) < 0.2
    promotion = (promoted - 0.2) / math.sqrt(0.2 * 0.8)
    shape = (weeks, cells)
    return np.stack(
        [np.broadcast_to(constant[0], shape), np.broadcast_to(constant[1], shape), season, promotion], axis=2
    )
