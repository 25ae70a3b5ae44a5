"""Covariates in a randomised test: Lin's regression with HC2 errors, and CUPED.

A covariate from before the test (the same outcome, usually) explains part of the scatter between units, and leaves
`1 - rho^2` of the variance. Lin (2013): regress on treatment, centred covariates and their products; then the
coefficient of treatment is never less precise than the difference of means, and HC2 errors are right for it. With few
units their degrees of freedom are those of Bell and McCaffrey (2002). CUPED (Deng et al. 2013) is the same idea with
one slope for both groups.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import stats

from measurement.core.answers import Estimate
from measurement.core.arrays import Bools, Floats, Ints
from measurement.core.words import count_of
from tenants.core.problems import InvalidInput

#: With fewer treated (or untreated) units HC3 intervals miss the truth too often, and are refused.
LEAST_FOR_HC3: Final = 8
Errors = Literal["hc2", "hc3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """The effect of treatment, covariates taken out.

    Attributes:
        effect: difference of means at the mean of the covariates, in units of the outcome.
        control_mean: mean of the untreated there. lift: effect over it, by the delta method; None where it is not
            positive. `p_value` is of the effect.
        degrees: of freedom of Student's t.
        variance_ratio: variance of the effect over that of the plain difference of means.
    """

    effect: Estimate
    p_value: float
    std_error: float
    degrees: float
    control_mean: float
    lift: Estimate | None
    variance_ratio: float
    procedure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuped:
    """The adjusted difference.

    Attributes:
        effect, p_value: of the adjusted difference, Welch.
        rho: correlation of outcome and covariate within groups. slope: what is taken off per unit of covariate.
        variance_ratio: of adjusted over plain, which 1 - rho^2 foretells.
    """

    effect: Estimate
    p_value: float
    rho: float
    slope: float
    variance_ratio: float
    adjusted: Floats


def adjusted_effect(
    outcome: Sequence[float] | Floats,
    treated: Sequence[int] | Ints,
    covariates: Floats | None = None,
    *,
    alpha: float = 0.05,
    errors: Errors = "hc2",
    interact: bool = True,
) -> Adjusted:
    """Lin's regression; without covariates the difference of means.

    Args:
        outcome, treated: shape [units]; treated is 0 or 1. covariates: from before the test, [units] or [units, k].
        errors: `hc2`, with the degrees of freedom of Bell and McCaffrey; or `hc3`, refused for few units.
        interact: products of treatment and covariates; without them the plain analysis of covariance.

    Raises:
        InvalidInput: shapes that do not fit, no finite numbers, an empty arm, fewer units than coefficients, covariates
            that repeat each other, a unit that decides a coefficient alone, or HC3 with few units.
    """
    y, kinds, x = _checked(outcome, treated, covariates, alpha)
    few = int(min(kinds.sum(), (~kinds).sum()))
    if errors == "hc3" and few < LEAST_FOR_HC3:
        raise InvalidInput(
            f"HC3 errors of {few} units in an arm make 14 % false positives where 5 % are meant.",
            where="errors",
            fix=f"Have {LEAST_FOR_HC3} units in each arm, or use hc2, or randomisation inference.",
        )
    design = _design(kinds, x, interact)
    fit = _Fit(design, y, errors)
    effect, error, degrees = fit.of(1)
    reach = float(stats.t.isf(alpha / 2.0, degrees)) * error
    plain = adjusted_effect(y, kinds.astype(np.int64), alpha=alpha) if x.shape[1] else None
    control_mean = float(fit.coefficients[0])
    words = "difference of means" if plain is None else f"regression on {count_of(x.shape[1], 'covariate')}"
    return Adjusted(
        effect=Estimate(effect, effect - reach, effect + reach),
        p_value=float(2.0 * stats.t.sf(abs(effect) / error, degrees)),
        std_error=error,
        degrees=degrees,
        control_mean=control_mean,
        lift=None if control_mean <= 0.0 else fit.lift(alpha, degrees),
        variance_ratio=1.0 if plain is None else (error / plain.std_error) ** 2,
        procedure=f"{words}, {errors.upper()} errors, Student's t with {degrees:.1f} degrees of freedom",
    )


def cuped(
    outcome: Sequence[float] | Floats,
    treated: Sequence[int] | Ints,
    before: Sequence[float] | Floats,
    *,
    alpha: float = 0.05,
) -> Cuped:
    """Difference of outcomes less `slope` times the covariate, the slope pooled within groups.

    Raises:
        InvalidInput: as `adjusted_effect`, or a covariate that is the same for all.
    """
    y, kinds, x = _checked(outcome, treated, np.asarray(before, dtype=np.float64), alpha)
    inside_y, inside_x = _within(y, kinds), _within(x[:, 0], kinds)
    squares, products = float(inside_x @ inside_x), float(inside_x @ inside_y)
    if squares <= 0.0 or float(inside_y @ inside_y) <= 0.0:
        raise InvalidInput(
            "Outcome or covariate does not vary within the groups.", where="before", fix="Choose another covariate."
        )
    slope = products / squares
    adjusted: Floats = y - slope * (x[:, 0] - x[:, 0].mean())
    found = stats.ttest_ind(adjusted[kinds], adjusted[~kinds], equal_var=False)
    ends = found.confidence_interval(1.0 - alpha)
    value = float(adjusted[kinds].mean() - adjusted[~kinds].mean())
    return Cuped(
        effect=Estimate(value, float(ends.low), float(ends.high)),
        p_value=float(found.pvalue),
        rho=products / math.sqrt(squares * float(inside_y @ inside_y)),
        slope=slope,
        variance_ratio=_of_difference(adjusted, kinds) / _of_difference(y, kinds),
        adjusted=adjusted,
    )


class _Fit:
    """Least squares with errors that allow each unit its own variance."""

    def __init__(self, design: Floats, y: Floats, errors: Errors) -> None:
        self.design = design
        gram = design.T @ design
        if np.linalg.matrix_rank(design) < design.shape[1]:
            raise InvalidInput(
                "The covariates repeat each other, or one does not vary in an arm.",
                where="covariates",
                fix="Leave one of them out.",
            )
        self.bread: Floats = np.linalg.inv(gram).astype(np.float64)
        self.coefficients: Floats = self.bread @ (design.T @ y)
        leverage = np.einsum("ij,jk,ik->i", design, self.bread, design)
        if float(leverage.max()) > 1.0 - 1e-9:
            raise InvalidInput(
                f"Unit {int(leverage.argmax()) + 1} decides a coefficient alone.",
                where="covariates",
                fix="Use fewer covariates, or more units.",
            )
        self.rests = y - design @ self.coefficients
        self.leverage = leverage
        power = 1.0 if errors == "hc2" else 2.0
        self.weights = (1.0 - leverage) ** -power
        self.errors = errors
        meat = (design * (self.weights * self.rests**2)[:, None]).T @ design
        self.covariance: Floats = self.bread @ meat @ self.bread

    def of(self, place: int) -> tuple[float, float, float]:
        """A coefficient, its standard error and degrees of freedom."""
        error = math.sqrt(float(self.covariance[place, place]))
        # What rounding leaves of an outcome that the covariates say altogether is no scatter.
        if error <= 1e-12 * (1.0 + float(np.abs(self.coefficients).max())):
            raise InvalidInput(
                "The outcome does not vary beyond what the covariates say.",
                where="outcome",
                fix="Check the column; without any scatter there is nothing to test.",
            )
        units, count = self.design.shape
        degrees = self._bell_mccaffrey(place) if self.errors == "hc2" else float(units - count)
        return float(self.coefficients[place]), error, degrees

    def _bell_mccaffrey(self, place: int) -> float:
        """Satterthwaite's degrees of freedom of HC2, were the errors alike, without an [units, units] matrix."""
        pull = (self.design @ self.bread[:, place]) ** 2 * self.weights
        trace = float((pull * (1.0 - self.leverage)).sum())
        spread = self.bread @ ((self.design * pull[:, None]).T @ self.design)
        squares = float((pull**2 * (1.0 - 2.0 * self.leverage)).sum()) + float(np.trace(spread @ spread))
        return trace**2 / squares

    def lift(self, alpha: float, degrees: float) -> Estimate:
        """Effect over the control's mean, by the delta method."""
        base, effect = float(self.coefficients[0]), float(self.coefficients[1])
        slopes = np.array([-effect / base**2, 1.0 / base])
        error = math.sqrt(float(slopes @ self.covariance[:2, :2] @ slopes))
        reach = float(stats.t.isf(alpha / 2.0, degrees)) * error
        return Estimate(effect / base, effect / base - reach, effect / base + reach)


