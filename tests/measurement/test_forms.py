"""The form of an experiment changes what it shows, and nothing else."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from measurement import services
from measurement.forms import ExperimentForm
from tests.conftest import browser_of
from tests.measurement.conftest import fresh


def test_a_new_name_leaves_settings_and_design_that_the_form_does_not_show(experiment: Any, alice: User) -> None:
    settings = {"baseline_mean": 10.0, "baseline_sd": 3.0, "expected_share": 0.3}
    one = experiment(kind="ab", outcome="ntb_sales", settings=settings)
    services.design_experiment(experiment=fresh(one))
    services.choose_candidate(actor=alice, experiment=fresh(one), choice=0)
    sent = {name: value for name, value in ExperimentForm.of(fresh(one)).initial.items() if value not in (None, False)}
    page = browser_of(alice)
    assert page.post(f"/experiments/{one.pk}/edit/", sent | {"name": "Renamed"}).status_code == 302
    now = fresh(one)
    assert (now.name, now.settings, now.outcome, now.state) == ("Renamed", settings, "ntb_sales", "designed")


def test_a_value_that_the_form_does_not_offer_is_offered_where_it_is_stored(experiment: Any, alice: User) -> None:
    one = experiment(outcome="ntb_sales", method="log_did")
    page = browser_of(alice).get(f"/experiments/{one.pk}/edit/").text
    assert '<option value="ntb_sales" selected' in page
    assert '<option value="log_did" selected' in page
