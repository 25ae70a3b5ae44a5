"""A reading by every door: page, files, REST, command, planner; and its way into planning."""

# ruff: noqa: F811 - fixtures of another module are asked for by name

from __future__ import annotations

import json
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.core.permissions import Role
from jobs.core.tools import tool_named
from measurement import services
from measurement.models import Calibration, Reading
from metrics.models import FactorSet
from tenants.core.problems import Conflict, NotFound
from tests import factories
from tests.conftest import api_of, browser_of
from tests.measurement.test_use_in_planning import curves, market, read  # noqa: F401 - fixtures


def page_of(reading: Reading, what: str = "reading/") -> str:
    return f"/experiments/{reading.experiment_id}/{what}"


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def carol(chips):
    """Viewer of chips."""
    return factories.person("carol", Role.VIEWER, brand=chips)


@pytest.fixture
def dave(acme):
    """Planner of another brand."""
    return factories.person("dave", Role.PLANNER, brand=factories.BrandFactory(slug="nuts"))


def test_the_page_tells_the_reading_with_its_evidence_and_what_planning_would_use(read, curves, browser):
    stored = read(0.6)
    answer = browser.get(page_of(stored))
    told = text_of(answer)
    for words in ("Search heavy-up", "model-based counterfactual", "0.60 0.40 to 0.80", "95% interval below 1.0",
                  "Synthetic DiD", "Minnesota", "Extra spend $700", "Viewability", "Invalid traffic",
                  "What planning will use", "After the test", "Use in planning"):  # fmt: skip
        assert words in told
    page = answer.content.decode()
    assert page.count("data-chart=") == 3
    assert 'class="tile"' in page
    assert "style=" not in page


def test_the_card_tells_the_factor_with_its_interval_and_no_two_numbers_that_read_as_one(alice, read, curves, browser):
    """The factor in force stands apart from the one after; the return after is the attributed one times it."""
    stored = read(0.6)
    shown = services.preview_planning(as_user=alice, reading=stored)
    factor = shown.transfers[0].after
    told = text_of(browser.get(page_of(stored)))
    assert "Factor in force 1.00 Factor after" in told
    assert f"Factor after {factor.value:.2f} ({factor.low:.2f} to {factor.high:.2f})" in told
    assert shown.after.value == pytest.approx(shown.attributed * factor.value)
    assert "Intervals of 90%" in told


def test_an_earlier_reading_stays_to_be_seen(read, curves, browser):
    first = read(0.6)
    read(0.9, experiment=first.experiment)
    assert "0.90" in text_of(browser.get(page_of(first)))
    assert "0.60 0.40 to 0.80" in text_of(browser.get(f"{page_of(first)}?reading={first.pk}"))
    assert browser.get(f"{page_of(first)}?reading=nonsense").status_code == 404


def test_without_a_return_the_page_says_what_is_missing(read, curves, browser):
    told = text_of(browser.get(page_of(read(None, cost=None))))
    assert "no extra spend is known" in told
    assert "It has no incremental return" in told


def test_files_come_by_page_rest_and_command_alike(read, curves, browser, api, tmp_path):
    stored = read(0.6)
    for kind, start in (("csv", b"\xef\xbb\xbfSection"), ("pdf", b"%PDF-")):
        by_page = browser.get(page_of(stored, f"report.{kind}"))
        assert by_page.content.startswith(start)
        assert f'filename="EX-0001-reading-1.{kind}"' in by_page["Content-Disposition"]
        by_rest = api.get(f"/api/v1{page_of(stored, f'report.{kind}')}")
        target = tmp_path / f"out.{kind}"
        call_command("experiment_report", "EX-0001", "--tenant", "acme", "--output", str(target))
        assert by_page.content == by_rest.content == target.read_bytes()
    out = StringIO()
    call_command("experiment_report", "EX-0001", "--tenant", "acme", stdout=out)
    assert "iROAS: 0.60 0.40 to 0.80" in out.getvalue()
    with pytest.raises(CommandError, match="written as 'xml'"):
        call_command("experiment_report", "EX-0001", "--tenant", "acme", "--output", str(tmp_path / "out.xml"))


def test_others_see_neither_page_nor_file(read, curves, dave, carol):
    stored = read(0.6)
    for what in ("reading/", "planning/", "report.csv", "report.pdf"):
        assert browser_of(dave).get(page_of(stored, what)).status_code == 404
        if what != "reading/":
            assert api_of(dave).get(f"/api/v1{page_of(stored, what)}").status_code == 404
    assert browser_of(carol).get(page_of(stored)).status_code == 200


def test_using_it_in_planning_asks_first_and_then_says_what_changed(read, curves, browser):
    stored = read(0.35)
    asked = browser.get(page_of(stored, "planning/"))
    assert "in planning?" in text_of(asked)
    assert not Calibration.objects.exists()
    answer = browser.post(page_of(stored, "planning/"), follow=True)
    made = Calibration.objects.get()
    told = text_of(answer)
    assert "is used in planning from now on" in told
    for words in (f"version {made.factor_set.version}", f"version {made.curve_version.number}", "What changed",
                  "Amazon · onsite search top", "Walmart · onsite search top", "taken over"):  # fmt: skip
        assert words in told
    again = text_of(browser.get(page_of(stored)))
    assert "in use" in again
    assert "What changed" in again
    browser.post(page_of(stored, "planning/"))
    assert Calibration.objects.count() == FactorSet.objects.count() == 1


