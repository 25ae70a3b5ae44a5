"""The log of a learner: enough to decide every week again, and to judge what another policy would have earned.

A line of the log is one week: its features, what was drawn with which chance, what was spent and what it sold. Given
the sales as they were, the same settings and seed decide the same again (`replay`).

`estimate_revenue` judges another temperature, or another way to choose probes, without spending by it: inverse
propensity weights (Horvitz and Thompson 1952; Bottou et al., Counterfactual Reasoning and Learning Systems, 2013) of
every line in every week. The sales of a line depend on its own spend, and that on two things alone: whether it was
probed, and its drawn factor over the price of money at its cell. So these are what is weighted. How likely either
policy was to come to such a ratio follows from the belief, which is replayed: the draw is normal, and the price, to
which all lines contribute, is found for a few draws of each policy. Weeks spent at random are refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from optimization.core.learning.allocation import Allocator
from optimization.core.learning.beliefs import Posterior, ScalePrior
from optimization.core.learning.policies import Decision, Learner, LearningSettings
from optimization.core.responses import Floats
from tenants.core.problems import InvalidInput

#: Spend that differs by less than this share, of itself or of the budget, is the same.
SAME = 1e-7
_ARRAYS = ("spend", "mean", "sd", "draw", "probe_chance", "price")


class UnusableLog(InvalidInput):
    """A log of learning that does not hold what is asked of it."""

    code = "unusable-learning-log"
    title = "The log cannot be used"


@dataclass(frozen=True, eq=False)
class LoggedWeek:
    """One week: features, shape (n, f), decision, and its sales, money, shape (n,)."""

    features: Floats
    decision: Decision
    sales: Floats


@dataclass(frozen=True, eq=False)
class LearningLog:
    """What a learner did.

    Attributes:
        prior, settings, seed: what it was made from.
        delay: weeks until sales were told, beyond the next decision.
        weeks: in order.
    """

    prior: ScalePrior
    settings: LearningSettings
    seed: tuple[int, ...]
    delay: int
    weeks: tuple[LoggedWeek, ...]

    def to_lines(self) -> list[str]:
        """JSON lines: a head, then one line per week. Floats are written in full, so reading gives the same log."""
        head = {
            "format": "rmn-learning-log/1",
            "prior": asdict(self.prior),
            "settings": asdict(self.settings),
            "seed": list(self.seed),
            "delay": self.delay,
        }
        return [json.dumps(head), *(json.dumps(_week_dict(week)) for week in self.weeks)]

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> LearningLog:
        """Read what `to_lines` wrote.

        Raises:
            UnusableLog: a line is no JSON, the head is missing, or a key is.
        """
        rows = [_parsed(number, line) for number, line in enumerate(lines, start=1)]
        if not rows or not isinstance(rows[0], dict) or rows[0].get("format") != "rmn-learning-log/1":
            raise _no_line(1, "the head with its format is missing")
        head = rows[0]
        try:
            told: dict[str, Any] = {
                key: tuple(part) if isinstance(part, list) else part for key, part in head["prior"].items()
            }
            prior = ScalePrior(**told)
            settings, seed = LearningSettings(**head["settings"]), tuple(int(part) for part in head["seed"])
            delay = int(head["delay"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _no_line(1, repr(error)) from error
        return cls(prior, settings, seed, delay, tuple(_week_of(n, row) for n, row in enumerate(rows[1:], start=2)))


def replay(log: LearningLog, allocator: Allocator) -> tuple[Decision, ...]:
    """Decide every week again from the logged sales.

    Args:
        allocator: the same cells and budget.

    Raises:
        UnusableLog: a decision differs from the logged one, naming the first week in which it does.
    """
    return tuple(decision for _, _, decision in _replayed(log, allocator))


def _replayed(log: LearningLog, allocator: Allocator) -> Iterator[tuple[Learner, Posterior, Decision]]:
    """The learner and its belief in each week, after the week was decided again as logged."""
    learner = Learner(allocator, log.prior, log.settings, log.seed)
    for number, week in enumerate(log.weeks):
        known = number - 1 - log.delay
        if known >= 0:
            past = log.weeks[known]
            learner.learn(past.features, past.decision.spend, past.sales)
        again = learner.decide(week.features)
        # Another processor adds in another order: the last digits may differ, and nothing builds up on them.
        slack = SAME * allocator.budget
        if again.spend.shape != week.decision.spend.shape or not np.allclose(
            again.spend, week.decision.spend, rtol=SAME, atol=slack
        ):
            raise UnusableLog(
                f"Week {number} is decided otherwise than logged.",
                where=f"week {number}",
                fix="Use the cells, curves, budget and version of the program that the log was written with.",
            )
        yield learner, learner.posterior(week.features), again


def log_density(decision: Decision, temperature: float) -> Floats:
    """Logarithm of the density with which a learner of this temperature draws each cell's logged theta, shape (n,).

    Raises:
        UnusableLog: the week has no draw, or the temperature is 0 and the draw has no density.
    """
    if decision.draw is None or decision.mean is None or decision.sd is None or temperature <= 0.0:
        raise UnusableLog(
            "The week was not drawn from a belief at a positive temperature.",
            where="draw",
            fix="Judge only logs of a learner whose temperature is above 0, and without weeks at random.",
        )
    sd = temperature * decision.sd
    middle = decision.mean + 0.5 * (1.0 - temperature**2) * decision.sd**2
    return np.asarray(-0.5 * ((decision.draw - middle) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2.0 * np.pi))


@dataclass(frozen=True)
class OffPolicyEstimate:
    """Mean weekly revenue that another policy would have had in the logged weeks, money.

    Attributes:
        revenue: the estimate.
        standard_error: of it, by the scatter of its terms.
        logged: mean weekly sales as logged.
        mean_weight: of all lines and weeks; 1 but for chance, else the weights are wrong.
        largest_weight: of any line in any week; large ones say that the log tells little of the other policy.
    """

    revenue: float
    standard_error: float
    logged: float
    mean_weight: float
    largest_weight: float


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
        log: at least two weeks; beliefs are those of the log, week by week.
        allocator: the same cells and budget.
        temperature: of the other policy, below sqrt(2) times the logged one, else the weights have no variance; None
            keeps the logged one.
        even_probes: choose probes with even chances.
        draws: of each policy in each week, to find its prices.

    Raises:
        UnusableLog: a week has no draw, or the log never does what the other policy would do.
    """
    if len(log.weeks) < 2:
        raise UnusableLog("Fewer than two weeks.", where="weeks", fix="Give the weeks of a log.")
    heat = log.settings.temperature if temperature is None else temperature
    _check_temperature(heat, log.settings.temperature)
    rng = np.random.default_rng(log.seed)
    terms, weights = [], []
    past = np.zeros_like(log.weeks[0].sales)
    replayed = _replayed(log, allocator)
    for number, (week, (learner, belief, decision)) in enumerate(zip(log.weeks, replayed, strict=True)):
        if decision.draw is None or decision.price is None or decision.probe_chance is None:
            raise UnusableLog(
                f"Week {number} was spent at random.", where=f"week {number}", fix="Judge only weeks with a draw."
            )
        chance = decision.probe_chance
        other = np.full(chance.size, float(chance.mean())) if even_probes else chance
        weight = _probe_weight(decision) if even_probes else np.ones(chance.size)
        if heat != decision.temperature or even_probes:
            ratio = decision.draw - np.log(decision.price)
            # The same normal numbers for both: what they share then cancels in the weight.
            normal, start = rng.standard_normal((draws, chance.size)), rng.random(draws)
            was = _ratio_density(learner, belief, decision.temperature, chance, normal, start, ratio)
            weight = weight * np.exp(_ratio_density(learner, belief, heat, other, normal, start, ratio) - was)
        # Any guess that does not know this week's draw leaves the mean alone and takes away scatter.
        guess = past / number if number else past
        terms.append(weight * (week.sales - guess) + guess)
        past = past + week.sales
        weights.append(weight)
    values, weeks = np.array(terms), len(terms)
    spread = values - values.mean(axis=0)
    error = float(np.sqrt((spread**2).sum() * weeks / (weeks - 1.0))) / weeks
    return OffPolicyEstimate(
        float(values.sum(axis=1).mean()),
        error,
        float(past.sum()) / weeks,
        float(np.mean(weights)),
        float(np.max(weights)),
    )


