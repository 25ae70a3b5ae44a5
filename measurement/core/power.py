"""Sample size, power and smallest detectable effect of tests with two groups of randomised users, stores or markets.

Everything rests on one relation: a two-sided test at alpha shows an effect with the wanted power where the effect is
`z(1 - alpha/2) + z(power)` standard errors (Cohen 1988; Fleiss, Levin and Paik 2003 for proportions). Sizes are not
rounded up here, so that they can be compared and multiplied; whoever counts people rounds up once, at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from scipy import optimize, stats

from tenants.core.problems import InvalidInput

Variance = Literal["pooled", "unpooled"]
#: More per group than any test has; a size beyond it is refused.
_MOST = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """How many users a test needs.

    Attributes:
        n_per_group: of the first group, unrounded; the second has `ratio` times as many.
        n_total: of both, each rounded up.
        design_effect: what clusters multiply the size by; included in both.
    """

    test: str
    alpha: float
    power: float
    n_per_group: float
    n_total: int
    ratio: float
    design_effect: float

    def as_dict(self) -> dict[str, float | int | str]:
        """For JSON."""
        return asdict(self)


def design_effect(*, cluster_size: float = 1.0, icc: float = 0.0) -> float:
    """`1 + (m - 1) ICC`: by how much assigning whole clusters of m multiplies the variance (Kish 1965).

    Raises:
        InvalidInput: m below 1, or an intra-class correlation outside [0, 1].
    """
    if not (math.isfinite(cluster_size) and cluster_size >= 1.0):
        raise InvalidInput(f"A cluster of {cluster_size:g}.", where="cluster_size", fix="Give 1 or more.")
    if not 0.0 <= icc <= 1.0:
        raise InvalidInput(f"The ICC is {icc:g}.", where="icc", fix="Give a number from 0 to 1.")
    return 1.0 + (cluster_size - 1.0) * icc


def size_for_means(
    effect: float,
    *,
    sd: float = 1.0,
    alpha: float = 0.05,
    power: float = 0.8,
    ratio: float = 1.0,
    deff: float = 1.0,
    rho: float = 0.0,
) -> SampleSize:
    """Users per group for a difference of means, by Student's t (noncentral), as `effect / sd` standard deviations.

    Args:
        effect: difference to be shown, in the unit of `sd`.
        ratio: size of the second group over that of the first.
        deff: from `design_effect`. rho: correlation with a covariate from before the test; CUPED leaves 1 - rho^2.

    Raises:
        InvalidInput: an effect of zero, or a number outside its range.
    """
    _check(alpha=alpha, power=power, ratio=ratio, sd=sd)
    size = _nonzero(effect) / sd
    left = 1.0 - _correlation(rho) ** 2

    def missing(n: float) -> float:
        return _power_t(abs(size) / math.sqrt(left), n, ratio, alpha) - power

    n = _root(missing, least=3.0 / (1.0 + ratio)) * deff
    return _sized("means", alpha, power, n, ratio, deff)


def power_for_means(
    effect: float,
    n: float,
    *,
    sd: float = 1.0,
    alpha: float = 0.05,
    ratio: float = 1.0,
    deff: float = 1.0,
    rho: float = 0.0,
) -> float:
    """Power of the t test with `n` users in the first group."""
    _check(alpha=alpha, ratio=ratio, sd=sd, n=n)
    _require_degrees(n, ratio, deff)
    if not math.isfinite(effect):
        raise InvalidInput(f"The effect is {effect:g}.", where="effect", fix="Give a finite number.")
    return _power_t(abs(effect) / sd / math.sqrt(1.0 - _correlation(rho) ** 2), n / deff, ratio, alpha)


def effect_for_means(
    n: float,
    *,
    sd: float = 1.0,
    alpha: float = 0.05,
    power: float = 0.8,
    ratio: float = 1.0,
    deff: float = 1.0,
    rho: float = 0.0,
) -> float:
    """Smallest detectable difference of means, in the unit of `sd`."""
    _check(alpha=alpha, power=power, ratio=ratio, sd=sd, n=n)
    _require_degrees(n, ratio, deff)
    scale = sd * math.sqrt(1.0 - _correlation(rho) ** 2)
    return scale * _root(lambda effect: _power_t(effect, n / deff, ratio, alpha) - power, least=1e-12)


def size_for_proportions(
    p1: float,
    p2: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    ratio: float = 1.0,
    deff: float = 1.0,
    variance: Variance = "pooled",
) -> SampleSize:
    """Users per group for a difference of two shares.

    Args:
        variance: of the test: `pooled`, that of the common share under the null, as the usual z test has it; or
            `unpooled`, that of the two shares.

    Raises:
        InvalidInput: equal shares, or a number outside its range.
    """
    _check(alpha=alpha, power=power, ratio=ratio)
    if _share(p1, "p1") == _share(p2, "p2"):
        raise InvalidInput("Both shares are equal.", where="p2", fix="Give the share that is to be told from p1.")
    under, apart = _variances(p1, p2, ratio, variance)
    reach = _upper(alpha) * math.sqrt(under) + float(stats.norm.ppf(power)) * math.sqrt(apart)
    return _sized("proportions", alpha, power, (reach / (p1 - p2)) ** 2 * deff, ratio, deff)


def power_for_proportions(
    p1: float,
    p2: float,
    n: float,
    *,
    alpha: float = 0.05,
    ratio: float = 1.0,
    deff: float = 1.0,
    variance: Variance = "pooled",
) -> float:
    """Power of the z test with `n` users in the first group, both tails."""
    _check(alpha=alpha, ratio=ratio, n=n)
    under, apart = _variances(_share(p1, "p1"), _share(p2, "p2"), ratio, variance)
    shift, limit, spread = abs(p1 - p2) * math.sqrt(n / deff), _upper(alpha) * math.sqrt(under), math.sqrt(apart)
    return float(stats.norm.cdf((shift - limit) / spread) + stats.norm.cdf((-shift - limit) / spread))


def effect_for_proportions(
    p1: float,
    n: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    ratio: float = 1.0,
    deff: float = 1.0,
    variance: Variance = "pooled",
) -> float:
    """Smallest share above `p1` that `n` users in the first group tell from it.

    Raises:
        InvalidInput: not even a share of one could be told.
    """
    _check(alpha=alpha, power=power, ratio=ratio, n=n)
    _share(p1, "p1")

    def missing(p2: float) -> float:
        return power_for_proportions(p1, p2, n, alpha=alpha, ratio=ratio, deff=deff, variance=variance) - power

    least, most = p1 * (1.0 + 1e-9), 1.0 - 1e-9
    if missing(most) < 0.0:
        raise InvalidInput(
            f"{n:g} users per group tell no share from {p1:g}.", where="n", fix="Give more users, or less power."
        )
    return float(optimize.brentq(missing, least, most, xtol=1e-12))


def _power_t(size: float, n: float, ratio: float, alpha: float) -> float:
    """Of the two-sample t test at a difference of `size` standard deviations."""
    degrees = n * (1.0 + ratio) - 2.0
    shift = size * math.sqrt(n * ratio / (1.0 + ratio))
    limit = float(stats.t.isf(alpha / 2.0, degrees))
    if degrees > 1e5:  # The noncentral t is the normal by then, and slow.
        return float(stats.norm.cdf(shift - limit) + stats.norm.cdf(-shift - limit))
    found = float(stats.nct.sf(limit, degrees, shift) + stats.nct.cdf(-limit, degrees, shift))
    # Far out the noncentral t is not computed; there the power is that of the normal, 1 to all digits shown.
    return found if math.isfinite(found) else float(stats.norm.cdf(shift - limit) + stats.norm.cdf(-shift - limit))


def _variances(p1: float, p2: float, ratio: float, variance: Variance) -> tuple[float, float]:
    """Of the difference, times the size of the first group: as the test reckons it, and as it is."""
    apart = p1 * (1.0 - p1) + p2 * (1.0 - p2) / ratio
    if variance == "unpooled":
        return apart, apart
    mean = (p1 + ratio * p2) / (1.0 + ratio)
    return mean * (1.0 - mean) * (1.0 + 1.0 / ratio), apart


def _sized(test: str, alpha: float, power: float, n: float, ratio: float, deff: float) -> SampleSize:
    total = math.ceil(n - 1e-9) + math.ceil(n * ratio - 1e-9)
    return SampleSize(
        test=test, alpha=alpha, power=power, n_per_group=n, n_total=total, ratio=ratio, design_effect=deff
    )


def _root(missing: Callable[[float], float], *, least: float) -> float:
    """Where an increasing function passes zero, above `least`."""
    if missing(least) >= 0.0:
        return least
    most = max(1.0, 2.0 * least)
    while missing(most) < 0.0:
        most *= 2.0
        if most > _MOST:
            raise InvalidInput("No test is that large.", where="effect", fix="Give a larger effect, or less power.")
    return float(optimize.brentq(missing, least, most, xtol=1e-10, rtol=1e-12))


def _upper(alpha: float) -> float:
    return float(stats.norm.isf(alpha / 2.0))


def _check(*, alpha: float, power: float = 0.8, ratio: float = 1.0, sd: float = 1.0, n: float = 2.0) -> None:
    for name, value in (("alpha", alpha), ("power", power)):
        if not 0.0 < value < 1.0:
            raise InvalidInput(f"{name} is {value:g}.", where=name, fix="Give a number between 0 and 1.")
    if power <= alpha:
        raise InvalidInput(
            f"A power of {power:g} is not above alpha, {alpha:g}: a test without data has that.",
            where="power",
            fix="Ask for more, usually 0.8.",
        )
    for name, value in (("ratio", ratio), ("sd", sd)):
        if not (math.isfinite(value) and value > 0.0):
            raise InvalidInput(f"{name} is {value:g}.", where=name, fix="Give a positive number.")
    if not (math.isfinite(n) and n >= 2.0):
        raise InvalidInput(f"n is {n:g}.", where="n", fix="Give at least 2 per group.")


def _require_degrees(n: float, ratio: float, deff: float) -> None:
    """Raises InvalidInput where clusters leave no independent users to tell a spread from."""
    if n / deff * (1.0 + ratio) <= 2.0:
        raise InvalidInput(
            f"{n:g} users in clusters count as {n / deff:g}: too few for a spread.",
            where="n",
            fix="Give more users, smaller clusters, or a smaller ICC.",
        )


def _nonzero(effect: float) -> float:
    if not math.isfinite(effect) or effect == 0.0:
        raise InvalidInput(
            f"The effect is {effect:g}.", where="effect", fix="Give the difference that the test is to show."
        )
    return effect


def _share(value: float, name: str) -> float:
    if not 0.0 < value < 1.0:
        raise InvalidInput(f"{name} is {value:g}.", where=name, fix="Give a share between 0 and 1.")
    return value


def _correlation(rho: float) -> float:
    if not -1.0 < rho < 1.0:
        raise InvalidInput(f"The correlation is {rho:g}.", where="rho", fix="Give a number between -1 and 1.")
    return rho
