"""The planner's way to the next test: read only, it suggests and a person decides."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from accounts import selectors as people
from accounts.models import Brand, User
from harmonization.models import Retailer
from jobs.core.tools import Tool
from measurement import selectors, services
from measurement.core.next_test import Suggestion
from measurement.next_test_presenters import cell_name, nothing_found, shortfall, why
from measurement.tool_schemas import CandidateOut, EstimateOut, SuggestNextTestInput, SuggestNextTestOutput
from tenants.core.problems import NotFound


def _suggest(given: SuggestNextTestInput, *, user: User) -> SuggestNextTestOutput:
    brand = _brand(given.brand, user) if given.brand else None
    reserve = None if given.reserve is None else Decimal(repr(given.reserve))
    found = services.suggest_next_test(
        as_user=user, brand=brand, reserve=reserve, scenario=given.scenario, weeks=given.weeks
    )
    slugs = dict(Retailer.objects.values_list("name", "slug"))
    told = [_told(one, slugs, brand) for one in found.ranked]
    best = None if found.best is None else told[found.ranked.index(found.best)]
    if found.best is None:
        words = ". ".join(nothing_found(found))
    else:
        reason = why(found.best, found.currency, given.weeks)
        words = " ".join(filter(None, (f"{cell_name(found.best)}.", shortfall(found.best, given.weeks), reason)))
    return SuggestNextTestOutput(
        best=best, candidates=told[: given.limit], count=len(told), currency=found.currency, words=words,
        assumptions=list(found.assumptions), left_out=list(found.left_out),
    )  # fmt: skip


def _told(one: Suggestion, slugs: dict[str, str], brand: Brand | None) -> CandidateOut:
    candidate = one.candidate
    parts = [
        f"rmn={slugs.get(candidate.retailer, candidate.retailer)}",
        f"placement={candidate.placement}" if candidate.placement else "",
        f"brand={brand.slug}" if brand else "",
    ]
    return CandidateOut(
        scope="/".join(filter(None, parts)), how=candidate.how, weeks=candidate.weeks, cost=candidate.cost,
        value=one.value, per_cost=one.per_cost, affordable=one.affordable,
        factor=EstimateOut(value=one.factor, low=one.low, high=one.high), moved=one.moved,
    )  # fmt: skip


def _brand(slug: str, user: User) -> Brand:
    brand = people.brands_for(user=user, permission=selectors.VIEW).filter(slug=slug).first()
    if brand is None:
        raise NotFound(f"There is no brand {slug!r}.", where="brand", fix="Use the slug of a brand you may see.")
    return brand


SUGGEST: Final = Tool(
    name="suggest_next_test",
    description="Which retailer and placement to test next: candidates ranked by the expected value of their "
    "information per unit of cost, paid from the reserve for experiments. Pass the scope to design_experiment.",
    input_model=SuggestNextTestInput,
    output_model=SuggestNextTestOutput,
    permission=selectors.VIEW,
    run=_suggest,
)
