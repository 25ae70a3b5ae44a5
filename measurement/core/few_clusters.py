"""Inference when treatment was given to few groups of units: wild cluster bootstrap and randomisation inference.

Units of one group share shocks, so that errors that count units are too small; and errors that count few groups are
too small as well. Randomisation inference draws the groups again that were treated, and holds whatever their number.
The wild cluster bootstrap (Cameron, Gelbach and Miller 2008, the null imposed, Webb's weights) needs no
randomisation, but about five treated groups at least (MacKinnon and Webb 2018): with fewer it is refused.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from measurement.core.answers import Estimate
from measurement.core.arrays import Bools, Floats, Ints
from measurement.core.inversion import reassigned
from tenants.core.problems import InvalidInput

#: Fewer treated (or untreated) groups make the bootstrap reject almost never or far too often.
LEAST_FOR_BOOTSTRAP: Final = 5
DRAWS: Final = 9_999
#: Draws times groups up to which all draws are made; beyond, fewer are, but no fewer than the second figure.
_MOST_CELLS: Final = 200_000_000
_LEAST_DRAWS: Final = 1_999
#: Cells held at once.
_BLOCK: Final = 5_000_000
#: Groups from which drawing them again takes minutes, and weights of the bootstrap gigabytes.
MOST_GROUPS: Final = 1_000_000
_MOST_FOR_BOOTSTRAP: Final = 10_000
_WEBB: Final = np.sqrt(np.array([0.5, 1.0, 1.5])).tolist()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterReading:
    """Difference between treated and untreated groups, in units of the outcome."""

    effect: Estimate
    p_value: float
    treated: int
    untreated: int
    procedure: str


def randomisation_inference(
    outcome: Sequence[float] | Floats,
    treated: Sequence[int] | Ints,
    clusters: Sequence[Hashable],
    *,
    strata: Sequence[Hashable] | None = None,
    before: Sequence[float] | Floats | None = None,
    alpha: float = 0.05,
    seed: int = 1,
    draws: int = DRAWS,
) -> ClusterReading:
    """Difference of group means; p and interval by drawing anew which groups were treated.

    With strata the difference is taken within each and averaged by how many of its groups are treated: strata at other
    levels and with other shares of treated ones move neither effect nor interval.

    Args:
        outcome, treated, clusters: shape [units]; treatment is the same within a group. A group's mean counts once.
        strata: within which groups were drawn, the same number from each; one stratum without them.
        before: a covariate whose slope, within strata and over groups, is taken off first.
        draws: fewer are made of very many groups; `procedure` tells how many.

    Raises:
        InvalidInput: shapes that do not fit, no finite numbers, a group in both arms or in two strata, an empty arm, of
            a stratum or of all, or more than a million groups.
    """
    groups = _Groups(outcome, treated, clusters, strata, before)
    if len(groups.names) > MOST_GROUPS:
        raise InvalidInput(
            f"{len(groups.names):,} are too many to be drawn again.",
            where="units",
            fix="Leave the stratum out and use lin: with so many units its errors are right, and its interval is wider "
            "than need be.",
        )
    values = groups.means if groups.before is None else _less_covariate(groups)
    statistic = _Statistic(groups, values)
    seen = float(statistic.of(np.flatnonzero(groups.treated)[None, :])[0][0])
    exact = _possible(groups) <= draws + 1
    found = [statistic.of(chosen) for chosen in (_listed(groups) if exact else _drawn(groups, seed, draws))]
    test = reassigned(
        center=seen,
        shortfall=seen - np.concatenate([one[0] for one in found]),
        slope=1.0 - np.concatenate([one[1] for one in found]),
        exact=exact,
    )
    listed = f"all {test.count:,} assignments" if exact else f"{test.count:,} drawn assignments"
    return ClusterReading(
        effect=Estimate(test.center, *test.interval(alpha)),
        p_value=test.p_value(),
        treated=int(groups.treated.sum()),
        untreated=int((~groups.treated).sum()),
        procedure=f"randomisation test of group means over {listed}, and its inversion",
    )


def wild_cluster_bootstrap(
    outcome: Sequence[float] | Floats,
    treated: Sequence[int] | Ints,
    clusters: Sequence[Hashable],
    *,
    covariates: Floats | None = None,
    alpha: float = 0.05,
    seed: int = 1,
    draws: int = 1_999,
) -> ClusterReading:
    """Coefficient of treatment in a regression over units; p by the bootstrap of its clustered t, the null imposed.

    The interval is every effect whose own bootstrap p is not below alpha, its ends found by halving.

    Raises:
        InvalidInput: as `randomisation_inference`, or fewer than five groups in an arm, or more than 10,000 in all.
    """
    groups = _Groups(outcome, treated, clusters, None, None)
    few = int(min(groups.treated.sum(), (~groups.treated).sum()))
    if few < LEAST_FOR_BOOTSTRAP:
        raise InvalidInput(
            f"{few} groups in an arm are too few for the wild cluster bootstrap.",
            where="clusters",
            fix=f"Have {LEAST_FOR_BOOTSTRAP} in each, or use randomisation inference.",
        )
    if len(groups.names) > _MOST_FOR_BOOTSTRAP:
        raise InvalidInput(
            f"{len(groups.names):,} groups are too many for the wild cluster bootstrap.",
            where="clusters",
            fix=f"It takes up to {_MOST_FOR_BOOTSTRAP:,}. Use randomisation inference.",
        )
    x = np.zeros((len(groups.y), 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    x = x[:, None] if x.ndim == 1 else x
    if len(x) != len(groups.y) or not np.isfinite(x).all():
        raise InvalidInput("The covariates do not fit.", where="covariates", fix="Give finite ones for every unit.")
    boot = _Bootstrap(groups, x, np.random.default_rng(seed), draws)
    error = boot.error
    low = boot.end(boot.effect, -error, alpha)
    high = boot.end(boot.effect, error, alpha)
    return ClusterReading(
        effect=Estimate(boot.effect, low, high),
        p_value=boot.p_value(0.0),
        treated=int(groups.treated.sum()),
        untreated=int((~groups.treated).sum()),
        procedure=f"wild cluster bootstrap of t, null imposed, Webb's weights, {draws:,} draws, and its inversion",
    )


class _Groups:
    """Units by group: sizes and means, treatment, strata."""

    def __init__(
        self,
        outcome: Sequence[float] | Floats,
        treated: Sequence[int] | Ints,
        clusters: Sequence[Hashable],
        strata: Sequence[Hashable] | None,
        before: Sequence[float] | Floats | None,
    ) -> None:
        self.y = np.asarray(outcome, dtype=np.float64)
        kinds = np.asarray(treated)
        lengths = {len(self.y), len(kinds), len(clusters)}
        lengths |= {len(one) for one in (strata, before) if one is not None}
        if len(lengths) > 1:
            raise InvalidInput("The columns are not equally long.", where="outcome", fix="Give one of each per unit.")
        if not np.isin(kinds, (0, 1)).all():
            raise InvalidInput("A treatment is neither 0 nor 1.", where="treated", fix="Give 1 where treated, else 0.")
        places: dict[Hashable, int] = {}
        self.code = np.array([places.setdefault(name, len(places)) for name in clusters], dtype=np.int64)
        self.names = list(places)
        sizes = np.bincount(self.code, minlength=len(places)).astype(np.float64)
        self.means: Floats = np.bincount(self.code, weights=self.y) / sizes
        share = np.bincount(self.code, weights=kinds) / sizes
        covariate = None if before is None else np.asarray(before, dtype=np.float64)
        if not np.isfinite(self.y).all() or (covariate is not None and not np.isfinite(covariate).all()):
            raise InvalidInput("A value is no finite number.", where="outcome", fix="Complete it or leave it out.")
        mixed = np.flatnonzero((share > 0.0) & (share < 1.0))
        if len(mixed):
            raise InvalidInput(
                "Some units are treated and some are not.",
                where=f"group {self.names[mixed[0]]}",
                fix="Give the groups that were randomised, or use `adjusted_effect` over units.",
            )
        self.treated: Bools = share > 0.5
        self.unit_treated = kinds.astype(np.float64)
        if not 0 < self.treated.sum() < len(places):
            raise InvalidInput("All groups are in one arm.", where="treated", fix="Give both arms.")
        self.before = None if covariate is None else np.bincount(self.code, weights=covariate) / sizes
        self.strata = self._strata(strata)

    def _strata(self, strata: Sequence[Hashable] | None) -> Ints:
        """Number of the stratum of each group."""
        found = np.zeros(len(self.names), dtype=np.int64)
        if strata is None:
            return found
        places: dict[Hashable, int] = {}
        of: dict[int, int] = {}
        for group, name in zip(self.code.tolist(), strata, strict=True):
            stratum = places.setdefault(name, len(places))
            if of.setdefault(group, stratum) != stratum:
                raise InvalidInput(
                    "The group is in two strata.", where=f"group {self.names[group]}", fix="Give it one."
                )
        for group, stratum in of.items():
            found[group] = stratum
        sizes, counts = np.bincount(found), np.bincount(found, weights=self.treated)
        lone = np.flatnonzero((counts == 0) | (counts == sizes))
        if len(lone):
            named = list(places)[lone[0]]
            raise InvalidInput(
                f"{len(lone)} of {len(places)} strata hold one arm alone, such as {named!r}: they compare nothing.",
                where=f"stratum {named}",
                fix="Leave their units out, or pool each with a stratum that is like it.",
            )
        return found

    @cached_property
    def members(self) -> list[tuple[Ints, int]]:
        """Groups of each stratum, and how many of them are treated."""
        order = np.argsort(self.strata, kind="stable")
        parts = np.split(order, np.cumsum(np.bincount(self.strata))[:-1])
        return [(rows, int(self.treated[rows].sum())) for rows in parts]


def _less_covariate(groups: _Groups) -> Floats:
    """Group means less the covariate's slope, taken within strata and over all groups, whatever their arm.

    The slope is of the outcome with the arms together, so that it is the same under every assignment of no effect.
    """
    if groups.before is None:
        raise AssertionError("there is a covariate")
    inside_x, inside_y = groups.before.copy(), groups.means.copy()
    for stratum in range(int(groups.strata.max()) + 1):
        members = groups.strata == stratum
        inside_x[members] -= inside_x[members].mean()
        inside_y[members] -= inside_y[members].mean()
    squares = float(inside_x @ inside_x)
    slope = float(inside_x @ inside_y) / squares if squares > 0.0 else 0.0
    less: Floats = groups.means - slope * (groups.before - groups.before.mean())
    return less


class _Statistic:
    """Difference of means within strata, averaged by how many are treated in each, in sums over the treated alone.

    In a stratum of n groups, c of them treated, the difference of means is n / (c (n - c)) times the sum of the
    treated, less a constant.
    """

    def __init__(self, groups: _Groups, values: Floats) -> None:
        total = int(groups.treated.sum())
        weights = np.empty(len(values))
        kinds = groups.treated.astype(np.float64)
        self._constants = [0.0, 0.0]
        for rows, count in groups.members:
            rest = len(rows) - count
            weights[rows] = len(rows) / (total * rest)
            for place, of in enumerate((values, kinds)):
                self._constants[place] += count / total * float(of[rows].sum()) / rest
        self._values, self._kinds = weights * values, weights * kinds

    def of(self, chosen: Ints) -> tuple[Floats, Floats]:
        """Of the values, and of the treatment that there was, under assignments; shape [assignments].

        Args:
            chosen: groups that each treats, shape [assignments, treated].
        """
        return (
            self._values[chosen].sum(axis=1) - self._constants[0],
            self._kinds[chosen].sum(axis=1) - self._constants[1],
        )


def _possible(groups: _Groups) -> int:
    """Assignments of as many groups in each stratum."""
    total = 1
    for rows, count in groups.members:
        total *= math.comb(len(rows), count)
        if total > _MOST_CELLS:
            break
    return total


def _listed(groups: _Groups) -> Iterator[Ints]:
    """All other assignments, in blocks of shape [assignments, treated]."""
    seen = np.concatenate([rows[groups.treated[rows]] for rows, _ in groups.members])
    choices = [itertools.combinations(rows.tolist(), count) for rows, count in groups.members]
    every = itertools.product(*choices)
    while block := list(itertools.islice(every, max(1, _BLOCK // len(seen)))):
        chosen = np.array([list(itertools.chain.from_iterable(one)) for one in block], dtype=np.int64)
        yield chosen[(chosen != seen).any(axis=1)]


def _drawn(groups: _Groups, seed: int, draws: int) -> Iterator[Ints]:
    """Assignments drawn by chance, in blocks of shape [assignments, treated]."""
    rng = np.random.default_rng(seed)
    size = len(groups.names)
    left = min(draws, max(_LEAST_DRAWS, _MOST_CELLS // size))
    while left > 0:
        some = min(left, max(1, _BLOCK // size))
        left -= some
        yield np.hstack(
            [
                rows[np.argpartition(rng.random((some, len(rows))), count - 1, axis=1)[:, :count]]
                for rows, count in groups.members
            ]
        )


class _Bootstrap:
    """The clustered t of treatment under any imposed effect, in sums over groups only.

    Treatment and outcome are taken less what the covariates say; then a group counts by the sums of `d y`, `d d` and
    what the regression without treatment leaves.
    """

    def __init__(self, groups: _Groups, x: Floats, rng: np.random.Generator, draws: int) -> None:
        others = np.hstack([np.ones((len(x), 1)), x])
        ranks = np.linalg.matrix_rank(np.hstack([others, groups.unit_treated[:, None]]))
        if ranks < others.shape[1] + 1:
            raise InvalidInput("The covariates repeat each other.", where="covariates", fix="Leave one of them out.")
        solved, *_ = np.linalg.lstsq(others, np.column_stack([groups.unit_treated, groups.y]), rcond=None)
        left = np.column_stack([groups.unit_treated, groups.y]) - others @ solved
        self.d, self.y, self.code = left[:, 0], left[:, 1], groups.code
        self.count = len(groups.names)
        self.total = float(self.d @ self.d)
        self.effect = float(self.d @ self.y) / self.total
        self.d_squares = self._sum(self.d * self.d)
        # How a group's shock moves the fit of the others goes through the covariates, group by group.
        bread = np.linalg.inv(others.T @ others)
        d_others = np.column_stack([self._sum(self.d * column) for column in others.T])
        self.others = others
        self.mix = d_others @ bread
        self.error = math.sqrt(float((self._sum(self.d * (self.y - self.effect * self.d)) ** 2).sum())) / self.total
        levels = np.array([*_WEBB, *(-level for level in _WEBB)])
        self.weights = levels[rng.integers(0, 6, (draws, self.count))]

    def _sum(self, values: Floats) -> Floats:
        return np.bincount(self.code, weights=values, minlength=self.count).astype(np.float64)

    def p_value(self, effect: float) -> float:
        """Share of bootstrap t that are at least as far out as the one observed, itself counted."""
        rests = self.y - effect * self.d
        scores = self._sum(self.d * rests)
        seen = abs(self.effect - effect) / self.error
        shocks = self.weights * scores
        slope = shocks.sum(axis=1) / self.total
        # Score of a group in a bootstrap sample: its own shock, less the refit of covariates and of treatment.
        others = np.column_stack([self._sum(column * rests) for column in self.others.T])
        refit = (self.weights @ others) @ self.mix.T
        left = shocks - refit - slope[:, None] * self.d_squares
        errors = np.sqrt((left**2).sum(axis=1)) / self.total
        drawn = np.divide(np.abs(slope), errors, out=np.full(len(slope), np.inf), where=errors > 0.0)
        return float((1 + (drawn >= seen * (1.0 - 1e-12)).sum()) / (1 + len(drawn)))

    def end(self, begin: float, step: float, alpha: float) -> float | None:
        """The farthest effect from the estimate, in the direction of `step`, that is not rejected."""
        inside, outside = begin, begin + step
        for _ in range(60):
            if self.p_value(outside) < alpha:
                break
            inside, outside = outside, outside + step
            step *= 2.0
        else:
            return None
        for _ in range(40):
            middle = (inside + outside) / 2.0
            inside, outside = (inside, middle) if self.p_value(middle) < alpha else (middle, outside)
        return inside
