"""What a typed allocation would do, without optimising."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import numpy as np

from accounts.models import User
from accounts.services import require
from optimization import selectors as curves
from optimization.core.instance import parse_problem
from optimization.core.periods import over_horizon
from optimization.core.problem import LEVELS, Aim, BudgetProblem, Curve, GlobalKind
from optimization.core.solve import solve_budget
from optimization.core.stored_curves import StoredCurve
from planning import selectors
from planning.answers import currency_of, result_of, retailer_tones
from planning.core.outlook import outlook
from planning.core.scenario_problem import season_of
from planning.core.simulation import Best, Simulation, effect, typed_lines
from planning.core.typed import SPLITS, Typed, judge, spread_typed
from planning.core.typed_file import read_typed
from planning.models import Scenario
from planning.selectors import MANAGE
from planning.services.scenarios import create_scenario, given_of
from tenants.core.problems import InvalidInput

#: What lines get that nothing is typed for.
RESTS: Final = ("current", "proposed", "zero")
_REST_WORDS: Final = {
    "current": "keep their current spend",
    "proposed": "keep what was proposed",
    "zero": "get nothing",
}
_SPLIT_WORDS: Final = {
    "as_now": "An amount typed for a node is split over its lines in proportion to their current spend.",
    "best": "An amount typed for a node is split over its lines where it sells most.",
}


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What a scenario's money is judged by: that of its answer where there is one, else what it is planned on now."""

    problem: BudgetProblem
    curves: tuple[StoredCurve, ...]
    now: dict[str, Decimal]
    proposed: dict[str, Decimal]
    draws: Mapping[str, Sequence[Curve]]


def ground_of(scenario: Scenario) -> Ground:
    """The problem, curves and current spend of a scenario.

    Raises:
        InvalidInput: it is not solved and there are no curves.
    """
    terms = selectors.terms_of(scenario)
    solved = scenario.solve if scenario.status == Scenario.Status.SOLVED else None
    if solved is not None and (held := curves.curves_of_solve(solved)) is not None:
        return Ground(
            problem=typed_problem(parse_problem(solved.problem)),
            curves=tuple(StoredCurve.of(one) for one in held.records),
            now={name: Decimal(amount) for name, amount in scenario.current_spend.items()},
            proposed={line.cell: line.proposed for line in result_of(scenario).lines if line.cell},
            draws=curves.posterior_draws(solved.curve_version) if solved.curve_version else {},
        )
    basis = selectors.basis_for(brand=scenario.brand, start=terms.horizon_start, end=terms.horizon_end)
    now = basis.current.by_cell if basis.current else {}
    problem = typed_problem(basis.problem(terms))
    return Ground(problem=problem, curves=basis.curves, now=now, proposed={}, draws=basis.draws)


def typed_problem(problem: BudgetProblem) -> BudgetProblem:
    """What typed amounts are judged by: sales over the horizon, evenly spread, and the terms they may break."""
    limits = tuple(one for one in problem.global_constraints if one.kind is not GlobalKind.MIN_ROI)
    return replace(over_horizon(problem), aim=Aim.REVENUE, hurdle=0.0, tail=None, global_constraints=limits)


def simulate_allocation(
    *, actor: User | None, scenario: Scenario, allocation: Any, rest: str = "current", split: str = "as_now"
) -> Simulation:
    """Expected sales of an allocation as it is typed, under the curves and terms of a scenario. Nothing is stored.

    Args:
        actor: who asks; None is an operator at the command line.
        allocation: [{"scope" or "path", "amount"}], see `planning.core.typed_file`.
        rest: what lines get that nothing is typed for: current, proposed or zero.
        split: how an amount of a node is split over its lines: as_now or best.

    Raises:
        InvalidInput: an amount, a scope or a choice is wrong; lists every finding.
        NotAllowed, NotFound: as `accounts.services.require` for scenarios.manage.
    """
    if actor is not None:
        require(user=actor, permission=MANAGE, brand=scenario.brand)
    for where, value, choices in (("rest", rest, RESTS), ("split", split, SPLITS)):
        if value not in choices:
            raise InvalidInput(f"{where} cannot be {value!r}.", where=where, fix=f"Use one of: {', '.join(choices)}.")
    typed = read_typed(allocation)
    ground = ground_of(scenario)
    if rest == "proposed" and not ground.proposed:
        raise InvalidInput(
            f"{scenario.label} has no proposal yet.",
            where="rest",
            fix="Solve it first, or start from the current spend.",
        )
    kept: Mapping[str, Decimal] = {"current": ground.now, "proposed": ground.proposed, "zero": {}}[rest]
    spend = spread_typed(typed, ground.problem, now=ground.now, rest=kept, split=split)  # type: ignore[arg-type]
    return _simulated(scenario, ground, spend, notes=_notes(typed, rest, split))