def _design(kinds: Bools, x: Floats, interact: bool) -> Floats:
    """Columns: one, treated, centred covariates, and their products with treated."""
    centred = x - x.mean(axis=0)
    treated = kinds.astype(np.float64)[:, None]
    parts = [np.ones_like(treated), treated, centred]
    if interact:
        parts.append(centred * treated)
    return np.hstack(parts)


def _within(values: Floats, kinds: Bools) -> Floats:
    inside = values.copy()
    for arm in (kinds, ~kinds):
        inside[arm] -= inside[arm].mean()
    return inside


def _of_difference(values: Floats, kinds: Bools) -> float:
    """Variance of the difference of the two means."""
    return float(values[kinds].var(ddof=1) / kinds.sum() + values[~kinds].var(ddof=1) / (~kinds).sum())


def _checked(
    outcome: Sequence[float] | Floats, treated: Sequence[int] | Ints, covariates: Floats | None, alpha: float
) -> tuple[Floats, Bools, Floats]:
    y, kinds = np.asarray(outcome, dtype=np.float64), np.asarray(treated)
    x = np.zeros((len(y), 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    x = x[:, None] if x.ndim == 1 else x
    if not len(y) == len(kinds) == len(x):
        raise InvalidInput(
            f"{len(y)} outcomes, {len(kinds)} treatments and {len(x)} covariates do not fit.",
            where="outcome",
            fix="Give one of each for every unit.",
        )
    if not 0.0 < alpha < 1.0:
        raise InvalidInput(f"alpha is {alpha:g}.", where="alpha", fix="Give a number between 0 and 1.")
    if not np.isin(kinds, (0, 1)).all():
        raise InvalidInput("A treatment is neither 0 nor 1.", where="treated", fix="Give 1 where treated, else 0.")
    if not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise InvalidInput("A value is no finite number.", where="outcome", fix="Complete it or leave the unit out.")
    arms = kinds.astype(bool)
    if min(int(arms.sum()), int((~arms).sum())) < 2:
        raise InvalidInput(
            f"{count_of(int(arms.sum()), 'unit')} treated and {int((~arms).sum())} not.",
            where="treated",
            fix="Give at least two of each.",
        )
    return y, arms, x
