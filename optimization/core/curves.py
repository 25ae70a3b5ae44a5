"""Response curves from weekly spend and attributed sales, one per cell, shrunk over the tree.

Model of a week: sales = a g(x/k) (1 + noise), g logarithmic or Michaelis-Menten, x the spend with carry-over (geometric
adstock, normalised so that steady spend is its own adstock). The noise is a share of the sales, as in the reports: a
line with twice the spend has twice the scatter.

- For a given k the amplitude is closed-form: the mean of sales / g. So k needs only a grid, and so does the carry-over.
- One line's weeks rarely tell k: budgets move little. Its likelihood over the grid is therefore combined with a prior
  learned from all lines (empirical Bayes by expectation-maximisation): log(k / mean spend) is normal around a mean
  that depends on the line's size and on its place in the tree, with offsets of each prefix shrunk to its parent's.
- The return at the mean spend is shrunk the same way: by as much as its own weeks leave open.

What is judged is not the fit but the decision: the money lost by allocating with these curves instead of the true ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimization.core.problem import Curve, Path, path_text
from optimization.core.responses import Family, Floats
from tenants.core.problems import InvalidInput

#: Half width of a central 80 % interval of a normal, in standard deviations.
Z80 = 1.2815515655446004
_GRID = np.exp(np.linspace(math.log(0.05), math.log(50.0), 47))
#: Relative noise of weekly attributed sales assumed with the weight of this many weeks.
_NOISE, _NOISE_WEEKS = 0.3, 4.0
_FEW_WEEKS = 6


class UnusableSeries(InvalidInput):
    """Weekly series that no curve can be read from."""

    code = "unusable-series"
    title = "The weekly series cannot be used"


@dataclass(frozen=True)
class FittedCurve:
    """The curve of one cell, per week.

    Attributes:
        cell: path of the cell.
        family: log or Michaelis-Menten.
        a, k: parameters, money per week.
        amplitude_se: standard error of `a` with `k` given, money.
        log_scale_sd: posterior standard deviation of ln k.
        reference_spend: mean weekly spend, where the curve is known best, money.
        reference_relative_se: relative standard error of the revenue there.
        carry_over: share of last week's effect that carries into this week, in [0, 1).
        n_weeks: weeks used: in stock, with spend.
        observed_spend_range: least and most weekly spend among them, money.
        r2: share of the variance of weekly sales explained; None where sales do not vary.
        shrinkage: share of the shape that comes from other cells, 0 own data alone to 1 none of its own.
        diagnostics: what a reader should know before trusting it, in plain words.
    """

    cell: Path
    family: Family
    a: float
    k: float
    amplitude_se: float
    log_scale_sd: float
    reference_spend: float
    reference_relative_se: float
    carry_over: float
    n_weeks: int
    observed_spend_range: tuple[float, float]
    r2: float | None
    shrinkage: float
    diagnostics: tuple[str, ...] = ()

    @property
    def params(self) -> dict[str, float]:
        return {"a": self.a, "k": self.k}

    def curve(self, weeks: float = 1.0, revenue_per_conversion: float | None = None) -> Curve:
        """The response over a horizon of `weeks` with even weekly spend: amplitude and scale grow alike."""
        return Curve(self.family, self.a * weeks, self.k * weeks, revenue_per_conversion=revenue_per_conversion)

    def revenue(self, spend: ArrayLike) -> Floats:
        """Expected weekly revenue at weekly spend, money."""
        return np.asarray(self.a * _shape(self.family, np.asarray(spend, dtype=np.float64) / self.k), dtype=np.float64)

    def interval(self, spend: ArrayLike, z: float = Z80) -> tuple[Floats, Floats]:
        """Central interval of the expected weekly revenue, 80 % by default, by the delta method on the logarithm."""
        x = np.asarray(spend, dtype=np.float64)
        ratio, reference = x / self.k, self.reference_spend / self.k
        bend = _log_slope(self.family, ratio) - _log_slope(self.family, np.asarray(reference))
        width = z * np.sqrt(self.reference_relative_se**2 + (bend * self.log_scale_sd) ** 2)
        middle = self.revenue(x)
        return middle * np.exp(-width), middle * np.exp(width)


@dataclass(frozen=True, eq=False)
class _Weeks:
    """Usable weeks, sorted by cell: rows with spend and stock."""

    cell: NDArray[np.intp]
    spend: Floats
    sales: Floats


def fit_curves(
    cells: Sequence[Path],
    cell: ArrayLike,
    week: ArrayLike,
    spend: ArrayLike,
    sales: ArrayLike,
    in_stock: ArrayLike | None = None,
    *,
    families: Sequence[Family] = (Family.LOG, Family.MICHAELIS_MENTEN),
    carry_overs: Sequence[float] = (0.0, 0.3, 0.6),
    shrink: bool = True,
) -> tuple[FittedCurve, ...]:
    """Fit one curve per cell; family and carry-over are chosen once, by what all cells together say.

    Args:
        cells: paths of the c cells, e.g. (retailer, placement, sku).
        cell: index into `cells` per row, shape (rows,).
        week: week number per row; a week that is missing had no spend.
        spend, sales: money per row, >= 0. Weekly attributed sales, without a baseline.
        in_stock: False for weeks to leave out, shape (rows,); default all True.
        shrink: False fits each cell by its own weeks alone.

    Raises:
        UnusableSeries: lengths differ, an amount is negative or not a number, or no row has spend.
    """
    at, when = np.asarray(cell, dtype=np.intp), np.asarray(week, dtype=np.int64)
    x, y = np.asarray(spend, dtype=np.float64), np.asarray(sales, dtype=np.float64)
    stocked = np.ones(x.size, dtype=np.bool_) if in_stock is None else np.asarray(in_stock, dtype=np.bool_)
    _check(cells, at, when, x, y, stocked)
    order = np.lexsort((when, at))
    at, when, x, y, stocked = at[order], when[order], x[order], y[order], stocked[order]
    best: _Fit | None = None
    for carry_over in carry_overs:
        effective = _adstock(at, when, x, carry_over)
        used = stocked & (x > 0.0)
        weeks = _Weeks(at[used], effective[used], y[used])
        for family in families:
            fit = _Fit(cells, weeks, family, carry_over, shrink=shrink)
            if best is None or fit.evidence > best.evidence + 1e-9:
                best = fit
    if best is None:
        raise UnusableSeries("No family was given.", where="families", fix="Give at least one family.")
    lost = np.bincount(at[~stocked], minlength=len(cells))
    return tuple(best.curve(index, int(lost[index])) for index in range(len(cells)))


class _Fit:
    """All cells under one family and one carry-over."""

    def __init__(
        self, cells: Sequence[Path], weeks: _Weeks, family: Family, carry_over: float, *, shrink: bool
    ) -> None:
        self.cells, self.weeks, self.family, self.carry_over = cells, weeks, family, carry_over
        c = len(cells)
        self.n = np.bincount(weeks.cell, minlength=c).astype(np.float64)
        total = np.bincount(weeks.cell, weeks.spend, minlength=c)
        seen = self.n > 0
        typical = float(np.median(total[seen] / self.n[seen]))
        self.mean_spend = np.where(seen, total / np.maximum(self.n, 1.0), typical)
        self.groups = _ancestors(cells)
        self._profile()
        self.prior_mean, self.prior_sd = np.zeros(c), np.full(c, 1e3)
        if shrink:
            self._learn_prior()
        self._posterior()
        prior = self._log_prior()
        self.evidence = float(np.sum(_log_sum(self.loglik + prior)[seen])) - float(np.log(weeks.spend).sum() * 0.0)
        self._amplitudes(shrink=shrink)

    def _profile(self) -> None:
        """Log likelihood over the grid of k / mean spend, amplitude and noise at their best, shape (c, grid)."""
        c, w = len(self.cells), self.weeks
        ratio = w.spend / self.mean_spend[w.cell]
        self.loglik, self.share = np.zeros((c, _GRID.size)), np.zeros((c, _GRID.size))
        n = np.maximum(self.n, 1.0)
        for column, scale in enumerate(_GRID):
            g = _shape(self.family, ratio / scale)
            per = w.sales / g
            a = np.bincount(w.cell, per, minlength=c) / n
            square = np.bincount(w.cell, (per - a[w.cell]) ** 2, minlength=c)
            noise = (square + _NOISE_WEEKS * (_NOISE * a) ** 2) / (self.n + _NOISE_WEEKS)
            logs = np.bincount(w.cell, np.log(g), minlength=c)
            dead = a <= 0.0
            self.loglik[:, column] = np.where(
                dead, 0.0, -0.5 * (self.n + _NOISE_WEEKS) * np.log(np.where(dead, 1.0, noise)) - logs
            ) + np.where(dead, 0.0, _NOISE_WEEKS * np.log(np.where(dead, 1.0, a)))
            self.share[:, column] = a

    def _log_prior(self) -> Floats:
        z = (np.log(_GRID)[None, :] - self.prior_mean[:, None]) / self.prior_sd[:, None]
        raw = -0.5 * z**2
        return np.asarray(raw - _log_sum(raw)[:, None])

    def _learn_prior(self) -> None:
        """Expectation-maximisation: mean by size and place in the tree, one spread."""
        size = np.log(self.mean_spend)
        size = size - size.mean()
        told = self.n >= 3
        sd = 1.5
        for _ in range(30):
            self.prior_sd[:] = sd
            self._posterior()
            centre, spread = self.post_mean, self.post_sd
            if told.sum() < 3:
                break
            slope = 0.0
            if told.sum() >= 10 and float(size[told].std()) > 1e-9:
                slope = float(np.cov(size[told], centre[told])[0, 1] / np.var(size[told], ddof=1))
            mean = float(centre[told].mean()) + slope * (size - float(size[told].mean()))
            for members in self.groups:
                mean = mean + _group_offsets(members, centre - mean, told)
            before, sd = sd, math.sqrt(float(np.mean((centre - mean)[told] ** 2 + spread[told] ** 2)))
            sd = max(sd, 0.05)
            self.prior_mean = mean
            if abs(sd - before) < 1e-4:
                break
        self.prior_sd[:] = sd

    def _posterior(self) -> None:
        logs = self.loglik + self._log_prior()
        weight = np.exp(logs - _log_sum(logs)[:, None])
        grid = np.log(_GRID)
        self.post_mean = weight @ grid
        self.post_sd = np.sqrt(np.maximum(weight @ grid**2 - self.post_mean**2, 0.0))

    def _amplitudes(self, *, shrink: bool) -> None:
        """Amplitude at the posterior scale; the return at the mean spend is shrunk to its neighbours'."""
        c, w = len(self.cells), self.weeks
        self.k = self.mean_spend * np.exp(self.post_mean)
        g = _shape(self.family, w.spend / self.k[w.cell])
        n = np.maximum(self.n, 1.0)
        own = np.bincount(w.cell, w.sales / g, minlength=c) / n
        square = np.bincount(w.cell, (w.sales / g - own[w.cell]) ** 2, minlength=c)
        at_mean = _shape(self.family, self.mean_spend / self.k)
        roas = own * at_mean / self.mean_spend
        told = self.n > 0
        relative = np.sqrt(
            np.divide(square, own**2, out=np.zeros(c), where=own > 0.0) + _NOISE_WEEKS * _NOISE**2
        ) / np.sqrt(self.n + _NOISE_WEEKS)
        self.noise = relative
        level = np.full(c, float(roas[told].mean()))
        for members in self.groups:
            level = level + _group_offsets(members, roas - level, told)
        level = np.maximum(level, 0.0)
        error = (relative * np.maximum(roas, 0.1 * level)) ** 2 / n
        spread = max(float(np.mean(((roas - level) ** 2 - error)[told])), 1e-12 * float(level.max() ** 2) + 1e-300)
        keep = np.where(told, spread / (spread + error), 0.0) if shrink else told.astype(np.float64)
        shrunk = keep * roas + (1.0 - keep) * level
        self.a = shrunk * self.mean_spend / at_mean
        variance = np.where(told, keep * error, spread)
        self.reference_se = np.sqrt(variance) / np.maximum(shrunk, 1e-300)
        self.a_se = np.sqrt(variance) * self.mean_spend / at_mean
        self.keep = keep

    def curve(self, index: int, lost_weeks: int) -> FittedCurve:
        """The result for one cell."""
        mine = self.weeks.cell == index
        x, y = self.weeks.spend[mine], self.weeks.sales[mine]
        fitted = self.a[index] * _shape(self.family, x / self.k[index])
        total = float(np.sum((y - y.mean()) ** 2)) if y.size else 0.0
        notes = []
        if y.size == 0:
            notes.append("No week with spend in stock: the curve is that of comparable cells.")
        elif y.size < _FEW_WEEKS:
            notes.append(f"Only {y.size} weeks with spend: mostly the curve of comparable cells.")
        elif float(np.std(x)) <= 0.02 * float(np.mean(x)):
            notes.append("Spend hardly varied: its shape is that of comparable cells.")
        if y.size and not y.any():
            notes.append("No attributed sales in any week.")
        if lost_weeks:
            notes.append(f"{lost_weeks} out-of-stock weeks left out.")
        informed = 1.0 - float((self.post_sd[index] / self.prior_sd[index]) ** 2)
        return FittedCurve(
            cell=tuple(self.cells[index]),
            family=self.family,
            a=float(self.a[index]),
            k=float(self.k[index]),
            amplitude_se=float(self.a_se[index]),
            log_scale_sd=float(self.post_sd[index]),
            reference_spend=float(self.mean_spend[index]),
            reference_relative_se=float(min(self.reference_se[index], 10.0)),
            carry_over=self.carry_over,
            n_weeks=int(y.size),
            observed_spend_range=(float(x.min()), float(x.max())) if y.size else (0.0, 0.0),
            r2=1.0 - float(np.sum((y - fitted) ** 2)) / total if total > 0.0 else None,
            shrinkage=float(np.clip(1.0 - informed, 0.0, 1.0)),
            diagnostics=tuple(notes),
        )


