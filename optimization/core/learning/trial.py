"""One policy on one market: what was decided, what was told when, and the regret."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimization.core.learning.log import LoggedWeek
from optimization.core.learning.policies import ObservedWeek, Policy
from optimization.core.learning.simulator import DELAY, Market
from optimization.core.responses import Floats


@dataclass(frozen=True, eq=False)
class Trial:
    """The weeks of one policy on one market.

    Attributes:
        events: decisions, and what weeks were, in the order they came, as a log keeps them: no truth.
        regret: expected revenue lost against the best allocation, by week, money, shape (w,).
        weeks_lost: cumulative regret in weeks of the market's mean best revenue.
    """

    events: tuple[LoggedWeek | ObservedWeek, ...]
    regret: Floats
    weeks_lost: float

    @property
    def weeks(self) -> tuple[LoggedWeek, ...]:
        """The decisions."""
        return tuple(one for one in self.events if isinstance(one, LoggedWeek))


def run_trial(market: Market, policy: Policy, *, delay: int = DELAY) -> Trial:
    """Let a policy decide all weeks of a market; the sales of a week are told `delay` weeks after the next decision.

    Args:
        delay: 0 tells last week's sales before a week is decided, 1 those of the week before.
    """
    events: list[LoggedWeek | ObservedWeek] = []
    spends: list[Floats] = []
    regret = np.zeros(market.weeks)
    for week in range(market.weeks):
        known = week - 1 - delay
        if known >= 0:
            observed = ObservedWeek(known, market.features[known], spends[known], market.sales(known, spends[known]))
            policy.observe(observed)
            events.append(observed)
        decision = policy.decide(week, market.features[week])
        spends.append(decision.spend)
        events.append(LoggedWeek(week, market.features[week], decision))
        regret[week] = market.best[week] - market.revenue(week, decision.spend)
    events.extend(
        ObservedWeek(known, market.features[known], spends[known], market.sales(known, spends[known]))
        for known in range(max(0, market.weeks - 1 - delay), market.weeks)
    )
    return Trial(tuple(events), regret, float(regret.sum() / market.best.mean()))
