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

from optimization.core.conflicts import Conflict, Member
from optimization.core.feasibility import can_be_met as is_feasible
from optimization.core.problem import BudgetProblem, Path, path_text
from planning.core.aim_words import PAIRS, pair_key
from planning.core.aims import MOST_RATIO, Share
from planning.core.amounts import amount_text
from planning.core.terms import CENT, MOST_MONEY, Bound, ScenarioTerms

_FOURTH = Decimal("0.0001")
_LARGEST_CHANGE = Decimal(99)
_RETURNS = {"min_roas": "ROAS", "min_iroas": "Incremental ROAS", "target": "Return"}
_FIELDS = {"min_roas": "min_roas", "min_iroas": "min_iroas", "min_roi": "target", "max_cpa": "max_cpa"}

ProblemOf = Callable[[ScenarioTerms], BudgetProblem]


@dataclass(frozen=True, kw_only=True)
class WayOut:
    """One constraint of a conflict, and the least change of it that works.

    Attributes:
        field: of the scenario.
        path, limit: which bound, for the field `bounds`; which share, for `shares`, of the spend under `within`; which
            ratio, for `ratios`, to the spend under `within`; which week, for `weekly_budgets`.
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
    within: Path = ()

    @property
    def key(self) -> tuple[str, Path, str]:
        """What identifies the constraint on a page; the weeks of a horizon are one."""
        if self.field in ("shares", "ratios"):
            return pair_key(self.field, self.path, self.limit, self.within)
        return self.field, self.path, "" if self.field == "weekly_budgets" else self.limit

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
        return self._aim_words(currency)

    def _aim_words(self, currency: str) -> str:
        if self.field == "shares":
            word = "at least" if self.limit == "min_share" else "at most"
            return f"{path_text(self.path)} {word} {self.asked:.2%} of {path_text(self.within)}"
        if self.field == "ratios":
            word = "at least" if self.limit == "min_ratio" else "at most"
            return f"{path_text(self.path)} {word} {self.asked.normalize():f} times {path_text(self.within)}"
        if self.field == "fair_fraction":
            return f"Everybody keeps at least {self.asked:.2%} of their part"
        if self.field == "fixed":
            return f"{path_text(self.path)} keeps what it spends now"
        if self.field == "mode":
            return "Every line keeps what it spends now"
        if self.field == "weekly_budgets":
            return f"Budgets of weeks 1 to {self.limit}: {amount_text(self.asked, currency)}"
        if self.field == "max_cpa":
            return f"Cost per order of at most {amount_text(self.asked, currency)}"
        return f"{_RETURNS.get(self.field, 'Return')} of at least {self.asked.normalize():f}"

    def move_words(self, currency: str = "") -> str:
        """The change, in the imperative."""
        if self.needed is None:
            return "No change of this alone works"
        if self.field == "fixed":
            return "Let it change"
        if self.field == "mode":
            return "Let lines lose money: place the whole budget"
        if self.field.endswith("_fraction") or self.field == "shares":
            value = f"{self.needed:.2%}"
        elif self.field in _RETURNS or self.field == "ratios":
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
            "lines": self.lines, "within": list(self.within), "text": self.text, "move": self.move,
        }  # fmt: skip

    @classmethod
    def of(cls, stored: dict[str, Any]) -> WayOut:
        """From `as_dict`."""
        return cls(
            field=stored["field"], path=tuple(stored["path"]), limit=stored["limit"], asked=Decimal(stored["asked"]),
            needed=None if stored["needed"] is None else Decimal(stored["needed"]), restores=stored["restores"],
            lines=stored["lines"], within=tuple(stored.get("within", ())),
        )  # fmt: skip


def ways_out(terms: ScenarioTerms, conflict: Conflict, problem_of: ProblemOf) -> list[WayOut]:
    """One way out per constraint of the conflict that a person set, in the conflict's order."""
    found: list[WayOut] = []
    of_lines = [member for member in conflict.members if member.cell is not None]
    for member in conflict.members:
        if member.cell is None:
            found += _of_member(terms, member)
        elif member is of_lines[0]:
            found += _of_lines(terms, of_lines, problem_of)
    return [_checked(terms, way, problem_of) for way in found]


def apply(terms: ScenarioTerms, way: WayOut) -> ScenarioTerms:
    """The scenario with that change.

    Raises:
        ValueError: the way out has no value that works.
    """
    if way.needed is None:
        raise ValueError(f"no change of {way.field} alone works")
    if way.field in ("shares", "ratios", "fixed", "mode", "weekly_budgets"):
        return _apply_aim(terms, way)
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


