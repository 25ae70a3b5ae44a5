"""What a design promises is what its analysis keeps: planned power against rejections of tests that are then run."""

from dataclasses import replace

import numpy as np
import pytest

from measurement.core.design import design_geo
from measurement.core.geo import analyze_geo
from tests.measurement.core.histories import history


def planned_and_found(seed, *, units, sizes, effect, periods=84, duration=7, per_panel=2):
    """Planned power and outcome of the test for the best candidates of one market; the lift comes after the plan."""
    panel = history(units=units, periods=periods + duration, seed=seed, noise=0.1)
    past = replace(panel, periods=panel.periods[:periods], outcome=panel.outcome[:, :periods])
    designs = design_geo(
        past, durations=[duration], effects=[effect], treated_counts=sizes, windows=7, keep=12, seed=seed
    )
    rows = []
    for candidate in designs.candidates[:per_panel]:
        outcome = panel.outcome.copy()
        treated = [panel.units.index(unit) for unit in candidate.treated]
        outcome[treated, periods:] *= 1.0 + effect
        reading = analyze_geo(
            replace(panel, outcome=outcome),
            treated=candidate.treated,
            start=periods + 1,
            placebos=199,
            sensitivity=False,
            seed=seed,
        )
        assert reading.method == candidate.method
        rows.append((candidate.power[effect], candidate.power_checked[effect], reading.p_value < 0.05))
    return rows


@pytest.mark.parametrize(("sizes", "effect"), [([2], 0.1), ([6], 0.06)], ids=["synthetic control", "log-DiD"])
def test_planned_power_is_realised(sizes, effect):
    """60 tests on 30 panels within three standard errors; two tests of one panel count as one and a third."""
    rows = np.array(
        [row for seed in range(30) for row in planned_and_found(seed, units=16, sizes=sizes, effect=effect)],
        dtype=float,
    )
    planned, checked, found = rows.mean(axis=0)
    assert 0.3 < planned < 0.97
    allowed = 3.0 * np.sqrt(found * (1.0 - found) / 40.0)
    assert planned == pytest.approx(found, abs=allowed)
    assert checked == pytest.approx(found, abs=allowed)
