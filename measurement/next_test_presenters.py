"""What to test next in words: for the card on the list, its page, and the planner."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from accounts import selectors as people
from accounts.models import Brand, User
from harmonization.models import Retailer
from measurement import services
from measurement.core.next_test import USUAL_WEEKS, Suggestion
from measurement.core.words import MISSING, between, count_of, money, percent, ratio
from measurement.selectors import MANAGE
from measurement.services.next_tests import RAISE, SHARE, WEEKS, NextTests
from optimization.selectors import VIEW_CURVES
from tenants.core.problems import InvalidInput, NotFound


def next_test_context(
    *, user: User, brand: Brand | None, reserve: str = "", scenario: str = "", weeks: str = ""
) -> dict[str, Any]:
    """The suggestion and what it was chosen from, or in words why there is none.

    Args:
        reserve: money for tests as a person typed it; empty is any amount, or that of the scenario.
        scenario: label of the one whose reserve pays. weeks: that plans rest on the answer, as typed; empty is usual.

    Raises:
        NotAllowed, NotFound: as `services.suggest_next_test`, but for a scenario that is not there.
    """
    context: dict[str, Any] = {
        "brand": brand,
        "name": brand.name if brand else "all brands",
        "reserve": reserve.strip(),
        "scenario": scenario.strip(),
        "weeks": weeks.strip() or str(USUAL_WEEKS),
    }
    try:
        span = _weeks(weeks)
        context |= {"weeks": str(span), "span": count_of(span, "week")}
        found = services.suggest_next_test(
            as_user=user, brand=brand, reserve=_money(reserve), scenario=scenario.strip(), weeks=span
        )
    except (InvalidInput, NotFound) as problem:
        if isinstance(problem, NotFound) and problem.where != "scenario":
            raise
        if problem.where == "curves":
            return context | {"empty": ("No curves yet", problem.detail)} | _way_to_curves(user, brand)
        return context | {"problem": problem}
    rows = _rows(user, brand, found)
    context |= {
        "rows": rows,
        "one": money(1.0, found.currency),
        "how": " ".join(found.assumptions),
        "left_out": found.left_out,
    }
    if found.best is None:
        return context | {"empty": nothing_found(found)}
    best = found.ranked.index(found.best)
    return context | {
        "best": rows[best],
        "why": why(found.best, found.currency, span),
        "paid": _paid(found),
        "short": shortfall(found.best, span),
        "next_best": next((row for row, one in zip(rows, found.ranked, strict=True)
                           if one is not found.best and one.affordable and one.value > 0.0), None),
    }  # fmt: skip


def placement_name(one: Suggestion) -> str:
    """The placement in words."""
    return one.candidate.placement.replace("_", " ") or "all placements"


def cell_name(one: Suggestion) -> str:
    """Retailer and placement."""
    return f"{one.candidate.retailer}, {placement_name(one)}"


def shortfall(one: Suggestion, weeks: int = USUAL_WEEKS) -> str:
    """What is said of the best where it is worth less than it costs; empty where it is not."""
    if one.per_cost >= 1.0:
        return ""
    return (
        f"No test within reach is worth its cost by what it teaches the plans of {count_of(weeks, 'week')}; this one "
        "comes nearest. What the extra money sells while the test runs is not counted."
    )


def why(one: Suggestion, currency: str, weeks: int = USUAL_WEEKS) -> str:
    """What makes it worth a test."""
    return (
        f"Ads there are believed to cause {ratio(one.factor)} of the sales they are credited with, though it may be "
        f"{between(ratio(one.low), ratio(one.high))}. A reading is expected to move {percent(one.moved)} "
        f"of the budget, which brings {money(one.value, currency)} more incremental sales over "
        f"{count_of(weeks, 'week')} of plans."
    )


def _rows(user: User, brand: Brand | None, found: NextTests) -> list[dict[str, Any]]:
    slugs: dict[str, str] = {}
    if people.may(user=user, permission=MANAGE, brand=brand):
        slugs = dict(Retailer.objects.values_list("name", "slug"))
    return [
        {
            "cell": cell_name(one),
            "retailer": one.candidate.retailer,
            "placement": placement_name(one),
            "how": one.candidate.how,
            "value": money(one.value, found.currency) if one.value > 0.0 else MISSING,
            "cost": money(one.candidate.cost, found.currency),
            "per_cost": money(one.per_cost, found.currency, digits=2) if one.value > 0.0 else MISSING,
            "factor": ratio(one.factor),
            "low": one.low, "middle": one.factor, "high": one.high,
            "interval": between(ratio(one.low), ratio(one.high)),
            "moved": percent(one.moved),
            "affordable": one.affordable,
            "design_url": _design_url(brand, one, slugs[one.candidate.retailer], found.currency)
            if one.candidate.retailer in slugs
            else "",
        }
        for one in found.ranked
    ]  # fmt: skip


def _design_url(brand: Brand | None, one: Suggestion, retailer: str, currency: str) -> str:
    """The form of a new experiment, filled with what was judged here."""
    asked = {
        **({"brand": brand.slug} if brand else {}),
        "name": f"{cell_name(one)}: heavy-up"[:120],
        "kind": "geo",
        "action": "heavy_up",
        "retailer": retailer,
        "placement": one.candidate.placement,
        "currency": currency,
        "design": "stratified",
        "durations": str(7 * WEEKS),
        "spend_change": f"{100 * RAISE:g}",
        "treated_share": f"{100 * SHARE:g}",
    }
    return f"{reverse('experiment-new')}?{urlencode(asked)}"


def nothing_found(found: NextTests) -> tuple[str, str]:
    """Why none is suggested."""
    if not found.ranked:
        return "Nothing to test", "No cell of the curves has spend, so there is nothing to make heavier."
    if any(one.value > 0.0 for one in found.ranked):
        least = min(one.candidate.cost for one in found.ranked if one.value > 0.0)
        return (
            "Nothing fits the reserve",
            f"The cheapest test that is worth anything costs {money(least, found.currency)}.",
        )
    return (
        "Nothing to learn that would move money",
        "Whatever a reading said, the plans would stay as they are: cells are known well enough, or at their bounds.",
    )


def _paid(found: NextTests) -> str:
    if found.best is None or found.reserve is None:
        return "from the reserve that a scenario holds back"
    left = float(found.reserve) - found.best.candidate.cost
    whose = f"the reserve of {found.scenario.label}" if found.scenario else "the reserve"
    return f"from {whose}, of which {money(left, found.currency)} stays"


def _money(text: str) -> Decimal | None:
    """What was typed as an amount; None for nothing."""
    plain = text.strip().replace(",", "").lstrip("$€£")
    if not plain:
        return None
    try:
        return Decimal(plain)
    except InvalidOperation as error:
        raise InvalidInput(
            f"{text.strip()[:40]!r} is no amount.", where="reserve", fix="Give a number, or leave it out."
        ) from error


def _weeks(text: str) -> int:
    """Weeks as a person typed them; usual for nothing."""
    plain = text.strip()
    if not plain:
        return USUAL_WEEKS
    if not (plain.isascii() and plain.isdecimal() and len(plain) < 4):
        raise InvalidInput(f"{plain[:40]!r} are no weeks.", where="weeks", fix="Give a whole number of weeks.")
    return int(plain)


def _way_to_curves(user: User, brand: Brand | None) -> dict[str, str]:
    allowed = people.may(user=user, permission=VIEW_CURVES, brand=brand)
    return {"curves_url": reverse("curve-list")} if allowed else {}