def keep_allocation(*, actor: User, scenario: Scenario, simulation: Simulation) -> Scenario:
    """A draft that holds every line at its typed amount: solving it proves what the plan gives, and it can be compared.

    Raises:
        InvalidInput: there are more lines than a scenario can hold bounds.
        NotAllowed, NotFound: as `create_scenario`.
    """
    bounds = [
        {"path": list(line.path), "min_spend": str(line.typed), "max_spend": str(line.typed)}
        for line in simulation.lines
    ]
    given = given_of(selectors.terms_of(scenario)) | {
        "name": f"{scenario.name[:112]} (typed)", "total_budget": str(simulation.whole.typed), "reserve_fraction": "0",
        "max_change_fraction": None, "min_roas": None, "bounds": bounds, "mode": "fixed_budget", "target": None,
        "objective": "sales", "min_iroas": None, "max_cpa": None, "fixed": [], "shares": [], "fair_level": "",
        "fair_fraction": None, "weekly_budgets": [], "margins": [], "ratios": [], "season": [], "tail_fraction": None,
        "min_iroas_by": "expected",
    }  # fmt: skip
    return create_scenario(actor=actor, given=given, brand=scenario.brand)


def _simulated(scenario: Scenario, ground: Ground, spend: Mapping[str, Decimal], notes: Sequence[str]) -> Simulation:
    problem = ground.problem
    after = judge(problem, np.array([float(spend[name]) for name in problem.ids]))
    before = judge(problem, np.array([float(ground.now.get(name, 0)) for name in problem.ids]))
    best, amounts = _best(problem, after.total, ground.now)
    terms = selectors.terms_of(scenario)
    drawn = outlook(
        ground.curves,
        terms.weeks,
        now={name: float(amount) for name, amount in ground.now.items()},
        proposed={name: float(amount) for name, amount in spend.items()},
        unsellable=frozenset(cell.id for cell in problem.cells if cell.out_of_stock),
        min_roas=float(terms.min_roas) if terms.min_roas else None,
        season=season_of(terms),
        imported=ground.draws,
    )
    lines = typed_lines(
        problem, before, after, now=ground.now, typed=spend, best=amounts, gains=drawn["gain_of_lines"],
        products=curves.product_names(brand=scenario.brand), tones=retailer_tones(),
    )  # fmt: skip
    return Simulation(
        lines=lines,
        whole=effect(lines),
        broken=after.broken,
        same_money=best,
        outlook={name: value for name, value in drawn.items() if name != "gain_of_lines"},
        notes=tuple(notes),
        currency=currency_of(scenario),
    )


def _best(problem: BudgetProblem, money: float, now: Mapping[str, Decimal]) -> tuple[Best, dict[str, float]]:
    """The best allocation of that money under the other terms."""
    if money <= 0.0:
        return Best(spend=0.0, sales=0.0), dict.fromkeys(problem.ids, 0.0)
    total = money / (1.0 - problem.experiment_reserve_fraction)
    known = {name: float(now.get(name, 0)) for name in problem.ids}
    solved = solve_budget(replace(problem, total_budget=total), current=known)
    if solved.spend is None or solved.certificate is None:
        return Best(spend=None, sales=None, why="No allocation of this money meets the terms of the scenario."), {}
    amounts = {name: float(amount) for name, amount in zip(problem.ids, solved.spend, strict=True)}
    sales = float(judge(problem, solved.spend).total_sales)
    return Best(spend=solved.total_spend, sales=sales, gap=solved.certificate.gap), amounts


def _notes(typed: Sequence[Typed], rest: str, split: str) -> list[str]:
    count = f"{len(typed)} amount{'' if len(typed) == 1 else 's'} typed"
    notes = [f"{count}; lines without one {_REST_WORDS[rest]}."]
    if any(len(one.scope) < len(LEVELS) for one in typed):
        notes.append(_SPLIT_WORDS[split] + " A line without stock gets nothing of it unless the node has no other.")
    return notes
