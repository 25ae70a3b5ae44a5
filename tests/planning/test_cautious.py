"""A least incremental ROAS that is to hold by cautious factors, through every door."""

from __future__ import annotations

from decimal import Decimal

import pytest

from harmonization.models import Retailer
from jobs.core.tools import tool_named
from measurement.core.calibration import LEVEL, CellTest, calibrate
from metrics.services import NewFactor, publish_factors
from optimization import selectors as optimization
from optimization.core.factors import Factor
from optimization.core.instance import parse_problem
from planning import services
from planning.core.cautious import untested
from planning.models import Scenario
from tenants.core.problems import InvalidInput
from tests.planning.conftest import ASKED
from tests.planning.test_pages import TYPED

ASKS = {"min_iroas": "1.2", "total_budget": "50000"}


@pytest.fixture
def factor(fitted, chips, alice):
    """Half of what is attributed is caused, between a third and three quarters."""
    found = NewFactor(
        low=Decimal("0.33"), value=Decimal("0.5"), high=Decimal("0.75"), level=Decimal("0.9"), evidence="experiment",
        method="geo",
    )  # fmt: skip
    publish_factors(actor=alice, source="GT-7", factors=[found], brand=chips)
    return optimization.incrementality_factors(chips)["", ""]


def sold_and_spent(scenario: Scenario) -> tuple[float, float]:
    assert scenario.status == Scenario.Status.SOLVED, scenario.relaxations
    lines = scenario.solve.solution["lines"]
    return sum(one["revenue_proposed"] for one in lines), sum(one["proposed"] for one in lines)


def test_the_limit_holds_by_the_lower_factor_and_sales_stay_what_is_expected(factor, solved):
    # Ends in proportion: a lognormal, of which one in five lies below the middle less 0.84 standard deviations.
    assert factor.cautious == pytest.approx(0.5 * (0.33 / 0.5) ** (0.8416 / 1.6449), rel=0.002)
    plain, cautious = solved(**ASKS), solved(**ASKS, min_iroas_by="cautious", name="careful")
    for scenario, counts in ((plain, factor.mean), (cautious, factor.cautious)):
        sold, spent = sold_and_spent(scenario)
        assert counts * sold / spent == pytest.approx(1.2, rel=1e-4)
    assert sold_and_spent(cautious)[1] < 0.9 * sold_and_spent(plain)[1]
    cells = cautious.solve.problem["cells"]
    assert {(one["incrementality"], one["incrementality_low"]) for one in cells} == {(factor.mean, factor.cautious)}
    assert set(parse_problem(cautious.solve.problem).sure_incrementality) == {factor.cautious}
    assert all("incrementality_low" not in one for one in plain.solve.problem["cells"])


def test_incremental_sales_are_still_counted_by_what_is_expected(factor, solved):
    scenario = solved(**ASKS, objective="incremental_sales", min_iroas_by="cautious")
    sold, spent = sold_and_spent(scenario)
    assert factor.cautious * sold / spent == pytest.approx(1.2, rel=1e-4)
    assert scenario.solve.solution["earned"] == pytest.approx(factor.mean * sold, rel=1e-6)


def test_what_nothing_measured_counts_with_the_least_that_is_thought_of_any(solved, browser, alice):
    least = untested()
    assert f"{least:.2f}" == "0.24"  # as the documentation says
    scenario = solved(min_iroas="0.5", min_iroas_by="cautious", total_budget="50000")
    sold, spent = sold_and_spent(scenario)
    assert least * sold / spent == pytest.approx(0.5, rel=1e-4)
    assert set(parse_problem(scenario.solve.problem).sure_incrementality) == {least}
    shown = browser.get(f"/scenarios/{scenario.pk}/").content.decode()
    assert f"lines not measured count at {least:.2f}" in shown
    assert f"counts 5 of 5 lines at {least:.2f}, for nothing measured them: they get" in shown


