"""The planner's way to comparisons and typed allocations. Nothing is stored by either."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from accounts.models import User
from jobs.core.tools import Tool, register_tool
from planning import selectors, services
from planning.core.comparison import MOST
from planning.core.paths import scope_pattern
from planning.pacing_api import ForecastSerializer
from planning.what_if_serializers import ComparisonSerializer, SimulationSerializer

_MOST_LINES = 30
_SCOPE = f"^{scope_pattern('brand')}$"


class CompareInput(BaseModel):
    """Which scenarios."""

    model_config = ConfigDict(extra="forbid")

    scenario_ids: list[str] = Field(min_length=2, max_length=MOST, description="Ids or labels such as SC-0001.")


class CompareOut(BaseModel):
    """Scenarios side by side; money over each one's own horizon, or per week where horizons differ in length."""

    scenarios: list[dict[str, Any]]
    currency: str
    per_week: bool
    cautions: list[str]
    totals: list[dict[str, Any]]
    terms_that_differ: list[dict[str, Any]]
    lines: list[dict[str, Any]]


class AmountIn(BaseModel):
    """Money for a scope."""

    model_config = ConfigDict(extra="forbid")

    scope: str = Field(
        pattern=_SCOPE,
        description="Hierarchy path channel>RMN>placement>audience>SKU, e.g. 'channel=onsite/rmn=walmart'.",
    )
    amount: float = Field(ge=0)


class SimulateInput(BaseModel):
    """What was typed."""

    model_config = ConfigDict(extra="forbid")

    scenario_id: str = Field(min_length=1, max_length=64, description="Id or label such as SC-0001.")
    allocation: list[AmountIn] = Field(min_length=1, max_length=1000)


class SimulateOut(BaseModel):
    """What it would do; money over the horizon of the scenario."""

    currency: str
    whole: dict[str, Any]
    sales_80: list[float]
    gain_80: list[float]
    best_with_same_money: dict[str, Any]
    left: float | None
    broken: list[dict[str, Any]]
    by_retailer: list[dict[str, Any]]
    notes: list[str]
    lines: list[dict[str, Any]]


class PacingInput(BaseModel):
    """Which budgets, and when."""

    model_config = ConfigDict(extra="forbid")

    scope: str = Field(default="", description="brand=chips/rmn=Amazon: only budgets of these; empty for all.")
    as_of: date | None = Field(default=None, description="As if it were that day; today in each account's zone.")


class PacingOut(BaseModel):
    """Budgets whose period holds the day, with what is spent and where it is heading."""

    budgets: list[dict[str, Any]]
    left_out: int


def _pacing(given: PacingInput, *, user: User) -> PacingOut:
    told = ForecastSerializer(services.forecast_pacing(user=user, as_of=given.as_of, scope=given.scope)).data
    return PacingOut(budgets=[dict(one) for one in told["budgets"]], left_out=told["left_out"])


def _compare(given: CompareInput, *, user: User) -> CompareOut:
    found = services.compare_scenarios(user=user, references=given.scenario_ids)
    if len({one.terms.days for one in found.candidates}) > 1:
        found = services.compare_scenarios(user=user, references=given.scenario_ids, per_week=True)
    told = ComparisonSerializer(found).data
    return CompareOut(
        scenarios=told["scenarios"],
        currency=told["currency"],
        per_week=told["per_week"],
        cautions=told["cautions"],
        totals=told["totals"],
        terms_that_differ=[row for row in told["terms"] if row["differs"]],
        lines=told["lines"][:_MOST_LINES],
    )


def _simulate(given: SimulateInput, *, user: User) -> SimulateOut:
    scenario = selectors.scenario_named(user=user, reference=given.scenario_id)
    # Through text, so that 0.1 is ten cents and not the float nearest to them.
    amounts = [{"scope": one.scope, "amount": str(one.amount)} for one in given.allocation]
    simulation = services.simulate_allocation(actor=user, scenario=scenario, allocation=amounts)
    told = SimulationSerializer(simulation).data
    return SimulateOut(
        currency=told["currency"],
        whole=told["whole"],
        sales_80=told["outlook"]["sales_proposed"],
        gain_80=told["outlook"]["gain"],
        best_with_same_money=told["same_money"],
        left=told["left"],
        broken=told["broken"],
        by_retailer=told["by_retailer"],
        notes=told["notes"],
        lines=told["lines"][:_MOST_LINES],
    )


def register() -> None:
    """Enter these tools."""
    register_tool(
        Tool(
            name="compare_scenarios",
            description="Side-by-side of 2 to 5 solved scenarios: totals, terms that differ, lines whose money differs "
            "most, and what is not like with like.",
            input_model=CompareInput,
            output_model=CompareOut,
            permission=selectors.VIEW,
            run=_compare,
        )
    )
    register_tool(
        Tool(
            name="simulate_allocation",
            description="Predict outcome of an allocation a person typed in, without optimising: expected sales with "
            "interval, terms it breaks, and how far it is from the best use of the same money. Lines that nothing is "
            "typed for keep their current spend; an amount of a node is split in proportion to current spend.",
            input_model=SimulateInput,
            output_model=SimulateOut,
            permission=selectors.MANAGE,
            run=_simulate,
        )
    )
    register_tool(
        Tool(
            name="forecast_pacing",
            description="Projected end-of-period spend per budget in the account's own time zone, with the day each "
            "cap would be hit.",
            input_model=PacingInput,
            output_model=PacingOut,
            permission=selectors.VIEW,
            run=_pacing,
        )
    )
