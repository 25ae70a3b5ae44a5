"""Deciding the weeks of a log again, and judging by it what another policy would have earned.

Given what was known when, the same settings and seed decide the same again (`replay`).

`estimate_revenue` judges another temperature, or another way to choose probes, without spending by it: inverse
propensity weights (Horvitz and Thompson 1952; Bottou et al., Counterfactual Reasoning and Learning Systems, 2013) of
every line in every week. The sales of a line depend on its own spend, and that on two things alone: whether it was
probed, and its drawn factor over the price of money at its cell. So these are what is weighted. How likely either
policy was to come to such a ratio follows from the belief, which is replayed: the draw is normal, and the price, to
which all lines contribute, is found for a few draws of each policy. Where curves jump the spend does not follow from
that ratio, so such logs are refused; so are weeks spent at random. Weeks that were not spent as decided, that fell back
from their draw, or that are not known yet, are left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from optimization.core.learning.allocation import Allocator
from optimization.core.learning.beliefs import Posterior
from optimization.core.learning.log import LearningLog, LoggedWeek, UnusableLog
from optimization.core.learning.policies import Decision, Learner, ObservedWeek
from optimization.core.responses import SMALLEST_PRICE, Floats

#: Spend that differs by less than this share, of itself or of the budget, is the same.
SAME = 1e-7
#: A week was spent as decided when no more than this share of its money lay elsewhere.
FOLLOWED = 0.05


def replay(log: LearningLog, allocator: Allocator) -> tuple[Decision, ...]:
    """Decide every week again from what was known then.

    Args:
        allocator: the same cells and budget.

    Raises:
        UnusableLog: a decision differs from the logged one, naming the first week in which it does.
    """
    return tuple(one.decision for one in _replayed(log, allocator))


@dataclass(frozen=True, eq=False)
class _Again:
    """One week decided again, with the learner as it was then and what it believed."""

    logged: LoggedWeek
    learner: Learner
    allocator: Allocator
    belief: Posterior
    decision: Decision


def _replayed(log: LearningLog, allocator: Allocator) -> Iterator[_Again]:
    learner = Learner(allocator, log.prior, log.settings, log.seed)
    slack = SAME * allocator.budget
    for event in log.events:
        if isinstance(event, ObservedWeek):
            learner.observe(event)
            continue
        again = learner.decide(event.week, event.features, event.closed)
        logged = event.decision
        # Another processor adds in another order: the last digits may differ, and nothing builds up on them.
        if (
            again.spend.shape != logged.spend.shape
            or again.fallback != logged.fallback
            or not np.allclose(again.spend, logged.spend, rtol=SAME, atol=slack)
        ):
            raise UnusableLog(
                f"Week {event.week} is decided otherwise than logged.",
                where=f"week {event.week}",
                fix="Use the cells, curves, budget and version of the program that the log was written with.",
            )
        belief = learner.posterior(event.week, event.features)
        yield _Again(event, learner, allocator.closed(event.closed), belief, again)


@dataclass(frozen=True)
class OffPolicyEstimate:
    """Mean weekly revenue that another policy would have had in the logged weeks, money.

    Attributes:
        revenue: the estimate.
        standard_error: of it, by the scatter of its terms.
        logged: mean weekly sales as logged.
        mean_weight: of all lines and weeks; 1 but for chance, else the weights are wrong.
        largest_weight: of any line in any week; large ones say that the log tells little of the other policy.
        weeks: how many were judged.
        left_out: how many were not, by reason.
    """

    revenue: float
    standard_error: float
    logged: float
    mean_weight: float
    largest_weight: float
    weeks: int
    left_out: dict[str, int]


def estimate_revenue(
    log: LearningLog,
    allocator: Allocator,
    *,
    temperature: float | None = None,
    even_probes: bool = False,
    draws: int = 24,
) -> OffPolicyEstimate:
    """What the logged weeks would have sold under another temperature, or with every line as likely to be probed.

    Args:
        log: at least two weeks that can be judged; beliefs are those of the log, week by week.
        allocator: the same cells and budget.
        temperature: of the other policy, below sqrt(2) times the logged one, else the weights have no variance; None
            keeps the logged one.
        even_probes: choose probes with even chances.
        draws: of each policy in each week, to find its prices.

    Raises:
        UnusableLog: a week has no draw, or the log never does what the other policy would do.
    """
    heat = log.settings.temperature if temperature is None else temperature
    _check_temperature(heat, log.settings.temperature)
    if not allocator.smooth:
        raise UnusableLog(
            "Some curves jump, so what a line gets does not follow from its draw and its price.",
            where="cells",
            fix="Judge other settings by a programme without S-curves, commitments and tail objective.",
        )
    rng = np.random.default_rng(log.seed)
    known = log.observed
    terms: list[Floats] = []
    weights: list[Floats] = []
    plain: list[Floats] = []
    left_out: dict[str, int] = {}
    past = np.zeros(len(allocator))
    for again in _replayed(log, allocator):
        if again.decision.price is None and not again.decision.fallback:
            raise UnusableLog(
                f"Week {again.logged.week} was spent at random.",
                where=f"week {again.logged.week}",
                fix="Judge only weeks with a draw.",
            )
        seen = known.get(again.logged.week)
        reason = _unfit(again, seen)
        if reason or seen is None:
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        weight = _weight(again, heat, even_probes, rng, draws)
        # Any guess that does not know this week's draw leaves the mean alone and takes away scatter.
        guess = past / len(terms) if terms else past
        terms.append(weight * (seen.sales - guess) + guess)
        past = past + seen.sales
        weights.append(weight)
        plain.append(seen.sales)
    return _estimate(np.array(terms), np.array(weights), np.array(plain), left_out)


def _estimate(values: Floats, weights: Floats, plain: Floats, left_out: dict[str, int]) -> OffPolicyEstimate:
    weeks = len(values)
    if weeks < 2:
        told = "".join(f"; {count} {reason}" for reason, count in left_out.items())
        raise UnusableLog(
            f"Fewer than two weeks can be judged{told}.", where="weeks", fix="Let more weeks be spent and observed."
        )
    spread = values - values.mean(axis=0)
    return OffPolicyEstimate(
        float(values.sum(axis=1).mean()),
        float(np.sqrt((spread**2).sum() * weeks / (weeks - 1.0))) / weeks,
        float(plain.sum()) / weeks,
        float(np.mean(weights)),
        float(np.max(weights)),
        weeks,
        left_out,
    )


def _unfit(again: _Again, seen: ObservedWeek | None) -> str:
    """Why a week cannot be judged; empty where it can."""
    if seen is None:
        return "not observed yet"
    if again.decision.fallback:
        return f"decided {again.decision.fallback}"
    if seen.told is not None and not seen.told.all():
        return "observed in part"
    elsewhere = 0.5 * np.abs(seen.spend - again.decision.spend).sum()
    return "" if elsewhere <= FOLLOWED * again.decision.spend.sum() else "not spent as decided"


def _weight(again: _Again, heat: float, even: bool, rng: np.random.Generator, draws: int) -> Floats:
    decision, logged = again.decision, again.logged.decision.temperature
    if decision.draw is None or decision.price is None or decision.probe_chance is None:
        raise AssertionError("a week that did not fall back has a draw, a price and chances")
    chance = decision.probe_chance
    open_ = chance > 0.0
    other = np.where(open_, chance.sum() / max(int(open_.sum()), 1), 0.0) if even else chance
    weight = _probe_weight(decision, other) if even else np.ones(chance.size)
    if heat == logged and not even:
        return weight
    ratio = decision.draw - np.log(np.maximum(decision.price, SMALLEST_PRICE))
    # The same normal numbers for both: what they share then cancels in the weight.
    normal, start = rng.standard_normal((draws, chance.size)), rng.random(draws)
    was = _ratio_density(again, logged, chance, normal, start, ratio)
    return weight * np.exp(_ratio_density(again, heat, other, normal, start, ratio) - was)


def _ratio_density(
    again: _Again, temperature: float, chance: Floats, normal: Floats, start: Floats, ratio: Floats
) -> Floats:
    """Log density, up to a constant, of log(drawn factor / price) at `ratio` for each cell, shape (n,).

    The draw's mean and variance are known; only what the price adds is taken from the draws, shape (draws, n).
    """
    belief, learner = again.belief, again.learner
    every = [
        learner.allocate(belief, one, temperature, chance, u, again.allocator)
        for one, u in zip(normal, start, strict=True)
    ]
    made = [one for one in every if not one.fallback]
    if len(made) < 2:
        raise UnusableLog(
            f"Hardly any draw of week {again.logged.week} can be allocated within the limits.",
            where=f"week {again.logged.week}",
            fix="Loosen the limits on return and cost, then judge the weeks that follow.",
        )
    price = np.log(np.maximum(np.array([one.price for one in made]), SMALLEST_PRICE))
    drawn = np.array([one.draw for one in made])
    middle = belief.mean + 0.5 * (1.0 - temperature**2) * belief.sd**2 - price.mean(axis=0)
    own = (temperature * belief.sd) ** 2
    lean, bend = drawn - drawn.mean(axis=0), price - price.mean(axis=0)
    moved = ((bend**2).sum(axis=0) - 2.0 * (lean * bend).sum(axis=0)) / (len(made) - 1.0)
    variance = np.maximum(own + moved, 0.25 * own)
    return np.asarray(-0.5 * (ratio - middle) ** 2 / variance - 0.5 * np.log(variance))


def _check_temperature(asked: float, logged: float) -> None:
    if not 0.0 < asked < np.sqrt(2.0) * logged:
        raise UnusableLog(
            f"A temperature of {asked:g} cannot be judged by draws at {logged:g}.",
            where="temperature",
            fix="Judge temperatures above 0 and below 1.4 times the logged one.",
        )


def _probe_weight(decision: Decision, even: Floats) -> Floats:
    if decision.probed is None or decision.probe_chance is None:
        raise AssertionError("a week with a draw has chances of probes")
    chance = decision.probe_chance
    if np.any(chance >= 1.0):
        raise UnusableLog(
            "A line was certain to be probed: nothing tells the other case.",
            where="probe_chance",
            fix="Log with fewer probes, so that each line has a chance of both.",
        )
    open_ = chance > 0.0
    safe = np.where(open_, chance, 0.5)
    return np.where(open_, np.where(decision.probed, even / safe, (1.0 - even) / (1.0 - safe)), 1.0)
