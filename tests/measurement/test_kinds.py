"""The other kinds and designs of experiments, each through its whole life."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from measurement import selectors, services
from measurement.core.reading_json import reading_from_dict
from measurement.models import Experiment
from measurement.services.analysis import analyze, strata_of, unread
from measurement.services.looks import Look
from measurement.services.user_readings import planned_periods
from tenants.core.problems import Conflict, InvalidInput
from tests import factories
from tests.measurement.conftest import END, LIFT, START, as_csv, fresh, geo_rows, treated_of

State = Experiment.State


def carried_through(one, alice, today, send, content):
    """Registered, started, its data in and its end over."""
    one = services.register_experiment(actor=alice, experiment=one)
    today(one.start_date)
    one = services.start_experiment(actor=alice, experiment=one)
    today(one.end_date + timedelta(days=1 + one.cooldown_days))
    send(one, content(one))
    reading = services.analyse_experiment(experiment=fresh(one))
    assert fresh(one).state == State.READ
    return reading, reading_from_dict(reading.result)


def test_a_market_search_finds_candidates_and_is_read_by_synthetic_control(experiment, send, alice, today):
    one = experiment(settings={"durations": [28], "treated_counts": [2, 3], "effects": [0.12], "exclude": ["geo 05"]})
    send(one, as_csv(geo_rows(date(2026, 8, 19))))
    told = []
    one = services.design_experiment(experiment=fresh(one), tell=lambda stage, done, total: told.append((stage, done)))
    assert [stage for stage, _ in told][-1] == "Candidates"
    assert len({done for stage, done in told if stage == "Search"}) > 1
    best = one.design["candidates"][0]
    assert "geo 05" not in best["treated"]
    assert 0 < best["mde"] < 0.2
    assert [point["effect"] for point in one.design["power_curve"]] == sorted(
        point["effect"] for point in one.design["power_curve"]
    )
    one = services.choose_candidate(actor=alice, experiment=one, choice=0)
    assert set(treated_of(one)) == set(best["treated"])
    reading, read = carried_through(one, alice, today, send, lambda one: as_csv(geo_rows(END, treated=treated_of(one))))
    assert (reading.method, reading.evidence) == ("sc_indexed", "counterfactual")
    assert read.lift.low < LIFT < read.lift.high
    assert len(read.sensitivity) >= 1
    # A plan that was registered before sales were indexed is read as it was meant.
    earlier = fresh(one)
    assert earlier.analysis_plan.pop("weighed_by") == "sc_indexed"
    found = analyze(earlier, selectors.latest_panel(earlier), look=Look(0.05, None)).reading
    assert found.method == "sc"
    assert "as the plan was registered" in found.why_method


def test_several_cells_are_each_read_at_a_stricter_level(experiment, send, alice, today):
    one = experiment(settings={"design": "cells", "cells": ["low", "high"], "durations": [28]})
    send(one, as_csv(geo_rows(date(2026, 8, 19))))
    one = services.choose_candidate(actor=alice, experiment=services.design_experiment(experiment=fresh(one)), choice=0)
    reading, read = carried_through(one, alice, today, send, lambda one: as_csv(geo_rows(END, treated=treated_of(one))))
    cells = {name: reading_from_dict(cell) for name, cell in reading.result["cells"].items()}
    assert set(cells) == {"low", "high"}
    assert {cell.alpha for cell in cells.values()} == {0.025}
    assert {unit for cell in cells.values() for unit in cell.treated} == set(read.treated)
    assert "2 cells" in read.warnings[0]


def test_a_sku_holdout_is_drawn_within_categories(experiment, send, alice, today, chips):
    for place in range(24):
        factories.ProductFactory(brand=chips, sku=f"geo {place:02d}", category="salty" if place % 2 else "sweet")
    one = experiment(kind="sku", action="go_dark", settings={"durations": [28], "treated_share": 0.5})
    send(one, as_csv(geo_rows(date(2026, 8, 19)), ("date", "sku", "sales", "spend")))
    one = services.choose_candidate(actor=alice, experiment=services.design_experiment(experiment=fresh(one)), choice=0)
    strata = set(one.units.filter(group="treated").values_list("stratum", flat=True))
    assert {stratum.split()[0] for stratum in strata} == {"salty", "sweet"}
    assert one.planned_spend > 0
    _, read = carried_through(
        one, alice, today, send,
        lambda one: as_csv(geo_rows(END, treated=treated_of(one)), ("date", "sku", "sales", "spend")),
    )  # fmt: skip
    assert read.lift.value == pytest.approx(LIFT, abs=0.02)
    assert (read.method, read.evidence, read.p_value < 0.01) == ("strata", "experiment", True)


def test_units_whose_stratum_has_one_arm_are_named():
    def unit(group, stratum):
        return SimpleNamespace(group=group, stratum=stratum)

    groups = {
        "york": unit("treated", "large"), "bath": unit("control", "large"), "hull": unit("treated", "small"),
        "leek": unit("control", ""),
    }  # fmt: skip
    strata = strata_of(groups)
    assert strata == [(["york"], ["bath"])]
    assert unread(groups, strata) == "2 units of the test in no stratum with both arms, not read: hull, leek."
    assert unread({name: groups[name] for name in ("york", "bath")}, strata) == ""


class TestSwitchback:
    def log(self, one: Experiment, *, effect: float = 40.0, flip: int | None = None) -> bytes:
        """400 a day, more while it is treated; weekdays and noise as everywhere."""
        rng = np.random.default_rng(3)
        rows = []
        for at, on in enumerate(planned_periods(one)):
            on = 1 - on if at == flip else on
            rows.append((at + 1, one.start_date + timedelta(at), on, 400 + effect * on + rng.normal(0, 4)))
        return as_csv(rows, ("period", "date", "treated", "sales"))

    @pytest.fixture
    def tossed(self, experiment, alice):
        one = experiment(
            kind="switchback", end_date=START + timedelta(days=55), settings={"carryover": 1}, cooldown_days=0
        )
        return services.choose_candidate(actor=alice, experiment=services.design_experiment(experiment=one), choice=0)

    def test_is_read_with_its_truth(self, tossed, alice, today, send):
        assert tossed.design["periods_needed"] == 56
        assert tossed.design["randomise_at"][:3] == [1, 3, 4]
        assert tossed.end_date == START + timedelta(days=55)
        reading, read = carried_through(tossed, alice, today, send, self.log)
        assert (reading.method, reading.evidence) == ("switchback", "experiment")
        assert read.att.low < 40 < read.att.high
        assert read.p_value < 0.05
        assert read.lift.value == pytest.approx(0.1, abs=0.02)

    def test_a_log_that_left_the_plan_is_not_read(self, tossed, alice, today, send):
        with pytest.raises(Conflict, match="differs in period 6"):
            carried_through(tossed, alice, today, send, lambda one: self.log(one, flip=5))
        assert "differs in period 6" in fresh(tossed).problem["detail"]

    def test_a_short_log_is_waited_for(self, tossed, alice, today, send):
        short = b"\n".join(self.log(tossed).splitlines()[:40])
        with pytest.raises(services.EarlyLook, match="data end on"):
            carried_through(tossed, alice, today, send, lambda one: short)

    def test_what_is_no_log_is_refused_by_line(self, tossed, send):
        with pytest.raises(InvalidInput, match='line 3, column "treated"'):
            send(tossed, b"period,treated,sales\n1,1,5\n2,maybe,6\n")
        with pytest.raises(InvalidInput, match="Period 2 is missing"):
            send(tossed, b"period,treated,sales\n1,1,5\n3,0,6\n")
