"""What the database itself keeps of experiments, whatever the code above it does."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from measurement.models import Experiment, ExperimentUnit, PanelVersion, Reading

START = date(2026, 9, 1)


@pytest.fixture
def planned(acme, alice):
    """`planned(registered=True)`: a geo test with two units."""
    numbers = iter(range(1, 100))

    def _planned(*, registered=False):
        made = Experiment.objects.create(
            number=next(numbers), name="North", kind="geo", start_date=START, end_date=START + timedelta(27)
        )
        ExperimentUnit.objects.create(experiment=made, unit="chicago", group="treated")
        ExperimentUnit.objects.create(experiment=made, unit="boston", group="control")
        if registered:
            made.analysis_plan, made.plan_sha256 = {"method": "sc"}, "a" * 64
            made.registered_at, made.registered_by, made.state = timezone.now(), alice, "registered"
            made.save()
        return made

    return _planned


@pytest.mark.parametrize(
    "change",
    [
        {"end_date": START + timedelta(60)},
        {"alpha": 0.2},
        {"method": "tbr"},
        {"analysis_plan": {"method": "did"}},
        {"plan_sha256": "b" * 64},
        {"registered_at": None, "plan_sha256": "", "state": "draft"},
    ],
)
def test_a_registered_plan_does_not_change(planned, change):
    one = planned(registered=True)
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        Experiment.objects.filter(pk=one.pk).update(**change)
    Experiment.objects.filter(pk=one.pk).update(state="running", name="North again")
    one.refresh_from_db()
    assert (one.state, one.alpha, one.plan_sha256) == ("running", 0.05, "a" * 64)


def test_units_stay_once_registered_and_move_before(planned):
    draft, fixed = planned(), planned(registered=True)
    draft.units.filter(unit="boston").update(group="excluded")
    draft.units.all().delete()
    for act in (
        lambda: fixed.units.update(group="control"),
        lambda: fixed.units.all().delete(),
        lambda: ExperimentUnit.objects.create(experiment=fixed, unit="miami", group="control"),
    ):
        with pytest.raises(ProgrammingError, match="registered experiment"), transaction.atomic():
            act()
    assert fixed.units.count() == 2


def test_data_and_readings_are_written_once(planned):
    one = planned(registered=True)
    panel = PanelVersion.objects.create(
        experiment=one, number=1, format="panel", origin="file", file_name="a.csv", sha256="c" * 64, size=1,
        columns={}, unit_count=2, period_count=9,
    )  # fmt: skip
    reading = Reading.objects.create(
        experiment=one, panel=panel, number=1, result={}, method="sc", evidence="counterfactual",
        plan_sha256=one.plan_sha256, code_version="1", seed=1, seconds=0.1,
    )  # fmt: skip
    for row in (panel, reading):
        for act in (lambda row=row: type(row).objects.filter(pk=row.pk).update(number=2), row.delete):
            with pytest.raises((ProgrammingError, ProtectedError), match="Cannot"), transaction.atomic():
                act()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"state": "running"}, "runs_under_a_plan"),
        ({"end_date": START - timedelta(1)}, "ends_after_it_starts"),
        ({"plan_sha256": "a" * 64}, "plan_is_hashed"),
        ({"state": "cancelled"}, "cancelled_when"),
        ({"alpha": 1.0}, "alpha_is_a_fraction"),
        ({"kind": "guess"}, "kind_is_known"),
    ],
)
def test_the_database_refuses_what_makes_no_sense(planned, change, rule):
    one = planned()
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        Experiment.objects.filter(pk=one.pk).update(**change)
