"""Solving budget problems: each question is answered once, and kept with its proof."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from django.db import IntegrityError, transaction

from accounts.models import Brand, User
from accounts.services import require
from optimization.core.adjustments import Adjusted
from optimization.core.factors import Factors
from optimization.core.instance import parse_problem, read_current
from optimization.core.instance_writer import problem_sha256, write_problem
from optimization.core.problem import BudgetProblem
from optimization.core.solve import Solution, solve_budget
from optimization.models import CurveVersion, Solve


def solve_problem(
    *,
    problem: BudgetProblem,
    brand: Brand | None = None,
    curve_version: CurveVersion | None = None,
    current: Mapping[str, float] | None = None,
    inputs: Mapping[str, Any] | None = None,
    actor: User | None = None,
) -> Solve:
    """Solve a budget problem, or find it solved: the same problem against the same current spend is one row.

    Args:
        inputs: what lay over the curves, as `solve_inputs` makes it; another lay is another row.
        current: cell id -> spend today; a feasible one is never beaten downwards.
        actor: recorded as who asked first; the caller has checked what they may do.

    Raises:
        InvalidProblem: `current` names an unknown cell or an amount that is no amount.
    """
    digest = _question_sha256(problem, current, inputs)
    held = Solve.objects.filter(brand=brand, problem_sha256=digest).first()
    if held is not None:
        return held
    solution = solve_budget(problem, current=current)
    try:
        with transaction.atomic():
            return Solve.objects.create(
                brand=brand,
                curve_version=curve_version,
                problem_sha256=digest,
                inputs=dict(inputs or {}),
                problem=write_problem(problem),
                current=dict(current) if current is not None else None,
                solution=_solution_record(solution),
                status=solution.status,
                engine=solution.engine[:40],
                objective=solution.certificate.objective if solution.certificate else None,
                gap=solution.certificate.gap if solution.certificate else None,
                seconds=solution.seconds,
                created_by=actor,
            )
    except IntegrityError:
        # Somebody asked the same at the same time and was first.
        return Solve.objects.get(brand=brand, problem_sha256=digest)


def solve_inputs(
    *, adjusted: Adjusted | None = None, factors: Factors | None = None, weeks: float | None = None
) -> dict[str, Any]:
    """What a solve keeps of the overrides, priors and factors that its curves were taken with; empty for none.

    Args:
        weeks: how many weeks the problem's money and curves are of, for whoever makes a week of it.
    """
    inputs: dict[str, Any] = {} if weeks is None else {"weeks": weeks}
    if adjusted is not None and adjusted.used:
        inputs |= {
            "adjustments": [one.as_dict() for one in adjusted.used],
            "adjustments_sha256": adjusted.sha256,
        }
    if factors is not None and len(factors):
        inputs |= {"factors": factors.as_list(), "factors_sha256": factors.sha256}
    return inputs


def solve_document(*, actor: User, document: Any, brand: Brand | None = None) -> Solve:
    """Solve a problem in the format rmn-budget-instance/1.

    Raises:
        InvalidProblem: the document breaks a rule of the format; says where.
        NotAllowed, NotFound: as `accounts.services.require` for scenarios.manage.
    """
    require(user=actor, permission="scenarios.manage", brand=brand)
    problem = parse_problem(document)
    return solve_problem(problem=problem, brand=brand, current=read_current(document), actor=actor)


def _question_sha256(
    problem: BudgetProblem, current: Mapping[str, float] | None, inputs: Mapping[str, Any] | None
) -> str:
    parts = [problem_sha256(problem)]
    if current is not None:
        parts.append(json.dumps({name: float(amount) for name, amount in current.items()}, sort_keys=True))
    if inputs:
        parts.append(json.dumps(inputs, sort_keys=True))
    return parts[0] if len(parts) == 1 else hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _solution_record(solution: Solution) -> dict[str, Any]:
    record = solution.as_dict()
    if not solution.feasible:
        return record
    record["current_revenue"] = solution.current_revenue
    record["lines"] = [
        {
            "cell": line.cell,
            "now": line.now,
            "proposed": line.proposed,
            "revenue_now": line.revenue_now,
            "revenue_proposed": line.revenue_proposed,
            "marginal_now": _finite(line.marginal_now),
            "marginal_proposed": _finite(line.marginal_proposed),
            "reason": line.reason.as_dict(),
        }
        for line in solution.lines
    ]
    return record


def _finite(value: float | None) -> float | None:
    """A power curve's first unit returns without limit, which JSON cannot say."""
    return None if value is None or not np.isfinite(value) else value
