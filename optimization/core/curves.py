"""Response curves from weekly spend and attributed sales, one per cell, shrunk over the tree.

Model of a week: sales = a g(x/k) d (1 + noise), g logarithmic or Michaelis-Menten, x the spend with carry-over
(geometric adstock, normalised so that steady spend is its own adstock), d the factor that the week has for all lines of
a retailer. The noise is a share of the sales, as in the reports: a line with twice the spend has twice the scatter.

`curve_posterior` weighs all shapes by what the line's own weeks and all other lines say; what is given back is the
curve nearest to their mean, since the expected revenue of a spend is what a decision needs, with an interval at each
spend. The carry-over is chosen once, by what all lines together say.

What is judged is not the fit but the decision: the money lost by allocating with these curves instead of the true ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimization.core.curve_posterior import Posterior, Weeks
from optimization.core.curve_shapes import BAND_RATIOS, Z80, Band, band_factors, shape
from optimization.core.problem import Curve, Path, path_text
from optimization.core.responses import Family, Floats
from tenants.core.problems import InvalidInput

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
        band: how sure the expected revenue is at each spend, see `curve_shapes.Band`.
        noise_sd: relative standard deviation of the sales of one week around the curve, this line's own.
        common_week_sd: standard deviation of the logarithm of the factor that a week has for all lines of the first
            node of the path (a retailer): seasons and shared shocks. The curve speaks of the mean of the weeks fitted.
        far_weeks: weeks left out because they lie far off the curve, as those of an empty shelf do.
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
    band: Band = ((1.0, 0.0, 0.0),)
    noise_sd: float = 0.0
    common_week_sd: float = 0.0
    far_weeks: int = 0

    @property
    def params(self) -> dict[str, float]:
        return {"a": self.a, "k": self.k}

    def curve(self, weeks: float = 1.0, revenue_per_conversion: float | None = None) -> Curve:
        """The response over a horizon of `weeks` with even weekly spend: amplitude and scale grow alike."""
        return Curve(self.family, self.a * weeks, self.k * weeks, revenue_per_conversion=revenue_per_conversion)

    def revenue(self, spend: ArrayLike) -> Floats:
        """Expected weekly revenue at weekly spend, money."""
        return np.asarray(self.a * shape(self.family, np.asarray(spend, dtype=np.float64) / self.k), dtype=np.float64)

    def interval(self, spend: ArrayLike, z: float = Z80) -> tuple[Floats, Floats]:
        """Central interval of the expected weekly revenue, 80 % by default."""
        x = np.asarray(spend, dtype=np.float64)
        low, high = band_factors(self.band, x / self.reference_spend, z)
        middle = self.revenue(x)
        return middle * low, middle * high


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
    used = stocked & (x > 0.0)
    best: tuple[float, Posterior] | None = None
    for carry_over in carry_overs:
        weeks = Weeks(at[used], when[used], _adstock(at, when, x, carry_over)[used], y[used])
        fit = Posterior(cells, weeks, tuple(families), shrink=shrink)
        if best is None or fit.evidence > best[1].evidence + 1e-9:
            best = carry_over, fit
    if best is None or not families:
        raise UnusableSeries("No family or no carry-over was given.", where="families", fix="Give at least one.")
    best[1].refine()
    lost = np.bincount(at[~stocked], minlength=len(cells))
    ends = np.searchsorted(best[1].weeks.cell, np.arange(len(cells) + 1))
    return tuple(
        _result(tuple(path), index, slice(ends[index], ends[index + 1]), *best, int(lost[index]))
        for index, path in enumerate(cells)
    )


def _result(cell: Path, index: int, mine: slice, carry_over: float, fit: Posterior, lost_weeks: int) -> FittedCurve:
    """The curve of one cell, whose rows are `mine`."""
    x, y = fit.weeks.spend[mine], fit.weeks.sales[mine]
    family = Family(int(fit.family[index]))
    fitted = fit.a[index] * shape(family, x / fit.k[index]) * fit.factor[mine]
    total = float(np.sum((y - y.mean()) ** 2)) if y.size else 0.0
    notes = []
    if y.size == 0:
        notes.append("No week with spend in stock: the curve is that of comparable cells.")
    elif y.size < _FEW_WEEKS:
        notes.append(f"Only {_weeks(y.size, 'week')} with spend: mostly the curve of comparable cells.")
    elif float(np.std(x)) <= 0.02 * float(np.mean(x)):
        notes.append("Spend hardly varied: its shape is that of comparable cells.")
    if y.size and not y.any():
        notes.append("No attributed sales in any week.")
    if lost_weeks:
        notes.append(f"{_weeks(lost_weeks, 'out-of-stock week')} left out.")
    if fit.far[index]:
        far = _weeks(int(fit.far[index]), "week")
        notes.append(f"{far} far off the curve left out, as of an empty shelf that no feed told of.")
    return FittedCurve(
        cell=cell,
        family=family,
        a=float(fit.a[index]),
        k=float(fit.k[index]),
        amplitude_se=float(fit.a[index] * fit.reference_se[index]),
        log_scale_sd=float(fit.log_scale_sd[index]),
        reference_spend=float(fit.mean_spend[index]),
        reference_relative_se=float(min(fit.reference_se[index], 10.0)),
        carry_over=carry_over,
        n_weeks=int(y.size),
        observed_spend_range=(float(x.min()), float(x.max())) if y.size else (0.0, 0.0),
        r2=1.0 - float(np.sum((y - fitted) ** 2)) / total if total > 0.0 else None,
        shrinkage=float(np.clip(fit.post_var[index] / fit.prior_var[index], 0.0, 1.0)),
        diagnostics=tuple(notes),
        band=tuple(
            (float(ratio), float(low), float(high))
            for ratio, (low, high) in zip(BAND_RATIOS, fit.band[index], strict=True)
        ),
        noise_sd=float(np.sqrt(fit.noise[index])),
        common_week_sd=float(fit.week_sd[index]),
        far_weeks=int(fit.far[index]),
    )


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


def _weeks(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