def test_the_first_steps_lead_to_the_reading_until_planning_uses_it(read, curves, browser):
    stored = read(0.35)
    steps = browser.get("/")
    assert "Read an experiment, use it in planning" in text_of(steps)
    browser.post(page_of(stored, "planning/"))
    assert f"factors v{FactorSet.objects.get().version}" in text_of(browser.get("/"))


def test_a_viewer_sees_what_would_change_and_changes_nothing(read, curves, carol):
    stored = read(0.35)
    shown = browser_of(carol).get(page_of(stored, "planning/"))
    assert "Budget that moves" in text_of(shown)
    assert b'method="post" data-confirm' not in shown.content
    assert browser_of(carol).post(page_of(stored, "planning/")).status_code == 403
    assert not Calibration.objects.exists()


def test_what_cannot_be_used_says_why_on_the_page(read, curves, browser):
    stored = read(0.6, retailer=None)
    for answer in (browser.get(page_of(stored, "planning/")), browser.post(page_of(stored, "planning/"))):
        assert answer.status_code == 409
        assert "all retailers together" in text_of(answer)


def test_rest_and_command_use_it_too(read, curves, api, alice):
    stored = read(0.35)
    address = f"/api/v1{page_of(stored, 'planning/')}"
    preview = api.get(address).json()
    assert preview["test"]["value"] == pytest.approx(0.35)
    out = StringIO()
    arguments = ("use_in_planning", "EX-0001", "--tenant", "acme", "--as", alice.email)
    call_command(*arguments, "--preview", stdout=out)
    assert "Nothing was changed." in out.getvalue()
    assert not Calibration.objects.exists()
    made = api.post(address)
    assert made.status_code == 201
    assert made.json()["factor_set"] == FactorSet.objects.get().version
    call_command(*arguments, stdout=out)
    assert Calibration.objects.count() == 1
    assert "count from now on" in out.getvalue()


def run(name, user, **given):
    tool = tool_named(name)
    return json.loads(tool.run(tool.input_model(**given), user=user).model_dump_json())


def test_the_planner_lists_and_reads(read, curves, alice, dave):
    stored = read(0.6)
    told = run("list_experiments", alice, status=["complete"], scope="rmn=amazon/placement=onsite_search_top")
    assert [one["label"] for one in told["experiments"]] == ["EX-0001"]
    assert told["experiments"][0]["iroas"] == {"value": 0.6, "low": pytest.approx(0.4), "high": pytest.approx(0.8)}
    assert run("list_experiments", alice, status=["running"])["count"] == 0
    answer = run("analyze_experiment", alice, experiment_id="EX-0001")
    assert (answer["status"], answer["evidence"]) == ("read", "model-based counterfactual")
    assert answer["page"] == page_of(stored)
    other = run("analyze_experiment", alice, experiment_id="EX-0001", method="did")
    assert (other["method"], other["lift"]["value"], other["iroas"]) == ("did", 0.077, None)
    with pytest.raises(Conflict, match="not read by cuped"):
        run("analyze_experiment", alice, experiment_id="EX-0001", method="cuped")
    with pytest.raises(NotFound):
        run("analyze_experiment", dave, experiment_id="EX-0001")


def test_the_planner_gets_no_figure_before_the_end(running, alice):
    one = running()
    told = run("analyze_experiment", alice, experiment_id=one.label)
    assert told["status"] == "not_yet_readable"
    assert told["lift"] is None
    assert any("It runs until 28 Sep 2026" in reason for reason in told["reasons"])
    assert run("list_experiments", alice)["experiments"][0]["lift"] is None


def test_the_planner_starts_only_the_registered_plan(designed, alice, today):
    from measurement import services
    from tests.measurement.conftest import START, fresh

    one = designed()
    given = {"experiment_id": one.label, "idempotency_key": "k" * 16}
    with pytest.raises(Conflict, match="no registered plan"):
        run("start_experiment", alice, fingerprint="0" * 64, **given)
    held = services.register_experiment(actor=alice, experiment=fresh(one))
    today(START)
    with pytest.raises(Conflict, match="another one"):
        run("start_experiment", alice, fingerprint="0" * 64, **given)
    for _ in range(2):
        assert run("start_experiment", alice, fingerprint=held.plan_sha256, **given)["state"] == "running"
    assert tool_named("start_experiment").destructive


def test_the_planner_drafts_a_geo_test_and_says_what_is_missing(market, alice):
    told = run("design_experiment", alice, kind="geo_heavy_up", scope="rmn=amazon/brand=chips", kpi="sales", weeks=4,
               blackouts=[{"start": "2026-11-20", "end": "2026-12-02"}])  # fmt: skip
    assert told["job"] is None
    assert "sends them as a file" in told["next_move"]
    assert "2026-11-20 to 2026-12-02" in told["next_move"]
