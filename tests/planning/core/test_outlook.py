"""How sure a proposal is, with and without a shock that all lines share."""

from __future__ import annotations

import pytest

from optimization.core.cells import CellKey
from optimization.core.responses import Family
from optimization.core.stored_curves import StoredCurve
from planning.core.outlook import outlook

LINES, WEEKS = 40, 4.0


def curves(shock):
    """Alike lines of one retailer whose weeks share a shock of this size over the horizon."""
    return [
        StoredCurve(key=CellKey("Amazon", "top", str(at)), family=Family.LOG, a=100.0, k=50.0, reference_spend=60.0,
                    reference_relative_se=0.2, n_weeks=10**9, common_week_sd=shock * WEEKS**0.5)
        for at in range(LINES)
    ]  # fmt: skip


NOW = {curve.key.id: 60.0 for curve in curves(0.0)}
MORE = {name: amount * 1.5 for name, amount in NOW.items()}


def width(found, name):
    return found[name][1] - found[name][0]


def drawn(shock=0.0, **options):
    return outlook(curves(shock), WEEKS, now=NOW, proposed=MORE, unsellable=frozenset(), **options)


def test_what_weeks_do_to_all_lines_widens_the_whole_and_hardly_the_difference():
    alone, shared = drawn(), drawn(0.2)
    assert width(shared, "sales_proposed") > 4 * width(alone, "sales_proposed")
    assert shared["chance"] == alone["chance"] == 1.0
    # 40 lines of 20 % each: independent errors mostly cancel, a shared one of 20 % stays whole.
    middle = sum(shared["sales_proposed"]) / 2
    assert width(shared, "sales_proposed") / 2 / middle == pytest.approx(1.2816 * 0.2, rel=0.25)


def test_a_least_return_is_told_with_its_chance():
    found = drawn(0.1)
    roas = sum(float(curve.revenue(90.0, WEEKS)) for curve in curves(0.0)) / sum(MORE.values())
    low = drawn(0.1, min_roas=roas * 0.7)
    even = drawn(0.1, min_roas=roas)
    assert low["chance_roas"] == pytest.approx(1.0, abs=0.01)
    assert even["chance_roas"] == pytest.approx(0.5, abs=0.1)
    reached = drawn(0.1, min_roas=roas / even["roas_factor"])
    assert reached["chance_roas"] == pytest.approx(0.8, abs=0.01)
    assert "chance_roas" not in found


def test_weeks_that_differ_are_drawn_one_by_one():
    even = {name: [amount / WEEKS] * int(WEEKS) for name, amount in MORE.items()}
    late = {name: [0.0, 0.0, 0.0, amount] for name, amount in MORE.items()}
    whole, alike, bunched = drawn(0.1), drawn(0.1, by_week=even), drawn(0.1, by_week=late)
    for name in ("sales_proposed", "gain"):
        assert alike[name] == pytest.approx(whole[name])
    assert alike["expected_same_mix"] == pytest.approx(whole["expected_same_mix"])
    sold = sum(float(curve.revenue(90.0, 1.0)) for curve in curves(0.0))
    assert bunched["sales_proposed"][0] < sold < bunched["sales_proposed"][1] < alike["sales_proposed"][0]
    assert bunched["sales_now"] == whole["sales_now"]
    # The same mix with the same money in the same weeks: this proposal is that.
    assert bunched["expected_same_mix"] == pytest.approx(sold)
