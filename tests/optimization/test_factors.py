"""Incrementality factors of cells: which one counts, and how a person sets one."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.core.permissions import Role
from metrics.core.incrementality import EVIDENCE
from metrics.models import FactorSet, IncrementalityFactor
from metrics.services import NewFactor, publish_factors
from optimization import selectors, services
from optimization.core.factors import SOURCES
from tenants.core.problems import InvalidInput, NotAllowed, NotFound
from tests import factories


@pytest.fixture
def amazon(acme):
    return factories.RetailerFactory(slug="amazon", name="Amazon")


def judge(alice, mean: float, **given):
    return services.set_factor(actor=alice, mean=mean, standard_error=0.05, reason="Two geo tests.", **given)


def test_every_kind_of_evidence_has_a_source():
    assert SOURCES.keys() == EVIDENCE.keys()


def test_the_most_specific_factor_counts(alice, amazon, chips):
    judge(alice, 0.9, brand=chips)
    judge(alice, 0.7, brand=chips, retailer="Amazon")
    judge(alice, 0.5, brand=chips, retailer="amazon", placement="onsite_search_top")
    known = selectors.incrementality_factors(chips)
    assert known.for_cell("Amazon", "onsite_search_top").mean == 0.5
    assert known.for_cell("Amazon", "onsite_display").mean == 0.7
    assert known.for_cell("Walmart", "onsite_display").mean == 0.9
    assert set(known) == {("", ""), ("Amazon", ""), ("Amazon", "onsite_search_top")}


def test_without_a_factor_there_is_none(acme, chips):
    known = selectors.incrementality_factors(chips)
    assert (known.for_cell("Amazon", "onsite_display"), len(known), known.sha256) == (None, 0, "")


def test_a_factor_of_one_brand_is_not_that_of_another(alice, amazon, chips):
    nuts = factories.BrandFactory(slug="nuts")
    judge(alice, 0.5, brand=chips)
    assert not selectors.incrementality_factors(nuts)
    assert not selectors.incrementality_factors(None)
    judge(alice, 0.8)
    assert selectors.incrementality_factors(nuts).for_cell("Amazon", "").mean == 0.8
    assert selectors.incrementality_factors(chips).for_cell("Amazon", "").mean == 0.5


def test_what_a_person_says_comes_back(alice, amazon, chips):
    made = judge(alice, 0.6, brand=chips)
    factor = selectors.incrementality_factors(chips)["", ""]
    assert (factor.mean, factor.source, factor.method, factor.version) == (
        0.6,
        "person",
        "Two geo tests.",
        made.version,
    )
    assert factor.sd == pytest.approx(0.05, abs=1e-5)
    assert made.published_by == alice


def test_an_experiment_counts_after_a_judgement_and_says_so(alice, amazon, chips):
    judge(alice, 0.6, brand=chips)
    found = NewFactor(
        low=Decimal("0.3"), value=Decimal("0.4"), high=Decimal("0.5"), evidence="experiment", method="geo"
    )
    publish_factors(actor=alice, source="GT-7", factors=[found], brand=chips)
    factor = selectors.incrementality_factors(chips)["", ""]
    assert (factor.mean, factor.source) == (0.4, "experiment")
    assert factor.sd == pytest.approx(0.1 / 1.28155, abs=1e-4)


def test_a_judgement_can_come_back(alice, amazon, chips):
    for mean in (0.6, 0.8, 0.6):
        judge(alice, mean, brand=chips)
    assert selectors.incrementality_factors(chips)["", ""].mean == 0.6
    judge(alice, 0.6, brand=chips)
    assert FactorSet.objects.count() == 3, "said twice is said once"


def test_a_factor_holds_for_its_days(alice, amazon, chips):
    today = timezone.now().date()
    judge(alice, 0.6, brand=chips, valid_from=today + timedelta(days=7))
    assert not selectors.incrementality_factors(chips)
    assert selectors.incrementality_factors(chips, on=today + timedelta(days=7))["", ""].mean == 0.6


def test_a_factor_of_one_campaign_type_is_not_that_of_a_cell(alice, amazon, chips):
    found = NewFactor(
        low=Decimal("0.3"), value=Decimal("0.4"), high=Decimal("0.5"), evidence="experiment", method="geo",
        campaign_type="sponsored_brands",
    )  # fmt: skip
    publish_factors(actor=alice, source="GT-7", factors=[found], brand=chips)
    assert not selectors.incrementality_factors(chips)


def test_the_digest_changes_with_what_counts(alice, amazon, chips):
    judge(alice, 0.6, brand=chips)
    before = selectors.incrementality_factors(chips).sha256
    assert before == selectors.incrementality_factors(chips).sha256
    judge(alice, 0.7, brand=chips)
    assert selectors.incrementality_factors(chips).sha256 != before


def test_ads_that_cost_sales_are_worth_nothing(alice, amazon, chips):
    found = NewFactor(
        low=Decimal("-0.3"), value=Decimal("-0.2"), high=Decimal("0.1"), evidence="experiment", method="geo"
    )
    publish_factors(actor=alice, source="GT-7", factors=[found], brand=chips)
    factor = selectors.incrementality_factors(chips)["", ""]
    assert (factor.mean, factor.multiplier) == (-0.2, 0.0)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"mean": float("nan")}, "mean"), ({"mean": -0.1}, "mean"), ({"mean": 11.0}, "mean"),
        ({"standard_error": -1.0}, "standard_error"), ({"standard_error": float("inf")}, "standard_error"),
        ({"reason": "  "}, "reason"), ({"reason": "x" * 201}, "reason"),
        ({"retailer": "Nowhere"}, "retailer"), ({"placement": "shelf"}, "placement"),
        ({"valid_from": date(2026, 2, 1), "valid_to": date(2026, 1, 1)}, "factor 1, valid_to"),
    ],
)  # fmt: skip
def test_a_wrong_factor_names_its_field(alice, amazon, chips, given, where):
    right = {"mean": 0.6, "standard_error": 0.1, "reason": "A test."}
    with pytest.raises(InvalidInput) as told:
        services.set_factor(actor=alice, brand=chips, **right | given)
    assert told.value.where == where
    assert not IncrementalityFactor.objects.exists()


def test_roles_decide_who_judges(acme, amazon, chips):
    nuts = factories.BrandFactory(slug="nuts")
    with pytest.raises(NotAllowed):
        judge(factories.person("carol", Role.PLANNER, brand=chips), 0.5, brand=chips)
    with pytest.raises(NotFound):
        judge(factories.person("dave", Role.ANALYST, brand=nuts), 0.5, brand=chips)
    assert not FactorSet.objects.exists()