def _ratio_density(
    learner: Learner,
    belief: Posterior,
    temperature: float,
    chance: Floats,
    normal: Floats,
    start: Floats,
    ratio: Floats,
) -> Floats:
    """Log density, up to a constant, of log(drawn factor / price) at `ratio` for each cell, shape (n,).

    The draw's mean and variance are known; only what the price adds is taken from the draws, shape (draws, n).
    """
    made = [learner.allocate(belief, one, temperature, chance, u) for one, u in zip(normal, start, strict=True)]
    price = np.log(np.array([one.price for one in made]))
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


def _probe_weight(decision: Decision) -> Floats:
    if decision.probed is None or decision.probe_chance is None or not decision.probed.any():
        raise UnusableLog(
            "No line was probed.", where="probed", fix="Judge probes only by logs of a learner with a reserve."
        )
    chance = decision.probe_chance
    even = float(chance.mean())
    if np.any((chance <= 0.0) | (chance >= 1.0)):
        raise UnusableLog(
            "A line was certain to be probed, or certain not to be: nothing tells the other case.",
            where="probe_chance",
            fix="Log with fewer probes, so that each line has a chance of both.",
        )
    return np.where(decision.probed, even / chance, (1.0 - even) / (1.0 - chance))


def _week_dict(week: LoggedWeek) -> dict[str, Any]:
    decision = week.decision
    out: dict[str, Any] = {"features": week.features.tolist(), "sales": week.sales.tolist()}
    for name in _ARRAYS:
        value = getattr(decision, name)
        out[name] = None if value is None else value.tolist()
    out["temperature"] = decision.temperature
    out["probed"] = None if decision.probed is None else np.flatnonzero(decision.probed).tolist()
    drawn = decision.draw is not None and decision.temperature > 0.0
    out["log_density"] = log_density(decision, decision.temperature).tolist() if drawn else None
    return out


def _week_of(number: int, row: Any) -> LoggedWeek:
    try:
        found = {name: None if row[name] is None else np.array(row[name], dtype=np.float64) for name in _ARRAYS}
        spend, sales = found.pop("spend"), np.array(row["sales"], dtype=np.float64)
        features = np.array(row["features"], dtype=np.float64)
        if spend is None or sales.shape != spend.shape or features.shape[:1] != spend.shape:
            raise ValueError("spend, sales and features are of different lengths")
        probed = None
        if row["probed"] is not None:
            probed = np.zeros(spend.size, dtype=np.bool_)
            probed[np.array(row["probed"], dtype=np.intp)] = True
        decision = Decision(spend, temperature=float(row["temperature"]), probed=probed, **found)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise _no_line(number, repr(error)) from error
    return LoggedWeek(features, decision, sales)


def _parsed(number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise _no_line(number, repr(error)) from error


def _no_line(number: int, why: str) -> UnusableLog:
    return UnusableLog(
        f"Line {number} is not a line of a learning log: {why}.",
        where=f"line {number}",
        fix="Give the file as it was written, head first.",
    )
