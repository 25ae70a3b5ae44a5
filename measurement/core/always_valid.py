"""Intervals that hold at every moment at once: look when you like, stop when you like.

The mixture sequential probability ratio test (Robbins 1970; Johari et al. 2022) averages the likelihood ratio over
normal effects; by Ville's inequality the ratio exceeds 1/alpha with chance alpha at most, however often it is looked
at. With an estimated variance it holds in large samples (Waudby-Smith et al. 2024, asymptotic confidence sequences).
The price is width: about a half more than an interval that is looked at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from measurement.core.answers import Estimate
from tenants.core.problems import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class AlwaysValid:
    """What all looks so far say.

    Attributes:
        effect: the estimate now, with the interval that all looks so far leave; `p_value` is the least of them.
        tau: standard deviation of the effects mixed over.
        contradicted: looks whose intervals have nothing in common; then the effect has changed, or data are wrong.
    """

    effect: Estimate
    p_value: float
    tau: float
    contradicted: bool


def mixture_spread(std_error: float, *, alpha: float = 0.05) -> float:
    """Spread `tau` of the mixture that makes intervals narrowest when the standard error is as given.

    Give the standard error expected at the planned end; the interval holds with any other spread too.
    """
    _check(0.0, std_error, alpha)
    level = -2.0 * math.log(alpha)
    return std_error * math.sqrt(level + math.log(level) + 1.0) if level > 0.4 else std_error


def always_valid(looks: Sequence[tuple[float, float]], *, tau: float, alpha: float = 0.05) -> AlwaysValid:
    """What all looks together say; the last one is now.

    Args:
        looks: (estimate, standard error) of the effect from all data up to each look, in order.
        tau: from `mixture_spread`, chosen before the first look.

    Raises:
        InvalidInput: no look, a number that is not finite, or an error or spread that is not positive.
    """
    if not looks:
        raise InvalidInput("There is no look.", where="looks", fix="Give at least one estimate with its error.")
    if not (math.isfinite(tau) and tau > 0.0):
        raise InvalidInput(f"The spread is {tau:g}.", where="tau", fix="Give a positive number.")
    low, high, p_value = -math.inf, math.inf, 1.0
    for value, error in looks:
        _check(value, error, alpha)
        reach = _reach(error, tau, alpha)
        low, high = max(low, value - reach), min(high, value + reach)
        p_value = min(p_value, _p_value(value, error, tau))
    return AlwaysValid(
        effect=Estimate(looks[-1][0], min(low, high), max(low, high)),
        p_value=p_value,
        tau=tau,
        contradicted=low > high,
    )


def _reach(error: float, tau: float, alpha: float) -> float:
    """Half the width of the interval of one look."""
    variance, mixed = error**2, error**2 + tau**2
    return math.sqrt(variance * mixed / tau**2 * (math.log(mixed / variance) - 2.0 * math.log(alpha)))


def _p_value(value: float, error: float, tau: float) -> float:
    """One over the mixture likelihood ratio, at most 1."""
    variance, mixed = error**2, error**2 + tau**2
    log_ratio = 0.5 * math.log(variance / mixed) + value**2 * tau**2 / (2.0 * variance * mixed)
    return min(1.0, math.exp(-log_ratio))


def _check(value: float, error: float, alpha: float) -> None:
    if not (math.isfinite(value) and math.isfinite(error) and error > 0.0):
        raise InvalidInput(
            f"An effect of {value:g} with standard error {error:g}.", where="looks", fix="Give finite, positive errors."
        )
    if not 0.0 < alpha < 1.0:
        raise InvalidInput(f"alpha is {alpha:g}.", where="alpha", fix="Give a number between 0 and 1.")
