"""One policy on one market: what was decided, what was told when, and the regret."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimization.core.learning.policies import Policy
from optimization.core.learning.replay import LoggedWeek
from optimization.core.learning.simulator import DELAY, Market
from optimization.core.responses import Floats


@dataclass(frozen=True, eq=False)
class Trial:
    """The weeks of one policy on one market.

    Attributes:
        weeks: features, decision and sales of each, as a log keeps them: no truth.
        regret: expected revenue lost against the best allocation, by week, money, shape (w,).
        weeks_lost: cumulative regret in weeks of the market's mean best revenue.
    """

    weeks: tuple[LoggedWeek, ...]
    regret: Floats
    weeks_lost: float


def run_trial(market: Market, policy: Policy, *, delay: int = DELAY) -> Trial:
    """Let a policy decide all weeks of a market; the sales of a week are told `delay` weeks after the next decision.

    Args:
        delay: 0 tells last week's sales before a week is decided, 1 those of the week before.
    """
    weeks: list[LoggedWeek] = []
    regret = np.zeros(market.weeks)
    for week in range(market.weeks):
        known = week - 1 - delay
        if known >= 0:
            policy.learn(weeks[known].features, weeks[known].decision.spend, weeks[known].sales)
        decision = policy.decide(market.features[week])
        spend = decision.spend
        weeks.append(LoggedWeek(market.features[week], decision, market.sales(week, spend)))
        regret[week] = market.best[week] - market.revenue(week, spend)
    return Trial(tuple(weeks), regret, float(regret.sum() / market.best.mean()))