def _apply_aim(terms: ScenarioTerms, way: WayOut) -> ScenarioTerms:
    if way.field == "mode":
        return replace(terms, mode="fixed_budget")
    if way.field == "fixed":
        return replace(terms, fixed=tuple(path for path in terms.fixed if path != way.path))
    if way.field == "weekly_budgets":
        week, more = int(way.limit) - 1, (way.needed or way.asked) - way.asked
        budgets = [*terms.weekly_budgets]
        budgets[week] += more
        return replace(terms, weekly_budgets=tuple(budgets), total_budget=terms.total_budget + more)
    if way.field == "ratios":
        ratios = []
        for pair in terms.ratios:
            if (pair.path, pair.other) == (way.path, way.within):
                other: dict[str, Any] = {way.limit: way.needed}
                pair = replace(pair, **other)
            # A least ratio of nothing is none.
            if pair.min_ratio or pair.max_ratio is not None:
                ratios.append(pair)
        return replace(terms, ratios=tuple(ratios))
    shares = []
    for one in terms.shares:
        if (one.path, one.within) == (way.path, way.within):
            change: dict[str, Any] = {way.limit: way.needed}
            one = replace(one, **change)
        # A least share of nothing is none.
        if one.min_share or one.max_share is not None:
            shares.append(one)
    return replace(terms, shares=tuple(shares))


def _of_member(terms: ScenarioTerms, member: Member) -> list[WayOut]:
    up = member.kind.startswith("max_")
    step = CENT if member.kind in ("max_cpa", "min_spend", "max_spend") else _FOURTH
    needed = None if member.needed is None else _rounded(member.needed, step, ROUND_CEILING if up else ROUND_FLOOR)
    if member.kind in _FIELDS:
        field = _FIELDS[member.kind]
        return [_way(field, getattr(terms, field) or Decimal(0), needed)]
    if member.kind == "min_part":
        return [_way("fair_fraction", terms.fair_fraction or Decimal(0), needed)]
    if member.kind in PAIRS:
        return _of_pair(terms, member, needed)
    if member.path in terms.fixed:
        return [_way("fixed", Decimal(0), Decimal(0), path=member.path)]
    if member.cumulative:
        return _of_weeks(terms, member)
    if member.path == ():
        return _of_total(terms, member)
    bound = next((one for one in terms.bounds if one.path == member.path), None)
    asked = getattr(bound, member.kind, None)
    if asked is None:
        return []
    return [_way("bounds", asked, needed, path=member.path, limit=member.kind)]


def _of_pair(terms: ScenarioTerms, member: Member, needed: Decimal | None) -> list[WayOut]:
    """A share or a ratio: a node may have several, each to another one, and the name tells them apart."""
    field = "shares" if member.kind.endswith("_share") else "ratios"
    if needed is not None and needed > (MOST_RATIO if field == "ratios" else 1):
        needed = None
    for one in terms.shares if field == "shares" else terms.ratios:
        for limit, rule in one.rules():
            if limit == member.kind and rule.name == member.name:
                second = one.within if isinstance(one, Share) else one.other
                return [_way(field, getattr(one, limit), needed, path=one.path, limit=limit, within=second)]
    return []


def _of_weeks(terms: ScenarioTerms, member: Member) -> list[WayOut]:
    """The money of the weeks through one: as much more in that week is enough, whatever the reserve keeps of it."""
    asked = sum(terms.weekly_budgets[: member.period], Decimal(0))
    if member.needed is None:
        return [_way("weekly_budgets", asked, None, limit=str(member.period))]
    share = 1 - terms.reserve / terms.total_budget
    needed = (Decimal(repr(member.needed)) / share).quantize(CENT, ROUND_CEILING)
    return [_way("weekly_budgets", asked, max(needed, asked), limit=str(member.period))]


def _of_lines(terms: ScenarioTerms, members: list[Member], problem_of: ProblemOf) -> list[WayOut]:
    """Floors and caps of lines come from the largest change, and floors from keeping what is spent now."""
    if terms.mode == "incremental_only" and any(one.kind == "min_spend" for one in members):
        return [_way("mode", Decimal(0), Decimal(0), lines=len(members))]
    if terms.max_change_fraction is None:
        return []
    return [_of_largest_change(terms, len(members), problem_of)]


def _of_total(terms: ScenarioTerms, member: Member) -> list[WayOut]:
    """The total is what the reserve leaves of the budget: either can give."""
    if terms.weekly_budgets:
        return _of_weeks(terms, replace(member, period=len(terms.weekly_budgets)))
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
    for cents in (0, 1, 2) if way.field in ("total_budget", "weekly_budgets") else (0,):
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
