"""A slice of the proof of curves: other tenants than it judges, smaller ones."""

from __future__ import annotations

import pytest

from proofs.curves import judged, summary


def test_curves_of_generated_tenants_hold_the_truth_and_pay() -> None:
    tenants = [judged("acme", number, scale=0.4) for number in (2000, 2001)]
    found = summary(tenants)
    paying = [line for line in found["wrong"] if "intervals" not in line]
    assert not paying
    assert 0.7 < found["coverage"]["all"]["share"] < 0.9
    assert found["without_carry_over"] == len(tenants)
    assert found["loss"]["proposed"]["most"] < 0.25 * found["loss"]["current"]["least"]
    assert found["far_weeks"] > 0, "each tenant has shelves that were empty"


def test_a_proposal_that_does_not_pay_is_told() -> None:
    hits = {name: {"lines": 10, "held": 8} for name in ("half", "mean", "half more", "proposed", "proposed, limited")}
    tenant = {
        "tenant": "acme 1", "lines": 10, "hits": hits, "carry_over": 0.0, "far_weeks": 0, "week_sd": [(0.1, 0.1)],
        "loss": {"current": 0.12, "equal": 0.3, "proposed": 0.13, "proposed, limited": 0.05},
        "recent_loss": {"current": 0.12, "proposed": 0.01},
    }  # fmt: skip
    assert summary([tenant])["wrong"] == ["acme 1: proposed misses 13.00%, current 12.00%"]
    narrow = tenant | {"hits": {name: {"lines": 10, "held": 5} for name in hits}, "tenant": "acme 2"}
    assert any("of the intervals hold" in line for line in summary([narrow, narrow])["wrong"])


@pytest.mark.parametrize("loss", [0.02, 0.3])
def test_a_tenant_that_is_not_realistic_is_told(loss: float) -> None:
    hits = {name: {"lines": 10, "held": 8} for name in ("half", "mean", "half more", "proposed", "proposed, limited")}
    tenant = {
        "tenant": "acme 1", "lines": 10, "hits": hits, "carry_over": 0.0, "far_weeks": 0, "week_sd": [(0.1, 0.1)],
        "loss": {"current": loss, "equal": 0.4, "proposed": 0.001, "proposed, limited": 0.002},
        "recent_loss": {"current": 0.12, "proposed": 0.01},
    }  # fmt: skip
    assert summary([tenant])["wrong"] == [f"acme 1: the current mix misses {loss:.2%}"]
