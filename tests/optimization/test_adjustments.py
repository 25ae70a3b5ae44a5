"""People's overrides and priors: who may, when they count, and that an old answer stays."""

from __future__ import annotations

from datetime import timedelta

import pghistory.models
import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.core.permissions import Role
from optimization import selectors, services
from optimization.models import CurveAdjustment, CurveVersion
from tenants.core.problems import Conflict, InvalidInput, NotAllowed, NotFound
from tests import factories
from tests.optimization.test_fit import curve

CELL = {"retailer": "Amazon", "placement": "onsite_search_top", "sku": "SEA-SALT"}


@pytest.fixture
def version(market, chips) -> CurveVersion:
    return services.fit_curves(brand=chips).version


def override(actor, brand, **given):
    usual = {"family": "log", "a": 5000.0, "k": 70.0, "reason": "The May test"}
    return services.adjust_curves(actor=actor, kind="override", brand=brand, **CELL | usual | given)


def used(version: CurveVersion) -> dict:
    (found,) = [one for one in selectors.curves_in_use(version).records if CELL.items() <= one.items()]
    return found


def test_an_override_counts_from_now_on_and_leaves_the_version(version, chips, alice):
    override(alice, chips)
    assert used(version)["params"] == {"a": 5000.0, "k": 70.0}
    assert used(version)["overridden"]["by"] == "alice"
    version.refresh_from_db()
    assert curve(version, "SEA-SALT")["params"]["a"] != 5000.0


def test_a_revoked_override_counts_no_more(version, chips, alice):
    held = override(alice, chips)
    revoked = services.revoke_adjustment(actor=alice, adjustment_id=held.pk, reason="Superseded")
    assert (revoked.revoked_by, revoked.revoke_reason) == (alice, "Superseded")
    assert "overridden" not in used(version)
    with pytest.raises(Conflict):
        services.revoke_adjustment(actor=alice, adjustment_id=held.pk, reason="Again")


def test_an_override_runs_out(version, chips, alice):
    today = timezone.now().date()
    override(alice, chips, expires_on=today + timedelta(days=7))
    in_a_week = selectors.curves_in_use(version, on=today + timedelta(days=7))
    assert "overridden" in used(version)
    assert not in_a_week.used
    with pytest.raises(InvalidInput, match="run out"):
        override(alice, chips, expires_on=today)


def test_said_twice_is_kept_once_but_an_opinion_may_come_back(version, chips, alice):
    for a in (5000.0, 5000.0, 6000.0, 5000.0):
        override(alice, chips, a=a)
    assert CurveAdjustment.objects.count() == 3
    assert used(version)["params"]["a"] == 5000.0


def test_a_prior_moves_the_curves_now_and_the_next_fit_has_it_once(version, chips, alice):
    before = used(version)["params"]["a"]
    services.adjust_curves(
        actor=alice, kind="prior", brand=chips, retailer="Amazon", roas=30.0, spread=0.01, reason="Peers"
    )
    now = used(version)
    assert now["params"]["a"] > 1.05 * before
    again = services.fit_curves(brand=chips)
    assert (again.created, again.version.number) == (True, 2)
    assert used(again.version)["params"] == pytest.approx(now["params"])
    assert services.fit_curves(brand=chips).version == again.version


def test_a_fit_without_the_revoked_prior_is_the_newest_version_again(version, chips, alice):
    before = used(version)["params"]
    held = services.adjust_curves(
        actor=alice, kind="prior", brand=chips, retailer="Amazon", roas=30.0, spread=0.01, reason="Peers"
    )
    services.fit_curves(brand=chips)
    services.revoke_adjustment(actor=alice, adjustment_id=held.pk, reason="Wrong unit")
    again = services.fit_curves(brand=chips)
    assert (again.created, again.version.number) == (True, 3)
    newest = selectors.latest_curves(brand=chips)
    assert used(newest)["params"] == pytest.approx(before)
    assert services.fit_curves(brand=chips).version == newest


def test_an_adjustment_never_changes_and_its_history_is_kept(version, chips, alice):
    held = override(alice, chips)
    for change in (lambda: CurveAdjustment.objects.update(a=1.0), lambda: CurveAdjustment.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    services.revoke_adjustment(actor=alice, adjustment_id=held.pk, reason="Superseded")
    events = pghistory.models.Events.objects.tracks(held)
    assert sorted(event.pgh_label for event in events) == ["insert", "update"]


def test_an_unknown_cell_is_told_with_the_known_ones(version, chips, alice):
    with pytest.raises(InvalidInput, match="SEA-SALT") as told:
        override(alice, chips, sku="SEASALT")
    assert told.value.where == "sku"
    with pytest.raises(InvalidInput, match="no curve of"):
        override(alice, chips, placement="onsite_display", sku="PAPRIKA")
    assert not CurveAdjustment.objects.exists()


def test_without_curves_there_is_nothing_to_override(chips, alice):
    with pytest.raises(InvalidInput, match="Fit the curves first"):
        override(alice, chips)
    services.adjust_curves(actor=alice, kind="prior", brand=chips, roas=3.0, spread=0.3, reason="Peers")


def test_those_of_one_brand_are_not_those_of_all(version, chips, alice):
    override(alice, chips)
    everything = services.fit_curves().version
    assert not selectors.curves_in_use(everything).used


def test_roles_decide_who_overrides_and_who_sees(version, chips, alice):
    viewer = factories.person("carol", Role.VIEWER, brand=chips)
    stranger = factories.person("dave", Role.PLANNER, brand=factories.BrandFactory(slug="nuts"))
    with pytest.raises(NotAllowed):
        override(viewer, chips)
    with pytest.raises(NotFound):
        override(stranger, chips)
    held = override(alice, chips)
    for somebody in (stranger, viewer):
        with pytest.raises(NotFound):
            services.revoke_adjustment(actor=somebody, adjustment_id=held.pk, reason="No")
    reader = factories.person("erin", Role.APPROVER, brand=chips)
    assert list(selectors.adjustments_listed(user=reader)) == [held]
    with pytest.raises(NotAllowed):
        services.revoke_adjustment(actor=reader, adjustment_id=held.pk, reason="No")
