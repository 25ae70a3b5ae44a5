"""How often the detector is wrong, measured on the generator, whose planned spend is the truth."""

from __future__ import annotations

import datetime as dt
import sys

import numpy as np

from demo.core.days import Facts, make_facts
from demo.core.profiles import find_profile
from demo.core.world import World, make_world
from harmonization.core.level_shift import Sensitivity, find_shifts, usual

UNTIL = dt.date(2026, 11, 22)


def series(world: World, facts: Facts, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spend and clicks as [cell, day]."""
    row = {cell: place for place, cell in enumerate(cells)}
    rows = np.array([row[cell] for cell in facts.cell])
    spend, clicks = (np.zeros((len(cells), world.days)) for _ in range(2))
    np.add.at(spend, (rows, facts.day), facts.traffic.spend / 100)
    np.add.at(clicks, (rows, facts.day), facts.traffic.clicks)
    return spend, clicks


def shifts(spend: np.ndarray, clicks: np.ndarray):
    usual_clicks = usual(clicks)
    values = np.where(usual_clicks < 10, np.nan, np.maximum(spend, 0.01))
    noise = np.nan_to_num(1 / np.sqrt(np.fmax(usual_clicks, 1)), nan=1.0)
    return find_shifts(values, noise, Sensitivity()), int(np.isfinite(values).sum())


def test_false_alarms_on_the_generator(capsys):
    """An alarm is false where the plan of these weeks is within 25 % of the four weeks before, or moved otherwise."""
    alarms = false = days = 0
    for profile in ("acme", "birch"):
        world = make_world(find_profile(profile), seed=11, until=UNTIL)
        for network in world.profile.networks:
            cells = world.cells_of(network.key)
            found, looked_at = shifts(*series(world, make_facts(world, network), cells))
            plan = world.planned_spend[:, cells].T
            for shift in found:
                weeks = range(shift.first // 7, shift.last // 7 + 1)
                moved = np.median(
                    [np.log(plan[shift.series, w] / np.median(plan[shift.series, w - 4 : w])) for w in weeks]
                )
                alarms += 1
                false += bool(abs(moved) < np.log(1.25) or (moved > 0) != (shift.ratio > 1))
            days += looked_at
    with capsys.disabled():
        sys.stdout.write(f"\n{alarms} level shifts on {days:,} campaign days of the generator, {false} of them false\n")
    assert alarms > 100
    assert false <= 0.01 * alarms


def test_nine_of_ten_doublings_of_steady_campaigns_are_found():
    rng = np.random.default_rng(5)
    shape = (200, 120)
    clicks = rng.poisson(200, shape).astype(float)
    spend = clicks * 0.8 * np.exp(rng.normal(0, 0.1, shape))
    assert len(shifts(spend, clicks)[0]) == 0
    spend[:, 100:106] *= 2
    found = shifts(spend, clicks)[0]
    assert len({shift.series for shift in found if 100 <= shift.first <= 102}) >= 180
