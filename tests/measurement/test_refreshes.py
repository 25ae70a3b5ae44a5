"""New data without a person: on a schedule, from a watched place or the reports, and the reading when it is time."""

from __future__ import annotations

import os
from datetime import date, timedelta

import pytest

from accounts.core.permissions import Role
from accounts.models import RoleGrant, User
from jobs.selectors import schedules_of
from jobs.services import submit_job
from measurement import services
from measurement.models import Experiment, PanelVersion
from tenants.core.problems import Conflict, InvalidInput, NotAllowed
from tests import factories
from tests.jobs.attempts import work_off
from tests.measurement.conftest import END, START, as_csv, fresh, geo_rows, treated_of
from tests.optimization.conftest import market, shelf  # noqa: F401 - fixtures

State = Experiment.State


@pytest.fixture
def place(settings, tmp_path):
    folder = tmp_path / "watched"
    folder.mkdir()
    settings.IMPORT_ROOTS = [f"acme={folder}"]
    return folder


def put(folder, content: bytes) -> None:
    path = folder / "panel.csv"
    path.write_bytes(content)
    os.utime(path, (1_700_000_000, 1_700_000_000))


def refreshed(one, alice):
    job = submit_job(
        kind=services.REFRESH, params={"experiment": str(one.pk)}, actor=alice, brand=one.brand, subject="schedule:1"
    )
    return work_off(job)


def test_a_watched_file_is_taken_each_time_it_changes_and_read_at_the_end(running, alice, today, place):
    one = running()
    source = {"kind": "place", "location": f"folder:{place}", "file": "panel.csv"}
    schedule = services.schedule_refreshes(actor=alice, experiment=one, source=source)
    assert (schedule.enabled, str(schedule.timing)) == (True, str(services.schedule_of(fresh(one)).timing))
    outcome, context = refreshed(one, alice)
    assert outcome["data"] is None
    assert "not there yet" in context.lines[0]
    treated = treated_of(one)
    put(place, as_csv(geo_rows(START + timedelta(3), treated=treated)))
    today(START + timedelta(4))
    assert refreshed(one, alice)[0]["data"] == 2
    assert refreshed(one, alice)[0]["data"] == 2
    assert one.readings.count() == 0
    put(place, as_csv(geo_rows(END, treated=treated)))
    today(END + timedelta(1))
    outcome, context = refreshed(one, alice)
    assert (outcome["data"], outcome["reading"], outcome["last_day"]) == (3, 1, str(END))
    assert fresh(one).state == State.READ
    assert not services.schedule_of(fresh(one)).enabled
    assert refreshed(one, alice)[0] == {"experiment": one.label, "state": "read"}
    assert "lift" not in str(outcome)


def test_a_file_outside_of_what_is_allowed_is_refused(running, alice, place):
    one = running()
    for source in (
        {"kind": "place", "location": "folder:/etc", "file": "passwd"},
        {"kind": "place", "location": f"folder:{place}", "file": "../panel.csv"},
        {"kind": "place", "location": f"folder:{place}", "file": "*.csv"},
        {"kind": "rumour"},
        {"kind": "events", "unit": "weather"},
    ):
        with pytest.raises(InvalidInput):
            services.schedule_refreshes(actor=alice, experiment=one, source=source)
    assert services.schedule_of(fresh(one)) is None


def test_a_role_for_one_brand_chooses_no_place(running, chips, place):
    one = running()
    engineer = factories.person("erin", Role.OWNER, brand=chips)
    with pytest.raises(NotAllowed):
        services.schedule_refreshes(
            actor=engineer, experiment=one, source={"kind": "place", "location": f"folder:{place}", "file": "a.csv"}
        )


def test_an_experiment_that_has_ended_is_not_refreshed(running, alice):
    one = running()
    services.schedule_refreshes(actor=alice, experiment=one, source={"kind": "events", "unit": "sku"})
    services.cancel_experiment(actor=alice, experiment=one, reason="No budget.")
    assert not services.schedule_of(one).enabled
    with pytest.raises(Conflict, match="cancelled"):
        services.schedule_refreshes(actor=alice, experiment=fresh(one), source={"kind": "events", "unit": "sku"})


class TestEvents:
    @pytest.fixture
    def asked(self, market, chips, alice, today):  # noqa: F811
        def _asked(**changes):
            given = {"name": "By SKU", "kind": "sku", "currency": "USD"} | changes
            return services.create_experiment(actor=alice, given=given, brand=chips)

        return _asked

    def test_the_panel_is_what_was_reported(self, asked, alice):
        one = asked()
        made = services.panel_from_events(actor=alice, experiment=one)
        data = services.panel_data(made)
        assert (made.origin, made.currency, made.data_version is not None) == (PanelVersion.Origin.EVENTS, "USD", True)
        assert len(data.units) > 1
        assert data.outcome.sum() > 0
        assert data.cost is not None
        assert data.cost.sum() > 0
        zeros = int((data.outcome == 0).sum())
        assert [note.split()[0] for note in made.notes if "are zero" in note] == ([f"{zeros:,}"] if zeros else [])
        assert services.panel_from_events(actor=alice, experiment=one) == made

    def test_another_retailer_has_no_rows(self, asked, alice):
        factories.RetailerFactory(slug="target")
        with pytest.raises(InvalidInput, match="No reports are published"):
            services.panel_from_events(actor=alice, experiment=asked(retailer="target"))

    def test_unknown_units_and_days_are_refused(self, asked, alice):
        with pytest.raises(InvalidInput, match="no unit 'weather'"):
            services.panel_from_events(actor=alice, experiment=asked(), unit="weather")
        with pytest.raises(InvalidInput, match="lies after"):
            services.panel_from_events(actor=alice, experiment=asked(), start=date(2030, 1, 1))


def test_a_place_is_read_no_more_once_its_person_lost_the_role_for_the_tenant(running, chips, place, today):
    one = running()
    dave = factories.person("dave", Role.OWNER)
    source = {"kind": "place", "location": f"folder:{place}", "file": "panel.csv"}
    services.schedule_refreshes(actor=dave, experiment=one, source=source)
    put(place, as_csv(geo_rows(START + timedelta(3), treated=treated_of(one))))
    today(START + timedelta(4))
    dave.grants.all().delete()
    RoleGrant.objects.create(user=dave, role=Role.OWNER, brand=chips)
    with pytest.raises(NotAllowed):
        refreshed(one, User.objects.get(pk=dave.pk))
    assert one.panels.count() == 1


def test_a_job_whose_person_is_gone_runs_in_nobodys_name(running, alice, place):
    one = running()
    source = {"kind": "place", "location": f"folder:{place}", "file": "panel.csv"}
    services.schedule_refreshes(actor=alice, experiment=one, source=source)
    put(place, as_csv(geo_rows(START + timedelta(3), treated=treated_of(one))))
    with pytest.raises(NotAllowed, match="gone"):
        refreshed(one, None)
    assert one.panels.count() == 1


def test_a_deleted_draft_leaves_no_schedule(experiment, alice):
    one = experiment()
    services.schedule_refreshes(actor=alice, experiment=one, source={"kind": "events", "unit": "sku"})
    services.delete_experiment(actor=alice, experiment=fresh(one))
    assert schedules_of(kind=services.REFRESH) == []


def test_a_draft_that_a_job_works_on_is_not_deleted(experiment, alice):
    one = experiment(kind="ab", settings={"baseline_rate": 0.1})
    services.request_design(actor=alice, experiment=one)
    with pytest.raises(Conflict, match="A job works on"):
        services.delete_experiment(actor=alice, experiment=fresh(one))
