"""Readings of tests that have no panel, in the form of those that have: user A/B and switchbacks."""

from __future__ import annotations

import numpy as np

from measurement.core.always_valid import always_valid, mixture_spread
from measurement.core.answers import Estimate, PanelReading
from measurement.core.arrays import Floats
from measurement.core.switchback import analyze_switchback
from measurement.core.test_data import SwitchbackLog, TwoArms
from measurement.core.user_test import Group, analyze_users, group_of_sums
from measurement.core.words import count_of
from measurement.models import Experiment
from measurement.services.other_designs import weekdays_of
from tenants.core.problems import Conflict

_NONE: Floats = np.array([], dtype=np.float64)


def read_users(experiment: Experiment, arms: TwoArms, *, alpha: float) -> PanelReading:
    """Two arms of users: one period, in which the control says what the treated would have done.

    p, lift and incremental outcome are of the relative difference, which is what is reported; `att` is per user.
    """
    groups = {
        arm: group_of_sums(n=int(sums["n"]), total=sums["sum"], squares=sums["sum_of_squares"], where=arm)
        for arm, sums in arms.arms.items()
    }
    share = float(experiment.settings.get("expected_share", 0.5))
    read = analyze_users(
        groups["control"],
        groups["treated"],
        alpha=alpha,
        shares={"control": 1.0 - share, "treatment": share},
        metric=experiment.outcome,
    )
    relative, p_value, procedure = read.relative, read.p_value, read.procedure
    error = _relative_error(groups["control"], groups["treated"])
    if experiment.looks == Experiment.Looks.ALWAYS_VALID:
        # The spread is fixed by the first look, and so before anything that it could have been chosen by.
        looks = [*_earlier_looks(experiment, arms), (relative.value, error)]
        whole = always_valid(looks, tau=mixture_spread(looks[0][1], alpha=alpha), alpha=alpha)
        relative, p_value = whole.effect, whole.p_value
        procedure = f"always-valid interval (mixture SPRT) over {count_of(len(looks), 'look')}"
    users = groups["treated"].n
    expected = groups["control"].mean * users
    incremental = _times(relative, expected)
    cost = float(experiment.planned_spend) if experiment.planned_spend else None
    observed = np.array([groups["treated"].mean * users])
    return PanelReading(
        method="ab",
        why_method="Users were randomised one by one, so their sums say all that there is to say.",
        procedure=procedure,
        evidence="experiment",
        alpha=alpha,
        p_value=p_value,
        att=_times(relative, groups["control"].mean),
        lift=relative,
        incremental=incremental,
        iroas=_times(incremental, 1.0 / cost) if cost else None,
        cost=cost,
        weights={},
        l2_imbalance=None,
        scaled_l2=None,
        periods=(1,),
        start=0,
        end=0,
        cooldown_end=0,
        treated=(f"treated, {count_of(users, 'user')}",),
        controls=(f"control, {count_of(groups['control'].n, 'user')}",),
        observed=observed,
        counterfactual=np.array([expected]),
        low=np.array([np.nan]),
        high=np.array([np.nan]),
        cumulative=np.array([incremental.value]),
        cumulative_low=np.array([_end(incremental.low)]),
        cumulative_high=np.array([_end(incremental.high)]),
        placebos=_NONE,
        by_unit=(),
        warnings=read.warnings,
        details={
            "users": users + groups["control"].n,
            "relative_error": error,
            "difference": read.absolute.value,
            "difference_p_value": read.absolute_p_value,
            "sample_ratio_p_value": read.sample_ratio.p_value,
        },
    )  # fmt: skip


def _relative_error(control: Group, treated: Group) -> float:
    """Standard error of the relative difference, by the delta method."""
    ratio = treated.mean / control.mean
    return float(np.sqrt((treated.of_mean + ratio**2 * control.of_mean) / control.mean**2))


