"""What a registered plan holds its data, its looks and its readings to."""

from __future__ import annotations

import pytest

from measurement import services
from measurement.core.analysis_plan import PlanChanged
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
