"""Scenarios side by side."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.services import require_somewhere
from planning import selectors
from planning.answers import currency_of, incremental_of, result_of
from planning.core.comparison import LEAST, MOST, Candidate, Comparison, compare
from planning.core.prices import binding_prices
from planning.models import Scenario
from tenants.core.problems import Conflict, InvalidInput

_FIX = f"Choose {LEAST} to {MOST} scenarios."


def compare_scenarios(*, user: selectors.Person, references: Sequence[str], per_week: bool = False) -> Comparison:
    """Two to five scenarios of those a person may see, in the order given.

    One that is not solved keeps its column and says why it has no figures.

    Args:
        references: ids or labels such as SC-0001; one named twice counts once.
        per_week: money per week of each one's horizon.

    Raises:
        NotAllowed: there is no brand whose scenarios this person may see.
        InvalidInput: fewer than two or more than five.
        NotFound: one of them is not there, or not this person's to know of.
        Conflict: fewer than two of them are solved, or their money is in different currencies.
    """
    require_somewhere(user=user, permission=selectors.VIEW)
    wanted = list(dict.fromkeys(reference.strip() for reference in references if reference.strip()))
    if len(wanted) > MOST:
        raise InvalidInput(f"{len(wanted)} scenarios are too many side by side.", where="scenarios", fix=_FIX)
    found = {one.pk: one for one in (selectors.scenario_named(user=user, reference=name) for name in wanted)}
    if len(found) < LEAST:
        told = "one scenario" if found else "no scenario"
        raise InvalidInput(f"There is {told} to compare.", where="scenarios", fix=_FIX)
    return compare_answers(scenarios=list(found.values()), per_week=per_week)


def compare_answers(*, scenarios: Sequence[Scenario], per_week: bool = False) -> Comparison:
    """As `compare_scenarios`, of scenarios that the caller may see.

    Raises:
        Conflict: fewer than two of them are solved, or the money of those is in different currencies.
    """
    candidates = [_candidate(one) for one in scenarios]
    if sum(one.result is not None for one in candidates) < LEAST:
        told = ", ".join(f"{one.label} is {one.status}" for one in candidates)
        raise Conflict(
            f"Fewer than two of these are solved: {told}.", where="scenarios", fix="Solve them, or choose others."
        )
    answered = [one for one in candidates if one.result is not None]
    if len({one.currency for one in answered}) > 1:
        told = ", ".join(f"{one.label} in {one.currency}" for one in answered)
        raise Conflict(f"Money in different currencies is not compared: {told}.", where="scenarios")
    return compare(candidates, per_week=per_week)


def _candidate(scenario: Scenario) -> Candidate:
    version, outlook = scenario.curve_version, scenario.outlook
    solved = scenario.status == Scenario.Status.SOLVED and scenario.solve is not None
    currency = currency_of(scenario)
    prices = binding_prices(scenario.solve.problem, scenario.solve.solution, currency) if solved else []  # type: ignore[union-attr]
    return Candidate(
        key=str(scenario.pk),
        label=scenario.label,
        name=scenario.name,
        status=scenario.get_status_display(),
        state=scenario.status,
        reason=_reason(scenario),
        brand=scenario.brand.name if scenario.brand else "All brands",
        currency=currency,
        terms=selectors.terms_of(scenario),
        curves=f"v{version.number} of {version.data_start:%-d %b %Y} to {version.data_end:%-d %b %Y}"
        if version
        else "",
        curves_key=str(version.pk) if version and solved else "",
        attribution=str(version.settings.get("attribution", "")) if version else "",
        now_days=f"{scenario.current_start} to {scenario.current_end}" if scenario.current_start else "",
        result=result_of(scenario) if solved else None,
        sales=tuple(outlook["sales_proposed"]) if solved else None,
        expected=outlook["expected_proposed"] if solved else None,
        incremental=incremental_of(scenario) if solved else None,
        chance=outlook["chance"] if solved else None,
        prices={one.name: one.price for one in prices},
    )


def _reason(scenario: Scenario) -> str:
    if scenario.status == Scenario.Status.INFEASIBLE:
        return "Its constraints cannot hold together; relax one on its page."
    if scenario.status == Scenario.Status.FAILED:
        return str((scenario.problem or {}).get("detail", ""))
    return "Solve it first." if scenario.status == Scenario.Status.DRAFT else ""
