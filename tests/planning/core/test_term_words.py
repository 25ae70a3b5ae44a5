"""What scenarios ask, in words that stand side by side."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from planning.core.aims import Margin, Ratio, Share
from planning.core.comparison import term_words
from planning.core.terms import Bound, ScenarioTerms


def test_every_term_is_told_and_those_not_asked_for_are_not():
    terms = ScenarioTerms(
        name="x", horizon_start=date(2026, 11, 9), horizon_end=date(2026, 12, 6), total_budget=Decimal("4200.50"),
        objective="incremental_sales", max_cpa=Decimal("12.5"),
        bounds=(Bound(("search", "Amazon"), None, Decimal(400)),),
        fixed=(("display",),), margins=(Margin(("search",), Decimal("0.4")),),
        shares=(Share(("search", "Amazon"), ("search",), Decimal("0.2"), None),),
        weekly_budgets=(Decimal(1000), Decimal("1100.00")),
    )  # fmt: skip
    told = term_words(terms, "USD")
    assert told == {
        "Horizon": "9 Nov 2026 to 6 Dec 2026, 28 days",
        "Total budget": "$4,200.50",
        "Experiment reserve": "0.00%",
        "Days of stock needed": "3",
        "search > Amazon, at most": "$400",
        "Objective": "incremental sales",
        "Mode": "fixed budget",
        "Most cost per order": "$12.50",
        "search, margin": "40.00%",
        "display, held as now": "yes",
        "search > Amazon of search, at least": "20.00%",
        "Weekly budgets": "$1,000, $1,100",
    }


def test_cautious_factors_are_told_with_the_return_that_they_judge():
    asked = ScenarioTerms(
        name="x", horizon_start=date(2026, 11, 9), horizon_end=date(2026, 12, 6), total_budget=Decimal(4200),
        min_iroas=Decimal("1.2"), min_iroas_by="cautious",
    )  # fmt: skip
    label = "Least incremental ROAS is judged by"
    assert term_words(asked, "USD")[label] == "cautious"
    assert label not in term_words(replace(asked, min_iroas=None), "USD")


def test_ratios_seasons_and_the_worst_cases_are_told():
    terms = ScenarioTerms(
        name="x", horizon_start=date(2026, 11, 9), horizon_end=date(2026, 11, 22), total_budget=Decimal(2100),
        weekly_budgets=(Decimal(1000), Decimal(1100)), season=(Decimal(1), Decimal("1.4000")),
        ratios=(Ratio(("search", "Amazon"), ("display",), None, Decimal("2.5000")),), tail_fraction=Decimal("0.1000"),
        min_iroas=Decimal("1.5"),
    )  # fmt: skip
    told = term_words(terms, "USD")
    assert told["search > Amazon against display, at most, times"] == "2.5"
    assert told["Seasons of the weeks"] == "1, 1.4"
    assert told["Worst cases that count"] == "10.00%"
    assert told["Least incremental ROAS is judged by"] == "expected"
