"""Time-based regression: sums of the treated markets on sums of the controls. For planning speed only.

Its errors are taken as independent from day to day. Sales are not, so it rejects in truth-free data several times as
often as its level says; the reading carries that warning. It is kept since it answers in microseconds, and since
readings of older experiments were made with it.

Source: Kerman, Wang, Vaver (2017), "Estimating ad effectiveness using geo experiments in a time-based regression
framework"; the interval is that of the cumulative effect, a t distribution with n - 2 degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from measurement.core.arrays import Floats
from measurement.core.fieller import fieller
from measurement.core.treated_panel import UNCLEAR_SPEND, Finding, Span, TreatedPanel, clear_of_rounding

WARNING: Final = (
    "TBR takes the errors of successive periods as independent: where they are not, it finds effects that are not "
    "there. Use it for planning, not to decide."
)


@dataclass(frozen=True, slots=True)
class Line:
    """A regression of treated sums on control sums over the time before the test.

    Attributes:
        fitted: prediction, shape [periods]. design: ones and control sums (standardised), shape [periods, 2].
        covariance: of the two coefficients, shape [2, 2]. variance: of the error of a period. freedom: n - 2.
        residuals: shape [start]. slope: treated sales per sale of the controls.
    """

    fitted: Floats
    design: Floats
    covariance: Floats
    variance: float
    freedom: int
    residuals: Floats
    slope: float


def fit_line(treated: Floats, control: Floats, start: int) -> Line:
    """Ordinary least squares of `treated` on `control` (both shape [periods]) over the periods before `start`."""
    # About its mean and in its own scale, so that money of any size leaves the system well conditioned.
    centre = float(control[:start].mean())
    spread = float(control[:start].std()) or 1.0
    design = np.column_stack([np.ones_like(control), (control - centre) / spread])
    before = design[:start]
    inverse = np.asarray(np.linalg.pinv(before.T @ before, hermitian=True), dtype=np.float64)
    coefficients = inverse @ before.T @ treated[:start]
    residuals = treated[:start] - before @ coefficients
    freedom = start - 2
    variance = float(residuals @ residuals) / freedom
    slope = float(coefficients[1]) / spread
    return Line(design @ coefficients, design, variance * inverse, variance, freedom, residuals, slope)


def cumulative_errors(line: Line, start: int, stop: int) -> Floats:
    """Standard errors of the effect summed from `start` to each period before `stop`."""
    sums = line.design[start:stop].cumsum(axis=0)
    count = np.arange(1, stop - start + 1)
    spread = np.einsum("ti,ij,tj->t", sums, line.covariance, sums)
    errors: Floats = np.sqrt(np.maximum(spread + count * line.variance, 0.0))
    return errors


def time_based_regression(test: TreatedPanel, *, alpha: float) -> Finding:
    """The effect by TBR, with t intervals of level 1 - alpha and, in `details`, the one-sided half-width of iROAS."""
    size = len(test.treated)
    treated, control = test.outcome[test.treated].sum(axis=0), test.outcome[test.controls].sum(axis=0)
    line = fit_line(treated, control, test.start)
    stop = test.cooldown_end + 1
    effect = (treated - line.fitted)[test.window]
    errors = cumulative_errors(line, test.start, stop)
    single = np.sqrt(np.einsum("ti,ij,tj->t", line.design, line.covariance, line.design)[test.window] + line.variance)
    quantile = float(stats.t.ppf(1.0 - alpha / 2.0, line.freedom))
    total, error = float(effect.sum()), float(errors[-1])
    running = effect.cumsum()
    details: dict[str, float | int | str] = {
        "slope": line.slope,
        "autocorrelation": _autocorrelation(line.residuals),
    }
    iroas, extra = _iroas(test, line, total, error, quantile, details)
    return Finding(
        procedure="t interval of the cumulative effect, errors independent from period to period",
        evidence="econometric",
        counterfactual=line.fitted / size,
        total=Span((total - quantile * error) / size, (total + quantile * error) / size),
        p_value=_p_value(total, error, line.freedom),
        period_low=(effect - quantile * single) / size,
        period_high=(effect + quantile * single) / size,
        cumulative_low=(running - quantile * errors) / size,
        cumulative_high=(running + quantile * errors) / size,
        placebos=np.empty(0),
        weights=np.zeros(len(test.outcome)),
        l2=float(np.linalg.norm(line.residuals)) / size,
        iroas=iroas,
        extra_cost=extra,
        warnings=(WARNING,) if iroas or not extra else (WARNING, UNCLEAR_SPEND),
        details=details,
    )


def _iroas(
    test: TreatedPanel,
    line: Line,
    total: float,
    error: float,
    quantile: float,
    details: dict[str, float | int | str],
) -> tuple[tuple[float, Span] | None, float | None]:
    """iROAS with its interval, None where the data leave it open on both sides of zero; and the extra spend.

    Spend that was zero before is known as it is. Else it is regressed in the same way, and the interval is Fieller's.
    """
    if test.cost is None:
        return None, None
    treated, control = test.cost[test.treated].sum(axis=0), test.cost[test.controls].sum(axis=0)
    if not treated[: test.start].any():
        extra, spread, shared = float(treated[test.window].sum()), 0.0, 0.0
    else:
        other = fit_line(treated, control, test.start)
        extra = float((treated - other.fitted)[test.window].sum())
        spread = float(cumulative_errors(other, test.start, test.cooldown_end + 1)[-1]) ** 2
        both = float(np.linalg.norm(line.residuals) * np.linalg.norm(other.residuals))
        shared = float(line.residuals @ other.residuals) / both * error * spread**0.5 if both > 0.0 else 0.0
    extra = clear_of_rounding(extra, test.cost)
    if extra == 0.0:
        return None, extra
    span = fieller(total, extra, variance_above=error**2, variance_below=spread, covariance=shared, quantile=quantile)
    one_sided = float(stats.t.ppf(0.9, line.freedom))
    details["iroas_half_width_one_sided_90"] = one_sided * error / abs(extra)
    if abs(total) <= quantile * error:
        return (total / extra, Span(min(span.low, 0.0), max(span.high, 0.0))), extra
    # At ratio zero both ask the same question: only where the data bound the ratio on neither side can they differ.
    return ((total / extra, span) if span.low > 0.0 or span.high < 0.0 else None), extra


def _p_value(total: float, error: float, freedom: int) -> float:
    if error <= 0.0:
        return 0.0 if total else 1.0
    return float(2.0 * stats.t.sf(abs(total) / error, freedom))


def _autocorrelation(residuals: Floats) -> float:
    """Lag-1 autocorrelation of the residuals before the test."""
    power = float(residuals @ residuals)
    return float(residuals[1:] @ residuals[:-1]) / power if power > 0.0 else 0.0
