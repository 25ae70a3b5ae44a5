"""Looking at a test before it ends, at planned looks: group-sequential boundaries that keep alpha.

alpha is spent bit by bit as information comes in (Lan and DeMets 1983), by a function that makes boundaries like those
of O'Brien and Fleming, hardly any at first, or like Pocock's, about the same at every look. The chance of crossing is
found by carrying the density of the statistic from look to look (Armitage, McPherson and Rowe 1969; Jennison and
Turnbull 2000, chapter 19). p and interval of a look are of one family: p is the alpha at which its boundary is met.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import optimize, stats

from measurement.core.answers import Estimate
from measurement.core.arrays import Floats
from measurement.core.words import count_of
from tenants.core.problems import InvalidInput

Spending = Literal["obrien_fleming", "pocock"]
#: Boundaries beyond this are never met; a look with next to no alpha has this one.
_FAR: Final = 8.5
#: More looks than this are hardly a plan, and each costs a walk over all before it.
MOST_LOOKS: Final = 50
_NODES: Final = np.polynomial.legendre.leggauss(96)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One planned look: share of the final information, boundary of |z|, and alpha spent up to it."""

    fraction: float
    boundary: float
    spent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LookReading:
    """What an estimate says at a look.

    Attributes:
        crossed: the test may end here: 0 lies outside `effect`, and `p_value` is below alpha.
        effect: repeated confidence interval of the look; those of all looks hold together.
    """

    look: int
    crossed: bool
    boundary: float
    effect: Estimate
    p_value: float


def plan_looks(
    fractions: Sequence[float], *, alpha: float = 0.05, spending: Spending = "obrien_fleming"
) -> tuple[Look, ...]:
    """Two-sided boundaries at shares of the final information, ascending, the last one 1.

    Raises:
        InvalidInput: shares that do not rise within (0, 1] or do not end at 1, or alpha outside (0, 1).
    """
    shares = _checked(fractions, alpha)
    walk = _Walk()
    looks, before = [], 0.0
    for share in shares:
        spent = min(alpha, _spent(share, alpha, spending))
        walk.move_to(share)
        boundary = walk.boundary(max(0.0, spent - before))
        walk.cut(boundary)
        looks.append(Look(fraction=share, boundary=boundary, spent=spent))
        before = spent
    return tuple(looks)


def crossing_chances(looks: Sequence[Look], *, drift: float = 0.0) -> Floats:
    """Chance to cross first at each look, shape [looks], where z at the end has mean `drift`; the sum is the power."""
    walk = _Walk(drift)
    chances = []
    for look in looks:
        walk.move_to(look.fraction)
        chances.append(walk.beyond(look.boundary))
        walk.cut(look.boundary)
    return np.array(chances)


def drift_for_power(looks: Sequence[Look], *, power: float = 0.8) -> float:
    """Mean of z at the end that crosses with this power; its square over that of a test without looks is how much
    larger the test has to be.

    Raises:
        InvalidInput: a power that is not between alpha and 1.
    """
    alpha = looks[-1].spent
    if not alpha < power < 1.0:
        raise InvalidInput(f"The power is {power:g}.", where="power", fix=f"Give one between {alpha:g} and 1.")

    def missing(drift: float) -> float:
        return float(crossing_chances(looks, drift=drift).sum()) - power

    return float(optimize.brentq(missing, 0.0, 12.0, xtol=1e-8))


def read_look(
    value: float,
    std_error: float,
    *,
    look: int,
    fractions: Sequence[float],
    reached: float | None = None,
    alpha: float = 0.05,
    spending: Spending = "obrien_fleming",
) -> LookReading:
    """What an estimate says at a planned look.

    alpha is spent at the share that was reached and not at the planned one, so that a look before or after its time
    keeps it. The looks before count at the shares told for them: those at which they were made.

    Args:
        value, std_error: of the effect from all data so far. look: its number, from 1.
        reached: share of the planned information that this look has, above 1 where there is more; the planned one if
            None.

    Raises:
        InvalidInput: no such look, more than 50, a standard error that is not positive, shares as in `plan_looks`, or a
            share reached that is not above that of the look before.
    """
    if not (math.isfinite(value) and math.isfinite(std_error) and std_error > 0.0):
        raise InvalidInput(
            f"An effect of {value:g} with standard error {std_error:g}.", where="std_error", fix="Give both."
        )
    shares = _checked(fractions, alpha)
    if not 1 <= look <= len(shares):
        raise InvalidInput(f"There is no look {look}.", where="look", fix=f"Give a number from 1 to {len(shares)}.")
    if len(shares) > MOST_LOOKS:
        raise InvalidInput(
            f"{count_of(len(shares), 'look')} planned.",
            where="fractions",
            fix=f"Plan {MOST_LOOKS} at most, or use the interval for any moment.",
        )
    shares = shares[:look]
    if reached is not None:
        before = shares[look - 2] if look > 1 else 0.0
        if not (math.isfinite(reached) and reached > before):
            raise InvalidInput(
                f"This look stands at {reached:.4g} of the planned sample, the one before it at {before:g}.",
                where="fractions",
                fix="Give for the looks before the shares at which they were made.",
            )
        shares[-1] = reached
    boundary = _boundary(shares, alpha, spending)
    reach = boundary * std_error
    distance = abs(value) / std_error
    return LookReading(
        look=look,
        crossed=distance > boundary,
        boundary=boundary,
        effect=Estimate(value, value - reach, value + reach),
        p_value=_p_value(distance, shares, spending),
    )


