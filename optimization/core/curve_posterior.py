"""What all lines together say of each line's curve: empirical Bayes over a grid of shapes.

Sales of a week are e^level s(x) d (1 + noise): `level` the logarithm of what the line sells at its mean spend, s its
shape (`curve_shapes`), d the factor that the week has for all lines of a retailer, as seasons and common shocks do. The
noise is a share of the sales, as in the reports.

- For a given shape the level is closed-form (a gamma quasi-likelihood, which bears weeks without a sale), so a grid of
  shapes gives the exact posterior.
- One line's weeks rarely tell its shape: budgets move little. The prior of shapes is learned from all lines, see
  `curve_prior`.
- The level is shrunk the same way on its own scale, by as much as a line's weeks leave open.
- Weeks far off their curve (an empty shelf that no feed told of) are left out and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimization.core.curve_prior import ShapePrior, ancestors, fitted_means, log_sum, ridge, standard
from optimization.core.curve_shapes import AT_MEAN, BAND_RATIOS, NEARBY, RATIOS, SHAPES, Z80, relative, shape
from optimization.core.problem import Path
from optimization.core.responses import Family, Floats

#: Relative variance of weekly sales assumed with the weight of this many weeks of each line.
_NOISE, _NOISE_WEEKS = 0.09, 8.0
#: Rounds of expectation-maximisation: at most, and between two readings of the levels.
_ROUNDS, _LEVEL_ROUNDS = 60, 10
#: Spread of log returns around those of like lines before any is seen, with the weight of how many lines.
_LEVEL_SD, _LEVEL_LINES = 0.5, 2.0
#: A week this many deviations off is left out, unless more than this share of a line's weeks are.
_FAR, _MOST_FAR = 4.0, 0.25
#: Lines needed before a trend over their sales is looked for.
_FEW = 20
#: Lines that a retailer needs in a week before a factor is read from them.
_FEW_LINES = 5


@dataclass(frozen=True, eq=False)
class Weeks:
    """Usable weeks sorted by line: rows with spend and stock. `spend` with carry-over; `number` of the week."""

    cell: NDArray[np.intp]
    number: NDArray[np.int64]
    spend: Floats
    sales: Floats


class Posterior:
    """All lines under one carry-over. Arrays have shape (lines,), (lines, shapes) or (rows,)."""

    def __init__(
        self, cells: Sequence[Path], weeks: Weeks, families: tuple[Family, ...], *, shrink: bool, passes: int = 2
    ) -> None:
        self.weeks, self.shrink = weeks, shrink
        self.shapes, self.nearby = SHAPES.of(families), NEARBY.of(families)
        c = len(cells)
        self.groups = ancestors(cells)
        count = np.bincount(weeks.cell, minlength=c).astype(np.float64)
        self.told = count > 0
        total = np.bincount(weeks.cell, weeks.spend, minlength=c)
        typical = float(np.median(total[self.told] / count[self.told]))
        self.mean_spend = np.where(self.told, total / np.maximum(count, 1.0), typical)
        self.ratio = weeks.spend / self.mean_spend[weeks.cell]
        self.kept: Floats = np.ones(weeks.cell.size)
        self.noise, self.week_sd, self.serial = np.full(c, _NOISE), np.zeros(c), np.ones(c)
        self.far = np.zeros(c, dtype=np.intp)
        self.prior, self.returns = ShapePrior.vague(c, self.shapes), np.zeros(c)
        self.factor, self.taken = np.ones(weeks.cell.size), np.zeros(weeks.cell.size)
        for number in range(passes):
            self.refine(first=number == 0)

    def refine(self, *, first: bool = False) -> None:
        """Another pass: noise, outliers and the weeks' factors by the curves of the last one, then the curves anew."""
        if not first:
            self._weeks_and_noise()
        self._likelihood()
        self._learn()
        self._summarise()

    # -- from rows to a likelihood -------------------------------------------------------------------------------

    def _likelihood(self) -> None:
        """Mean of sales over shape, and log likelihood with the level at its best, per line and shape."""
        w, c = self.weeks, self.told.size
        self.n = np.bincount(w.cell, self.kept, minlength=c)
        n = np.maximum(self.n, 1.0)
        adjusted = self.kept * w.sales / self.factor
        mean, logs = np.zeros((c, self.shapes.v.size)), np.zeros((c, self.shapes.v.size))
        codes = self.shapes.family
        for column, scale in enumerate(self.shapes.scale):
            family = Family(int(codes[column]))
            s = shape(family, self.ratio / scale) / shape(family, 1.0 / scale)
            mean[:, column] = np.bincount(w.cell, adjusted / s, minlength=c) / n
            logs[:, column] = np.bincount(w.cell, self.kept * np.log(s), minlength=c) / n
        self.sold = mean[:, 0] > 0.0
        self.log_mean = np.log(np.where(self.sold[:, None], mean, 1.0))
        self.weight = self.n / (self.noise * self.serial)
        # Against a curve through every week, so that fits with different noise compare. A week without sales counts
        # as one with few: its logarithm has no limit.
        usual = np.bincount(w.cell, adjusted, minlength=c) / n
        perfect = np.log(np.maximum(adjusted, 0.02 * usual[w.cell] + 1e-300))
        best = np.bincount(w.cell, self.kept * perfect, minlength=c) / n
        self.loglik = np.where(self.sold[:, None], -self.weight[:, None] * (self.log_mean + logs - best[:, None]), 0.0)

    # -- the prior ------------------------------------------------------------------------------------------------

    def _learn(self) -> None:
        """Expectation-maximisation of the prior of shapes, and the levels beside it."""
        size = standard(np.log(self.mean_spend), self.told)
        told = self.told & self.sold
        self._posterior()
        self._levels(size)
        if not self.shrink:
            return
        for number in range(1, _ROUNDS + 1):
            before = float(self.prior.spread[1, 1])
            self.prior = self.prior.learned(
                self.mass, self.returns, self.shapes, size=size, groups=self.groups, told=told
            )
            self._posterior()
            # A line's return at its mean spend hardly depends on its shape, so it is read off now and then.
            if number % _LEVEL_ROUNDS == 0:
                self._levels(size)
            elif number > _LEVEL_ROUNDS and abs(float(self.prior.spread[1, 1]) / before - 1.0) < 1e-4:
                break
        self._posterior(doubted=True)
        self._levels(size)

    def _posterior(self, *, doubted: bool = False) -> None:
        if self.shrink:
            prior = self.prior.log_mass(self.returns, self.shapes, doubted=doubted)
        else:
            prior = np.full(self.loglik.shape, -np.log(self.shapes.v.size))
        expected = np.exp(prior)
        self.prior_var = np.maximum(expected @ self.shapes.v**2 - (expected @ self.shapes.v) ** 2, 1e-12)
        logs = self.loglik + prior
        top = log_sum(logs)
        self.mass = np.exp(logs - top[:, None])
        self.post_var = np.maximum(self.mass @ self.shapes.v**2 - (self.mass @ self.shapes.v) ** 2, 0.0)
        scale = self.noise * self.serial
        self.evidence = float(np.sum((top - 0.5 * self.n * np.log(scale))[self.told])) - 0.5 * _FAR**2 * float(
            self.far.sum()
        )

    def _levels(self, size: Floats) -> None:
        """Level of each line, shrunk to that of its neighbours of like size."""
        told = self.told & self.sold
        own = np.sum(self.mass * self.log_mean, axis=1)
        base = np.log(self.mean_spend)
        error = np.divide(1.0, self.weight, out=np.full(own.size, np.inf), where=self.weight > 0.0)
        if not told.any():
            self.level, self.level_var, self.shift = base - 20.0, np.full(own.size, 1.0), np.zeros(own.size)
            self.returns = self.level - base
            return
        returns = own - base
        usual = float(returns[told].mean())
        # Nothing sold says that little is sold, not how little.
        returns = np.where(self.sold, returns, usual + np.log(0.05))
        mean, _ = fitted_means(returns, usual, size, self.groups, told)
        spread = float(np.sum(((returns - mean) ** 2 - error)[told])) + _LEVEL_LINES * _LEVEL_SD**2
        spread = max(spread / (float(told.sum()) + _LEVEL_LINES), 1e-4)
        keep = np.where(self.told, spread / (spread + error), 0.0) if self.shrink else self.told.astype(np.float64)
        self.level_var = np.where(self.told, keep * np.where(self.told, error, 0.0), spread)
        self.shift = np.where(self.told, keep * (returns - mean), 0.0) + mean - np.where(self.sold, own - base, 0.0)
        self.shift = np.where(self.sold, self.shift, 0.0)
        self.level = np.where(self.sold, own + self.shift, base + keep * (returns - mean) + mean)
        self.returns = self.level - base

    # -- one curve for each line ----------------------------------------------------------------------------------

    def _summarise(self) -> None:
        """The curve nearest to the mean of all that the data allow, and how far these lie apart."""
        sure = np.where(self.sold[:, None], self.log_mean + self.shift[:, None], self.level[:, None])
        top = sure.max(axis=1)
        heavy = self.mass * np.exp(sure - top[:, None])
        expected = heavy @ self.shapes.value
        at_mean = expected[:, AT_MEAN]
        target = expected / at_mean[:, None]
        # Least squares on what each further piece of spend brings, equally for each doubling.
        steps = np.diff(RATIOS, prepend=0.0)
        weight = _WEIGHTS / steps**2
        gain, near = np.diff(target, axis=1, prepend=0.0), np.diff(self.nearby.value, axis=1, prepend=0.0)
        distance = (near**2 * weight).sum(axis=1)[None, :] - 2.0 * (gain * weight) @ near.T
        chosen = np.argmin(distance, axis=1)
        self.family, scale = self.nearby.family[chosen], self.nearby.scale[chosen]
        self.k = self.mean_spend * scale
        self.revenue_at_mean = at_mean * np.exp(top + self.level_var / 2.0)
        wide = 1.0 / scale
        self.a = self.revenue_at_mean / np.where(self.family == Family.LOG, np.log1p(wide), wide / (1.0 + wide))
        self._spreads(sure, scale)

    def _spreads(self, sure: Floats, scale: Floats) -> None:
        """How far the curves that the data allow lie apart: at each spend, at the mean spend, and as a spread of ln k.

        Args:
            sure: level of each line under each shape; `scale`: k over mean spend of the single curve.
        """
        logs = np.log(np.stack([relative(self.shapes.family, ratio, self.shapes.scale) for ratio in BAND_RATIOS]))
        usual = np.sum(self.mass * sure, axis=1)
        level = np.maximum(np.sum(self.mass * (sure - usual[:, None]) ** 2, axis=1), 0.0)
        self.reference_se = np.sqrt(self.level_var + level)
        ends, extra, bends = [], np.zeros(usual.size), np.zeros(usual.size)
        for ratio, log_shape in zip(BAND_RATIOS, logs, strict=True):
            values = sure + log_shape[None, :]
            middle = np.sum(self.mass * values, axis=1)
            variance = np.sum(self.mass * (values - middle[:, None]) ** 2, axis=1)
            wide = Z80 * np.sqrt(self.level_var + variance)
            off = middle - np.log(self.revenue_at_mean * relative(self.family, ratio, scale))
            ends.append((np.minimum(off - wide, 0.0), np.maximum(off + wide, 0.0)))
            if ratio in _BENT:
                up, down = (relative(self.family, ratio, scale * np.exp(sign * 0.1)) for sign in (1.0, -1.0))
                bends += (np.log(up / down) / 0.2) ** 2
                extra += np.maximum(variance - level, 0.0)
        self.band = np.array(ends).transpose(2, 0, 1)
        # The spread of ln k that bends the single curve as much, by the two spends taken together.
        self.log_scale_sd = np.minimum(np.sqrt(extra / np.maximum(bends, 1e-12)), 3.0)

    # -- weeks: common factors, noise, outliers -------------------------------------------------------------------

    def fitted(self) -> Floats:
        """Expected sales of each row in an average week."""
        cell = self.weeks.cell
        s = relative(self.family[cell], self.ratio, (self.k / self.mean_spend)[cell])
        return np.asarray(self.revenue_at_mean[cell] * s)

    def _weeks_and_noise(self) -> None:
        w, c = self.weeks, self.told.size
        share = w.sales / self.fitted()
        rows_noise = self.noise[w.cell]
        self._week_factors(share, rows_noise)
        share = share / self.factor
        # The cube root of a gamma share is nearly normal, and bears a share of nothing.
        off = 3.0 * (np.cbrt(share) - 1.0)
        usual = _medians(np.abs(off), w.cell, c) * 1.4826
        count = np.bincount(w.cell, minlength=c)
        pooled = float(np.median(np.abs(off))) * 1.4826
        limit = _FAR * np.maximum(np.where(count >= 8, np.maximum(usual, 0.5 * pooled), max(pooled, 0.3)), 0.02)
        far = np.abs(off) > limit[w.cell]
        far &= (np.bincount(w.cell[far], minlength=c) <= _MOST_FAR * count)[w.cell]
        self.kept = np.where(far, 0.0, 1.0)
        self.far = np.bincount(w.cell[far], minlength=c)
        n = np.asarray(np.bincount(w.cell, self.kept, minlength=c), dtype=np.float64)
        square = np.asarray(np.bincount(w.cell, self.kept * (share - 1.0) ** 2, minlength=c), dtype=np.float64)
        # Level and shape take a week and a half away, and each line has its part in the factors of its weeks.
        free = np.maximum(n - 1.5 - np.bincount(w.cell, self.kept * self.taken, minlength=c), 0.0).astype(np.float64)
        self.noise, usual_noise = self._line_noise(square, free)
        # Noise that small lines have more of, as of whole units, may hit weeks of little spend harder, and may be made
        # up for the week after: both are looked for as a trend over the lines' noise.
        trend = np.stack([np.ones(c), standard(1.0 / usual_noise, self.told)], axis=1)
        self._serial(share, trend)
        self._weigh(share, trend)

    def _line_noise(self, square: Floats, free: Floats) -> tuple[Floats, Floats]:
        """Relative variance of each line's weeks, shrunk to what lines of its sales have; and the latter."""
        ones = np.ones(free.size)
        own = square / np.maximum(free, 1.0)
        pooled = float(square.sum() / max(free.sum(), 1.0)) if free.sum() >= 10 else _NOISE
        usual, weeks = pooled * ones, _NOISE_WEEKS
        enough = self.told & (free >= 4)
        size = standard(np.log(np.maximum(self.revenue_at_mean, 1e-9)), self.told)
        x = np.stack([ones, size, size**2], axis=1)
        if enough.sum() >= _FEW:
            logs = np.log(np.maximum(own, 0.1 * pooled))
            # The mean of the logarithm of a variance lies below that of the variance by 1 over its degrees of freedom.
            usual = np.exp(x @ ridge(x[enough], (logs + 1.0 / np.maximum(free, 1.0))[enough], 1e-9))
            # Chance alone scatters it by 2 over them.
            off = (logs - np.log(usual))[enough]
            scatter = (1.4826 * float(np.median(np.abs(off - np.median(off))))) ** 2
            weeks = float(np.clip(2.0 / max(scatter - float(np.mean(2.0 / free[enough])), 1e-3), 4.0, 400.0))
        return np.maximum((square + weeks * usual) / (free + weeks), 1e-6), usual

    def _weigh(self, share: Floats, trend: Floats) -> None:
        """Weigh a line's weeks by how their noise varies with what the week sells, on average by one."""
        w, c = self.weeks, self.told.size
        logs = np.log(self.fitted() / self.revenue_at_mean[w.cell])
        square = self.kept * ((share - 1.0) ** 2 / self.noise[w.cell] - 1.0)
        spread = np.bincount(w.cell, self.kept * logs**2, minlength=c)
        enough = (self.n >= 8.0) & (spread > 1.0)
        if enough.sum() < _FEW:
            return
        x = trend * np.sqrt(spread)[:, None]
        own = -np.bincount(w.cell, square * logs, minlength=c) / np.sqrt(np.maximum(spread, 1e-12))
        power = np.clip(trend @ ridge(x[enough], own[enough], 4.0), 0.0, 2.0)
        weight = self.kept * np.exp(np.clip(power[w.cell] * logs, -3.0, 3.0))
        mean = np.bincount(w.cell, weight, minlength=c) / np.maximum(np.bincount(w.cell, self.kept, minlength=c), 1.0)
        self.kept = weight / np.maximum(mean, 1e-12)[w.cell]

    def _serial(self, share: Floats, trend: Floats) -> None:
        """By how much a line's weeks weigh less than as many independent ones, or more where errors make up again."""
        w, c = self.weeks, self.told.size
        self.serial = np.ones(c)
        z = (share - 1.0) / np.sqrt(self.noise)[w.cell] * self.kept
        follows = (w.cell[1:] == w.cell[:-1]) & (w.number[1:] - w.number[:-1] == 1)
        pairs = np.bincount(w.cell[1:], follows.astype(np.float64), minlength=c)
        enough = pairs >= 8
        if enough.sum() < _FEW:
            return
        # Each line's own curve was fitted, which alone makes neighbouring errors differ.
        own = np.bincount(w.cell[1:], z[1:] * z[:-1] * follows, minlength=c) / np.maximum(pairs, 1.0)
        own = own + 1.5 / np.maximum(self.n, 1.0)
        r = np.clip(trend @ ridge(trend[enough], own[enough], 4.0), -0.3, 0.6)
        self.serial = (1.0 + r) / (1.0 - r)

    def _week_factors(self, share: Floats, noise: Floats) -> None:
        """What each week did to all lines of a retailer, shrunk by what their noise leaves open; its mean is one.

        Args:
            share: sales over what the curve says, `noise` its relative variance, shape (rows,).
        """
        w = self.weeks
        group = self.groups[0][w.cell] if self.groups else np.zeros(w.cell.size, dtype=np.intp)
        numbers, week = np.unique(w.number, return_inverse=True)
        span = numbers.size
        at = group * span + week
        size = (int(group.max()) + 1) * span
        precision = np.bincount(at, self.kept / noise, minlength=size)
        lines = np.bincount(at, self.kept, minlength=size)
        mean = np.divide(
            np.bincount(at, self.kept / noise * share, minlength=size), precision,
            out=np.ones(size), where=precision > 0.0,
        )  # fmt: skip
        read = (lines >= _FEW_LINES) & (mean > 0.0)
        self.week_sd = np.zeros(self.told.size)
        self.factor, self.taken = np.ones(share.size), np.zeros(share.size)
        if not self.shrink or read.sum() < 4:
            return
        logs = np.log(np.where(read, mean, 1.0))
        error = np.where(read, 1.0 / np.maximum(precision, 1e-12), 0.0)
        table, good, errors = logs.reshape(-1, span), read.reshape(-1, span), error.reshape(-1, span)
        factors, trusted = np.ones_like(table), np.zeros_like(table)
        sds = np.zeros(table.shape[0])
        for row in range(table.shape[0]):
            mine = good[row]
            if mine.sum() < 4:
                continue
            centre = table[row, mine] - table[row, mine].mean()
            variance = max(float(np.sum(centre**2)) / (mine.sum() - 1) - float(errors[row, mine].mean()), 0.0)
            trusted[row, mine] = variance / (variance + errors[row, mine])
            seen = np.exp(centre * trusted[row, mine])
            factors[row, mine] = seen / seen.mean()
            sds[row] = np.sqrt(variance)
        self.factor = factors.ravel()[at]
        self.taken = trusted.ravel()[at] / np.maximum(lines[at], 1.0)
        self.week_sd = sds[self.groups[0]] if self.groups else np.full(self.told.size, sds[0])


#: Spend over mean spend at which the bend of the single curve is held against that of all.
_BENT = (0.5, 2.0)
#: Weight of each step between `RATIOS` in the distance of two curves.
_WEIGHTS = np.array([0.3, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.7, 0.5])


def _medians(values: Floats, cell: NDArray[np.intp], cells: int) -> Floats:
    """Median per line; rows come sorted by line."""
    order = np.lexsort((values, cell))
    count = np.bincount(cell, minlength=cells)
    start = np.cumsum(count) - count
    out = np.zeros(cells)
    some = count > 0
    low, high = start + (count - 1) // 2, start + count // 2
    out[some] = (values[order][low[some]] + values[order][high[some]]) / 2.0
    return out