def _shape(family: Family, ratio: Floats) -> Floats:
    if family is Family.LOG:
        return np.asarray(np.log1p(ratio))
    if family is Family.MICHAELIS_MENTEN:
        return np.asarray(ratio / (1.0 + ratio))
    raise UnusableSeries(
        f"Curves are not fitted in the family {family.label}.", where="families", fix="Use log or michaelis_menten."
    )


def _log_slope(family: Family, ratio: Floats) -> Floats:
    """d ln g(x/k) / d ln k at x/k = ratio: -1 where the curve is a line, towards 0 where it is flat."""
    if family is Family.LOG:
        safe = np.maximum(ratio, 1e-12)
        return np.asarray(-safe / ((1.0 + safe) * np.log1p(safe)))
    return np.asarray(-1.0 / (1.0 + ratio))


def _adstock(cell: NDArray[np.intp], week: NDArray[np.int64], spend: Floats, carry_over: float) -> Floats:
    """Normalised geometric adstock along the weeks of each cell (rows sorted by cell, then week).

    Before its first week a cell is taken to have spent like in that week, so that a series does not start from nothing.
    """
    if carry_over == 0.0:
        return spend
    out = spend.copy()
    for row in range(1, spend.size):
        if cell[row] == cell[row - 1]:
            fade = carry_over ** int(week[row] - week[row - 1])
            out[row] = fade * out[row - 1] + (1.0 - carry_over) * spend[row]
    return out


