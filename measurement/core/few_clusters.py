"""Inference when treatment was given to few groups of units: wild cluster bootstrap and randomisation inference.

Units of one group share shocks, so that errors that count units are too small; and errors that count few groups are
too small as well. Randomisation inference draws the groups again that were treated, and holds whatever their number.
The wild cluster bootstrap (Cameron, Gelbach and Miller 2008, the null imposed, Webb's weights) needs no
randomisation, but about five treated groups at least (MacKinnon and Webb 2018): with fewer it is refused.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from measurement.core.answers import Estimate
from measurement.core.arrays import Bools, Floats, Ints
from measurement.core.inversion import reassigned
from tenants.core.problems import InvalidInput

#: Fewer treated (or untreated) groups make the bootstrap reject almost never or far too often.
LEAST_FOR_BOOTSTRAP: Final = 5
DRAWS: Final = 9_999
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

    Args:
        outcome, treated, clusters: shape [units]; treatment is the same within a group. A group's mean counts once.
        strata: within which groups were drawn, the same number from each; one stratum without them.
        before: a covariate whose slope, within strata and over groups, is taken off first.

    Raises:
        InvalidInput: shapes that do not fit, no finite numbers, a group in both arms or in two strata, or an empty arm.
    """
    groups = _Groups(outcome, treated, clusters, strata, before)
    values = groups.means if groups.before is None else _less_covariate(groups)
    drawn, exact = _assignments(groups, seed, draws)
    seen = _difference(groups.treated[None, :], values)[0]
    kinds = groups.treated.astype(np.float64)
    test = reassigned(
        center=float(seen),
        shortfall=seen - _difference(drawn, values),
        slope=1.0 - _difference(drawn, kinds),
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
        InvalidInput: as `randomisation_inference`, or fewer than five groups in an arm.
    """
    groups = _Groups(outcome, treated, clusters, None, None)
    few = int(min(groups.treated.sum(), (~groups.treated).sum()))
    if few < LEAST_FOR_BOOTSTRAP:
        raise InvalidInput(
            f"{few} groups in an arm are too few for the wild cluster bootstrap.",
            where="clusters",
            fix=f"Have {LEAST_FOR_BOOTSTRAP} in each, or use randomisation inference.",
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
        return found


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


def _difference(kinds: Bools, values: Floats) -> Floats:
    """Mean of the treated less mean of the untreated, shape [assignments]."""
    count = kinds.sum(axis=1)
    treated = kinds @ values
    difference: Floats = treated / count - (values.sum() - treated) / (kinds.shape[1] - count)
    return difference


def _assignments(groups: _Groups, seed: int, draws: int) -> tuple[Bools, bool]:
    """Other assignments of as many groups in each stratum; all of them where they are few enough."""
    members = [np.flatnonzero(groups.strata == stratum) for stratum in range(int(groups.strata.max()) + 1)]
    counts = [int(groups.treated[rows].sum()) for rows in members]
    total = math.prod(math.comb(len(rows), count) for rows, count in zip(members, counts, strict=True))
    size = len(groups.treated)
    if total <= draws + 1:
        choices = [itertools.combinations(rows, count) for rows, count in zip(members, counts, strict=True)]
        listed = np.zeros((total, size), dtype=bool)
        for place, chosen in enumerate(itertools.product(*choices)):
            listed[place, list(itertools.chain.from_iterable(chosen))] = True
        return listed[(listed != groups.treated).any(axis=1)], True
    rng = np.random.default_rng(seed)
    drawn = np.zeros((draws, size), dtype=bool)
    for rows, count in zip(members, counts, strict=True):
        order = np.argsort(rng.random((draws, len(rows))), axis=1)[:, :count]
        np.put_along_axis(drawn, rows[order], True, axis=1)
    return drawn, False


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