def _boundary(shares: Sequence[float], alpha: float, spending: Spending) -> float:
    """That of the last of these looks."""
    walk, before = _Walk(), 0.0
    found = _FAR
    for share in shares:
        spent = min(alpha, _spent(share, alpha, spending))
        walk.move_to(share)
        found = walk.boundary(max(0.0, spent - before))
        walk.cut(found)
        before = spent
    return found


def _p_value(distance: float, shares: Sequence[float], spending: Spending) -> float:
    """The alpha whose boundary at the last of these looks is `distance`."""
    least, most = -300.0, math.log(1.0 - 1e-9)
    if distance >= _FAR:
        return 0.0
    for _ in range(44):  # Halving in logs: alphas far below usual ones are met at early looks.
        middle = (least + most) / 2.0
        least, most = (least, middle) if _boundary(shares, math.exp(middle), spending) < distance else (middle, most)
    return math.exp(most)


def _spent(share: float, alpha: float, spending: Spending) -> float:
    """alpha spent up to a share of the information, both sides together."""
    if share >= 1.0:
        return alpha
    if spending == "pocock":
        return alpha * math.log(1.0 + (math.e - 1.0) * share)
    return float(4.0 * stats.norm.sf(stats.norm.isf(alpha / 4.0) / math.sqrt(share)))


class _Walk:
    """Density of the score `z sqrt(share)` among tests that have not crossed, on nodes between the boundaries."""

    def __init__(self, drift: float = 0.0) -> None:
        self.drift = drift
        self.share = 0.0
        self.places = np.zeros(1)
        self.masses = np.ones(1)
        self.last = 0.0

    def move_to(self, share: float) -> None:
        self.last, self.share = self.share, share
        self.step = math.sqrt(share - self.last)
        self.centers = self.places + self.drift * (share - self.last)

    def beyond(self, boundary: float) -> float:
        """Chance to be beyond the boundary at this look, and within at all before."""
        end = boundary * math.sqrt(self.share)
        tails = stats.norm.sf((end - self.centers) / self.step) + stats.norm.cdf((-end - self.centers) / self.step)
        return float(self.masses @ tails)

    def boundary(self, chance: float) -> float:
        """The boundary that is crossed with this chance."""
        if self.beyond(_FAR) >= chance:
            return _FAR
        return float(optimize.brentq(lambda end: self.beyond(end) - chance, 0.0, _FAR, xtol=1e-10))

    def cut(self, boundary: float) -> None:
        """Go on with the tests that are within."""
        end = boundary * math.sqrt(self.share)
        nodes, weights = _NODES
        places = nodes * end
        density = stats.norm.pdf((places[:, None] - self.centers) / self.step) / self.step
        self.masses = weights * end * (density @ self.masses)
        self.places = places


def _checked(fractions: Sequence[float], alpha: float) -> list[float]:
    shares = [float(share) for share in fractions]
    if not 0.0 < alpha < 1.0:
        raise InvalidInput(f"alpha is {alpha:g}.", where="alpha", fix="Give a number between 0 and 1.")
    rising = all(one < two for one, two in zip([0.0, *shares], shares, strict=False))
    if not shares or not rising or abs(shares[-1] - 1.0) > 1e-9:
        raise InvalidInput(
            f"The looks {shares} do not rise from above 0 to 1.",
            where="fractions",
            fix="Give the shares of the final sample at which you look, as 0.5, 0.75, 1.",
        )
    return [*shares[:-1], 1.0]
