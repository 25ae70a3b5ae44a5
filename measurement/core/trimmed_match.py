"""Trimmed match: iROAS of randomised pairs when some pairs are far off (Chen and Au, arXiv 1908.02922).

A pair differs by `dR` in response and `dS` in spend. At the true iROAS the rest `dR - iroas * dS` is symmetric about
zero, so that its trimmed mean is near zero. The estimate makes it zero; the interval holds every iROAS at which its
studentised trimmed mean is within the quantile; p is where an end of that interval meets zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import stats

from measurement.core.arrays import Floats
from measurement.core.words import count_of
from tenants.core.problems import InvalidInput

#: Trimming a quarter from each side leaves half of the pairs.
MOST_TRIM: Final = 0.25
#: Over the root of the number of pairs: how much larger than the least a standard error may be and count as no larger.
SLACK: Final = 0.25
Reference = Literal["normal", "t"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimmedMatch:
    """The estimate of a set of pairs.

    Attributes:
        iroas, std_error, low, high: an end that the data do not bound is None.
        p_value: two-sided, of no return at all.
        trimmed: pairs trimmed from each side; trim_rate: that over all pairs.
        left_out: positions of the trimmed pairs, ascending.
        candidates: (trim rate, iROAS, standard error) of every rate looked at.
    """

    iroas: float
    std_error: float
    low: float | None
    high: float | None
    p_value: float
    alpha: float
    trimmed: int
    trim_rate: float
    left_out: tuple[int, ...]
    candidates: tuple[tuple[float, float, float], ...]


def trimmed_match(
    response: Sequence[float] | Floats,
    spend: Sequence[float] | Floats,
    *,
    alpha: float = 0.2,
    trim_rate: float | None = None,
    most_trim: float = MOST_TRIM,
    reference: Reference = "normal",
) -> TrimmedMatch:
    """Estimate of differences per pair, shape [pairs] each.

    Args:
        trim_rate: share of the pairs trimmed from each side; without it the smallest whose standard error is within
            `1 + SLACK / sqrt(pairs)` of the least, up to `most_trim`.
        reference: quantile of the normal, as published, or of Student's t with as many degrees of freedom as pairs are
            left, less one (Yuen 1974). Student's is widened by that factor where the rate is chosen from the pairs: the
            least of several standard errors is too small by chance.

    Raises:
        InvalidInput: fewer than four pairs, lengths that differ, no finite numbers, no spend, or a rate that leaves
            fewer than two pairs.
    """
    pairs = _Pairs(_checked(response, spend, alpha))
    count = pairs.count
    if trim_rate is not None:
        counts = [math.ceil(trim_rate * count - 1e-12)]
        if trim_rate < 0.0 or count - 2 * counts[0] < 2:
            raise InvalidInput(
                f"Trimming {trim_rate:g} of {count} pairs from each side leaves fewer than two.",
                where="trim_rate",
                fix="Give a rate from 0 to 0.25.",
            )
    else:
        limit = min(most_trim, 0.5 - 1.0 / count)
        counts = [trimmed for trimmed in range(count) if trimmed / count <= limit + 1e-12]
    found = [(trimmed, root) for trimmed in counts if (root := pairs.root(trimmed)) is not None]
    if not found:
        raise InvalidInput(
            "No iROAS makes the trimmed differences zero: the extra spend of the pairs that are left sums to zero.",
            where="spend",
            fix="Trim less, or check that treated units spent differently from their partners.",
        )
    errors = [pairs.standard_error(trimmed, root) for trimmed, root in found]
    close = _slack(count) * min(errors)
    best = next(place for place, error in enumerate(errors) if error <= close)
    trimmed, iroas = found[best]
    chosen = trim_rate is None
    low, high = pairs.interval(trimmed, _quantile(alpha, count, trimmed, reference, chosen=chosen))
    order = np.argsort(pairs.rests(iroas), kind="stable")
    left_out = sorted(int(place) for place in [*order[:trimmed], *order[count - trimmed :]])
    return TrimmedMatch(
        iroas=iroas,
        std_error=errors[best],
        low=low,
        high=high,
        p_value=_p_value(pairs, trimmed, reference, chosen=chosen),
        alpha=alpha,
        trimmed=trimmed,
        trim_rate=trimmed / count,
        left_out=tuple(left_out),
        candidates=tuple((trims / count, root, error) for (trims, root), error in zip(found, errors, strict=True)),
    )


def trimmed_interval(
    response: Floats, spend: Floats, *, trimmed: int, alpha: float
) -> tuple[float, float | None, float | None] | None:
    """iROAS and its ends, `trimmed` pairs taken from each side, by Student's t; None where no iROAS makes it zero.

    As many as `trimmed_match` chose from these pairs: the ends are as wide as there.

    Raises:
        InvalidInput: as `trimmed_match`.
    """
    pairs = _Pairs(_checked(response, spend, alpha))
    root = pairs.root(trimmed)
    if root is None:
        return None
    return root, *pairs.interval(trimmed, _quantile(alpha, pairs.count, trimmed, "t", chosen=True))


def _slack(count: int) -> float:
    return 1.0 + SLACK / math.sqrt(count)


def _quantile(alpha: float, count: int, trimmed: int, reference: Reference, *, chosen: bool) -> float:
    tail = 1.0 - alpha / 2.0
    if reference == "normal":
        return float(stats.norm.ppf(tail))
    return float(stats.t.ppf(tail, count - 2 * trimmed - 1)) * (_slack(count) if chosen else 1.0)


def _p_value(pairs: _Pairs, trimmed: int, reference: Reference, *, chosen: bool) -> float:
    """The alpha at which an end of the interval passes zero, found by halving, so that the two never disagree."""
    least, most = 0.0, 1.0
    for _ in range(36):
        alpha = (least + most) / 2.0
        low, high = pairs.interval(trimmed, _quantile(alpha, pairs.count, trimmed, reference, chosen=chosen))
        if (low is not None and low > 0.0) or (high is not None and high < 0.0):
            most = alpha
        else:
            least = alpha
    return most


class _Pairs:
    """Differences of pairs, cut into stretches of iROAS within which the order of their rests does not change."""

    def __init__(self, differences: tuple[Floats, Floats]) -> None:
        self.response, self.spend = differences
        self.count = len(self.response)
        self._kept: dict[int, tuple[Floats, Floats]] = {}
        above, below = np.triu_indices(self.count, k=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            cuts = (self.response[above] - self.response[below]) / (self.spend[above] - self.spend[below])
        cuts = np.unique(cuts[np.isfinite(cuts)])
        self.begins = np.concatenate([[-np.inf], cuts])
        self.ends = np.concatenate([cuts, [np.inf]])
        inside = np.concatenate([cuts[:1] - 1.0, (cuts[:-1] + cuts[1:]) / 2.0, cuts[-1:] + 1.0])
        inside = inside if len(cuts) else np.zeros(1)
        self.order = np.argsort(self.response - inside[:, None] * self.spend, axis=1, kind="stable")

    def rests(self, iroas: float) -> Floats:
        rests: Floats = self.response - iroas * self.spend
        return rests

    def root(self, trimmed: int) -> float | None:
        """The iROAS whose trimmed mean is zero; of several that with the most symmetric rests."""
        if trimmed == 0:
            total = float(self.spend.sum())
            return float(self.response.sum()) / total if abs(total) > 1e-12 else None
        body = self.order[:, trimmed : self.count - trimmed]
        spend, response = self.spend[body].sum(axis=1), self.response[body].sum(axis=1)
        some = np.abs(spend) > 1e-12
        values = np.divide(response, spend, out=np.full(len(spend), np.nan), where=some)
        slack = 1e-12 * (1.0 + np.abs(values))
        fits = some & (values >= self.begins - slack) & (values <= self.ends + slack)
        if not fits.any():
            return None
        roots = np.unique(values[fits])
        return float(min(roots, key=lambda root: self._asymmetry(float(root), trimmed)))

    def _asymmetry(self, iroas: float, trimmed: int) -> float:
        body = np.sort(self.rests(iroas))[trimmed : self.count - trimmed]
        return float(np.abs(body + body[::-1]).mean())

    def standard_error(self, trimmed: int, iroas: float) -> float:
        """Root of the asymptotic variance over the pairs (equation 8.2 of the paper)."""
        rests = self.rests(iroas)
        order = np.argsort(rests, kind="stable")
        body = order[trimmed : self.count - trimmed]
        squares = float((rests[body] ** 2).sum()) + trimmed * float(rests[body[0]] ** 2 + rests[body[-1]] ** 2)
        return math.sqrt(squares) / abs(float(self.spend[body].sum()))

    def interval(self, trimmed: int, quantile: float) -> tuple[float | None, float | None]:
        """Hull of the iROAS at which the studentised trimmed mean is within the quantile.

        Within a stretch that is a quadratic inequality `a x^2 - 2 b x + c >= 0`.
        """
        squares, mean = self._parts(trimmed)
        factor = quantile**2 * (self.count - 2 * trimmed) / (self.count - 2 * trimmed - 1)
        a, b, c = factor * squares - mean
        ends = _where_positive(a, b, c, self.begins, self.ends)
        if not len(ends):
            return None, None
        low, high = float(ends.min()), float(ends.max())
        return (low if math.isfinite(low) else None), (high if math.isfinite(high) else None)

    def _parts(self, trimmed: int) -> tuple[Floats, Floats]:
        """Coefficients of the winsorised squares and of the squared trimmed sum, shape [3, stretches] each."""
        if trimmed not in self._kept:
            body = self.order[:, trimmed : self.count - trimmed]
            edges = self.order[:, [trimmed, self.count - trimmed - 1]]

            def sums(values: Floats) -> tuple[Floats, Floats]:
                """Sum of the body, and of all with the trimmed drawn in to the edge."""
                inner = values[body].sum(axis=1)
                return inner, inner + trimmed * values[edges].sum(axis=1)

            spend, spend_all = sums(self.spend)
            response, response_all = sums(self.response)
            squares = [
                sums(self.spend**2)[1] - spend_all**2 / self.count,
                sums(self.spend * self.response)[1] - spend_all * response_all / self.count,
                sums(self.response**2)[1] - response_all**2 / self.count,
            ]
            self._kept[trimmed] = np.array(squares), np.array([spend**2, spend * response, response**2])
        return self._kept[trimmed]


def _where_positive(a: Floats, b: Floats, c: Floats, begins: Floats, ends: Floats) -> Floats:
    """Points that bound where `a x^2 - 2 b x + c >= 0` within each [begin, end], all in one array."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = []
        for edge in (begins, ends):
            value = a * edge**2 - 2.0 * b * edge + c
            slack = 1e-12 * (np.abs(a) * edge**2 + 2.0 * np.abs(b * edge) + np.abs(c))
            far = (a > 0.0) | ((a == 0.0) & ((b * np.sign(edge) < 0.0) | ((b == 0.0) & (c >= 0.0))))
            found.append(edge[np.where(np.isinf(edge), far, value >= -slack)])
        # The form that loses no digits where the two roots differ much in size.
        sum_ = b + np.copysign(np.sqrt(b * b - a * c), b)
        roots = (sum_ / a, c / sum_)
        found += [root[np.isfinite(root) & (root >= begins) & (root <= ends)] for root in roots]
    return np.concatenate(found)


def _checked(
    response: Sequence[float] | Floats, spend: Sequence[float] | Floats, alpha: float
) -> tuple[Floats, Floats]:
    one, two = np.asarray(response, dtype=np.float64), np.asarray(spend, dtype=np.float64)
    if not 0.0 < alpha < 1.0:
        raise InvalidInput(f"alpha is {alpha:g}.", where="alpha", fix="Give a number between 0 and 1.")
    if len(one) != len(two):
        raise InvalidInput(
            f"{len(one)} differences of response stand against {len(two)} of spend.",
            where="spend",
            fix="Give both for every pair.",
        )
    if len(one) < 4:
        raise InvalidInput(
            f"To trim {count_of(len(one), 'pair')} leaves too few.",
            where="pairs",
            fix="Give at least four, or use `pairs`.",
        )
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        raise InvalidInput("A difference is no finite number.", where="pairs", fix="Leave that pair out.")
    if float(np.abs(two).max()) < 1e-10:
        raise InvalidInput(
            "No pair's spend differs.", where="spend", fix="Give the spend of the test; without any there is no iROAS."
        )
    return one, two
