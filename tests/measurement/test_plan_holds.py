"""What a registered plan holds its data, its looks and its readings to."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction
from scipy.stats import norm

from measurement import services
from measurement.core.analysis_plan import PlanChanged
from measurement.core.reading_json import reading_from_dict
from measurement.core.sequential import plan_looks
from measurement.models import Experiment
from measurement.services import readings
from measurement.services.tested_cells import refuse_unusable
from tenants.core.problems import Conflict, InvalidInput
from tests.measurement.conftest import END, GEOS, START, as_csv, fresh, geo_rows, treated_of


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


def test_a_look_that_was_passed_over_is_not_taken_later(running, send, alice, today):
    one = running(looks="group_sequential", settings={"design": "pairs", "durations": [28], "look_at": [7, 14]})

    def sent(days):
        send(one, as_csv(geo_rows(START + timedelta(days - 1), treated=treated_of(one))))
        today(START + timedelta(days))

    sent(15)
    first = _read(one, alice)
    assert first.look == 2
    half, end = (float(2 * norm.sf(look.boundary)) for look in plan_looks([0.5, 1.0], alpha=0.05))
    assert first.result["alpha"] == pytest.approx(half)
    sent(16)
    with pytest.raises(services.EarlyLook):
        _read(one, alice)
    sent(28)
    today(END + timedelta(1))
    last = _read(one, alice)
    assert (last.look, last.result["alpha"]) == (None, pytest.approx(end))


def test_without_a_look_the_end_has_the_whole_level(running, send, alice, today):
    one = running(looks="group_sequential", settings={"design": "pairs", "durations": [28], "look_at": [7, 14]})
    send(one, as_csv(geo_rows(END, treated=treated_of(one))))
    today(END + timedelta(1))
    assert _read(one, alice).result["alpha"] == pytest.approx(0.05)


def test_what_is_cancelled_while_it_is_read_stays_unread(readable, alice, monkeypatch):
    one, analyze = readable(), readings.analyze

    def and_cancel(*args, **options):
        services.cancel_experiment(actor=alice, experiment=one, reason="A competitor closed.")
        return analyze(*args, **options)

    monkeypatch.setattr(readings, "analyze", and_cancel)
    with pytest.raises(services.EarlyLook, match="cancelled"):
        _read(one, alice)
    assert (one.readings.count(), fresh(one).state) == (0, Experiment.State.CANCELLED)


@pytest.mark.parametrize("method", ["strata", "pairs"])
def test_every_method_that_can_be_saved_can_be_registered(designed, alice, method):
    one = services.register_experiment(actor=alice, experiment=designed(method=method))
    assert one.analysis_plan["analysis"]["method"] == method


def test_a_draw_after_the_test_is_no_experiment(designed, send, alice, today):
    today(END + timedelta(5))
    with pytest.raises(InvalidInput, match="drawn by lot before the test"):
        services.register_experiment(actor=alice, experiment=designed(method="pairs"), retrospective=True)
    one = services.register_experiment(actor=alice, experiment=designed(), retrospective=True)
    assert one.analysis_plan["analysis"]["randomised"] is False
    one = services.start_experiment(actor=alice, experiment=one)
    send(one, as_csv(geo_rows(END, treated=treated_of(one))))
    reading = _read(one, alice)
    assert (reading.evidence, reading.method == "pairs") == ("counterfactual", False)
    assert any("drawn after the test had begun" in words for words in reading.result["warnings"])


@pytest.mark.parametrize(
    "change", [{"end_date": str(START + timedelta(6))}, {"start_date": "2026-08-10", "end_date": "2026-09-06"}]
)
def test_other_dates_take_the_design_off(designed, alice, change):
    one = services.update_experiment(actor=alice, experiment=designed(), given=change)
    assert (one.state, one.design) == (Experiment.State.DRAFT, {})


def test_a_later_start_of_the_same_length_keeps_it(designed, alice):
    moved = {"start_date": str(START + timedelta(7)), "end_date": str(END + timedelta(7))}
    one = services.update_experiment(actor=alice, experiment=designed(), given=moved)
    assert one.state == Experiment.State.DESIGNED
    Experiment.objects.filter(pk=one.pk).update(end_date=START + timedelta(9))
    with pytest.raises(Conflict, match="designed for 28 days"):
        services.register_experiment(actor=alice, experiment=one)


def test_weeks_reach_to_their_last_day(experiment, send, alice, today):
    start, end = date(2026, 8, 31), date(2026, 9, 27)
    one = experiment(start_date=start, end_date=end)
    groups = [(geo, "treated" if at % 2 else "control") for at, geo in enumerate(GEOS)]

    def weeks(until):
        sums = {}
        for day, geo, sales, spend in geo_rows(until, treated=tuple(geo for geo, arm in groups if arm == "treated")):
            monday = day - timedelta(day.weekday())
            before = sums.get((monday, geo), (0.0, 0.0))
            sums[monday, geo] = (before[0] + sales, before[1] + spend)
        return as_csv([(monday, geo, *both) for (monday, geo), both in sums.items() if monday > date(2026, 5, 1)])

    assert send(one, weeks(date(2026, 8, 16))).last_day == date(2026, 8, 16)
    one = services.assign_units(actor=alice, experiment=one, content=as_csv(groups, ("unit", "group")))
    one = services.register_experiment(actor=alice, experiment=one)
    today(start)
    services.start_experiment(actor=alice, experiment=one)
    assert send(one, weeks(end)).last_day == end
    today(end + timedelta(1))
    read = reading_from_dict(_read(one, alice).result)
    assert (read.periods[read.start], read.periods[read.end]) == (start, date(2026, 9, 21))


def test_one_column_is_one_part(running, send):
    one = running()
    with pytest.raises(InvalidInput, match="cost and outcome at once"):
        send(one, as_csv(geo_rows(START)), columns={"cost": "sales"})


def test_a_copy_is_no_look_at_a_running_test(running, send, alice, today):
    one = running(placement="onsite_search_top")
    treated = treated_of(one)
    today(START + timedelta(15))
    content = as_csv(geo_rows(START + timedelta(14), treated=treated, lift=0.5))
    send(one, content)
    settings = {"design": "search", "include": list(treated), "treated_counts": [len(treated)], "durations": [14]}
    copy = services.duplicate_experiment(actor=alice, experiment=fresh(one))
    services.update_experiment(
        actor=alice, experiment=copy, given={"settings": settings, "placement": "onsite_display"}
    )
    send(copy, content)
    try:
        fit = services.design_experiment(experiment=fresh(copy)).design["fit"]["periods"]
    except InvalidInput:
        fit = []
    assert max(fit, default="") < str(START)
    dates = {"start_date": str(START), "end_date": str(START + timedelta(13))}
    services.update_experiment(actor=alice, experiment=fresh(copy), given=dates)
    groups = as_csv([(geo, "treated" if geo in treated else "control") for geo in GEOS], ("unit", "group"))
    services.assign_units(actor=alice, experiment=fresh(copy), content=groups)
    copy = services.register_experiment(actor=alice, experiment=fresh(copy), retrospective=True)
    copy = services.start_experiment(actor=alice, experiment=copy)
    with pytest.raises(services.EarlyLook, match="another test, which still runs"):
        _read(copy, alice)
    today(END + timedelta(1))
    assert _read(copy, alice).number == 1
