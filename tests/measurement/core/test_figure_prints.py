"""The same figures are told under other names, and others are not."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from measurement.core.figure_prints import (
    FigurePrint,
    print_of_log,
    print_of_panel,
    print_of_sums,
    share_figures,
    unpacked,
)
from measurement.core.panel import Panel
from measurement.core.test_data import SwitchbackLog, TwoArms

DAYS = tuple(date(2026, 5, 1) + timedelta(n) for n in range(60))
SALES = np.random.default_rng(5).lognormal(6, 0.4, (6, 60)).round(2)
COUNTS = np.random.default_rng(6).poisson(1.0, (300, 60)).astype(float)


def panel(outcome=SALES, prefix="geo", days=DAYS) -> FigurePrint:
    units = tuple(f"{prefix} {row}" for row in range(len(outcome)))
    return print_of_panel(Panel(units=units, periods=days, outcome=outcome))


def shared(one: FigurePrint, other: FigurePrint, units=None, of_other=None) -> bool:
    return share_figures(one, other, units=units, of_other=of_other)


@pytest.mark.parametrize("noise", [0.0, 1e-4])
def test_a_copy_under_other_names_is_a_copy(noise):
    turned = SALES[::-1, 10:] * (1 + noise * np.random.default_rng(1).standard_normal((6, 50)))
    copy = panel(turned, "market", DAYS[10:])
    assert shared(unpacked(copy.packed()), panel())
    assert shared(copy, panel(), {"market 0"}, {"geo 5"})
    assert not shared(copy, panel(), {"market 0"}, {"geo 4"})


def test_other_figures_and_other_days_are_no_copy():
    assert not shared(panel(SALES * 1.05), panel())
    assert not shared(panel(days=tuple(day + timedelta(100) for day in DAYS)), panel())


def test_small_counts_agree_by_chance():
    assert not shared(panel(COUNTS[:150]), panel(COUNTS[150:], "sku"))


def test_of_a_large_panel_the_same_days_are_kept():
    many = np.random.default_rng(8).lognormal(6, 0.4, (10_000, 60)).round(2)
    whole, part = panel(many), panel(many[:9_000, 5:], "m", DAYS[5:])
    assert 0 < len(whole.periods) < 60
    assert shared(whole, part, {"geo 3"}, {"m 3"})
    assert not shared(whole, part, {"geo 3"}, {"m 4"})


def test_logs_are_told_by_outcome_and_sums_by_all_of_an_arm():
    log = SwitchbackLog(periods=tuple(range(1, 61)), treated=np.arange(60) % 2 == 0, outcome=SALES[0])
    turned = SwitchbackLog(periods=tuple(range(1, 61)), treated=np.arange(60) % 3 == 0, outcome=SALES[0])
    assert shared(print_of_log(log), print_of_log(turned))
    arm, control = ({"sum": total, "sum_of_squares": total, "n": 900.0} for total in (90.0, 80.0))
    both = print_of_sums(TwoArms(arms={"treated": arm, "control": control}))
    more = print_of_sums(TwoArms(arms={"treated": {**arm, "n": 901.0}, "control": control}))
    assert shared(both, both, None, {"treated"})
    assert not shared(both, more, None, {"treated"})
    assert not shared(both, print_of_log(log))
