"""User-level A/B tests from summary statistics: what a network tells of the two groups, and no user's rows.

A group of means gives n, the sum and the sum of squares; a group of shares gives n and how many converted. The
relative lift is a ratio of two means, and its error comes from the delta method, with Student's t and Welch's degrees
of freedom; or its interval comes from Fieller, which is exact for normal means and can be open where the control's
mean is not told from zero. p and interval of the lift are of one procedure; those of the difference of another, and
both are given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from scipy import stats

from measurement.core.answers import Estimate
from measurement.core.sample_ratio import SampleRatio, check_sample_ratio
from measurement.core.words import count_of
from tenants.core.problems import InvalidInput

Method = Literal["delta", "fieller"]
METHODS: Final = ("delta", "fieller")


#: Means, deviations and users beyond this are no outcomes of a test, and their squares are no longer reckoned with.
_LARGEST: Final = 1e30
_MOST_USERS: Final = 1e15
_SMALLEST_VARIANCE: Final = 1e-100


@dataclass(frozen=True, slots=True)
class Group:
    """One arm: size, mean, and the variance of single users."""

    n: int
    mean: float
    variance: float

    @property
    def of_mean(self) -> float:
        """Variance of the mean."""
        return self.variance / self.n


@dataclass(frozen=True, slots=True, kw_only=True)
class UserReading:
    """What a user test says.

    Attributes:
        relative, absolute: lift over the control's mean, and difference of means.
        gap: lifts that are ruled out where no interval holds the others, which then lie on both sides of it.
        p_value: of the lift, from the procedure of its interval; absolute_p_value: of the difference (Welch).
        std_error: of the lift by the delta method; None by Fieller.
        sample_ratio: of the groups' sizes.
    """

    metric: str
    method: Method
    procedure: str
    alpha: float
    relative: Estimate
    gap: tuple[float, float] | None
    p_value: float
    std_error: float | None
    absolute: Estimate
    absolute_p_value: float
    control: Group
    treatment: Group
    sample_ratio: SampleRatio
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: `relative`, `absolute`, `ci` and `p_value` as the command line promises, and the rest."""
        return {
            "metric": self.metric,
            "relative": self.relative.value,
            "ci": [self.relative.low, self.relative.high],
            "ci_outside_of": None if self.gap is None else list(self.gap),
            "p_value": self.p_value,
            "absolute": self.absolute.value,
            "absolute_ci": [self.absolute.low, self.absolute.high],
            "absolute_p_value": self.absolute_p_value,
            "alpha": self.alpha,
            "method": self.method,
            "procedure": self.procedure,
            "groups": {
                name: {"n": group.n, "mean": group.mean, "variance": group.variance}
                for name, group in (("control", self.control), ("treatment", self.treatment))
            },
            "sample_ratio": {
                "p_value": self.sample_ratio.p_value,
                "mismatch": self.sample_ratio.mismatch,
                "expected": self.sample_ratio.expected,
            },
            "warnings": list(self.warnings),
        }


def group_of_sums(*, n: int, total: float, squares: float, where: str = "group") -> Group:
    """An arm of a mean, from the sum and the sum of squares of its users.

    Raises:
        InvalidInput: fewer than two users, no finite numbers, or squares that no users can have.
    """
    _require_users(n, where)
    if not (math.isfinite(total) and math.isfinite(squares)):
        raise InvalidInput("A sum is no finite number.", where=where, fix="Give the sums of the users' values.")
    mean = total / n
    rest = squares - total * mean
    if rest < -1e-9 * max(abs(squares), 1.0):
        raise InvalidInput(
            f"A sum of squares of {squares:g} is too small for {n} users who sum to {total:g}: it is at least "
            f"{total * mean:g}.",
            where=f"{where}: sum_squares",
            fix="Give the sum of each user's value squared, not the square of the sum.",
        )
    return Group(n, mean, max(rest, 0.0) / (n - 1))


def group_of_shares(*, n: int, converted: float, where: str = "group") -> Group:
    """An arm of a share: `converted` of n users.

    Raises:
        InvalidInput: fewer than two users, or not between 0 and n of them.
    """
    _require_users(n, where)
    if not (math.isfinite(converted) and 0 <= converted <= n):
        raise InvalidInput(f"{converted:g} of {n} users converted.", where=where, fix=f"Give a number from 0 to {n}.")
    share = converted / n
    return Group(n, share, share * (1.0 - share))


