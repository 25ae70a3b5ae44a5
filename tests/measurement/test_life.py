"""An experiment from its draft to its reading, kind by kind, and what is refused on the way."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from measurement import selectors, services
from measurement.core.reading_json import reading_from_dict
from measurement.models import Experiment
from measurement.services import plans
from tenants.core.problems import Conflict, InvalidInput
from tests.measurement.conftest import END, GEOS, LIFT, START, as_csv, fresh, geo_rows, summary, treated_of

State = Experiment.State


def test_a_geo_test_in_pairs_is_read_with_its_truth(readable, alice):
    one = readable()
    assert one.state == State.READABLE
    assert one.units.filter(group="treated").count() == 12
    reading = services.analyse_experiment(experiment=one, actor=alice)
    read = reading_from_dict(reading.result)
    assert (fresh(one).state, reading.method, reading.evidence) == (State.READ, "pairs", "experiment")
    assert read.lift.low < LIFT < read.lift.high
    assert read.p_value < 0.01
    assert (reading.plan_sha256, reading.panel.number, reading.interim) == (one.plan_sha256, 2, False)
    assert read.iroas.value == pytest.approx(read.incremental.value / read.cost)


def test_the_same_data_are_read_once(readable, alice, send):
    one = readable()
    first = services.analyse_experiment(experiment=one, actor=alice)
    assert services.analyse_experiment(experiment=fresh(one), actor=alice) == first
    send(one, as_csv(geo_rows(END + timedelta(2), treated=treated_of(one))))
    again = services.analyse_experiment(experiment=fresh(one), actor=alice)
    assert (again.number, one.readings.count()) == (2, 2)
    assert again.result["lift"] == first.result["lift"]


def test_users_are_read_from_their_sums(experiment, send, alice, today):
    one = experiment(kind="ab", settings={"baseline_rate": 0.1, "effects": [0.2], "daily_users": 500})
    one = services.design_experiment(experiment=one)
    assert one.design["candidates"][0]["n_per_group"] == pytest.approx(3840.8, abs=0.1)
    one = services.choose_candidate(actor=alice, experiment=one, choice=0)
    assert (one.state, one.end_date) == (State.DESIGNED, START + timedelta(days=15))
    one = services.register_experiment(actor=alice, experiment=one)
    today(START)
    one = services.start_experiment(actor=alice, experiment=one)
    send(one, summary(until="2026-09-10"), "sums.json")
    with pytest.raises(services.EarlyLook, match="It runs until"):
        services.analyse_experiment(experiment=fresh(one))
    today(one.end_date + timedelta(days=1))
    with pytest.raises(services.EarlyLook, match="data end on 10 Sep 2026"):
        services.analyse_experiment(experiment=fresh(one))
    send(one, summary(until=str(one.end_date)), "sums.json")
    read = reading_from_dict(services.analyse_experiment(experiment=fresh(one)).result)
    assert (read.lift.value, read.p_value) == (pytest.approx(0.70732, abs=1e-5), pytest.approx(0.06191, abs=1e-5))
    assert fresh(one).state == State.READ


def test_time_and_data_move_a_running_experiment(running, send, today):
    one = running(cooldown_days=3)
    assert one.state == State.RUNNING
    today(END)
    assert services.advance(fresh(one)).state == State.RUNNING
    today(END + timedelta(1))
    assert services.advance(fresh(one)).state == State.COOLING
    send(one, as_csv(geo_rows(END + timedelta(3))))
    assert services.advance(fresh(one)).state == State.COOLING
    today(END + timedelta(4))
    assert services.advance(fresh(one)).state == State.READABLE


@pytest.mark.parametrize(
    ("day", "data_until", "reason"),
    [
        (date(2026, 9, 20), date(2026, 9, 19), "It runs until 28 Sep 2026"),
        (END, END, "It runs until 28 Sep 2026"),
        (END + timedelta(2), END - timedelta(1), "Its data end on 27 Sep 2026; the last day needed is 28 Sep 2026"),
    ],
)
def test_an_early_look_is_refused_with_what_is_still_to_come(running, send, alice, today, day, data_until, reason):
    one = running()
    send(one, as_csv(geo_rows(data_until, treated=treated_of(one))))
    today(day)
    for door in (
        lambda: services.analyse_experiment(experiment=fresh(one), actor=alice),
        lambda: services.request_analysis(actor=alice, experiment=fresh(one)),
    ):
        with pytest.raises(services.EarlyLook, match=reason):
            door()
    assert one.readings.count() == 0
    assert fresh(one).job_id is None


def test_what_is_not_registered_or_started_is_not_read(designed, alice, today):
    one = designed()
    today(END + timedelta(1))
    with pytest.raises(services.EarlyLook, match="not registered"):
        services.analyse_experiment(experiment=one)
    with pytest.raises(Conflict, match="cannot be started"):
        services.start_experiment(actor=alice, experiment=one)


class TestRegistering:
    def test_a_draft_has_no_plan(self, experiment, alice):
        with pytest.raises(Conflict, match="nobody is assigned"):
            services.register_experiment(actor=alice, experiment=experiment())

    def test_a_start_that_is_over_must_be_owned_up_to(self, designed, alice, today, send):
        one = designed()
        today(END + timedelta(1))
        with pytest.raises(InvalidInput, match="began on 1 Sep 2026"):
            services.register_experiment(actor=alice, experiment=one)
        one = services.register_experiment(actor=alice, experiment=one, retrospective=True)
        assert one.analysis_plan["retrospective"] is True
        one = services.start_experiment(actor=alice, experiment=one)
        send(one, as_csv(geo_rows(treated=treated_of(one))))
        reading = services.analyse_experiment(experiment=fresh(one))
        assert "after the test had begun" in reading.result["warnings"][0]

    def test_a_start_to_come_cannot_be_started(self, designed, alice):
        one = services.register_experiment(actor=alice, experiment=designed())
        with pytest.raises(Conflict, match="starts on 1 Sep 2026"):
            services.start_experiment(actor=alice, experiment=one)
        assert fresh(one).state == State.REGISTERED

    def test_the_plan_names_units_data_and_method(self, designed, alice):
        one = services.register_experiment(actor=alice, experiment=designed())
        plan = one.analysis_plan
        assert {row["unit"] for row in plan["units"] if row["group"] == "treated"} == set(treated_of(one))
        assert plan["data"]["sha256"] == one.panels.get().sha256
        assert (plan["method"], plan["seed"], plan["start"]) == ("auto", 1, "2026-09-01")
        assert len(one.plan_sha256) == 64

    def test_a_registered_experiment_is_not_changed(self, designed, alice):
        one = services.register_experiment(actor=alice, experiment=designed())
        for act in (
            lambda: services.update_experiment(actor=alice, experiment=one, given={"alpha": 0.2}),
            lambda: services.choose_candidate(actor=alice, experiment=one, choice=0),
            lambda: services.assign_units(
                actor=alice, experiment=one, content=b"geo,group\ngeo 01,treated\ngeo 02,control\n"
            ),
            lambda: services.request_design(actor=alice, experiment=one),
        ):
            with pytest.raises(Conflict, match="registered"):
                act()
        with pytest.raises(Conflict, match="registered"):
            services.design_experiment(experiment=fresh(one))

    def test_overlapping_experiments_are_refused_by_name(self, designed, alice):
        first = services.register_experiment(actor=alice, experiment=designed())
        second = designed(start_date=END, end_date=END + timedelta(27))
        with pytest.raises(Conflict, match=f"{first.label} .*on the same ads") as refusal:
            services.register_experiment(actor=alice, experiment=second)
        assert refusal.value.errors[0]["where"] == first.label
        later = designed(start_date=END + timedelta(1), end_date=END + timedelta(28))
        services.register_experiment(actor=alice, experiment=later)

    def test_a_cool_down_is_in_the_way_as_well(self, designed, alice):
        services.register_experiment(actor=alice, experiment=designed(cooldown_days=5))
        later = designed(start_date=END + timedelta(5), end_date=END + timedelta(30))
        with pytest.raises(Conflict, match="in its way"):
            services.register_experiment(actor=alice, experiment=later)


class TestData:
    def test_a_unit_of_the_plan_that_is_absent_is_named(self, running, send):
        one = running()
        gone = treated_of(one)[0]
        rows = [row for row in geo_rows() if row[1] != gone]
        with pytest.raises(InvalidInput, match=f"absent.*{gone}"):
            send(one, as_csv(rows))
        assert one.panels.count() == 1

    def test_a_unit_of_the_plan_that_lacks_days_is_named(self, running, send):
        one = running()
        late = treated_of(one)[0]
        rows = [row for row in geo_rows() if row[1] != late or row[0] > date(2026, 6, 1)]
        with pytest.raises(InvalidInput, match=f"lack periods.*{late}"):
            send(one, as_csv(rows))

    def test_history_is_sent_with_new_days(self, running, send):
        with pytest.raises(InvalidInput, match="begin on 1 Aug 2026"):
            send(running(), as_csv([row for row in geo_rows() if row[0] >= date(2026, 8, 1)]))

    def test_currencies_are_not_mixed(self, experiment, send):
        header = ("date", "geo", "sales", "spend", "currency")
        rows = geo_rows(date(2026, 8, 1))
        with pytest.raises(InvalidInput, match="EUR"):
            send(experiment(), as_csv([(*row, "EUR") for row in rows], header))
        mixed = [(*row, "EUR" if at % 2 else "USD") for at, row in enumerate(rows)]
        with pytest.raises(InvalidInput, match=r"(?i)currenc"):
            send(experiment(), as_csv(mixed, header))

    def test_the_same_file_is_kept_once(self, experiment, send, storage):
        one = experiment()
        content = as_csv(geo_rows(date(2026, 8, 1)))
        first = send(one, content)
        assert send(one, content, "another name.csv") == first
        assert selectors.stored_panel(first).read_bytes() == content
        assert selectors.stored_panel(first).is_relative_to(storage / "tenants" / "acme")

    def test_columns_are_named_once(self, experiment, send):
        one = experiment()
        header = ("when", "where", "sold", "paid")
        told = {"date": "when", "unit": "WHERE", "outcome": "sold"}
        with pytest.raises(InvalidInput, match="Which column is the date"):
            send(one, as_csv(geo_rows(date(2026, 8, 1)), header))
        assert send(one, as_csv(geo_rows(date(2026, 8, 1)), header), columns=told).columns["unit"] == "where"
        assert send(one, as_csv(geo_rows(date(2026, 8, 2)), header)).number == 2

    def test_one_geo_is_no_panel(self, experiment, send):
        with pytest.raises(InvalidInput):
            send(experiment(), as_csv([row for row in geo_rows() if row[1] == "geo 01"]))

    def test_a_cancelled_experiment_takes_none(self, experiment, send, alice):
        one = services.cancel_experiment(actor=alice, experiment=experiment(), reason="The budget is gone.")
        with pytest.raises(Conflict, match="cancelled"):
            send(one, as_csv(geo_rows()))


def test_a_changed_question_takes_its_design_off(designed, alice):
    one = designed()
    services.update_experiment(actor=alice, experiment=one, given={"name": "Renamed"})
    assert (fresh(one).state, one.units.count()) == (State.DESIGNED, 24)
    services.update_experiment(actor=alice, experiment=one, given={"seed": 2})
    assert (fresh(one).state, fresh(one).design, one.units.count()) == (State.DRAFT, {}, 0)


def test_another_seed_draws_other_units(designed, alice):
    assert set(treated_of(designed())) == set(treated_of(designed()))
    assert set(treated_of(designed())) != set(treated_of(designed(seed=2)))


def test_an_assignment_from_elsewhere_names_units_of_the_data(designed, alice):
    one = designed()
    with pytest.raises(InvalidInput, match="no unit 'Atlantis'"):
        services.assign_units(actor=alice, experiment=one, content=b"geo,group\nAtlantis,treated\ngeo 02,control\n")
    content = b"geo,group\ngeo 01,treated\ngeo 02,control\ngeo 03,control\ngeo 04,excluded\n"
    one = services.assign_units(actor=alice, experiment=one, content=content)
    assert next((row["unit"], row["group"]) for row in services.assignment_rows(one)) == ("geo 01", "treated")
    assert (one.state, treated_of(one)) == (State.DESIGNED, ("geo 01",))


def test_cancelling_needs_a_reason_and_keeps_everything(running, alice):
    one = running()
    with pytest.raises(InvalidInput, match="Why"):
        services.cancel_experiment(actor=alice, experiment=one, reason=" ")
    one = services.cancel_experiment(actor=alice, experiment=one, reason="A competitor closed.")
    assert (one.state, one.units.count(), one.panels.count()) == (State.CANCELLED, 24, 1)
    with pytest.raises(services.EarlyLook, match="cancelled"):
        services.analyse_experiment(experiment=one)
    with pytest.raises(Conflict):
        services.cancel_experiment(actor=alice, experiment=one, reason="Again.")


def test_a_draft_without_data_can_be_deleted(experiment, designed, alice):
    one = experiment()
    services.delete_experiment(actor=alice, experiment=one)
    assert not Experiment.objects.filter(pk=one.pk).exists()
    with pytest.raises(Conflict, match="data"):
        services.delete_experiment(actor=alice, experiment=designed())


def test_a_plan_is_not_registered_on_data_that_lack_its_units(designed, send, alice):
    one = designed()
    absent = sorted(treated_of(one))[:3]
    send(one, as_csv(geo_rows(date(2026, 8, 18), geos=tuple(geo for geo in GEOS if geo not in absent))))
    with pytest.raises(InvalidInput, match="and 2 more units of the plan") as refusal:
        services.register_experiment(actor=alice, experiment=fresh(one))
    assert [error["detail"] for error in refusal.value.errors] == [f"{geo} is absent." for geo in absent]
    assert not fresh(one).is_registered


def test_a_candidate_is_drawn_on_the_data_that_it_was_designed_on(designed, send, alice):
    one = designed()
    drawn = treated_of(one)
    other = [(day, geo, sales * (1 + 5 * (place % 7)), cost) for place, (day, geo, sales, cost) in
             enumerate(geo_rows(date(2026, 8, 19)))]  # fmt: skip
    send(one, as_csv(other))
    services.choose_candidate(actor=alice, experiment=fresh(one), choice=0)
    assert treated_of(one) == drawn


def test_plans_are_fixed_one_at_a_time(designed, alice, monkeypatch):
    one, order = designed(), []
    monkeypatch.setattr(plans, "lock_numbers", order.append)
    monkeypatch.setattr(plans, "refuse_overlap", lambda held, *, actor: order.append("overlap"))
    services.register_experiment(actor=alice, experiment=one)
    assert order == ["experiment plans", "overlap"]


def test_power_and_fit_that_are_shown_are_those_of_the_chosen_candidate(experiment, send, alice):
    settings = {"design": "search", "durations": [14, 28], "treated_counts": [2, 3]}
    one = experiment(settings=settings)
    send(one, as_csv(geo_rows(date(2026, 8, 19))))
    best = services.design_experiment(experiment=fresh(one)).design
    last = len(best["candidates"]) - 1
    design = services.choose_candidate(actor=alice, experiment=fresh(one), choice=last).design
    chosen, rows = design["chosen"], geo_rows(date(2026, 8, 19))
    assert chosen["treated"] != best["candidates"][0]["treated"]
    at = {point["effect"]: point["power"] for point in design["power_curve"]}
    assert at[chosen["effect"]] == chosen["power"]
    first = sum(
        sales for day, geo, sales, _ in rows if geo in chosen["treated"] and str(day) == design["fit"]["periods"][0]
    )
    assert design["fit"]["treated"][0] == pytest.approx(first)


def test_users_have_the_power_curve_of_their_candidate(experiment, alice):
    one = experiment(kind="ab", settings={"baseline_rate": 0.1, "effects": [0.05, 0.1, 0.2]})
    services.design_experiment(experiment=fresh(one))
    for choice in (0, 2):
        design = services.choose_candidate(actor=alice, experiment=fresh(one), choice=choice).design
        near = min(design["power_curve"], key=lambda point: abs(point["effect"] - design["chosen"]["effect"]))
        assert near["power"] == pytest.approx(0.8, abs=0.05)
