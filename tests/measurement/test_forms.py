"""The form of an experiment changes what it shows, and nothing else."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from measurement import services
from measurement.forms import ExperimentForm
from measurement.reports import _registered_words
from tests.conftest import browser_of
from tests.measurement.conftest import START, fresh


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


def test_a_registered_experiment_has_no_form_to_edit_it(running: Any, alice: User) -> None:
    one = running()
    answer = browser_of(alice).get(f"/experiments/{one.pk}/edit/", follow=True)
    assert answer.redirect_chain == [(f"/experiments/{one.pk}/", 302)]
    assert "Duplicate it, and change the copy." in answer.text


def test_giving_up_is_asked_twice_and_has_a_reason(running: Any, alice: User) -> None:
    one = running()
    page = browser_of(alice).get(f"/experiments/{one.pk}/").text
    form = page[page.index(f"/experiments/{one.pk}/cancel/") :].split("</form>")[0]
    assert f'data-confirm="Cancel {one.label}?' in form
    assert re.search(r'<input[^>]*name="reason"[^>]* required', form)


def test_a_plan_of_the_first_day_is_not_said_to_be_of_before(designed: Any, alice: User) -> None:
    one = services.register_experiment(actor=alice, experiment=designed())
    told = {}
    for days in (-1, 0):
        one.registered_at = timezone.now().replace(year=START.year, month=START.month, day=START.day) + timedelta(days)
        told[days] = _registered_words(one, late=False)
    assert told[-1].endswith("before the start")
    assert told[0].endswith("on the first day of the test")
