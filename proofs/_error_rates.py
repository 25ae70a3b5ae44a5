"""How often a way of reading a test is wrong: false positives, coverage, power, and p-value against interval.

A situation is a kind of test (how it is drawn) with the reading that the product gives it. It is judged over random
tests on a panel, drawn anew for each test or one for all. Truth is known, as an effect is put in by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from measurement.core.arrays import Floats
from proofs import _panels
from proofs._panels import Draw, Kind

ALPHA: Final = 0.05
#: 99 % bands of a share of 2,000 whose expectation is .05 (measurement gates); fewer draws have wider ones.
GATE: Final = 2000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reading says of the lift: its p-value and its interval, an end that is not bounded being None."""

    p_value: float
    lift: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A kind of test and how it is read.

    Attributes:
        draw: a random test on a panel. read: the product's reading of what it is shown, with a seed.
        conservative: a test by placebos of few units may be wrong less often than it says.
        share: of the draws that are asked for; less where another situation judges the same estimator.
        sources: panels that it is drawn on.
        covers: modules of the core that its reading hangs on.
        allowed: false positives, where that is more than the level: no test by placebos of sets drawn at random has its
            level where a set was not.
    """

    name: str
    draw: Callable[[np.random.Generator, Floats], Draw]
    read: Callable[[Draw, float, int], Answer]
    conservative: bool = False
    share: float = 1.0
    sources: tuple[str, ...] = ("geolift", "plain")
    covers: tuple[str, ...] = ()
    allowed: float = ALPHA


@cache
def _pre_test() -> Floats:
    return _panels.pre_test()


def panel_for(source: str, rng: np.random.Generator) -> Floats:
    """The public pre-test panel (`geolift`), always the same, or a new one of a generated kind."""
    if source == "geolift":
        return _pre_test()
    kinds: Mapping[str, Kind] = {
        "plain": "plain", "heteroscedastic": "heteroscedastic", "outliers": "outliers", "drifting": "drifting",
        "trending": "trending",
    }  # fmt: skip
    return _panels.generated(rng, kinds[source])


def tally(situation: Situation, source: str, lift: float, seed: int, numbers: Sequence[int]) -> dict[str, Any]:
    """Counts over the tests of these numbers: each is made of seed and number alone, whatever the lift."""
    found: dict[str, Any] = {"draws": len(numbers), "rejected": 0, "held": 0, "unbounded": 0, "disagree": []}
    widths, errors = [], []
    for number in numbers:
        rng = np.random.default_rng([seed, number])
        draw = situation.draw(rng, panel_for(source, rng))
        answer = situation.read(draw, lift, number)
        low = -np.inf if answer.low is None else answer.low
        high = np.inf if answer.high is None else answer.high
        rejected = answer.p_value < ALPHA
        found["rejected"] += int(rejected)
        found["held"] += int(low <= lift <= high)
        found["unbounded"] += int(not np.isfinite(high - low))
        if rejected != (not low <= 0.0 <= high):
            found["disagree"].append(number)
        errors.append(answer.lift - lift)
        if np.isfinite(high - low):
            widths.append((high - low) / 2.0)
    return found | {"error": float(np.sum(errors)), "squared": float(np.square(errors).sum()), "widths": widths}


def rates(parts: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Shares over all parts of a tally; `half_width` is the median of the bounded intervals."""
    draws = sum(part["draws"] for part in parts)
    widths = [width for part in parts for width in part["widths"]]
    return {
        "draws": draws,
        "rejected": sum(part["rejected"] for part in parts) / draws,
        "coverage": sum(part["held"] for part in parts) / draws,
        "disagree": sum(len(part["disagree"]) for part in parts),
        "unbounded": sum(part["unbounded"] for part in parts) / draws,
        "bias": sum(part["error"] for part in parts) / draws,
        "rmse": float(np.sqrt(sum(part["squared"] for part in parts) / draws)),
        "half_width": float(np.median(widths)) if widths else float("nan"),
    }


def verdicts(
    name: str, found: Mapping[float, Mapping[str, float]], *, conservative: bool, allowed: float = ALPHA
) -> list[str]:
    """What does not hold of a situation, in words: `found` has the rates by lift, 0 among them."""
    wrong = []
    for lift, one in found.items():
        least, _ = _panels.band(ALPHA, int(one["draws"]))
        _, most = _panels.band(allowed, int(one["draws"]))
        missed = 1.0 - one["coverage"]
        if lift == 0.0 and not (0.0 if conservative else least) <= one["rejected"] <= most:
            wrong.append(f"{name}: {one['rejected']:.4f} false positives, allowed {least:.4f} to {most:.4f}")
        if missed > most:
            wrong.append(f"{name} at {lift:.0%}: intervals hold the truth in {one['coverage']:.4f}")
        if one["disagree"]:
            wrong.append(f"{name} at {lift:.0%}: p-value and interval contradict each other {one['disagree']} times")
    return wrong
