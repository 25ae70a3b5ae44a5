"""What earlier releases stored is shown as what it is, and breaks no page."""

from __future__ import annotations

import pytest

from measurement import selectors, services, tools
from measurement.core.placebo_words import beyond_words
from measurement.core.reading_json import reading_from_dict
from measurement.models import Experiment, Reading
from measurement.reports import export_reading
from measurement.tool_schemas import ListExperimentsInput
from tenants.core.ids import new_id
from tests.conftest import api_of, browser_of
from tests.measurement.conftest import fresh


def test_a_reading_without_its_count(readable, alice):
    """Readings of before the count of placebos was kept have p, which is that count."""
    one = readable(method="did")
    new = services.analyse_experiment(experiment=one, actor=alice)
    assert new.result["details"].pop("as_extreme") is not None
    kept = {field.attname: getattr(new, field.attname) for field in Reading._meta.concrete_fields}
    old = Reading.objects.create(**kept | {"id": new_id(), "number": 2, "result": new.result})
    told, before = (
        reading_from_dict(each.result) for each in (Reading.objects.get(pk=new.pk), Reading.objects.get(pk=old.pk))
    )
    assert beyond_words(before) == beyond_words(told) != ""
    page = browser_of(alice).get(f"/experiments/{one.pk}/reading/")
    assert (page.status_code, "earlier stretch" in page.text) == (200, False)
    stored = selectors.reading_visible(user=alice, experiment_id=one.pk)
    for kind in ("csv", "pdf"):
        assert export_reading(user=alice, stored=stored, kind=kind).content
    answer = api_of(alice).get(f"/api/v1/experiments/{one.pk}/reading/").json()
    assert (answer["number"], answer["look"]) == (2, None)


def test_a_draft_of_the_year_9999(experiment, alice):
    one = experiment()
    Experiment.objects.filter(pk=one.pk).update(start_date="9999-12-01", end_date="9999-12-31", cooldown_days=30)
    browser, api = browser_of(alice), api_of(alice)
    for page in ("/experiments/", f"/experiments/{one.pk}/", f"/experiments/{one.pk}/edit/"):
        assert browser.get(page).status_code == 200
    for path in ("/api/v1/experiments/", f"/api/v1/experiments/{one.pk}/"):
        assert api.get(path).status_code == 200
    assert tools._list(ListExperimentsInput(), user=alice).experiments
    answer = api.patch(f"/api/v1/experiments/{one.pk}/", {"name": "Repaired"}, format="json")
    assert (answer.status_code, answer.json()["where"]) == (400, "start_date")
    days = {"start_date": "2026-09-01", "end_date": "2026-09-28"}
    assert api.patch(f"/api/v1/experiments/{one.pk}/", days, format="json").status_code == 200


@pytest.mark.parametrize(
    ("stored", "verdict"),
    [
        ({"check": "pre-trend", "passed": True, "words": "Unclear. The gap moves."}, "unclear"),
        ({"check": "pre-trend", "passed": False, "words": "Not looked at: too short."}, "unclear"),
        ({"check": "pre-trend", "passed": False, "words": "Drifting. The gap moves."}, "failed"),
        ({"check": "overlap", "passed": True, "words": "None."}, "passed"),
    ],
)
def test_a_check_has_three_states_at_every_door(readable, alice, stored, verdict):
    one = readable()
    Experiment.objects.filter(pk=one.pk).update(checks=[stored])
    passed = {"passed": True, "failed": False}.get(verdict)
    answer = api_of(alice).get(f"/api/v1/experiments/{one.pk}/").json()["experiment"]["checks"]
    assert answer == [stored | {"verdict": verdict, "passed": passed}]
    browser = browser_of(alice)
    assert f">{verdict}<" in browser.get(f"/experiments/{one.pk}/").text.replace("\n", "")
    reading = services.analyse_experiment(experiment=fresh(one), actor=alice)
    assert f">{verdict}<" in browser.get(f"/experiments/{one.pk}/reading/").text.replace("\n", "")
    reading = selectors.reading_visible(user=alice, experiment_id=one.pk, reading_id=reading.pk)
    report = export_reading(user=alice, stored=reading, kind="csv").content.decode()
    assert f"Check of {stored['check']} before the test: {verdict}" in report
