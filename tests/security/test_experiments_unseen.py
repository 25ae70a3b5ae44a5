"""What a refusal tells of an experiment that the person may not see: that there is one."""

from __future__ import annotations

from typing import Any

from accounts.core.permissions import Role
from accounts.models import Brand, User
from measurement import services
from tests import factories
from tests.conftest import api_of
from tests.measurement.conftest import *  # noqa: F403
from tests.measurement.conftest import treated_of


def test_overlap_with_an_unseen_experiment_tells_nothing_of_it(designed: Any, chips: Brand, alice: User) -> None:
    hidden = designed(brand=None, name="Secret launch")
    services.register_experiment(actor=alice, experiment=hidden)
    bob = factories.person("bob", Role.PLANNER, brand=chips)
    own = designed()
    refused = api_of(bob).post(f"/api/v1/experiments/{own.pk}/register/", {}, format="json")
    assert refused.status_code == 409
    told = refused.content.decode()
    assert "An experiment that you may not see" in told
    for word in ("Secret launch", hidden.label, "2026-09", *treated_of(hidden)):
        assert word not in told


def test_overlap_with_a_seen_experiment_is_named(designed: Any, alice: User) -> None:
    first = designed()
    services.register_experiment(actor=alice, experiment=first)
    told = api_of(alice).post(f"/api/v1/experiments/{designed().pk}/register/", {}, format="json").json()
    assert first.label in told["errors"][0]["detail"]
    assert min(treated_of(first)) in told["errors"][0]["detail"]
