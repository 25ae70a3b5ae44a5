"""What a registered plan holds its data, its looks and its readings to."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction

from measurement import services
from measurement.core.analysis_plan import PlanChanged
from measurement.core.reading_json import reading_from_dict
from measurement.models import Experiment
from measurement.services.tested_cells import refuse_unusable
from tenants.core.problems import Conflict
from tests.measurement.conftest import END, START, as_csv, fresh, geo_rows, treated_of


@pytest.mark.parametrize("change", [{"outcome": "other"}, {"cost": "other"}, {"missing": "zero"}])
def test_a_registered_plan_keeps_its_columns(running, send, change):
    one = running()
    rows = [(*row, 1 + at % 7) for at, row in enumerate(geo_rows(END, treated=treated_of(one)))]
    content = as_csv(rows, ("date", "geo", "sales", "spend", "other"))
    with pytest.raises(PlanChanged, match=next(iter(change))):
        send(one, content, columns=change)
    assert send(one, content).columns == one.analysis_plan["data"]["columns"]


def test_a_cost_that_the_plan_lacked_is_noted(experiment, send, alice):
    one = experiment()
    send(one, as_csv([row[:3] for row in geo_rows(START)], ("date", "geo", "sales")))
    services.design_experiment(experiment=fresh(one))
    one = services.choose_candidate(actor=alice, experiment=fresh(one), choice=0)
    one = services.register_experiment(actor=alice, experiment=one)
    assert "no column for cost" in send(one, as_csv(geo_rows(END))).notes[0]


def test_the_money_and_the_hypothesis_stay(designed, alice):
    one = services.update_experiment(actor=alice, experiment=designed(), given={"planned_spend": "1200.5"})
    one = services.register_experiment(actor=alice, experiment=one)
    assert one.analysis_plan["planned_spend"] == "1200.50"
    for change in ({"planned_spend": 1}, {"hypothesis": "Just what was seen."}):
        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            Experiment.objects.filter(pk=one.pk).update(**change)


def _read(one, alice):
    return services.analyse_experiment(experiment=fresh(one), actor=alice)


def test_a_history_that_was_rewritten_is_told(running, send, alice, today):
    one = running()
    treated = treated_of(one)
    rows = [
        (day, geo, sales * (0.9 if geo in treated and day < START else 1), spend)
        for day, geo, sales, spend in geo_rows(END, treated=treated, lift=0.0)
    ]
    send(one, as_csv(rows))
    today(END + timedelta(1))
    warning = _read(one, alice).result["warnings"][0]
    assert "differ from those that the plan was made on" in warning
    assert "-10.00% in treated units, +0.00% in controls" in warning


def test_what_lies_before_the_history_of_the_plan_is_not_read(experiment, send, alice, today):
    one = experiment()
    send(one, as_csv([row for row in geo_rows(date(2026, 8, 19)) if row[0] >= date(2026, 5, 20)]))
    services.design_experiment(experiment=fresh(one))
    one = services.choose_candidate(actor=alice, experiment=fresh(one), choice=0)
    one = services.register_experiment(actor=alice, experiment=one)
    today(END + timedelta(1))
    services.start_experiment(actor=alice, experiment=one)
    send(one, as_csv(geo_rows(END, treated=treated_of(one))))
    read = reading_from_dict(_read(one, alice).result)
    assert read.periods[0] == date(2026, 5, 20)


def test_days_that_were_read_and_changed_since_are_told(readable, send, alice):
    one = readable()
    first, treated = _read(one, alice), treated_of(one)
    assert not any("differ" in words for words in first.result["warnings"])
    rows = [
        (day, geo, sales * (2 if geo in treated and day >= START else 1), spend)
        for day, geo, sales, spend in geo_rows(END, treated=treated)
    ]
    send(one, as_csv(rows))
    second = _read(one, alice)
    assert "reading 1 was made from, in days of the test: in sum +100.00%" in second.result["warnings"][0]
    with pytest.raises(Conflict, match="superseded by reading 2"):
        refuse_unusable(first)
