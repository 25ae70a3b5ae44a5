"""Learning programmes over REST, pages and the command line: the same service behind each."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from accounts.core.permissions import Role
from jobs.core.schedules import Timing
from jobs.draining import run_queued_jobs
from jobs.models import Job
from jobs.selectors import schedules_of
from jobs.services import create_schedule
from optimization.models import LearningProgramme, LearningWeek
from optimization.services import learning as services
from optimization.services import solve_inputs
from tests import factories
from tests.conftest import api_of, browser_of
from tests.optimization.programme import START, monday, publish_week, solved, started


@pytest.fixture(autouse=True)
def _no_cache(fresh_cache: None) -> None:
    """Figures are kept under the version of the data, which starts anew in every test."""


def body(solve, **changes):
    return {
        "solve_id": str(solve.pk),
        "name": "Weekly",
        "first_week": str(START),
        "problem_weeks": 1,
        "settings": {"reserve": 0.05},
    } | changes


def test_started_run_accepted_and_shown_over_rest(api, market, alice):
    made = api.post("/api/v1/learning/", body(solved(market)), format="json")
    assert made.status_code == 201, made.content
    programme = made.json()
    assert programme["settings"]["reserve"] == 0.05
    assert programme["weekly_budget"] == "1100.00"
    here = f"/api/v1/learning/{programme['id']}/"
    key = {"HTTP_IDEMPOTENCY_KEY": "week-0"}
    jobs = [api.post(f"{here}run/", {"week": str(START)}, format="json", **key).json() for _ in range(2)]
    assert jobs[0] == jobs[1]
    run_queued_jobs()
    assert Job.objects.get(pk=jobs[0]["job_id"]).state == "succeeded"
    (week,) = api.get(f"{here}weeks/").json()["results"]
    shown = api.get(f"/api/v1/learning/weeks/{week['id']}/").json()
    assert {"now", "proposed", "probed", "factor_low", "why"} <= shown["lines"][0].keys()
    assert api.post(f"/api/v1/learning/weeks/{week['id']}/decide/", {"accept": True}, format="json").json()[
        "status"
    ] == ("accepted")
    assert api.get(f"{here}replay/").json() == {"equal": True, "weeks": 1, "detail": ""}
    log = api.get(f"{here}log/")
    assert log["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line).get("event") for line in log.content.decode().splitlines()] == [None, "decided"]
    refused = api.get(f"{here}estimate/?temperature=0.05")
    assert (refused.status_code, refused.json()["where"]) == (400, "weeks")
    paused = api.post(f"{here}status/", {"wanted": "paused"}, format="json")
    assert paused.json()["status"] == "paused"
    assert api.post(f"{here}run/", {}, format="json").status_code == 409
    assert [one["id"] for one in api.get("/api/v1/learning/").json()["results"]] == [programme["id"]]


@pytest.mark.parametrize(
    ("change", "where"),
    [({"first_week": "2026-11-10"}, "first_week"), ({"settings": {"temperature": 2}}, "settings.temperature")],
)
def test_a_wrong_start_is_refused(api, market, alice, change, where):
    answer = api.post("/api/v1/learning/", body(solved(market), **change), format="json")
    assert (answer.status_code, answer.json()["where"]) == (400, where)
    assert not LearningProgramme.objects.exists()


def test_other_brands_and_tenants_find_nothing(market, alice):
    programme = started(market, alice)
    week = services.propose_week(programme=programme, week=START).week
    dave = api_of(factories.person("dave", Role.OWNER, brand=factories.BrandFactory(slug="nuts")))
    for path in ("", "weeks/", "log/", "replay/", "estimate/"):
        assert dave.get(f"/api/v1/learning/{programme.pk}/{path}").status_code == 404, path
    assert dave.get(f"/api/v1/learning/weeks/{week.pk}/").status_code == 404
    assert dave.post(f"/api/v1/learning/weeks/{week.pk}/decide/", {"accept": True}, format="json").status_code == 404
    assert dave.post("/api/v1/learning/", body(programme.solve), format="json").status_code == 404
    assert dave.get(f"/api/v1/learning/{uuid4()}/").status_code == 404
    assert LearningWeek.objects.get().status == "proposed"


def test_pages_start_show_and_decide(market, alice):
    browser, solve = browser_of(alice), solved(market)
    form = browser.get(f"/learning/new/{solve.pk}/?weeks=2")
    assert 'value="2"' in form.content.decode()
    typed = {"name": "Chips weekly", "first_week": str(START), "problem_weeks": "1", "reserve_percent": "4"}
    wrong = browser.post(f"/learning/new/{solve.pk}/", typed | {"first_week": "2026-11-10"})
    assert wrong.status_code == 400
    assert "is no Monday" in wrong.content.decode()
    answer = browser.post(f"/learning/new/{solve.pk}/", typed)
    programme = LearningProgramme.objects.get()
    assert answer["Location"] == f"/learning/{programme.pk}/"
    assert programme.settings["reserve"] == pytest.approx(0.04)
    assert "No week proposed yet" in browser.get(f"/learning/{programme.pk}/").content.decode()
    browser.post(f"/learning/{programme.pk}/run/", {"week": str(START)})
    assert "Being proposed" in browser.get(f"/learning/{programme.pk}/").content.decode()
    run_queued_jobs()
    week = LearningWeek.objects.get()
    page = browser.get(f"/learning/{programme.pk}/").content.decode()
    for line in week.lines:
        assert line["cell"].split("|")[2] in page
    assert page.count('data-chart="') == 2
    browser.post(f"/learning/weeks/{week.pk}/decide/", {"act": "accept"})
    week.refresh_from_db()
    assert (week.status, week.decided_by) == ("accepted", alice)
    page = browser.get(f"/learning/{programme.pk}/?check=replay&temperature=0.05").content.decode()
    assert "The same again." in page
    assert "Fewer than two weeks can be judged" in page
    assert "Chips weekly" in browser.get("/learning/").content.decode()
    assert browser.get(f"/learning/{programme.pk}/log/")["Content-Disposition"].endswith('"LP-0001.jsonl"')


def test_a_typed_budget_is_never_a_hundred_times_what_was_meant(market, alice):
    browser, address = browser_of(alice), f"/learning/new/{solved(market).pk}/"
    typed = {"name": "Chips weekly", "first_week": str(START), "problem_weeks": "1"}
    for wrong in ("1200,50", "1.200,50", "12,00", "sNaN", "1e400"):
        answer = browser.post(address, typed | {"weekly_budget": wrong})
        assert answer.status_code == 400, wrong
        assert "Write 1200.50" in answer.content.decode(), wrong
    assert browser.post(address, typed | {"weekly_budget": "0.001"}).status_code == 400
    assert browser.post(address, typed | {"weekly_budget": "1,200.50"}).status_code == 302
    assert str(LearningProgramme.objects.get().weekly_budget) == "1200.50"


def test_buttons_are_shown_to_those_who_may_press_them(market, chips, alice):
    programme = started(market, alice)
    services.propose_week(programme=programme, week=START)
    shown = {
        role: browser_of(factories.person(role.value, role, brand=chips))
        .get(f"/learning/{programme.pk}/")
        .content.decode()
        for role in (Role.PLANNER, Role.APPROVER, Role.VIEWER)
    }
    for words, roles in (
        ("Accept this week", {Role.APPROVER}),
        ("Propose next week", {Role.PLANNER}),
        ("JSON lines", {Role.PLANNER, Role.APPROVER}),
        ("Every Monday", set()),
    ):
        assert {role for role, page in shown.items() if words in page} == roles, words


def test_of_several_schedules_of_one_programme_one_stays(market, alice):
    programme = started(market, alice)
    for _ in range(3):
        create_schedule(
            kind="optimization.learn", params={"programme": str(programme.pk), "week": None}, actor=alice,
            timing=Timing(crontab="0 5 * * 1"), brand=programme.brand,
        )  # fmt: skip
    kept = services.schedule_programme(actor=alice, programme=programme)
    assert [one.id for one in schedules_of(kind="optimization.learn")] == [kept.id]


def test_the_page_shows_that_it_runs_by_itself_and_stops_it(market, chips, alice):
    programme, browser = started(market, alice), browser_of(alice)
    here = f"/learning/{programme.pk}/"
    assert "Every Monday" in browser.get(here).content.decode()
    browser.post(f"{here}schedule/")
    page = browser.get(here).content.decode()
    assert "Proposes by itself: crontab 0 5 * * 1 UTC." in page
    assert "Every Monday" not in page
    engineer = browser_of(factories.person("erin", Role.DATA_ENGINEER, brand=chips)).get(here).content.decode()
    assert "Proposes by itself" in engineer
    assert "Not by itself" not in engineer, "they may not run programmes"
    browser.post(f"{here}schedule/", {"on": "0"})
    assert "Every Monday" in browser.get(here).content.decode()


def test_the_page_judges_other_settings_once_there_are_weeks(market, alice):
    programme = started(market, alice, settings={"temperature": 0.2})
    for number in range(3):
        week = services.propose_week(programme=programme, week=monday(number)).week
        services.decide_week(actor=alice, week=week, accept=True)
        publish_week(market, week)
        services.observe_weeks(programme=programme)
    page = browser_of(alice).get(f"/learning/{programme.pk}/?temperature=0.15").content.decode()
    assert "Sales a week, estimated" in page
    assert "Weeks judged" in page
    bad = browser_of(alice).get(f"/learning/{programme.pk}/?temperature=hot").content.decode()
    assert "is no number" in bad


def test_the_form_asks_for_weeks_only_where_the_solve_does_not_say_them(market, alice):
    browser = browser_of(alice)
    silent = solved(market)
    assert 'name="problem_weeks" value=' not in browser.get(f"/learning/new/{silent.pk}/").content.decode()
    assert 'name="problem_weeks" value="4.25"' in browser.get(f"/learning/new/{silent.pk}/?weeks=4.25").content.decode()
    typed = {"name": "Chips weekly", "first_week": str(START)}
    assert "Nothing says how many weeks" in browser.post(f"/learning/new/{silent.pk}/", typed).content.decode()
    telling = solved(market, inputs=solve_inputs(weeks=31 / 7))
    page = browser.get(f"/learning/new/{telling.pk}/?weeks=1").content.decode()
    assert 'name="problem_weeks" value=' not in page
    assert "Empty: 4.429, as its scenario says." in page
    assert browser.post(f"/learning/new/{telling.pk}/", typed).status_code == 302
    assert LearningProgramme.objects.get().weekly_budget == Decimal("248.39")


def command(*words: str) -> str:
    out = StringIO()
    call_command("learning", "--tenant", "acme", *words, stdout=out)
    return out.getvalue()


def test_the_command_line(market, alice):
    solve = solved(market)
    said = command("start", str(solve.pk), "--name", "Weekly", "--first-week", str(START), "--weeks", "1")
    assert said.startswith("LP-0001 Weekly: active")
    assert "Walmart|onsite_search_top|VINEGAR" in command("run", "LP-0001", "--week", str(START))
    assert "accepted" in command("accept", "LP-0001", str(START), "--as", alice.email)
    publish_week(market, LearningWeek.objects.get())
    assert "1 observation taken in" in command("run", "LP-0001", "--week", str(monday(1)))
    assert command("replay", "LP-0001") == "2 weeks decided again as they were.\n"
    assert [json.loads(line).get("event") for line in command("log", "LP-0001").splitlines()] == [
        None, "decided", "observed", "decided",
    ]  # fmt: skip
    call_out = StringIO()
    call_command("learning", "--tenant", "acme", "--json", "show", "LP-0001", stdout=call_out)
    assert json.loads(call_out.getvalue())["number"] == 1
    assert "paused" in command("status", "LP-0001", "paused")
    assert "LP-0001  paused" in command("list")
    with pytest.raises(CommandError, match="no programme"):
        command("show", "LP-0009")
    with pytest.raises(CommandError, match="no solve"):
        command("start", "x" * 36, "--name", "W", "--first-week", str(START))
    with pytest.raises(CommandError, match="is no amount"):
        command("start", str(solve.pk), "--name", "W", "--first-week", str(START), "--budget", "1.200,50")
    with pytest.raises(CommandError, match="Nobody here"):
        command("skip", "LP-0001", str(monday(1)), "--as", "nobody@example.com")
