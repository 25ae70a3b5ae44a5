"""Pages, REST and the command line of experiments: what each shows, and that none shows a result too early."""

from __future__ import annotations

import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from accounts.core.permissions import Role
from jobs.models import Job
from measurement import presenters, services
from measurement.models import Experiment
from tests import factories
from tests.conftest import api_of, browser_of
from tests.jobs.attempts import work_off
from tests.measurement.conftest import END, START, as_csv, fresh, geo_rows, treated_of

State = Experiment.State
ASKED = {
    "name": "North", "kind": "geo", "action": "heavy_up", "outcome": "sales", "currency": "USD",
    "start_date": "2026-09-01", "end_date": "2026-09-28", "design": "pairs", "durations": "28", "effects": "5, 10",
    "power": "80", "alpha": "0.05", "seed": "3", "method": "auto",
}  # fmt: skip


def as_file(content: bytes, name: str = "panel.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="text/csv")


class TestPages:
    def test_a_draft_becomes_a_registered_plan_by_forms_alone(self, chips, alice, storage, today):
        browser = browser_of(alice)
        answer = browser.post("/experiments/new/?brand=chips", ASKED)
        one = Experiment.objects.get()
        assert answer["Location"] == f"/experiments/{one.pk}/"
        assert one.settings == {"design": "pairs", "durations": [28], "effects": [0.05, 0.1], "power": 0.8}
        assert one.brand == chips
        here = f"/experiments/{one.pk}/"
        browser.post(f"{here}data/", {"act": "file", "file": as_file(as_csv(geo_rows(date(2026, 8, 19))))})
        assert one.panels.get().unit_count == 24
        browser.post(f"{here}design/")
        assert Job.objects.get().kind == services.DESIGN
        assert "Design EX-0001" in browser.get(here).text
        work_off(Job.objects.get())
        page = browser.get(here).text
        assert "12 drawn of 24" in page
        assert 'id="power"' in page
        browser.post(f"{here}choose/", {"choice": "0"})
        assert "Register the plan" in browser.get(here).text
        browser.post(f"{here}register/")
        page = browser.get(here).text
        assert fresh(one).state == State.REGISTERED
        assert fresh(one).plan_sha256 in page
        assert "starts in 12 days" in page
        assert "unit,group" in browser.get(f"{here}assignment.csv").text

    def test_wrong_fields_are_told_beside_them(self, chips, alice):
        answer = browser_of(alice).post(
            "/experiments/new/?brand=chips",
            ASKED | {"name": "", "end_date": "2026-08-01", "effects": "much", "alpha": "2"},
        )
        assert answer.status_code == 400
        for words in (
            "It is missing.",
            "is no end for a start",
            "&#x27;much&#x27; is out of range",
            "&#x27;2&#x27; is out",
        ):
            assert words in answer.text
        assert not Experiment.objects.exists()

    def test_a_file_that_cannot_be_read_is_told_on_the_page(self, experiment, alice):
        one = experiment()
        answer = browser_of(alice).post(f"/experiments/{one.pk}/data/", {"act": "file", "file": as_file(b"a,b\n1,2\n")})
        assert answer.status_code == 400
        assert "Which column is the date is not clear." in answer.text

    def test_nothing_of_the_outcome_is_shown_while_it_runs(self, running, alice, send, today):
        one = running(cooldown_days=2)
        rows = geo_rows(date(2026, 9, 14), treated=treated_of(one))
        send(one, as_csv(rows))
        today(date(2026, 9, 15))
        page = browser_of(alice).get(f"/experiments/{one.pk}/").text
        for words in ("The result is not shown yet", "It runs until 28 Sep 2026, and cools down until 30 Sep 2026"):
            assert words in page
        assert "14 <small>of 28</small>" in page
        assert "up to yesterday" in page
        spent = sum(row[3] for row in rows if row[1] in treated_of(one) and row[0] >= START)
        assert f"{spent / 1000:.1f}" in page
        history = one.design["fit"]["periods"]
        assert history[-1] == "2026-08-19"
        assert "2026-09" not in page.split('id="fit-spec"')[1].split("</script>")[0]
        assert browser_of(alice).get(f"/experiments/{one.pk}/reading/").status_code == 404

    def test_a_read_experiment_leads_to_its_reading(self, readable, alice):
        one = readable()
        services.analyse_experiment(experiment=one, actor=alice)
        assert f'href="/experiments/{one.pk}/reading/"' in browser_of(alice).get(f"/experiments/{one.pk}/").text
        assert f'href="/experiments/{one.pk}/reading/"' in browser_of(alice).get("/experiments/").text
        assert browser_of(alice).get(f"/experiments/{one.pk}/reading/").status_code == 200

    def test_the_list_says_what_is_due(self, experiment, running, alice, today):
        experiment(name="Only asked")
        running(name="On its way")
        today(date(2026, 9, 20))
        page = browser_of(alice).get("/experiments/").text
        for words in ("Only asked", "to be designed", "On its way", "readable from 29 Sep"):
            assert words in page
        assert "Only asked" not in browser_of(alice).get("/experiments/?state=running").text

    def test_queries_do_not_grow_with_the_list(self, experiment, alice, django_assert_max_num_queries):
        for number in range(12):
            experiment(name=f"Number {number}")
        browser = browser_of(alice)
        browser.get("/experiments/")
        with django_assert_max_num_queries(28):
            assert "Number 11" in browser.get("/experiments/").text

    def test_queries_of_one_experiment(self, running, alice, django_assert_max_num_queries):
        one, browser = running(), browser_of(alice)
        browser.get(f"/experiments/{one.pk}/")
        with django_assert_max_num_queries(30):
            browser.get(f"/experiments/{one.pk}/")


class TestRest:
    def test_from_draft_to_plan(self, chips, alice, storage, today):
        client = api_of(alice)
        answer = client.post(
            "/api/v1/experiments/",
            {"brand": str(chips.pk), "name": "North", "kind": "geo", "start_date": "2026-09-01",
             "end_date": "2026-09-28", "settings": {"design": "pairs", "durations": [28]}},
            format="json",
        )  # fmt: skip
        assert answer.status_code == 201, answer.json()
        here = f"/api/v1/experiments/{answer.json()['id']}/"
        sent = client.post(
            f"{here}panels/", {"file": as_file(as_csv(geo_rows(date(2026, 8, 19)))), "unit": "geo"}, format="multipart"
        )
        assert (sent.status_code, sent.json()["last_day"]) == (201, "2026-08-19")
        assert client.post(f"{here}design/").status_code == 202
        work_off(Job.objects.get())
        assert client.post(f"{here}candidate/", {"choice": 0}, format="json").json()["state"] == "designed"
        assert client.get(f"{here}plan/").status_code == 404
        plan = client.post(f"{here}register/", {}, format="json").json()
        told = client.get(f"{here}plan/").json()
        assert told["sha256"] == plan["plan_sha256"]
        assert json.loads(told["canonical"]) == told["plan"]
        assert client.get(f"{here}assignment.csv").text.startswith("unit,group,cell,pair")
        detail = client.get(here).json()
        assert (detail["readability"]["final"], detail["readability"]["due"]) == (False, "2026-09-29")

    def test_an_early_look_is_a_conflict_with_its_reason(self, running, alice):
        one = running()
        answer = api_of(alice).post(f"/api/v1/experiments/{one.pk}/analyse/")
        assert (answer.status_code, answer.json()["code"]) == (409, "early-look")
        assert "It runs until 28 Sep 2026" in answer.json()["detail"]
        assert api_of(alice).get(f"/api/v1/experiments/{one.pk}/reading/").status_code == 404
        assert not Job.objects.exists()

    def test_the_reading_is_what_was_stored(self, readable, alice):
        one = readable()
        stored = services.analyse_experiment(experiment=one, actor=alice)
        told = api_of(alice).get(f"/api/v1/experiments/{one.pk}/reading/").json()
        assert (told["result"], told["plan_sha256"]) == (stored.result, one.plan_sha256)

    def test_wrong_fields_are_all_listed(self, alice):
        answer = api_of(alice).post(
            "/api/v1/experiments/", {"kind": "rumour", "settings": {"power": 7, "luck": 1}}, format="json"
        )
        assert answer.status_code == 400
        assert {error["where"] for error in answer.json()["errors"]} == {
            "kind", "name", "settings.power", "settings.luck",
        }  # fmt: skip

    def test_brands_are_kept_apart(self, experiment, running, chips, alice):
        one = running()
        pretzels = factories.BrandFactory(slug="pretzels")
        planner = api_of(factories.person("carol", Role.PLANNER, brand=pretzels))
        assert planner.get("/api/v1/experiments/").json()["results"] == []
        assert planner.get(f"/api/v1/experiments/{one.pk}/").status_code == 404
        viewer = api_of(factories.person("dora", Role.VIEWER, brand=chips))
        assert viewer.get(f"/api/v1/experiments/{one.pk}/").status_code == 200
        assert viewer.post(f"/api/v1/experiments/{one.pk}/cancel/", {"reason": "x"}, format="json").status_code == 403
        assert fresh(one).state == State.RUNNING


class TestCommand:
    def say(self, *arguments: str) -> str:
        out = StringIO()
        call_command("experiments", "--tenant", "acme", "--as", "alice@example.com", *arguments, stdout=out)
        return out.getvalue()

    def test_the_whole_way(self, chips, alice, storage, today, tmp_path):
        asked = tmp_path / "asked.json"
        asked.write_text(json.dumps({
            "name": "North", "kind": "geo", "start_date": "2026-09-01",
            "settings": {"design": "pairs", "durations": [28]},
        }))  # fmt: skip
        history, whole = tmp_path / "history.csv", tmp_path / "whole.csv"
        history.write_bytes(as_csv(geo_rows(date(2026, 8, 19))))
        assert "EX-0001 North: draft" in self.say("--brand", "chips", "create", str(asked))
        assert "24 units" in self.say("data", "EX-0001", str(history))
        assert "28 periods, smallest lift" in self.say("design", "EX-0001")
        assert "designed" in self.say("choose", "EX-0001", "0")
        assert "registered" in self.say("register", "EX-0001")
        today(START)
        assert "running" in self.say("start", "EX-0001")
        one = Experiment.objects.get()
        whole.write_bytes(as_csv(geo_rows(END, treated=treated_of(one))))
        self.say("data", "EX-0001", str(whole))
        with pytest.raises(CommandError, match="cannot be read yet"):
            self.say("analyse", "EX-0001")
        today(END + timedelta(1))
        assert "lift +" in self.say("analyse", "EX-0001")
        assert json.loads(self.say("--json", "reading", "EX-0001"))["number"] == 1
        assert f"{treated_of(one)[0]},treated" in self.say("assignment", "EX-0001")
        assert "EX-0001  read" in self.say("list")


def test_a_page_that_is_asked_again_and_again_parses_its_data_once(running, send, alice, today, monkeypatch):
    one = running()
    send(one, as_csv(geo_rows(START + timedelta(13), treated=treated_of(one))))
    today(START + timedelta(14))
    browser, parsed = browser_of(alice), []
    real = presenters.panel_data
    monkeypatch.setattr(presenters, "panel_data", lambda panel: parsed.append(panel.number) or real(panel))
    pages = [browser.get(f"/experiments/{one.pk}/", HTTP_HX_REQUEST="true").text for _ in range(3)]
    assert parsed == [2]
    assert all("Extra spend so far" in page for page in pages)
