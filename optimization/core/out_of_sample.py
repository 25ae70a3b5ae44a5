"""How well curves predict weeks that they have not seen.

The curves are fitted to all but the last weeks, which they then predict from what was spent in them. The same is asked
of two forecasts that anybody can make without curves: spend times a line's mean return, and the sales of the same week
a year ago scaled by spend. A curve is worth something where it beats them.

The interval judged is that of a line's sales over all held-out weeks: what the curve leaves open (its own interval) and
the noise of single weeks, estimated from the weeks that were fitted. It should cover as many lines as it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimization.core.curve_shapes import Z80
from optimization.core.curves import FittedCurve, UnusableSeries, fit_curves
from optimization.core.problem import Path
from optimization.core.responses import Family, Floats

#: Weeks held out, and weeks that must be left to fit.
HELD_OUT: Final = 8
LEAST_FITTED: Final = 8
#: Share of lines whose sales the interval should cover.
LEVEL: Final = 0.8
_YEAR: Final = 52
#: Relative noise of a week where a line has too few weeks to tell it, with the weight of that many weeks.
_NOISE, _NOISE_WEEKS = 0.3, 4.0


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """How far one way of predicting was off.

    Attributes:
        error: absolute errors of single weeks, summed, over the sales of those weeks.
        total_error: the same of each line's sum over the held-out weeks: what a budget is decided by.
        bias: predicted over actual sales of all lines, minus one.
    """

    error: float
    total_error: float
    bias: float


@dataclass(frozen=True, kw_only=True)
class OutOfSample:
    """The check, or why there is none.

    Attributes:
        weeks: held out, and `fitted_weeks` before them.
        cells: lines with spend on both sides; `cells_left_out` have none on one of them.
        curves, mean_return, last_year: by forecast; None where it cannot be made.
        coverage: share of the lines whose sales lie in the interval, which should be `level`.
        beaten_by: the naive forecast that is as good or better, in words; empty where the curves are best.
        missing: why there is no check, in words; empty where there is.
    """

    weeks: int = 0
    fitted_weeks: int = 0
    cells: int = 0
    cells_left_out: int = 0
    curves: Forecast | None = None
    mean_return: Forecast | None = None
    last_year: Forecast | None = None
    coverage: float | None = None
    level: float = LEVEL
    beaten_by: str = ""
    missing: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As a curve version keeps it."""
        return asdict(self)


def check_out_of_sample(
    cells: Sequence[Path],
    cell: ArrayLike,
    week: ArrayLike,
    spend: ArrayLike,
    sales: ArrayLike,
    in_stock: ArrayLike,
    *,
    families: Sequence[Family],
    carry_overs: Sequence[float],
    held_out: int = HELD_OUT,
) -> OutOfSample:
    """Fit on all but the last weeks and predict those. Arguments as `optimization.core.curves.fit_curves`."""
    at, when = np.asarray(cell, dtype=np.intp), np.asarray(week, dtype=np.int64)
    x, y = np.asarray(spend, dtype=np.float64), np.asarray(sales, dtype=np.float64)
    stocked = np.asarray(in_stock, dtype=np.bool_)
    weeks = np.unique(when)
    if weeks.size < held_out + LEAST_FITTED:
        return OutOfSample(
            missing=f"The data have {weeks.size} usable weeks; {held_out + LEAST_FITTED} are needed to hold "
            f"{held_out} of them out."
        )
    cut = int(weeks[-held_out])
    before = when < cut
    try:
        fitted = fit_curves(
            cells, at[before], when[before], x[before], y[before], stocked[before],
            families=families, carry_overs=carry_overs,
        )  # fmt: skip
    except UnusableSeries as problem:
        return OutOfSample(missing=f"The weeks before the last {held_out} cannot be fitted: {problem.detail}")
    usable = stocked & (x > 0.0)
    seen = np.bincount(at[before & usable], minlength=len(cells)) > 0
    judged = ~before & usable & seen[at]
    if not judged.any() or float(y[judged].sum()) <= 0.0:
        return OutOfSample(missing=f"Nothing was both spent and sold in the last {held_out} weeks.")
    effective = carried(at, when, x, fitted[0].carry_over)
    curve = _Judge(at[judged], y[judged], len(cells))
    predicted = _predicted(fitted, at[judged], effective[judged])
    returns = _mean_returns(at, x, y, before & usable, len(cells))
    year = _last_year(at, when, x, y, judged, usable & before)
    curves, naive = curve.of(predicted), curve.of(returns[at[judged]] * x[judged])
    last_year = curve.of(year) if year is not None else None
    names = (("each line's mean return times its spend", naive), ("the same weeks of last year", last_year))
    rivals = [(told, one) for told, one in names if one is not None and one.error <= curves.error]
    rivals.sort(key=lambda rival: rival[1].error)
    present = np.bincount(at[judged], minlength=len(cells)) > 0
    return OutOfSample(
        weeks=held_out,
        fitted_weeks=int(weeks.size) - held_out,
        cells=int(present.sum()),
        cells_left_out=len(cells) - int(present.sum()),
        curves=curves,
        mean_return=naive,
        last_year=last_year,
        coverage=_coverage(fitted, at, effective, y, before & usable, judged),
        beaten_by=rivals[0][0] if rivals else "",
    )