def _ancestors(cells: Sequence[Path]) -> list[NDArray[np.intp]]:
    """Group number of each cell by prefix, from the top level down to the one above the cells."""
    groups = []
    for depth in range(1, max(len(path) for path in cells)):
        numbers: dict[Path, int] = {}
        groups.append(np.array([numbers.setdefault(tuple(path[:depth]), len(numbers)) for path in cells]))
    return groups


def _group_offsets(group: NDArray[np.intp], residual: Floats, told: NDArray[np.bool_]) -> Floats:
    """Mean residual of each cell's group, shrunk to zero by as much as chance alone would scatter it; shape (c,)."""
    count = np.bincount(group[told], minlength=int(group.max()) + 1).astype(np.float64)
    total = np.bincount(group[told], residual[told], minlength=count.size)
    mean = total / np.maximum(count, 1.0)
    within = float(np.mean((residual - mean[group])[told] ** 2)) if told.any() else 0.0
    scatter = float(np.mean(mean[count > 0] ** 2)) if (count > 0).any() else 0.0
    expected = within * float(np.mean(1.0 / count[count > 0])) if (count > 0).any() else 0.0
    between = max(scatter - expected, 0.0)
    if between == 0.0:
        return np.zeros(group.size)
    return np.asarray((mean * count * between / (count * between + within + 1e-300))[group])


