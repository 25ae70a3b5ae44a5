"""Ways out of a conflict: for each constraint in it, the least change that works, as a change of the scenario.

The solver names bounds of cells and nodes; a person set a budget, a reserve, a row of a table, a largest change, a
return. Each way out is a change of one such field, rounded outward to what the field can hold and then checked against
the whole problem, so what is promised is what solving it gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from optimization.core.conflicts import Conflict, Member, bounds_can_be_met
from optimization.core.limit_conflicts import limits_can_be_met
from optimization.core.problem import BudgetProblem, Path, path_text
from planning.core.amounts import amount_text
from planning.core.terms import CENT, MOST_MONEY, Bound, ScenarioTerms

_FOURTH = Decimal("0.0001")
_LARGEST_CHANGE = Decimal(99)

ProblemOf = Callable[[ScenarioTerms], BudgetProblem]


@dataclass(frozen=True, kw_only=True)
class WayOut:
    """One constraint of a conflict, and the least change of it that works.

    Attributes:
        field: of the scenario.
        path, limit: which bound, for the field `bounds`.
        asked: its value now.
        needed: the value that works; None where no change of this field alone does.
        restores: True when that change makes the whole scenario possible.
        lines: how many lines it holds, for the largest change of a line.
    """

    field: str
    asked: Decimal
    needed: Decimal | None
    restores: bool
    path: Path = ()
    limit: str = ""
    lines: int = 0

    @property
    def text(self) -> str:
        """The constraint where the currency is told beside it, as in the API."""
        return self.words()

    @property
    def move(self) -> str:
        """The change where the currency is told beside it."""
        return self.move_words()

    def words(self, currency: str = "") -> str:
        """The constraint, as people say it."""
        if self.field == "bounds":
            word = "at least" if self.limit == "min_spend" else "at most"
            return f"{path_text(self.path)} {word} {amount_text(self.asked, currency)}"
        if self.field == "total_budget":
            return f"Total budget of {amount_text(self.asked, currency)}"
        if self.field == "reserve_fraction":
            return f"Experiment reserve of {self.asked:.2%}"
        if self.field == "max_change_fraction":
            return f"No line changes by more than {self.asked:.2%}"
        return f"ROAS of at least {self.asked.normalize():f}"

    def move_words(self, currency: str = "") -> str:
        """The change, in the imperative."""
        if self.needed is None:
            return "No change of this alone works"
        if self.field.endswith("_fraction"):
            value = f"{self.needed:.2%}"
        elif self.field == "min_roas":
            value = f"{self.needed.normalize():f}"
        else:
            value = amount_text(self.needed, currency)
        verb = "Raise" if self.needed > self.asked else "Lower"
        return f"{verb} it to {value}"

    def as_dict(self) -> dict[str, Any]:
        """As stored with the scenario."""
        return {
            "field": self.field, "path": list(self.path), "limit": self.limit, "asked": str(self.asked),
            "needed": None if self.needed is None else str(self.needed), "restores": self.restores,
            "lines": self.lines, "text": self.text, "move": self.move,
        }  # fmt: skip

    @classmethod
    def of(cls, stored: dict[str, Any]) -> WayOut:
        """From `as_dict`."""
        return cls(
            field=stored["field"], path=tuple(stored["path"]), limit=stored["limit"], asked=Decimal(stored["asked"]),
            needed=None if stored["needed"] is None else Decimal(stored["needed"]), restores=stored["restores"],
            lines=stored["lines"],
        )  # fmt: skip


def ways_out(terms: ScenarioTerms, conflict: Conflict, problem_of: ProblemOf) -> list[WayOut]:
    """One way out per constraint of the conflict that a person set, in the conflict's order."""
    found: list[WayOut] = []
    of_lines = [member for member in conflict.members if member.cell is not None]
    for member in conflict.members:
        if member.cell is None:
            found += _of_member(terms, member)
        elif member is of_lines[0] and terms.max_change_fraction is not None:
            found.append(_of_largest_change(terms, len(of_lines), problem_of))
    return [_checked(terms, way, problem_of) for way in found]


