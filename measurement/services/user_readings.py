"""Readings of tests that have no panel, in the form of those that have: user A/B and switchbacks."""

from __future__ import annotations

import numpy as np

from measurement.core.answers import Estimate, PanelReading
from measurement.core.arrays import Floats
from measurement.core.test_data import TwoArms
from measurement.core.user_test import analyze_users, group_of_sums
from measurement.models import Experiment

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
    users = groups["treated"].n
    expected = groups["control"].mean * users
    incremental = _times(read.relative, expected)
    cost = float(experiment.planned_spend) if experiment.planned_spend else None
    observed = np.array([groups["treated"].mean * users])
    return PanelReading(
        method="ab",
        why_method="Users were randomised one by one, so their sums say all that there is to say.",
        procedure=read.procedure,
        evidence="experiment",
        alpha=alpha,
        p_value=read.p_value,
        att=_times(read.relative, groups["control"].mean),
        lift=read.relative,
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
        treated=(f"treated, {users:,} users",),
        controls=(f"control, {groups['control'].n:,} users",),
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
        details={"difference": read.absolute.value, "difference_p_value": read.absolute_p_value,
                 "sample_ratio_p_value": read.sample_ratio.p_value},
    )  # fmt: skip


def _times(one: Estimate, factor: float) -> Estimate:
    ends = (None if one.low is None else one.low * factor, None if one.high is None else one.high * factor)
    low, high = ends if factor >= 0 else ends[::-1]
    return Estimate(one.value * factor, low, high)


def _end(value: float | None) -> float:
    return np.nan if value is None else value
