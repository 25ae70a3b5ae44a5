"""A slice of the proof of calibration: other portfolios and tenants than it judges, fewer and smaller ones."""

from __future__ import annotations

import pytest

from measurement.core.portfolio import judge
from proofs.calibration import OTHER_RULES, faults, least_held, tenant, tenant_faults, tenant_figures


@pytest.fixture(scope="module")
def usual():
    return judge("usual", portfolios=24, seed=11, experiments=(3, 12))


def test_tests_of_some_cells_place_money_better_and_say_how_sure_they_are(usual):
    assert not [line for line in faults({str(count): one for count, one in usual.items()}) if "intervals" not in line]
    for one in usual.values():
        assert 0.8 < one["coverage"] < 0.97
        assert one["regret one pooled factor"] == pytest.approx(one["regret attributed"])


def test_tested_cells_alone_are_worse_than_nothing(usual):
    """The trap: a factor for the tested cells and none for the others moves money to what nobody looked at."""
    assert usual[3]["regret tested cells only"] > usual[3]["regret attributed"]
    assert usual[12]["regret hierarchical"] < 0.7 * usual[12]["regret attributed"]


def test_one_test_does_no_harm():
    one = judge("usual", portfolios=24, seed=11, experiments=(1,))[1]
    assert one["regret hierarchical"] < one["regret attributed"] < one["regret tested cells only"]


def test_a_generated_tenant_is_tested_read_and_planned_anew():
    """Through reports, curves, the panel of states and the analysis; with a second test of what is suggested next."""
    found = [tenant(number, scale=0.4, tests=2) for number in (5000, 5001)]
    figures = tenant_figures(found)
    assert figures["tests_held"] == 4
    assert figures["factors_held"] >= 3
    assert {one["tests"][0]["cell"] for one in found} == {"Walmart onsite_search_rest"}
    assert all(one["tests"][1]["cell"] != one["tests"][0]["cell"] for one in found)
    assert all(len(set(one["limited"]["worth"])) == 3 for one in found), "every test moves money"
    assert all(one["limited"][rule] > 0.0 for one in found for rule in OTHER_RULES)
    assert all(max(one["free"]["worth"]) <= one["free"]["best"] * (1 + 1e-9) for one in found)


def test_what_does_not_hold_is_told():
    row = {"regret hierarchical": 0.05, "regret attributed": 0.04, "coverage": 0.8}
    assert faults({"3": row}) == [
        "after 3 experiments calibration misses no less than attributed sales do",
        "after 3 experiments 0.800 of the intervals hold",
    ]
    lost = {"first_test_held": 12, "tenants": 20, "tests_held": 76, "tests": 80}
    rises = {"free_after_1": {"rise": -0.001, "low": -0.002}, "limited_after_1": {"rise": 0.001, "low": -0.001}}
    told = tenant_faults(lost | rises)
    assert told == [
        "12 of 20 intervals hold the true return",
        "free_after_1: the allocation earns -0.100% of its worth, -0.200% at least",
    ]
    assert tenant_faults(lost | rises, sure=True) == [
        *told, "limited_after_1: the allocation earns +0.100% of its worth, -0.100% at least",
    ]  # fmt: skip
    assert 14 <= least_held(20) <= 17
