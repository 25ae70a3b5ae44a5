"""What a programme may be started with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from optimization.core.instance import parse_problem
from optimization.core.learning.allocation import Allocator
from optimization.core.learning.policies import RECOMMENDED, LearningSettings
from optimization.core.learning.programme import weekly_problem
from optimization.core.problem import BudgetProblem
from optimization.models import Solve
from optimization.selectors.learning_history import keys_of
from tenants.core.problems import InvalidInput
from tenants.selectors import current_tenant

#: What may be set of a programme, with the least and the most.
SETTABLE = {"temperature": (0.01, 0.3), "reserve": (0.0, 0.1), "forgetting": (0.0, 0.3)}
MOST_CELLS = 2_000
#: A weekly budget, money.
LEAST_BUDGET, MOST_BUDGET = Decimal("0.01"), Decimal("999999999999.99")
#: The first week of a programme, from the coming one.
MOST_WEEKS_BACK, MOST_WEEKS_AHEAD = 520, 52


def checked_settings(given: Mapping[str, float]) -> LearningSettings:
    """The recommended settings with some changed.

    Raises:
        InvalidInput: one cannot be set, or not so.
    """
    for name, value in given.items():
        if name not in SETTABLE:
            raise InvalidInput(
                f"{name!r} cannot be set.", where=f"settings.{name}", fix=f"Set some of: {', '.join(SETTABLE)}."
            )
        low, high = SETTABLE[name]
        if not low <= value <= high:
            raise InvalidInput(
                f"{name} is {value:g}.", where=f"settings.{name}", fix=f"Give {low:g} to {high:g}, a fraction."
            )
    chosen: dict[str, Any] = {name: float(value) for name, value in given.items()}
    return replace(RECOMMENDED, **chosen)


def check_first_week(day: date, *, coming: date) -> None:
    """Whether a programme may start in a week.

    Args:
        coming: Monday of the week to come.

    Raises:
        InvalidInput: the day is no Monday, or so far off that it was hardly meant.
    """
    if day.weekday() != 0:
        raise InvalidInput(
            f"{day:%-d %b %Y} is no Monday.", where="first_week", fix="Give a Monday, the first day of the first week."
        )
    first, last = (coming + timedelta(weeks=weeks) for weeks in (-MOST_WEEKS_BACK, MOST_WEEKS_AHEAD))
    if not first <= day <= last:
        raise InvalidInput(
            f"A programme cannot start in the week of {day:%-d %b %Y}.",
            where="first_week",
            fix=f"Give a Monday from {first:%-d %b %Y} to {last:%-d %b %Y}.",
        )


def weeks_of(solve: Solve, given: float | None) -> float:
    """How many weeks a solved problem is of: as given, or as the solve says.

    Raises:
        InvalidInput: neither says it. Nothing is assumed: a month's money taken for a week's is four times too much.
    """
    weeks = solve.inputs.get("weeks") if given is None else given
    if weeks is None:
        raise InvalidInput(
            "Nothing says how many weeks the solved problem is of.",
            where="problem_weeks",
            fix="Give the weeks that its money and curves are of; 1 if they are of one week.",
        )
    return float(weeks)


def checked_problem(solve: Solve, weeks: float, budget: Decimal | None) -> BudgetProblem:
    """The weekly problem of a solve.

    Raises:
        InvalidInput: it cannot be learnt from, or the budget not be spent within its bounds; says why.
    """
    if solve.status != "optimal":
        raise InvalidInput("The problem has no answer to learn from.", where="solve", fix="Use one that was solved.")
    if not 0.1 <= weeks <= 104.0:
        raise InvalidInput(f"{weeks:g} weeks.", where="problem_weeks", fix="Give 0.1 to 104 weeks.")
    asked = parse_problem(solve.problem)
    money = _checked_money(asked.total_budget / weeks if budget is None else budget)
    if len(asked.cells) > MOST_CELLS:
        raise InvalidInput(
            f"{len(asked.cells)} lines are more than the {MOST_CELLS} that one programme learns of.",
            where="solve",
            fix="Learn by brand or retailer.",
        )
    keys_of(asked.ids)
    problem = weekly_problem(asked, weeks=weeks, budget=money)
    allocator = Allocator.of(problem)
    if allocator.conflict is not None:
        members = allocator.conflict.members
        raise InvalidInput(
            f"A weekly budget of {money:,.2f} cannot meet the bounds of the problem by the week: "
            + "; ".join(f"{one.kind} {one.value:,.2f} of {' > '.join(one.path) or 'the total'}" for one in members),
            where="weekly_budget",
            fix="Give another budget, or learn from a problem with other bounds.",
        )
    return problem


def _checked_money(amount: float | Decimal) -> float:
    """A weekly budget to the cent, as a programme can hold it."""
    money = Decimal(amount)
    # Before it is rounded: an amount of 400 digits cannot be, and what is no number cannot be compared.
    if not money.is_finite() or not LEAST_BUDGET / 2 < money <= MOST_BUDGET:
        told = "no number" if money.is_nan() else f"{money:.4g}"
        raise InvalidInput(
            f"The weekly budget is {told}.",
            where="weekly_budget",
            fix=f"Give {LEAST_BUDGET} to {MOST_BUDGET:,} a week, or a problem whose budget by its weeks is.",
        )
    return float(money.quantize(LEAST_BUDGET))


def currency_of(solve: Solve) -> str:
    """Currency of a solve's money: that of its curves, else the tenant's."""
    of_curves = solve.curve_version.settings.get("currency") if solve.curve_version else None
    return str(of_curves or current_tenant().base_currency)
