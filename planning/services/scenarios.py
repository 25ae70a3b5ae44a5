"""Asking, solving and relaxing scenarios."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models, transaction

from accounts.models import Brand, User
from accounts.services import require
from jobs.models import Job
from jobs.services import submit_job
from optimization import selectors as curves
from optimization import services as optimization
from optimization.core.feasibility import find_conflict, spend_range
from optimization.core.problem import BudgetProblem
from optimization.models import Solve
from planning import selectors
from planning.core.cautious import untested
from planning.core.outlook import outlook
from planning.core.relaxations import WayOut, apply, ways_out
from planning.core.scenario_problem import season_of
from planning.core.terms import CENT, ScenarioTerms, columns_of, read_terms
from planning.models import Scenario
from planning.selectors import MANAGE, Basis
from tenants.core.problems import Conflict, InvalidInput, Problem

SOLVE = "planning.solve_scenario"
STAGES = ("Curves", "Current spend", "Solve", "Check")

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Feasibility:
    """Whether the bounds of a scenario can be met together; the least ROAS is only judged by a solve.

    Attributes:
        least, most: money that the bounds force and allow; `most` None where nothing limits it.
        conflict: the smallest one, as ways out; empty when feasible.
        out_of_stock: lines that get nothing because their stock runs out.
        extra: in mode incremental_only the money that is left to place.
        incrementality: where the factors come from that the question asks for; empty where it asks for none.
    """

    feasible: bool
    available: Decimal
    least: Decimal
    most: Decimal | None
    lines: int
    out_of_stock: int
    conflict: list[WayOut]
    shortfall: Decimal
    extra: Decimal | None = None
    incrementality: str = ""


def create_scenario(*, actor: User, given: Mapping[str, Any], brand: Brand | None = None) -> Scenario:
    """A draft.

    Args:
        given: by the names of `planning.core.terms.FIELDS`.

    Raises:
        InvalidInput: lists everything that is wrong, by field.
        NotAllowed, NotFound: as `accounts.services.require` for scenarios.manage.
    """
    require(user=actor, permission=MANAGE, brand=brand)
    terms = _checked(given, brand)
    with transaction.atomic():
        optimization.lock_numbers("scenarios")
        number = (Scenario.objects.aggregate(top=models.Max("number"))["top"] or 0) + 1
        return Scenario.objects.create(number=number, brand=brand, created_by=actor, **columns_of(terms))


def update_scenario(*, actor: User, scenario: Scenario, given: Mapping[str, Any]) -> Scenario:
    """Change what is asked; an answer to the old question is taken off, and the scenario is a draft again.

    Args:
        given: the fields to change.

    Raises:
        Conflict: it is being solved.
        InvalidInput, NotAllowed, NotFound: as `create_scenario`.
    """
    require(user=actor, permission=MANAGE, brand=scenario.brand)
    terms = _checked(given_of(selectors.terms_of(scenario)) | dict(given), scenario.brand)
    with transaction.atomic():
        held = _locked(scenario)
        for name, value in (columns_of(terms) | _NO_ANSWER).items():
            setattr(held, name, value)
        held.save()
    return held


def duplicate_scenario(*, actor: User, scenario: Scenario, name: str = "") -> Scenario:
    """The same question as a new draft; raises as `create_scenario`."""
    given = given_of(selectors.terms_of(scenario)) | {"name": name or _copy_name(scenario.name)}
    return create_scenario(actor=actor, given=given, brand=scenario.brand)


def delete_scenario(*, actor: User, scenario: Scenario) -> None:
    """Remove a draft that was never answered.

    Raises:
        Conflict: it has an answer, which plans and people may refer to, or is being solved.
        NotAllowed, NotFound: as `accounts.services.require`.
    """
    require(user=actor, permission=MANAGE, brand=scenario.brand)
    with transaction.atomic():
        held = _locked(scenario)
        if held.solve_id is not None:
            raise Conflict(
                f"{held.label} is {held.status} and is kept with its answer.", fix="Only drafts can be deleted."
            )
        held.delete()


def relax_scenario(*, actor: User, scenario: Scenario, choice: int) -> Scenario:
    """A new draft with one constraint of the conflict loosened by the least that works.

    Args:
        choice: place in `scenario.relaxations`.

    Raises:
        Conflict: the scenario is not infeasible, or that change alone does not work.
        InvalidInput: there is no such choice.
        NotAllowed, NotFound: as `accounts.services.require`.
    """
    require(user=actor, permission=MANAGE, brand=scenario.brand)
    if scenario.status != Scenario.Status.INFEASIBLE:
        raise Conflict(
            f"{scenario.label} is {scenario.status}; there is no conflict to relax.",
            fix="Change a copy of it instead: duplicate.",
        )
    if not 0 <= choice < len(scenario.relaxations):
        raise InvalidInput(
            f"There is no way out number {choice}.", where="choice", fix=f"Give 0 to {len(scenario.relaxations) - 1}."
        )
    way = WayOut.of(scenario.relaxations[choice])
    if way.needed is None:
        raise Conflict(f"No change of this alone works: {way.text}.", fix="Relax another constraint of the conflict.")
    terms = apply(selectors.terms_of(scenario), way)
    name = _copy_name(scenario.name, "relaxed")
    return create_scenario(actor=actor, given=given_of(replace(terms, name=name)), brand=scenario.brand)


def check_scenario(*, actor: User, given: Mapping[str, Any], brand: Brand | None = None) -> Feasibility:
    """Whether the bounds can be met together, without solving: one sweep over the tree.

    Raises:
        InvalidInput: a field is wrong, or there are no curves.
        NotAllowed, NotFound: as `accounts.services.require`.
    """
    require(user=actor, permission=MANAGE, brand=brand)
    terms = _checked(given, brand)
    basis = selectors.basis_for(brand=brand, start=terms.horizon_start, end=terms.horizon_end)
    problem = basis.problem(terms)
    conflict = find_conflict(problem, limits=False)
    spans = spend_range(problem)
    least, most = spans.least, spans.most
    return Feasibility(
        feasible=conflict is None,
        available=terms.available,
        least=Decimal(repr(least)).quantize(CENT),
        most=Decimal(repr(most)).quantize(CENT) if most < float("inf") else None,
        lines=len(problem.cells),
        out_of_stock=sum(cell.out_of_stock for cell in problem.cells),
        conflict=ways_out(terms, conflict, basis.problem) if conflict else [],
        shortfall=Decimal(repr(conflict.shortfall or 0.0)).quantize(CENT) if conflict else Decimal(0),
        extra=_extra(terms, least),
        incrementality=_factors_from(terms, basis),
    )


def solve_scenario(*, actor: User, scenario: Scenario, idempotency_key: str | None = None) -> Job:
    """Have a scenario solved as a job.

    Raises:
        Conflict: it is being solved.
        NotAllowed, NotFound: as `accounts.services.require`.
    """
    require(user=actor, permission=MANAGE, brand=scenario.brand)
    with transaction.atomic():
        held = Scenario.objects.select_for_update(of=("self",)).get(pk=scenario.pk)
        job = selectors.job_of(held)
        if idempotency_key and job is not None and job.idempotency_key == idempotency_key:
            return job
        _refuse_while_solving(held, job)
        job = submit_job(
            kind=SOLVE,
            params={"scenario": str(held.pk)},
            actor=actor,
            brand=held.brand,
            title=f"Solve {held.label} {held.name}",
            idempotency_key=idempotency_key,
            subject=f"scenario:{held.pk}",
        )
        if job.is_final:
            return job  # the key of an earlier request, which has its answer: nothing is being solved
        held.status, held.job_id, held.problem = Scenario.Status.SOLVING, job.pk, None
        held.save(update_fields=["status", "job_id", "problem", "updated_at"])
    return job


def answer_scenario(
    *,
    scenario: Scenario,
    actor: User | None = None,
    job_id: UUID | None = None,
    tell: Tell = lambda stage, done, total: None,
    publish: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Scenario:
    """Solve a scenario here and now, and store the answer; what the job does.

    Curves are fitted first where there are none. An infeasible scenario is an answer too: the smallest conflict, with
    what each way out would give.

    Args:
        job_id: the answer is only stored while the scenario still waits for this job.

    Raises:
        Conflict: the scenario was changed meanwhile.
        Problem: the data do not allow a fit, or the problem is not valid; the scenario is then `failed` and says so.
    """
    try:
        tell(STAGES[0], 0, 1)
        version = optimization.fit_curves(brand=scenario.brand).version if _lacks_curves(scenario) else None
        tell(STAGES[0], 1, 1)
        terms = selectors.terms_of(scenario)
        basis = selectors.basis_for(
            brand=scenario.brand, start=terms.horizon_start, end=terms.horizon_end, version=version
        )
        tell(STAGES[1], 1, 1)
        problem = basis.problem(terms)
        solve = _solved(terms, problem, basis, scenario, actor)
        tell(STAGES[2], 1, 1)
        answer = _answer(terms, basis, problem, solve, scenario, actor)
        tell(STAGES[3], 1, 1)
    except Problem as problem_met:
        waiting = Scenario.objects.filter(pk=scenario.pk, job_id=job_id)
        waiting.update(status=Scenario.Status.FAILED, problem=problem_met.as_dict())
        raise
    with publish(), transaction.atomic():
        held = Scenario.objects.select_for_update(of=("self",)).filter(pk=scenario.pk, job_id=job_id).first()
        if held is None or held.updated_at != scenario.updated_at:
            raise Conflict(f"{scenario.label} was changed while it was being solved.", fix="Solve it again.")
        for name, value in answer.items():
            setattr(held, name, value)
        held.save()
    return held


def given_of(terms: ScenarioTerms) -> dict[str, Any]:
    """The fields of a scenario as `read_terms` takes them."""
    return columns_of(terms)


_NO_ANSWER: dict[str, Any] = {
    "status": Scenario.Status.DRAFT, "curve_version": None, "solve": None, "job_id": None, "problem": None,
    "current_spend": {}, "current_start": None, "current_end": None, "current_elsewhere": Decimal(0),
    "outlook": {}, "relaxations": [],
}  # fmt: skip


def _checked(given: Mapping[str, Any], brand: Brand | None) -> ScenarioTerms:
    known = None
    if any(given.get(name) for name in ("bounds", "fixed", "shares", "margins", "ratios")):
        version = curves.latest_curves(brand=brand)
        known = Basis(brand, version, None).paths if version else None
    return read_terms(given, known_paths=known)


def _extra(terms: ScenarioTerms, kept: float) -> Decimal | None:
    if terms.mode != "incremental_only":
        return None
    return max(Decimal(0), terms.available - Decimal(repr(kept)).quantize(CENT))


def _factors_from(terms: ScenarioTerms, basis: Basis) -> str:
    if not terms.asks_incrementality:
        return ""
    source, lacking = basis.incrementality.source, len(basis.curves) - len(basis.incrementality.factors)
    if lacking and terms.is_cautious:
        return f"{source}; the cautious limit counts what is not measured at {untested():.2f}"
    return source


def _copy_name(name: str, word: str = "copy") -> str:
    return f"{name[: 120 - len(word) - 3]} ({word})"


def _locked(scenario: Scenario) -> Scenario:
    held = Scenario.objects.select_for_update(of=("self",)).select_related("brand").get(pk=scenario.pk)
    _refuse_while_solving(held, selectors.job_of(held))
    return held


def _refuse_while_solving(scenario: Scenario, job: Job | None) -> None:
    if selectors.is_being_solved(scenario, job):
        raise Conflict(f"{scenario.label} is being solved.", fix="Wait for the answer, or cancel its job.")


def _lacks_curves(scenario: Scenario) -> bool:
    return curves.latest_curves(brand=scenario.brand) is None


def _solved(
    terms: ScenarioTerms, problem: BudgetProblem, basis: Basis, scenario: Scenario, actor: User | None
) -> Solve:
    return optimization.solve_problem(
        problem=problem,
        brand=scenario.brand,
        curve_version=basis.version,
        current=_now(problem, basis),
        inputs=optimization.solve_inputs(
            adjusted=basis.in_use,
            factors=basis.factors if terms.asks_incrementality else None,
            weeks=terms.weeks,
        ),
        actor=actor,
    )


def _now(problem: BudgetProblem, basis: Basis) -> dict[str, float]:
    """Current spend by cell id, per period of the problem."""
    periods = len(problem.periods.budgets) if problem.periods else 1
    return {name: spend / periods for name, spend in basis.spend_now.items()}


def _answer(
    terms: ScenarioTerms, basis: Basis, problem: BudgetProblem, solve: Solve, scenario: Scenario, actor: User | None
) -> dict[str, Any]:
    """The columns of an answered scenario."""
    current = basis.current
    columns: dict[str, Any] = _NO_ANSWER | {
        "curve_version": basis.version,
        "solve": solve,
        "job_id": scenario.job_id,
        "current_spend": {name: str(amount) for name, amount in current.by_cell.items()} if current else {},
        "current_start": current.period.start if current else None,
        "current_end": current.period.end if current else None,
        "current_elsewhere": current.elsewhere if current else Decimal(0),
    }
    if solve.status == "optimal":
        columns["outlook"] = _outlook(terms, basis, problem, solve)
        return columns | {"status": Scenario.Status.SOLVED}
    conflict = find_conflict(problem)
    if conflict is None:
        raise AssertionError("an infeasible scenario has a conflict")
    columns["relaxations"] = [
        way.as_dict() | _given_by(way, terms, basis, scenario, actor)
        for way in ways_out(terms, conflict, basis.problem)
    ]
    return columns | {"status": Scenario.Status.INFEASIBLE}


def _outlook(terms: ScenarioTerms, basis: Basis, problem: BudgetProblem, solve: Solve) -> dict[str, Any]:
    unsellable = frozenset(cell.id for cell in problem.cells if cell.out_of_stock)
    lines = [line for line in solve.solution["lines"] if line["cell"] not in unsellable]
    drawn = outlook(
        basis.curves,
        terms.weeks,
        now=basis.spend_now,
        proposed=solve.solution["spend"],
        unsellable=unsellable,
        min_roas=float(terms.min_roas) if terms.min_roas else None,
        by_week=solve.solution.get("spend_by_period"),
        season=season_of(terms),
        tail_fraction=float(terms.tail_fraction) if terms.tail_fraction else None,
        imported=basis.draws,
    )
    return drawn | {
        "expected_now": sum(line["revenue_now"] or 0.0 for line in lines),
        "expected_proposed": sum(line["revenue_proposed"] for line in lines),
    }


def _given_by(
    way: WayOut, terms: ScenarioTerms, basis: Basis, scenario: Scenario, actor: User | None
) -> dict[str, Any]:
    """What taking a way out would give; nothing where it does not restore the whole."""
    if not way.restores:
        return {"sales": None, "spend": None}
    solve = _solved(terms, basis.problem(apply(terms, way)), basis, scenario, actor)
    if solve.status != "optimal":
        return {"sales": None, "spend": None}
    return {"sales": solve.solution["objective_revenue"], "spend": solve.solution["total_spend"]}