def analyze_users(
    control: Group,
    treatment: Group,
    *,
    alpha: float = 0.05,
    method: Method = "delta",
    shares: Mapping[str, float] | None = None,
    metric: str = "mean",
) -> UserReading:
    """Reading of two arms.

    Args:
        shares: of the assignment, by `control` and `treatment`, for the check of the groups' sizes; equal without.

    Raises:
        InvalidInput: no variance at all, a control whose mean is zero, numbers too large to reckon with, or alpha
            outside (0, 1).
    """
    if not 0.0 < alpha < 1.0:
        raise InvalidInput(f"alpha is {alpha:g}.", where="alpha", fix="Give a number between 0 and 1.")
    for arm, group in (("control", control), ("treatment", treatment)):
        _require_size(group, arm)
    if control.of_mean + treatment.of_mean <= _SMALLEST_VARIANCE:
        raise InvalidInput(
            "All users of a group have the same value, in both groups.",
            where="variance",
            fix="Check the sums of squares; without any spread there is nothing to test.",
        )
    if control.mean == 0.0:
        raise InvalidInput(
            "The control's mean is zero: there is no relative lift.",
            where="control",
            fix="Choose an outcome that the control has, too.",
        )
    if abs(control.mean) < 1.0 / _LARGEST:
        raise InvalidInput(
            f"The control's mean is {control.mean:g}, zero but for rounding: there is no relative lift.",
            where="control",
            fix="Choose an outcome that the control has, too, or give it in another unit.",
        )
    if treatment.mean == 0.0 and treatment.variance == 0.0:
        raise InvalidInput(
            "No user of the treatment has anything: a lift of -100 % has no error that could be told.",
            where="treatment",
            fix="Wait for more users, or choose an outcome that is less rare.",
        )
    difference = treatment.mean - control.mean
    degrees = _welch(control, treatment)
    variance, gap = 0.0, None
    absolute, absolute_p = _student(difference, control.of_mean + treatment.of_mean, degrees, alpha)
    if method == "delta":
        ratio = treatment.mean / control.mean
        variance = (treatment.of_mean + ratio**2 * control.of_mean) / control.mean**2
        relative, p_value = _student(difference / control.mean, variance, degrees, alpha)
        words = "delta method"
    else:
        # Zero lift is no difference: Fieller's interval leaves out zero exactly where Welch's test rejects.
        ends, gap = _fieller(control, treatment, degrees, alpha)
        relative, p_value = Estimate(difference / control.mean, *ends), absolute_p
        words = "Fieller's interval"
    ratio_check = check_sample_ratio({"control": control.n, "treatment": treatment.n}, shares)
    return UserReading(
        metric=metric,
        method=method,
        procedure=f"{words}, Student's t with {degrees:,.1f} degrees of freedom (Welch)",
        alpha=alpha,
        relative=relative,
        gap=gap,
        p_value=p_value,
        std_error=math.sqrt(variance) if method == "delta" else None,
        absolute=absolute,
        absolute_p_value=absolute_p,
        control=control,
        treatment=treatment,
        sample_ratio=ratio_check,
        warnings=tuple(_warnings(control, ratio_check, relative, gap, (p_value < alpha) != (absolute_p < alpha))),
    )


_Ends = tuple[float | None, float | None]


def _student(value: float, variance: float, degrees: float, alpha: float) -> tuple[Estimate, float]:
    error = math.sqrt(variance)
    reach = float(stats.t.isf(alpha / 2.0, degrees)) * error
    return Estimate(value, value - reach, value + reach), float(2.0 * stats.t.sf(abs(value) / error, degrees))


def _welch(one: Group, two: Group) -> float:
    """Degrees of freedom of the difference of two means (Satterthwaite 1946)."""
    parts = one.of_mean**2 / (one.n - 1) + two.of_mean**2 / (two.n - 1)
    return float((one.of_mean + two.of_mean) ** 2 / parts)


def _fieller(
    control: Group, treatment: Group, degrees: float, alpha: float
) -> tuple[_Ends, tuple[float, float] | None]:
    """Every lift `r` at which `treatment - (1 + r) control` is not told from zero (Fieller 1954).

    Where the control's mean is not told from zero no interval holds them: they are all lifts, or all but those of a
    gap, which is given as the second.
    """
    limit = float(stats.t.isf(alpha / 2.0, degrees)) ** 2
    a = control.mean**2 - limit * control.of_mean
    b = treatment.mean * control.mean
    # b^2 - a c, multiplied out: written so, it does not lose its digits to two large products.
    apart = limit * (
        treatment.mean**2 * control.of_mean
        + control.mean**2 * treatment.of_mean
        - limit * control.of_mean * treatment.of_mean
    )
    reach = math.sqrt(max(apart, 0.0))
    if a > 0.0:
        return ((b - reach) / a - 1.0, (b + reach) / a - 1.0), None
    if a == 0.0 or apart <= 0.0:
        return (None, None), None
    return (None, None), ((b + reach) / a - 1.0, (b - reach) / a - 1.0)


def _require_size(group: Group, arm: str) -> None:
    """Raises InvalidInput for numbers whose squares cannot be reckoned with."""
    if not (abs(group.mean) <= _LARGEST and group.variance <= _LARGEST**2 and group.n <= _MOST_USERS):
        raise InvalidInput(
            f"A mean of {group.mean:g} with variance {group.variance:g} over {group.n:.3g} users is too large.",
            where=arm,
            fix="Check the sums, or give the outcome in a larger unit.",
        )


def _require_users(n: int, where: str) -> None:
    if n < 2:
        raise InvalidInput(f"{count_of(n, 'user')}.", where=f"{where}: n", fix="Give at least two users in each group.")


def _warnings(
    control: Group, sizes: SampleRatio, relative: Estimate, gap: tuple[float, float] | None, contradict: bool
) -> list[str]:
    said = []
    if sizes.mismatch:
        said.append(sizes.text)
    if gap is not None:
        zero = "a lift of zero is" if gap[0] < 0.0 < gap[1] else "what lies between is"
        said.append(
            f"The control's mean is not told from zero: the lift is below {gap[0]:.4g} or above {gap[1]:.4g}, and no "
            f"interval holds both; {zero} ruled out, but which way the lift goes is not known. Use the difference."
        )
    elif relative.low is None:
        said.append("The control's mean is not told from zero: no interval of the relative lift can be given.")
    elif abs(control.mean) < 4.0 * math.sqrt(control.of_mean):
        said.append("The control's mean is uncertain: prefer Fieller's interval to the delta method.")
    if contradict:
        said.append("Lift and difference are decided differently; the lift also carries the error of its base.")
    return said
