"""What a budget problem is made of: cells with curves, bounds, constraints, and what is maximised."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from optimization.core.responses import Family, Floats
from tenants.core.problems import InvalidInput

#: The levels of a path, from the top.
LEVELS = ("channel", "rmn", "placement", "audience", "sku")

Path = tuple[str, ...]


class InvalidProblem(InvalidInput):
    """A budget problem that no solver should see."""

    code = "invalid-budget-problem"
    title = "The budget problem is not valid"


class Aim(StrEnum):
    """What an allocation is judged by: attributed revenue, incremental revenue, or margin earned less money spent."""

    REVENUE = "revenue"
    INCREMENTAL = "incremental"
    PROFIT = "profit"


class GlobalKind(StrEnum):
    """A constraint on return or cost over a scope."""

    MIN_ROAS = "min_roas"
    MAX_CPA = "max_cpa"
    MIN_IROAS = "min_iroas"
    MIN_ROI = "min_roi"

    @property
    def is_least(self) -> bool:
        """True where lowering the value loosens it."""
        return self is not GlobalKind.MAX_CPA


@dataclass(frozen=True, slots=True)
class Curve:
    """One response curve: `a` and `k` in money, `exponent` for power (p) and hill (n)."""

    family: Family
    a: float
    k: float
    exponent: float = 1.0
    revenue_per_conversion: float | None = None

    def valued(self, revenue_per_conversion: float | None) -> Curve:
        """The same curve with what a conversion brings."""
        return replace(self, revenue_per_conversion=revenue_per_conversion)


@dataclass(frozen=True, slots=True)
class Cell:
    """One line of a budget, money per period.

    `max_spend` of None means no cap of its own. `min_spend_if_active` m means spend 0 or at least m. `margin` is the
    fraction of revenue that is earned, None where it is not known; `incrementality` is incremental over attributed
    revenue, and `incrementality_low` what of it a least incremental ROAS is judged by, where that is another.
    """

    id: str
    path: Path
    curve: Curve
    min_spend: float = 0.0
    max_spend: float | None = None
    out_of_stock: bool = False
    min_spend_if_active: float = 0.0
    margin: float | None = None
    incrementality: float = 1.0
    incrementality_low: float | None = None


@dataclass(frozen=True, slots=True)
class NodeBound:
    """Bounds on the spend of all cells whose path starts with `path`; None is no bound.

    `period` counts from 1; 0 is over the whole horizon, and the only one of a problem without periods.
    """

    path: Path
    min_spend: float | None = None
    max_spend: float | None = None
    period: int = 0


@dataclass(frozen=True, slots=True)
class Periods:
    """Money per period that rolls forward when unspent: spend through each period <= budgets through it.

    `season` scales the curves of each period.
    """

    budgets: tuple[float, ...]
    season: tuple[float, ...]

    def total(self, given: float | None) -> float:
        """The budget of the horizon.

        Raises:
            InvalidProblem: a total was given and is another.
        """
        total = math.fsum(self.budgets)
        if given is not None and abs(given - total) > 1e-9 * max(total, abs(given)):
            raise InvalidProblem(
                f"The budgets of the periods add up to {total:g}, but total_budget is {given:g}.",
                where="total_budget",
                fix="Leave total_budget out, or make both agree.",
            )
        return total


@dataclass(frozen=True, slots=True)
class GlobalConstraint:
    """A limit over all cells under `scope`.

    `min_roas`: attributed revenue >= value x spend. `min_iroas`: the same of incremental revenue. `min_roi`: what the
    objective counts (revenue, incremental revenue, profit) >= value x spend. `max_cpa`: spend <= value x conversions.
    """

    kind: GlobalKind
    value: float
    scope: Path = ()


@dataclass(frozen=True)
class TailObjective:
    """Maximise the mean of the objective over the worst `tail_fraction` of the scenarios (CVaR).

    `scenarios`: multipliers of the cells' revenue, shape (scenarios, cells).
    """

    tail_fraction: float
    scenarios: Floats

    def repeated(self, times: int) -> TailObjective:
        """The same over so many periods, one after the other: a scenario is one truth of the whole horizon."""
        return TailObjective(self.tail_fraction, np.tile(self.scenarios, (1, times)))


@dataclass(frozen=True, slots=True)
class Term:
    """`coef` times the spend under `scope`; where `times_value`, times the value of its constraint too."""

    scope: Path
    coef: float
    times_value: bool = False


@dataclass(frozen=True, slots=True)
class LinearConstraint:
    """Sum of the terms <= rhs: a share of a branch, a ratio of two scopes, a fair part, or any linear limit on money.

    Attributes:
        name: unique in a problem; what people call it.
        kind: max_share, min_share, max_ratio, min_ratio, min_part, max_spend, min_spend or linear.
        value: the number that a person set, which a relaxation changes: a share, a ratio, or the right-hand side.
        rhs: None where it is `value` itself.
    """

    name: str
    kind: str
    value: float
    terms: tuple[Term, ...]
    rhs: float | None = 0.0

    @property
    def scope(self) -> Path:
        """The node that it is about."""
        return self.terms[1].scope if self.kind == "min_part" else self.terms[0].scope

    @property
    def limit(self) -> float:
        """The right-hand side, money."""
        if self.rhs is not None:
            return self.rhs
        return -self.value if self.is_least else self.value

    @property
    def is_least(self) -> bool:
        """True where lowering the value loosens it."""
        return self.kind.startswith("min_")

    def at(self, value: float) -> LinearConstraint:
        """The same constraint with another value."""
        return replace(self, value=value)


def path_text(path: Path) -> str:
    """A path as people read it."""
    return " > ".join(path) if path else "the total"