def _log_sum(logs: Floats) -> Floats:
    top = logs.max(axis=1)
    return np.asarray(top + np.log(np.exp(logs - top[:, None]).sum(axis=1)))


def _check(
    cells: Sequence[Path], cell: NDArray[np.intp], week: NDArray[np.int64], spend: Floats, sales: Floats,
    in_stock: NDArray[np.bool_],
) -> None:  # fmt: skip
    if len({array.shape for array in (cell, week, spend, sales, in_stock)}) != 1 or cell.ndim != 1:
        raise UnusableSeries("The columns have different lengths.", where="rows", fix="Give one value per row in each.")
    if not cells or cell.size == 0:
        raise UnusableSeries("There are no rows.", where="rows", fix="Give weekly spend and sales of a cell.")
    if cell.min() < 0 or cell.max() >= len(cells):
        raise UnusableSeries("A row names a cell that is not listed.", where="cell", fix="Index into the cells given.")
    for name, values in (("spend", spend), ("sales", sales)):
        wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0.0)))
        if wrong.size:
            row = int(wrong[0])
            raise UnusableSeries(
                f"{name} is {values[row]:g} in week {week[row]} of {path_text(tuple(cells[cell[row]]))}.",
                where=f"row {row}",
                fix="Give zero or a positive number.",
            )
    pairs = np.unique(np.stack([cell, week]), axis=1)
    if pairs.shape[1] != cell.size:
        raise UnusableSeries("A week of a cell occurs twice.", where="week", fix="Add up the rows of each week first.")
    if not np.any(in_stock & (spend > 0.0)):
        raise UnusableSeries(
            "No week has both spend and stock.", where="spend", fix="Give a period in which something was spent."
        )