def warnings_of(check: OutOfSample) -> list[str]:
    """What a reader should know before trusting the curves, in plain words."""
    if check.missing:
        return [f"Not checked on unseen weeks. {check.missing}"]
    if check.curves is None:
        return []
    found = []
    if check.beaten_by:
        rival = min(one.error for one in (check.mean_return, check.last_year) if one is not None)
        found.append(
            f"These curves did not beat a naive forecast: over the last {check.weeks} weeks they were off by "
            f"{check.curves.error:.0%}, {check.beaten_by} by {rival:.0%}. Treat where they move money as a guess."
        )
    if abs(check.curves.bias) > 0.15:
        much = "more" if check.curves.bias > 0 else "less"
        found.append(
            f"Over the last {check.weeks} weeks the curves predicted {abs(check.curves.bias):.0%} {much} sales than "
            "there were: the level of sales has moved since."
        )
    # Two standard deviations of a share among so many lines.
    play = 2.0 * float(np.sqrt(LEVEL * (1.0 - LEVEL) / max(check.cells, 1)))
    if check.coverage is not None and check.coverage < LEVEL - play:
        found.append(
            f"Intervals were too narrow: {check.coverage:.0%} of the lines sold within theirs, {LEVEL:.0%} should have."
        )
    return found


def carried(cell: NDArray[np.intp], week: NDArray[np.int64], spend: Floats, carry_over: float) -> Floats:
    """Spend with normalised geometric carry-over, as the fit takes it, in the order of the rows."""
    if carry_over == 0.0:
        return spend
    order = np.lexsort((week, cell))
    out = spend[order].copy()
    at, when = cell[order], week[order]
    for row in range(1, out.size):
        if at[row] == at[row - 1]:
            fade = carry_over ** int(when[row] - when[row - 1])
            out[row] = fade * out[row - 1] + (1.0 - carry_over) * out[row]
    back = np.empty_like(out)
    back[order] = out
    return back


class _Judge:
    """What was sold in the weeks held out, to hold predictions against."""

    def __init__(self, cell: NDArray[np.intp], sales: Floats, cells: int) -> None:
        self.cell, self.sales, self.cells = cell, sales, cells
        self.total = float(sales.sum())
        self.by_cell = np.bincount(cell, sales, minlength=cells)

    def of(self, predicted: Floats) -> Forecast:
        told = np.bincount(self.cell, predicted, minlength=self.cells)
        return Forecast(
            error=float(np.abs(predicted - self.sales).sum()) / self.total,
            total_error=float(np.abs(told - self.by_cell).sum()) / self.total,
            bias=float(predicted.sum()) / self.total - 1.0,
        )


def _predicted(fitted: Sequence[FittedCurve], cell: NDArray[np.intp], spend: Floats) -> Floats:
    out = np.zeros(spend.size)
    for index, rows in _by_cell(cell):
        out[rows] = fitted[index].revenue(spend[rows])
    return out


def _by_cell(cell: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each cell with its rows."""
    order = np.argsort(cell, kind="stable")
    numbers, starts = np.unique(cell[order], return_index=True)
    for index, rows in zip(numbers, np.split(order, starts[1:]), strict=True):
        yield int(index), rows


def _mean_returns(
    cell: NDArray[np.intp], spend: Floats, sales: Floats, used: NDArray[np.bool_], cells: int
) -> Floats:  # fmt: skip
    money = np.bincount(cell[used], spend[used], minlength=cells)
    sold = np.bincount(cell[used], sales[used], minlength=cells)
    return np.asarray(np.divide(sold, money, out=np.zeros(cells), where=money > 0.0))


def _last_year(
    cell: NDArray[np.intp], week: NDArray[np.int64], spend: Floats, sales: Floats, judged: NDArray[np.bool_],
    known: NDArray[np.bool_],
) -> Floats | None:  # fmt: skip
    """Sales of the same week a year ago, scaled by spend; None unless all judged weeks had one."""
    past = {
        (int(at), int(when)): float(sold) / float(money)
        for at, when, money, sold in zip(cell[known], week[known], spend[known], sales[known], strict=True)
    }
    out = []
    for at, when, money in zip(cell[judged], week[judged], spend[judged], strict=True):
        rate = past.get((int(at), int(when) - _YEAR))
        if rate is None:
            return None
        out.append(rate * float(money))
    return np.array(out)


def _coverage(
    fitted: Sequence[FittedCurve], cell: NDArray[np.intp], spend: Floats, sales: Floats, used: NDArray[np.bool_],
    judged: NDArray[np.bool_],
) -> float:  # fmt: skip
    """Share of the lines whose sales over the weeks held out lie in their interval."""
    inside = []
    for index, rows in _by_cell(cell):
        mine, past = rows[judged[rows]], rows[used[rows]]
        if mine.size == 0:
            continue
        curve, sold = fitted[index], float(sales[mine].sum())
        middle, high = curve.revenue(spend[mine]), curve.interval(spend[mine])[1]
        total = float(middle.sum())
        if total <= 0.0:
            inside.append(sold == 0.0)
            continue
        # The curve's own error moves all weeks together, so relative to the sum it is that of the weighted mean.
        own = float(np.sum(high - middle)) / total / Z80
        scatter = _scatter(curve, spend[past], sales[past])
        noise = scatter * float(np.sqrt(np.sum(middle**2))) / total
        inside.append(abs(sold - total) <= Z80 * total * float(np.hypot(own, noise)))
    return float(np.mean(inside))


def _scatter(curve: FittedCurve, spend: Floats, sales: Floats) -> float:
    """Relative noise of a line's weeks around its curve."""
    middle = curve.revenue(spend)
    told = middle > 0.0
    square = float(np.sum((sales[told] / middle[told] - 1.0) ** 2))
    return float(np.sqrt((square + _NOISE_WEEKS * _NOISE**2) / (int(told.sum()) + _NOISE_WEEKS)))
