"""Overrides and priors over fitted curves: what they change, by how much, and what counts first."""

from __future__ import annotations

import math
from typing import Any

import pytest

from optimization.core.adjustments import Adjustment, adjusted, check_adjustment
from optimization.core.stored_curves import StoredCurve
from tenants.core.problems import InvalidInput


def record(sku: str = "S1", **changes: Any) -> dict[str, Any]:
    return {
        "retailer": "Amazon", "placement": "onsite_display", "sku": sku, "family": "log",
        "params": {"a": 200.0, "k": 100.0}, "amplitude_se": 20.0, "log_scale_sd": 0.4, "reference_spend": 300.0,
        "reference_relative_se": 0.1, "carry_over": 0.0, "n_weeks": 20, "observed_spend": {"min": 100, "max": 500},
        "r2": 0.7, "shrinkage": 0.5, "notes": [],
    } | changes  # fmt: skip


def override(**given: Any) -> Adjustment:
    usual = {
        "id": "o1", "retailer": "Amazon", "placement": "onsite_display", "sku": "S1", "family": "michaelis_menten",
        "a": 900.0, "k": 250.0, "reason": "A test in May", "by": "alice", "at": "2026-01-01",
    }  # fmt: skip
    return Adjustment(kind="override", **usual | given)


def prior(**given: Any) -> Adjustment:
    usual = {"id": "p1", "roas": 2.0, "spread": 0.1, "reason": "Peers", "by": "alice", "at": "2026-01-01"}
    return Adjustment(kind="prior", **usual | given)


def roas(stored: dict[str, Any]) -> float:
    curve = StoredCurve.of(stored)
    return float(curve.revenue(curve.reference_spend)) / curve.reference_spend


def test_an_override_takes_the_place_of_one_curve_and_says_who_and_why():
    before = [record("S1"), record("S2")]
    found = adjusted(before, [override()])
    first, second = found.records
    assert (first["family"], first["params"]) == ("michaelis_menten", {"a": 900.0, "k": 250.0})
    assert first["overridden"]["by"] == "alice"
    assert first["overridden"]["fitted"] == {"family": "log", "params": {"a": 200.0, "k": 100.0}}
    assert first["notes"] == ["Overridden by alice: A test in May"]
    assert second == record("S2")
    assert before == [record("S1"), record("S2")], "what a version keeps is not touched"
    assert [one.id for one in found.used] == ["o1"]


def test_nothing_used_has_no_digest():
    found = adjusted([record("S2")], [override()])
    assert (found.used, found.sha256) == ((), "")


def test_the_digest_tells_one_override_from_another():
    digests = {adjusted([record()], [override(a=a)]).sha256 for a in (900.0, 901.0)}
    assert len(digests) == 2


def test_the_later_override_counts():
    found = adjusted([record()], [override(id="o2", a=500.0, at="2026-02-01"), override()])
    assert found.records[0]["params"]["a"] == 500.0
    assert [one.id for one in found.used] == ["o2"]


def test_a_family_with_an_exponent_keeps_it():
    hill = adjusted([record()], [override(family="hill", exponent=2.0)]).records[0]
    assert StoredCurve.of(hill).exponent == 2.0


def test_a_prior_as_sure_as_the_fit_meets_it_half_way():
    fitted, given = record(), prior(roas=2.0, spread=0.1)
    after = adjusted([fitted], [given]).records[0]
    assert roas(after) == pytest.approx(math.sqrt(roas(fitted) * 2.0))
    assert after["reference_relative_se"] == pytest.approx(0.1 / math.sqrt(2.0))
    assert after["prior"]["weights"]["roas"] == pytest.approx(0.5)
    assert after["params"]["k"] == 100.0


def test_a_sure_prior_moves_more_than_an_unsure_one():
    fitted = record()
    moved = [abs(math.log(roas(adjusted([fitted], [prior(spread=s)]).records[0]) / roas(fitted))) for s in (0.05, 0.5)]
    assert moved[0] > 10 * moved[1] > 0.0


def test_a_prior_on_the_scale_leaves_the_return_of_the_usual_spend():
    after = adjusted([record()], [prior(roas=None, scale=1000.0, spread=0.4)]).records[0]
    assert after["params"]["k"] == pytest.approx(math.sqrt(100.0 * 1000.0))
    assert roas(after) == pytest.approx(roas(record()))
    assert after["log_scale_sd"] == pytest.approx(0.4 / math.sqrt(2.0))


def test_the_most_specific_prior_counts():
    wide, narrow = prior(id="wide", at="2026-03-01"), prior(id="narrow", retailer="Amazon", roas=5.0)
    assert [one.id for one in adjusted([record()], [wide, narrow]).used] == ["narrow"]


def test_a_prior_in_the_fit_is_not_counted_twice():
    found = adjusted([record()], [prior()], fitted_with=["p1"])
    assert (found.records, found.used) == ([record()], ())


def test_an_override_stands_over_a_prior():
    found = adjusted([record()], [prior(), override()])
    assert found.records[0]["params"] == {"a": 900.0, "k": 250.0}
    assert {one.id for one in found.used} == {"p1", "o1"}


def test_a_cell_that_sold_nothing_says_that_its_prior_was_not_used():
    dead = adjusted([record(params={"a": 0.0, "k": 100.0})], [prior()]).records[0]
    assert dead["params"]["a"] == 0.0
    assert "could not be combined" in dead["notes"][0]


def test_what_a_solve_keeps_can_be_applied_again():
    first = adjusted([record()], [prior(), override()])
    again = adjusted([record()], [Adjustment.of(one.as_dict()) for one in first.used])
    assert again == first


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (override(sku=""), "sku"), (override(family="cubic"), "family"), (override(a=-1.0), "a"),
        (override(a=float("nan")), "a"), (override(k=0.0), "k"), (override(k=None), "k"),
        (override(exponent=2.0), "exponent"), (override(family="hill"), "exponent"),
        (override(family="power", exponent=1.5), "exponent"), (override(reason=" "), "reason"),
        (prior(roas=None), "roas"), (prior(roas=0.0), "roas"), (prior(scale=float("inf")), "scale"),
        (prior(spread=None), "spread"), (prior(spread=0.0), "spread"), (prior(spread=3.0), "spread"),
    ],
)  # fmt: skip
def test_a_wrong_adjustment_names_its_field(given, where):
    with pytest.raises(InvalidInput) as told:
        check_adjustment(given)
    assert where in [error["where"] for error in told.value.errors]