def _earlier_looks(experiment: Experiment, arms: TwoArms) -> list[tuple[float, float]]:
    """Estimate and error of the readings before, each of fewer users than now."""
    users = sum(sums["n"] for sums in arms.arms.values())
    documents = experiment.readings.order_by("number").values_list("result", flat=True)
    told = [(one["details"], one["lift"]["value"]) for one in documents]
    return [(lift, details["relative_error"]) for details, lift in told if details["users"] < users]


def read_switchback(experiment: Experiment, log: SwitchbackLog, *, alpha: float) -> PanelReading:
    """The periods of one whole: what treated periods would have been is what was seen less the effect.

    Raises:
        Conflict: the log was not treated as the plan drew it.
    """
    planned = planned_periods(experiment)
    length = len(planned)
    kinds = log.treated[:length].astype(np.int64)
    differing = [at + 1 for at, (one, other) in enumerate(zip(kinds, planned, strict=False)) if one != other]
    if differing or len(kinds) < length:
        more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
        raise Conflict(
            f"The log is not what the plan drew: it differs in period {differing[0]}{more}."
            if differing
            else f"The log ends after period {len(kinds)}, the plan needs {length}.",
            where="treated",
            fix="Send the log of what was done; a test that left its plan cannot be read as one that kept it.",
        )
    read = analyze_switchback(
        kinds,
        log.outcome[:length],
        carryover=int(experiment.settings.get("carryover", 0)),
        randomise_at=experiment.design["randomise_at"],
        labels=weekdays_of(experiment, length),
        estimator="burn_in",
        alpha=alpha,
        seed=experiment.seed,
    )
    outcome, effect = log.outcome[:length], read.chosen.effect
    counterfactual = outcome - effect.value * kinds
    treated = float(kinds.sum())
    incremental = _times(effect, treated)
    cost = float(experiment.planned_spend) if experiment.planned_spend else None
    steps: Floats = np.cumsum(kinds).astype(np.float64)
    return PanelReading(
        method="switchback",
        why_method="One whole was treated in some periods and not in others, by coins tossed beforehand.",
        procedure=read.chosen.procedure,
        evidence="experiment",
        alpha=alpha,
        p_value=read.chosen.p_value,
        att=effect,
        lift=read.lift or Estimate(np.nan, None, None),
        incremental=incremental,
        iroas=_times(incremental, 1.0 / cost) if cost else None,
        cost=cost,
        weights={},
        l2_imbalance=None,
        scaled_l2=None,
        periods=log.days[:length] if len(log.days) >= length else log.periods[:length],
        start=0,
        end=length - 1,
        cooldown_end=length - 1,
        treated=(count_of(int(treated), "treated period"),),
        controls=(count_of(length - int(treated), "untreated period"),),
        observed=outcome,
        counterfactual=counterfactual,
        low=np.full(length, np.nan),
        high=np.full(length, np.nan),
        cumulative=_path(steps, effect.value),
        cumulative_low=_path(steps, effect.low),
        cumulative_high=_path(steps, effect.high),
        placebos=_NONE,
        by_unit=(),
        warnings=read.warnings,
        details={"carryover": read.design.carryover, "tosses": len(read.design.randomise_at),
                 "horvitz_thompson": read.horvitz_thompson.effect.value,
                 "horvitz_thompson_p_value": read.horvitz_thompson.p_value},
    )  # fmt: skip


def planned_periods(experiment: Experiment) -> list[int]:
    """0 or 1 for each period, as the registered assignment has it."""
    stretches = sorted((_stretch(one.unit), one.group == "treated") for one in experiment.units.all())
    return [int(on) for (first, last), on in stretches for _ in range(first, last + 1)]


def _stretch(name: str) -> tuple[int, int]:
    first, last = name.removeprefix("periods ").split(" to ")
    return int(first), int(last)


def _times(one: Estimate, factor: float) -> Estimate:
    ends = (None if one.low is None else one.low * factor, None if one.high is None else one.high * factor)
    low, high = ends if factor >= 0 else ends[::-1]
    return Estimate(one.value * factor, low, high)


def _path(steps: Floats, effect: float | None) -> Floats:
    path: Floats = steps * _end(effect)
    return path


def _end(value: float | None) -> float:
    return np.nan if value is None else value
