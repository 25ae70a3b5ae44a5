"""The level is exact by construction: whichever admissible set was treated, at most alpha of them are called wrong."""

from __future__ import annotations

import numpy as np
import pytest

from measurement.core.geo import analyze_geo
from tests.measurement.core.geo_panels import factor_panel, lifted, panel_of

SETS, ALPHA = 41, 0.1


def odd_panel(seed: int):
    """A panel with one market of wild sales: the case that placebos from the controls alone get wrong."""
    panel = factor_panel(seed, units=12, periods=40)
    wild = panel.outcome.copy()
    wild[4] *= np.exp(0.25 * np.random.default_rng(seed).standard_normal(40))
    return panel_of(wild)


@pytest.mark.parametrize(
    ("method", "lift"),
    [("sc_indexed", 0.0), ("sc_indexed", 0.25), ("sc", 0.25), ("asc", 0.0), ("did", -0.1), ("log_did", 0.25)],
)
def test_at_most_alpha_of_the_sets_that_could_be_drawn_are_wrong(method: str, lift: float) -> None:
    panel = odd_panel(17)
    rng = np.random.default_rng(3)
    drawn = {tuple(sorted(rng.choice(12, 3, replace=False).tolist())) for _ in range(70)}
    sets = [[panel.units[row] for row in rows] for rows in sorted(drawn)[:SETS]]
    assert len(sets) == SETS
    wrong, significant = 0, 0
    for members in sets:
        reading = analyze_geo(
            lifted(panel, members, 30, lift), treated=members, start=31, method=method, alpha=ALPHA, admissible=sets,
            sensitivity=False,
        )  # fmt: skip
        low, high = reading.lift.low, reading.lift.high
        wrong += (low is not None and low > lift + 1e-9) or (high is not None and high < lift - 1e-9)
        significant += reading.p_value < ALPHA
    # 4 of 41 is the largest rank that lies below alpha.
    assert wrong <= 4
    assert wrong >= 1
    if lift == 0.0:
        assert significant == wrong
