"""Why an answer is what it is, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import Any

import numpy as np
from django.core.cache import cache

from accounts.models import User
from accounts.services import require
from optimization.core.instance import parse_problem
from planning import selectors
from planning.answers import currency_of
from planning.core.outlook import CONFIDENCE
from planning.core.prices import binding_prices
from planning.core.sensitivity import Alternative, Sensitivity, alternatives, sensitivities
from planning.models import Scenario
from planning.services.scenarios import create_scenario, given_of
from tenants.core.problems import Conflict

_CACHE_SECONDS = 24 * 3600
#: To be raised when what is kept has another shape.
_SHAPE = 2
_FOURTH = Decimal("0.0001")


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What binds in an answer and by how much, and what other allocations would have earned."""

    binding: list[Sensitivity]
    alternatives: list[Alternative]


def explain_scenario(*, scenario: Scenario) -> Explanation:
    """Binding constraints with what one percent more of each earns, and the alternatives that were turned down.

    An answer never changes, so what is found once is kept for a while.

    Raises:
        Conflict: it is not solved.
    """
    if scenario.status != Scenario.Status.SOLVED or scenario.solve is None:
        raise Conflict(f"{scenario.label} is {scenario.status}; there is no answer to explain.", fix="Solve it first.")
    key = f"planning:explanation/{_SHAPE}:{scenario.solve.pk}:{scenario.current_start}"
    held: Explanation | None = cache.get(key)
    if held is not None:
        return held
    solve = scenario.solve
    problem, solution = parse_problem(solve.problem), solve.solution
    spend = np.array([float(solution["spend"].get(name, 0.0)) for name in problem.ids])
    prices = binding_prices(solve.problem, solution, currency_of(scenario))
    now = {name: float(amount) for name, amount in scenario.current_spend.items()}
    found = Explanation(
        binding=sensitivities(problem, prices, spend=spend, objective=float(solution["objective"])),
        # Without weeks an alternative is no answer to a question that has them.
        alternatives=[] if problem.periods else alternatives(problem, now=now, spend=spend),
    )
    cache.set(key, found, _CACHE_SECONDS)
    return found


def tighter_roas(scenario: Scenario) -> Decimal | None:
    """The least ROAS to ask for so that the one asked for is reached in four of five draws; None where it is already,
    or none is asked for."""
    asked, outlook = selectors.terms_of(scenario).min_roas, scenario.outlook
    if not asked or outlook.get("chance_roas") is None or outlook["chance_roas"] >= CONFIDENCE:
        return None
    tighter = (asked * Decimal(repr(outlook["roas_factor"]))).quantize(_FOURTH, ROUND_CEILING)
    return tighter if tighter > asked else None


def tighten_scenario(*, actor: User, scenario: Scenario) -> Scenario:
    """A new draft with a stricter least ROAS, by which the one asked for is reached with a chance of four in five.

    The factor is that of the present answer's draws; the new answer tells its own chance.

    Raises:
        Conflict: it is not solved, asks for no least ROAS, or reaches it often enough.
        NotAllowed, NotFound: as `accounts.services.require`.
    """
    require(user=actor, permission=selectors.MANAGE, brand=scenario.brand)
    tighter = tighter_roas(scenario) if scenario.status == Scenario.Status.SOLVED else None
    if tighter is None:
        raise Conflict(
            f"{scenario.label} has no least ROAS to tighten.", fix="Solve a scenario whose least ROAS is often missed."
        )
    terms = selectors.terms_of(scenario)
    name = f"{terms.name[:108]} (tightened)"
    given: dict[str, Any] = given_of(replace(terms, name=name, min_roas=tighter))
    return create_scenario(actor=actor, given=given, brand=scenario.brand)