def test_caution_moves_money_to_what_was_measured(fitted, solved, alice, chips, browser):
    found = NewFactor(
        low=Decimal("0.6"), value=Decimal("0.7"), high=Decimal("0.8"), level=Decimal("0.9"), evidence="experiment",
        method="geo", retailer=Retailer.objects.get(name="Amazon").pk,
    )  # fmt: skip
    publish_factors(actor=alice, source="GT-7", factors=[found], brand=chips)
    asks = {"min_iroas": "0.8", "total_budget": "50000"}
    plain, cautious = solved(**asks), solved(**asks, min_iroas_by="cautious", name="careful")

    def untested_part(scenario: Scenario) -> float:
        lines = scenario.solve.solution["lines"]
        money = sum(one["proposed"] for one in lines if not one["cell"].startswith("Amazon|"))
        return money / sum(one["proposed"] for one in lines)

    assert untested_part(cautious) < untested_part(plain)
    shown = browser.get(f"/scenarios/{cautious.pk}/").content.decode()
    assert "counts 2 of 5 lines at" in shown
    checked = services.check_scenario(actor=alice, given=ASKED | asks | {"min_iroas_by": "cautious"}, brand=chips)
    assert checked.incrementality.endswith(f"counts what is not measured at {untested():.2f}")


def test_caution_without_a_limit_is_refused(draft):
    with pytest.raises(InvalidInput) as refused:
        draft(min_iroas_by="cautious")
    assert refused.value.where == "min_iroas_by"


def test_the_cautious_value_is_that_of_the_calibration():
    test = CellTest(id="EX-1", retailer="Amazon", placement="search", iroas=1.2, se=0.2, attributed=3.0)
    (found,) = calibrate([test.cell], [test]).factors
    published = {"low": found.low, "high": found.high, "level": LEVEL, "source": "experiment"}
    assert Factor(mean=found.value, **published).cautious == pytest.approx(found.cautious, rel=0.005)


@pytest.mark.parametrize(
    ("iroas", "se"), [(1.5, 0.4), (0.1, 0.5), (-1.0, 0.5), (3.0, 0.1)], ids=["clear", "weak", "negative", "precise"]
)
def test_one_in_five_of_what_may_be_true_is_below_the_cautious_value(iroas, se):
    """Where a factor is skewed too: of the tested cell, and of one that has its factor from there."""
    test = CellTest(id="EX-1", retailer="Amazon", placement="search", iroas=iroas, se=se, attributed=3.0)
    found = calibrate([test.cell, ("Walmart", "display")], [test], draws=20_000)
    for cell, one in enumerate(found.factors):
        ends = {"low": one.low, "high": one.high, "level": LEVEL, "source": "experiment"}
        cautious = Factor(mean=one.value, **ends).cautious
        # Two ends do not tell how heavy the tails are, which those of a cell without a test of its own are.
        least = 0.19 if one.source == "experiment" else 0.165
        assert least < (found.draws[:, cell] < cautious).mean() < 0.21


@pytest.mark.parametrize(
    ("low", "mean", "high", "level", "cautious"),
    [
        (0.4, 0.6, 0.8, 0.8, 0.6 - 0.2 * 0.8416 / 1.2816),  # a person's: as far down as up
        (-0.4, 0.6, 1.6, 0.8, 0.0),  # nothing is sure, and nothing is less than that
        (0.4, 0.4, 0.8, 0.9, 0.4),
        (0.4, 0.4, 0.4, 0.9, 0.4),
        (-0.4, -0.1, 0.2, 0.9, 0.0),
    ],
)
def test_the_cautious_value_of_any_interval(low, mean, high, level, cautious):
    found = Factor(mean=mean, low=low, high=high, level=level, source="person")
    assert found.cautious == pytest.approx(cautious, abs=1e-4)


def test_page_rest_and_planner_take_it(factor, browser, api, alice, chips):
    page = browser.post(
        "/scenarios/new/?brand=chips", TYPED | {"min_iroas": "1.2", "min_iroas_by": "cautious", "act": "save"}
    )
    assert page.status_code == 302, page.content
    one = Scenario.objects.get()
    assert one.min_iroas_by == "cautious"
    form = browser.get(f"/scenarios/{one.pk}/edit/").content.decode()
    assert '<option value="cautious" selected>' in form
    answer = services.answer_scenario(scenario=one, actor=alice)
    assert "by cautious factors" in browser.get(f"/scenarios/{answer.pk}/").content.decode()
    made = api.post(
        "/api/v1/scenarios/", ASKED | {"brand": str(chips.pk), "min_iroas": "1.2", "min_iroas_by": "cautious"},
        content_type="application/json",
    )  # fmt: skip
    assert made.json()["min_iroas_by"] == "cautious", made.content
    wrong = api.post("/api/v1/scenarios/", ASKED | {"brand": str(chips.pk), "min_iroas_by": "bold"},
                     content_type="application/json")  # fmt: skip
    assert wrong.status_code == 400
    tool = tool_named("create_scenario")
    assert "min_iroas_by" in tool.input_model.model_json_schema()["properties"]
