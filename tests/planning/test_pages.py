"""The pages of scenarios, as a person meets them."""

from __future__ import annotations

import io
import json
import re
from decimal import Decimal

import openpyxl
import pytest

from jobs.draining import run_queued_jobs
from jobs.services import cancel_job
from planning import services
from planning.answers import result_of
from planning.models import Scenario
from tests.conftest import browser_of
from tests.planning.conftest import ASKED
from tests.planning.test_scenarios import BOTH, RETAILER

TYPED = {
    "name": "Typed", "horizon_start": "2026-11-09", "horizon_end": "2026-12-06", "total_budget": "4,200.00",
    "min_roas": "", "reserve_percent": "5", "stock_cover_threshold_days": "3", "max_change_percent": "",
}  # fmt: skip


def page(client, scenario: Scenario, query: str = "") -> str:
    answer = client.get(f"/scenarios/{scenario.pk}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def row(number: int, path: str, low: str = "", high: str = "") -> dict[str, str]:
    return {f"bound-{number}-path": path, f"bound-{number}-low": low, f"bound-{number}-high": high}


# List ----------------------------------------------------------------------------------------------------------------


def test_an_empty_list_says_what_will_be_here(browser):
    assert "No scenarios yet" in browser.get("/scenarios/").content.decode()


def test_the_list_and_its_filters(browser, draft, solved):
    draft(name="Only asked")
    solved(name="Answered")
    text = browser.get("/scenarios/").content.decode()
    assert "Only asked" in text
    assert "SC-0002" in text
    assert "Answered" not in browser.get("/scenarios/?status=draft").content.decode()
    assert "No such scenarios" in browser.get("/scenarios/?brand=nuts").content.decode()


def test_the_list_costs_the_same_however_long(browser, draft, django_assert_num_queries):
    draft()
    browser.get("/scenarios/")
    with django_assert_num_queries(QUERIES_OF_LIST):
        browser.get("/scenarios/")
    for number in range(6):
        draft(name=f"Number {number}")
    with django_assert_num_queries(QUERIES_OF_LIST):
        browser.get("/scenarios/")


QUERIES_OF_LIST = 26


def test_a_list_is_of_ones_own_brands(draft, dave):
    draft(name="Chips only")
    assert "Chips only" not in browser_of(dave).get("/scenarios/").content.decode()


# Builder -------------------------------------------------------------------------------------------------------------


def test_the_builder_starts_from_the_current_spend(browser, fitted):
    text = browser.get("/scenarios/new/?brand=chips").content.decode()
    now = re.search(r'name="total_budget" value="([\d.]+)"', text)
    assert now is not None
    assert Decimal(now[1]) > 1000
    assert '<option value="onsite search &gt; Walmart">2 lines</option>' in text


def test_what_is_typed_is_kept(browser, fitted):
    data = TYPED | row(0, "onsite search > Amazon", "1000") | row(1, "") | row(2, "onsite display", "", "900")
    answer = browser.post("/scenarios/new/?brand=chips", data | {"act": "save"})
    scenario = Scenario.objects.get()
    assert answer.url == f"/scenarios/{scenario.pk}/"
    assert (scenario.total_budget, scenario.reserve_fraction) == (Decimal("4200.00"), Decimal("0.0500"))
    assert [bound["path"] for bound in scenario.bounds] == [RETAILER, ["onsite display"]]


def test_mistakes_stand_beside_their_fields(browser, fitted):
    data = TYPED | {"total_budget": "NaN", "reserve_percent": "70"} | row(0, "onsite search > Target", "5")
    answer = browser.post("/scenarios/new/?brand=chips", data | {"act": "save"})
    text = answer.content.decode()
    assert answer.status_code == 400
    assert "&#x27;NaN&#x27; is not a number." in text
    assert "No line lies under onsite search &gt; Target." in text
    assert 'value="onsite search &gt; Target"' in text, "nothing typed is lost"
    assert not Scenario.objects.exists()


def test_more_rows_and_check_work_without_scripts(browser, fitted):
    data = TYPED | row(0, "onsite search > Amazon", "3000") | row(1, "onsite search > Walmart", "2000")
    more = browser.post("/scenarios/new/?brand=chips", data | {"act": "more"}).content.decode()
    assert "bound-4-path" in more
    assert 'value="3000"' in more
    checked = browser.post("/scenarios/new/?brand=chips", data | {"act": "check"}).content.decode()
    assert "cannot be met together" in checked
    assert not Scenario.objects.exists()


def test_the_live_check_is_a_fragment(browser, fitted):
    data = TYPED | row(0, "onsite search > Amazon", "1000")
    text = browser.post("/scenarios/check/?brand=chips", data).content.decode()
    assert "The bounds can be met." in text
    assert "<html" not in text
    assert "Not complete yet" in browser.post("/scenarios/check/?brand=chips", data | {"name": ""}).content.decode()


def test_editing_shows_what_is_asked(browser, draft):
    scenario = draft(bounds=[{"path": RETAILER, "max_spend": "500.50"}], max_change_fraction="0.25")
    text = browser.get(f"/scenarios/{scenario.pk}/edit/").content.decode()
    assert 'value="onsite search &gt; Amazon"' in text
    assert 'value="500.5"' in text
    assert 'name="max_change_percent" value="25"' in text
    browser.post(f"/scenarios/{scenario.pk}/edit/", TYPED | {"act": "save"})
    scenario.refresh_from_db()
    assert (scenario.name, scenario.bounds) == ("Typed", [])


# States --------------------------------------------------------------------------------------------------------------


def test_a_draft_offers_to_be_solved(browser, draft):
    scenario = draft()
    text = page(browser, scenario)
    assert f"/scenarios/{scenario.pk}/solve/" in text
    assert "Total budget of $4,200" in text


def test_from_the_form_to_the_answer(browser, fitted):
    answer = browser.post("/scenarios/new/?brand=chips", TYPED | {"act": "solve"}, follow=True)
    assert "Being solved" in answer.content.decode()
    assert 'hx-trigger="every 1s"' in answer.content.decode()
    run_queued_jobs()
    scenario = Scenario.objects.get()
    text = page(browser, scenario)
    assert "certified" in text
    assert "hx-trigger" not in text
    fragment = browser.get(f"/scenarios/{scenario.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert fragment.startswith('<div id="scenario"')


def test_the_result_shows_proof_pictures_and_reasons(browser, solved):
    text = page(browser, solved(reserve_fraction="0.05"))
    assert "Chance it beats now" in page(browser, solved(total_budget="4285.68"))
    for words in ("Primal", "dual", "Chance it beats today's mix", "Experiment reserve", "Limited by the budget"):
        assert words in text
    for name in ("allocation", "curve", "flows"):
        spec = re.search(rf'<script id="{name}-spec" type="application/json">(.+?)</script>', text)
        assert spec is not None
        assert json.loads(spec[1])["alt"]
    assert "Chips Sea Salt" in text, "people know products by name"
    assert "style=" not in text
    assert "<script>" not in text


def test_the_sum_shown_is_the_sum_of_the_lines(browser, solved):
    scenario = solved(total_budget="4200.01", reserve_fraction="0.0333")
    result = result_of(scenario)
    assert sum(line.proposed for line in result.lines) == result.proposed == Decimal("4200.01")
    table = page(browser, scenario).partition('id="lines"')[2]
    body, _, foot = table.partition("<tfoot>")
    cells = re.findall(r'<td class="num w6">\$([\d,.]+)</td>', body)
    assert len(cells) == len(result.lines)
    assert sum(Decimal(cell.replace(",", "")) for cell in cells) == Decimal("4200.01")
    assert "$4,200.01" in foot


def test_a_line_can_be_chosen_and_the_lines_sorted(browser, solved):
    scenario = solved()
    chosen = page(browser, scenario, "?line=Amazon|onsite_display|SEA-SALT")
    assert '<option value="Amazon|onsite_display|SEA-SALT" selected>' in chosen
    names = re.findall(r'<span class="dot n\d"></span> ([^<]+)<', page(browser, scenario, "?sort=line"))
    assert names == sorted(names, key=str.lower)
    assert page(browser, scenario, "?line=nothing&sort=nothing")


def test_out_of_stock_is_told_on_its_line(browser, fitted, solved):
    fitted.empty_shelf("W001")
    text = page(browser, solved())
    assert "Out of stock: nothing to sell, so no spend." in text
    assert "freed from empty shelves" in text


def test_the_infeasible_page_offers_each_way_out(browser, solved):
    scenario = solved(bounds=[*BOTH, {"path": ["onsite display"], "max_spend": "900"}])
    text = page(browser, scenario)
    assert "they miss each other by $800" in text
    assert text.count("Relax this") == 3
    assert text.count(">in conflict<") == 3
    assert "over-spec" in text
    answer = browser.post(f"/scenarios/{scenario.pk}/relax/", {"choice": "1"})
    assert Scenario.objects.count() == 2
    assert str(scenario.pk) not in answer.url


def test_a_refused_act_is_told_and_changes_nothing(browser, draft):
    scenario = draft()
    answer = browser.post(f"/scenarios/{scenario.pk}/relax/", {"choice": "x"}, follow=True)
    assert "there is no conflict to relax" in answer.content.decode()
    assert Scenario.objects.count() == 1


def test_a_failed_scenario_says_what_to_do(browser, acme, alice):
    scenario = services.create_scenario(actor=alice, given=ASKED)
    services.solve_scenario(actor=alice, scenario=scenario)
    run_queued_jobs()
    text = page(browser, scenario)
    assert "No report has been published yet." in text
    assert "Upload reports, then fit again." in text
    assert f"/scenarios/{scenario.pk}/solve/" in text


def test_a_cancelled_solve_leaves_a_way_on(browser, draft, alice):
    scenario = draft()
    job = services.solve_scenario(actor=alice, scenario=scenario)
    cancel_job(job_id=job.pk, actor=alice)
    text = page(browser, scenario)
    assert "It was not solved." in text
    assert f"/scenarios/{scenario.pk}/solve/" in text


# Files and people ----------------------------------------------------------------------------------------------------


def test_files_hold_every_line_and_run_nothing(browser, fitted, solved):
    product = fitted.listing("B001").product
    product.name = "=HYPERLINK(1)"
    product.save()
    scenario = solved(total_budget="4200.01")
    file = browser.get(f"/scenarios/{scenario.pk}/export/?export=csv")
    text = file.content.decode("utf-8-sig")
    assert file["Content-Disposition"] == 'attachment; filename="SC-0001.csv"'
    assert "'=HYPERLINK(1)" in text
    assert ",=HYPERLINK" not in text
    assert re.search(r"^total,.*4200\.01", text, re.MULTILINE)
    book = browser.get(f"/scenarios/{scenario.pk}/export/?export=xlsx").content
    sheet = openpyxl.load_workbook(io.BytesIO(book))["Lines"]
    assert {cell.data_type for column in sheet.iter_cols(7, 7, 2) for cell in column} <= {"s", "n"}
    assert sheet.max_row == len(result_of(scenario).lines) + 2


def test_a_draft_has_no_file(browser, draft):
    answer = browser.get(f"/scenarios/{draft().pk}/export/")
    assert answer.status_code == 409


def test_a_viewer_sees_and_changes_nothing(carol, draft):
    scenario = draft()
    client = browser_of(carol)
    assert "/solve/" not in page(client, scenario)
    assert client.get("/scenarios/new/?brand=chips").status_code == 404
    assert client.get(f"/scenarios/{scenario.pk}/edit/").status_code == 403
    client.post(f"/scenarios/{scenario.pk}/solve/")
    client.post(f"/scenarios/{scenario.pk}/delete/")
    scenario.refresh_from_db()
    assert scenario.status == "draft"


def test_another_brands_scenario_does_not_exist(dave, draft):
    scenario = draft()
    client = browser_of(dave)
    for address in ("", "edit/", "export/"):
        assert client.get(f"/scenarios/{scenario.pk}/{address}").status_code == 404
    for act in ("solve", "relax", "duplicate", "delete"):
        assert client.post(f"/scenarios/{scenario.pk}/{act}/").status_code == 404
    assert Scenario.objects.get().status == "draft"


@pytest.mark.parametrize(
    ("name", "value"),
    [("horizon_start", "0001-01-01"), ("horizon_start", "9999-12-31"), ("reserve_percent", "1e1000005"),
     ("max_change_percent", "1e2000000000"), ("total_budget", "1e2000000000")],
)  # fmt: skip
def test_the_builder_refuses_what_no_calendar_or_purse_holds(browser, fitted, name, value):
    data = TYPED | {name: value, "act": "check"}
    if name == "horizon_start":
        data["horizon_end"] = value
    answer = browser.post("/scenarios/new/?brand=chips", data)
    assert answer.status_code == 400
    assert len(answer.content) < 200_000