def apply(terms: ScenarioTerms, way: WayOut) -> ScenarioTerms:
    """The scenario with that change.

    Raises:
        ValueError: the way out has no value that works.
    """
    if way.needed is None:
        raise ValueError(f"no change of {way.field} alone works")
    if way.field != "bounds":
        change: dict[str, Any] = {way.field: way.needed}
        return replace(terms, **change)
    bounds = []
    for bound in terms.bounds:
        if bound.path != way.path:
            bounds.append(bound)
            continue
        changed = Bound(
            bound.path,
            way.needed if way.limit == "min_spend" else bound.min_spend,
            way.needed if way.limit == "max_spend" else bound.max_spend,
        )
        # A floor of nothing is no bound any more.
        if changed.min_spend or changed.max_spend is not None:
            bounds.append(changed)
    return replace(terms, bounds=tuple(bounds))


def is_feasible(problem: BudgetProblem) -> bool:
    """True when some spend meets every bound and limit."""
    return bounds_can_be_met(problem) and (not problem.global_constraints or limits_can_be_met(problem))


def _of_member(terms: ScenarioTerms, member: Member) -> list[WayOut]:
    if member.kind == "min_roas":
        needed = None if member.needed is None else _rounded(member.needed, _FOURTH, ROUND_FLOOR)
        return [_way("min_roas", terms.min_roas or Decimal(0), needed)]
    if member.path == ():
        return _of_total(terms, member)
    bound = next((one for one in terms.bounds if one.path == member.path), None)
    asked = getattr(bound, member.kind, None)
    if asked is None:
        return []
    up = member.kind == "max_spend"
    needed = None if member.needed is None else _rounded(member.needed, CENT, ROUND_CEILING if up else ROUND_FLOOR)
    return [_way("bounds", asked, needed, path=member.path, limit=member.kind)]


def _of_total(terms: ScenarioTerms, member: Member) -> list[WayOut]:
    """The total is what the reserve leaves of the budget: either can give."""
    if member.needed is None:
        return [_way("total_budget", terms.total_budget, None)]
    least = Decimal(repr(member.needed))
    budget = (least / (1 - terms.reserve_fraction)).quantize(CENT, ROUND_CEILING)
    ways = [_way("total_budget", terms.total_budget, budget if budget <= MOST_MONEY else None)]
    left = (1 - least / terms.total_budget).quantize(_FOURTH, ROUND_FLOOR)
    if terms.reserve_fraction > 0 and left >= 0:
        ways.append(_way("reserve_fraction", terms.reserve_fraction, left))
    return ways


def _of_largest_change(terms: ScenarioTerms, lines: int, problem_of: ProblemOf) -> WayOut:
    """The least largest change that works, by bisection: widening every line's room never loses a solution."""
    asked = terms.max_change_fraction or Decimal(0)

    def works(change: Decimal) -> bool:
        return is_feasible(problem_of(replace(terms, max_change_fraction=change)))

    low, high = asked, max(asked * 2, Decimal(1))
    while not works(high):
        if high >= _LARGEST_CHANGE:
            return _way("max_change_fraction", asked, None, lines=lines)
        low, high = high, min(high * 4, _LARGEST_CHANGE)
    while high - low > _FOURTH:
        middle = ((low + high) / 2).quantize(_FOURTH)
        if middle in (low, high):
            break
        low, high = (low, middle) if works(middle) else (middle, high)
    return _way("max_change_fraction", asked, high.quantize(_FOURTH, ROUND_CEILING), lines=lines)


def _checked(terms: ScenarioTerms, way: WayOut, problem_of: ProblemOf) -> WayOut:
    if way.needed is None:
        return way
    # The reserve is whole cents too, so the budget that leaves enough beside it may be a cent more.
    for cents in (0, 1, 2) if way.field == "total_budget" else (0,):
        tried = replace(way, needed=way.needed + cents * CENT)
        if is_feasible(problem_of(apply(terms, tried))):
            return replace(tried, restores=True)
    return way


def _way(field: str, asked: Decimal, needed: Decimal | None, **more: Any) -> WayOut:
    return WayOut(field=field, asked=asked, needed=needed, restores=False, **more)


def _rounded(value: float, step: Decimal, direction: str) -> Decimal:
    # repr is exact to the float; what lies within its rounding of a whole step is that step.
    exact = Decimal(repr(value))
    nearest = exact.quantize(step)
    if abs(exact - nearest) <= abs(exact) * Decimal("1e-12"):
        return nearest
    return max(Decimal(0), exact.quantize(step, direction))
