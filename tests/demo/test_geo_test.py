"""The finished geo test of the demo."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta

import numpy as np
import pytest

from demo.experiments import bring_in_geo_test
from harmonization.models import Retailer
from jobs.draining import run_queued_jobs
from jobs.services import cancel_job
from measurement import services
from measurement.core.reading_json import reading_from_dict
from measurement.models import Experiment, Reading

STATES = ("AZ", "CO", "IN", "KY", "OH", "NY", "TX", "FL", "GA", "IL", "MI", "PA", "VA", "WA", "NC", "NJ")
TREATED = ("AZ", "CO", "IN")
START, DAYS, TEST, COOL = date(2026, 5, 18), 70, 14, 7


@pytest.fixture
def exports(tmp_path):
    """A company's own files: 70 days of history, 14 of test with 10 % more, 7 of cool-down."""
    rng = np.random.default_rng(4)
    days = [START + timedelta(days=n) for n in range(DAYS + TEST + COOL)]
    shared = np.exp(0.05 * np.sin(np.arange(len(days)) * 2 * np.pi / 7))
    with (tmp_path / "geo_sales.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("date", "state", "sales"))
        for place, state in enumerate(STATES):
            noise = np.exp(rng.normal(0, 0.02, len(days)))
            for at, day in enumerate(days):
                lift = 1.10 if state in TREATED and DAYS <= at < DAYS + TEST else 1.0
                writer.writerow((day, state, f"{1000 * (place + 4) * shared[at] * noise[at] * lift:.2f}"))
    test = [START + timedelta(days=DAYS), START + timedelta(days=DAYS + TEST - 1)]
    design = {
        "name": "Search heavy-up", "retailer": "Walmart", "placement": "Search Ingrid", "currency": "USD",
        "treated": list(TREATED), "extra_spend": "9000.00", "test_period": [str(day) for day in test],
        "cooldown_period": [str(test[1] + timedelta(days=1)), str(test[1] + timedelta(days=COOL))],
    }  # fmt: skip
    (tmp_path / "geo_test.json").write_text(json.dumps(design))
    return tmp_path


@pytest.fixture
def walmart(acme):
    return Retailer.objects.get_or_create(slug="walmart", defaults={"name": "Walmart", "network": "walmart_connect"})[0]


def test_it_is_read_with_its_truth_and_its_late_plan_is_said(exports, walmart, alice, storage):
    job = bring_in_geo_test(owner=alice, exports=exports)
    assert job is not None
    run_queued_jobs()
    experiment = Experiment.objects.get()
    assert (experiment.state, experiment.placement) == ("read", "onsite_search_rest")
    assert experiment.analysis_plan["retrospective"] is True
    stored = Reading.objects.get()
    reading = reading_from_dict(stored.result)
    assert any("registered after the test had begun" in one for one in reading.warnings)
    assert reading.cost == 9000.0
    # Ten percent of the days of the test, spread over test and cool-down.
    truth = 0.10 * TEST / (TEST + COOL)
    assert reading.lift.low < truth < reading.lift.high
    assert reading.iroas is not None


def test_asked_again_it_is_the_same_test_and_nothing_runs(exports, walmart, alice, storage):
    bring_in_geo_test(owner=alice, exports=exports)
    run_queued_jobs()
    assert bring_in_geo_test(owner=alice, exports=exports) is None
    assert Experiment.objects.count() == Reading.objects.count() == 1


def test_a_company_without_a_test_has_none(tmp_path, alice, acme):
    assert bring_in_geo_test(owner=alice, exports=tmp_path) is None


def test_it_is_found_by_its_own_mark(exports, walmart, alice, storage):
    """Neither a person's test of the same name is taken for it, nor its copy, nor is it made anew once renamed."""
    name = json.loads((exports / "geo_test.json").read_text())["name"]
    theirs = services.create_experiment(actor=alice, given={"name": name, "kind": "geo"})
    bring_in_geo_test(owner=alice, exports=exports)
    run_queued_jobs()
    Experiment.objects.exclude(pk=theirs.pk).update(name="The big one")
    assert bring_in_geo_test(owner=alice, exports=exports) is None
    assert Experiment.objects.count() == 2
    assert not theirs.panels.exists()


def test_one_that_was_given_up_stays_given_up(exports, walmart, alice, storage):
    job = bring_in_geo_test(owner=alice, exports=exports)
    cancel_job(job_id=job.pk, actor=alice)
    one = Experiment.objects.get()
    services.cancel_experiment(actor=alice, experiment=one, reason="Not ours.")
    assert bring_in_geo_test(owner=alice, exports=exports) is None
