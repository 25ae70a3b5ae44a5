"""What to test next on the list of experiments, on its page and for the planner."""

from __future__ import annotations

import html
import json
import re
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest

from accounts.core.permissions import Role
from jobs.core.tools import tool_named
from measurement import services
from measurement.models import Experiment
from measurement.services import next_tests
from measurement.services.calibration import budget_lines
from optimization.models import CurveVersion
from tenants.core.problems import InvalidInput, NotAllowed, NotFound
from tests import factories
from tests.conftest import browser_of
from tests.measurement.test_next_tests import scenario_of
from tests.measurement.test_use_in_planning import curves, market, read  # noqa: F401  fixtures

PAGE = "/experiments/next/"
CARD = {"HX-Request": "true"}


def told(answer) -> str:
    """What a page says, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def design_link(answer) -> str:
    (found,) = re.findall(r'<a class="btn btn-primary" href="([^"]+)">', answer.content.decode())
    return html.unescape(found)


def run(user, **given):
    tool = tool_named("suggest_next_test")
    assert tool.read_only
    return json.loads(tool.run(tool.input_model(**given), user=user).model_dump_json())


class TestCard:
    def test_the_list_asks_for_it_of_the_brand_chosen(self, browser, chips, market):  # noqa: F811
        page = browser.get("/experiments/?brand=chips").content.decode()
        assert 'hx-get="/experiments/next/?brand=chips" hx-trigger="load"' in page
        assert 'hx-get="/experiments/next/" ' in browser.get("/experiments/").content.decode()
        assert "next-test" not in browser.get("/experiments/?brand=unknown").content.decode()

    def test_it_says_cell_worth_cost_and_why(self, browser, alice, chips, curves):  # noqa: F811
        best = services.suggest_next_test(as_user=alice, brand=chips).best
        answer = browser.get(PAGE, {"brand": "chips"}, headers=CARD)
        text = told(answer)
        assert b"<html" not in answer.content
        for words in (
            f"Test {best.candidate.retailer} onsite search top: 50% more", f"${best.value:,.0f}",
            f"${best.candidate.cost:,.0f}", "from the reserve that a scenario holds back",
            f"believed to cause {best.factor:.2f} of the sales", "Next best:",
        ):  # fmt: skip
            assert words in text, words
        assert best.per_cost < 1, "else the warning is to be away"
        assert "No test within reach is worth its cost" in text

    def test_with_no_brand_chosen_it_takes_the_one_with_curves(self, browser, chips, curves):  # noqa: F811
        factories.BrandFactory(slug="almonds", name="Almonds")
        assert "What to test next " + chips.name in told(browser.get(PAGE, headers=CARD))

    def test_its_queries_do_not_grow_with_the_cells(
        self, browser, chips, curves, django_assert_num_queries, django_assert_max_num_queries  # noqa: F811
    ):  # fmt: skip
        browser.get(PAGE, {"brand": "chips"}, headers=CARD)
        with django_assert_max_num_queries(26) as few:
            browser.get(PAGE, {"brand": "chips"}, headers=CARD)
        version = CurveVersion.objects.get()
        for number in range(6):
            version.curves.append({**version.curves[0], "placement": f"offsite_{number}"})
        version.pk, version.number = None, 2
        version.save(force_insert=True)
        with django_assert_num_queries(len(few)):
            answer = browser.get(PAGE, {"brand": "chips"}, headers=CARD)
        assert len(answer.context["next"]["rows"]) == 9

    def test_its_button_opens_the_form_filled(self, browser, chips, curves):  # noqa: F811
        address = design_link(browser.get(PAGE, {"brand": "chips"}, headers=CARD))
        asked = dict(parse_qsl(urlsplit(address).query))
        form = browser.get(address)
        filled = dict(form.context["form"].initial)
        assert form.context["brand"] == chips
        assert (filled["kind"], filled["action"], filled["placement"]) == ("geo", "heavy_up", "onsite_search_top")
        assert f'<option value="{asked["retailer"]}" selected>' in form.content.decode()
        assert (
            browser.post(address, {**filled, "start_date": "2026-12-01", "end_date": "2026-12-28"}).status_code == 302
        )
        one = Experiment.objects.get()
        assert (one.brand, one.retailer.slug, one.placement) == (chips, asked["retailer"], "onsite_search_top")
        assert one.settings == {"design": "stratified", "durations": [28], "spend_change": 0.5, "treated_share": 0.5}


class TestEmpty:
    def test_no_curves(self, browser, chips, market):  # noqa: F811
        answer = browser.get(PAGE, {"brand": "chips"}, headers=CARD)
        assert answer.status_code == 200
        assert "No curves yet Without response curves nothing says" in told(answer)
        assert design_link(answer) == "/curves/"
        victor = factories.person("victor", Role.VIEWER, brand=chips)
        assert b"/curves/" not in browser_of(victor).get(PAGE, {"brand": "chips"}, headers=CARD).content

    def test_nothing_would_move_money(self, browser, chips, curves, monkeypatch):  # noqa: F811
        """Lines that may not change: no reading moves them."""
        monkeypatch.setattr(next_tests, "budget_lines", lambda *given: budget_lines(*given, 0.0))
        text = told(browser.get(PAGE, {"brand": "chips"}))
        assert "Nothing to learn that would move money" in text
        assert "Design this test" not in text

    def test_a_reserve_too_small_or_nonsense(self, browser, chips, curves):  # noqa: F811
        text = told(browser.get(PAGE, {"brand": "chips", "reserve": "1"}))
        assert "Nothing fits the reserve The cheapest test that is worth anything costs $262." in text
        assert "too dear" in text
        assert "stays" in told(browser.get(PAGE, {"brand": "chips", "reserve": "$1,000"}))
        longer = browser.get(PAGE, {"brand": "chips", "weeks": "52"})
        assert "over 52 weeks of plans" in told(longer)
        assert 'name="weeks" value="52"' in longer.content.decode()
        for weeks, words in (("1", "over 1 week"), ("007", "over 7 weeks")):
            short = told(browser.get(PAGE, {"brand": "chips", "weeks": weeks}))
            assert (f"bring {words} " in short, f"{weeks} weeks" in short) == (True, False)
        for wrong in ("0", "many", "1e3", "999"):
            answer = browser.get(PAGE, {"brand": "chips", "weeks": wrong})
            assert (answer.status_code, "No cell to test yet" in told(answer)) == (400, False)
        for wrong in ("much", "-5", "NaN"):
            answer = browser.get(PAGE, {"brand": "chips", "reserve": wrong})
            assert answer.status_code == 400
            assert "Give " in told(answer)


def test_the_reserve_of_a_scenario_is_chosen_on_the_page(browser, alice, chips, curves):  # noqa: F811
    held = scenario_of(alice, chips, reserve_fraction="0.25")
    scenario_of(alice, chips, reserve_fraction="0")
    page = browser.get(PAGE, {"brand": "chips", "scenario": held.label})
    assert f'<option value="{held.label}" selected>' in page.content.decode()
    assert "SC-0002" not in page.content.decode(), "which holds nothing back"
    assert f"from the reserve of {held.label}, of which $" in told(page)
    missing = browser.get(PAGE, {"brand": "chips", "scenario": "SC-0077"})
    assert (missing.status_code, "There is no scenario" in told(missing)) == (404, True)
    assert held.label in missing.content.decode(), "to choose from"
    victor = factories.person("victor", Role.VIEWER, brand=factories.BrandFactory(slug="nuts"))
    assert browser_of(victor).get(PAGE, {"brand": "nuts", "scenario": held.label}).status_code == 404
    assert run(alice, brand="chips", scenario=held.label)["best"]["affordable"]


class TestRights:
    def test_who_has_none_on_the_brand_sees_nothing(self, chips, curves):  # noqa: F811
        nuts = factories.BrandFactory(slug="nuts", name="Nuts")
        bob = factories.person("bob", Role.PLANNER, brand=nuts)
        assert browser_of(bob).get(PAGE, {"brand": "chips"}, headers=CARD).status_code == 404
        text = told(browser_of(bob).get(PAGE, headers=CARD))
        assert "What to test next Nuts No curves yet" in text
        assert "Amazon" not in text
        with pytest.raises(NotFound):
            run(bob, brand="chips")
        with pytest.raises((NotAllowed, NotFound)):
            run(bob)
        carol = factories.person("carol", Role.RETAILER_ADOPS)
        assert browser_of(carol).get(PAGE, headers=CARD).status_code == 403

    def test_a_viewer_sees_it_and_designs_nothing(self, chips, curves):  # noqa: F811
        victor = factories.person("victor", Role.VIEWER, brand=chips)
        text = told(browser_of(victor).get(PAGE, {"brand": "chips"}))
        assert "Value of its answer" in text
        assert "Design" not in text


def test_the_planner_is_told_the_same(alice, chips, curves):  # noqa: F811
    found = services.suggest_next_test(as_user=alice, brand=chips, reserve=Decimal(300))
    answer = run(alice, brand="chips", reserve=300, limit=2)
    assert answer["best"] == answer["candidates"][0]
    assert answer["best"]["value"] == pytest.approx(found.best.value)
    assert answer["best"]["scope"] == "rmn=walmart/placement=onsite_search_top/brand=chips"
    assert (len(answer["candidates"]), answer["count"], answer["currency"]) == (2, len(found.ranked), "USD")
    assert answer["words"].startswith("Walmart, onsite search top. No test within reach is worth its cost")
    design = tool_named("design_experiment")
    design.input_model(kind=answer["best"]["kind"], scope=answer["best"]["scope"], kpi="sales", weeks=4)
    none = run(alice, brand="chips", reserve=1)
    assert none["best"] is None
    assert "The cheapest test" in none["words"]
    with pytest.raises(InvalidInput, match="Without response curves"):
        run(alice)
