"""The planner's way to scenarios. It may ask and solve; it approves nothing and changes no network."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from accounts import selectors as people
from accounts.models import Brand, User
from jobs.core.tools import Tool, register_tool
from planning import selectors, services, what_if_tools
from planning.models import Scenario
from tenants.core.problems import NotFound

_MOST_LINES = 50


class BoundIn(BaseModel):
    """Least and most spend under a node of the tree channel > retailer > placement > audience > SKU."""

    model_config = ConfigDict(extra="forbid")

    path: list[str] = Field(min_length=1, max_length=5, description="Names from the top, e.g. onsite search, Walmart.")
    min_spend: Decimal | None = None
    max_spend: Decimal | None = None


class ShareIn(BaseModel):
    """Least and most share of the spend under `within`, the total where that is empty, that goes to `path`."""

    model_config = ConfigDict(extra="forbid")

    path: list[str] = Field(min_length=1, max_length=5)
    within: list[str] = Field(default=[], max_length=5)
    min_share: Decimal | None = None
    max_share: Decimal | None = None


class CreateScenarioInput(BaseModel):
    """What to ask of a budget."""

    model_config = ConfigDict(extra="forbid")

    brand: str = Field(default="", description="Slug of a brand; empty for all brands.")
    name: str
    horizon_start: date
    horizon_end: date
    total_budget: Decimal
    min_roas: Decimal | None = None
    reserve_fraction: Decimal = Field(default=Decimal(0), description="Held back for experiments, 0 to 0.5.")
    stock_cover_threshold_days: int = 3
    max_change_fraction: Decimal | None = Field(default=None, description="0.5 lets no line change by more than 50 %.")
    bounds: list[BoundIn] = []
    objective: Literal["sales", "incremental_sales", "profit"] = "sales"
    mode: Literal["fixed_budget", "flexible_target_roi", "flexible_target_marginal_roi", "incremental_only"] = Field(
        default="fixed_budget",
        description="flexible: total_budget is a ceiling under `target`; incremental_only: place only the extra money, "
        "keep the rest as it is.",
    )
    target: Decimal | None = Field(default=None, description="Return of the objective that a flexible mode keeps.")
    min_iroas: Decimal | None = None
    min_iroas_by: Literal["expected", "cautious"] = Field(
        default="expected", description="Cautious: min_iroas counts what factors are at least in four of five cases."
    )
    max_cpa: Decimal | None = Field(default=None, description="Most cost per order.")
    margin_fraction: Decimal | None = Field(default=None, description="For profit, where no margin is known: 0 to 1.")
    fixed: list[list[str]] = Field(default=[], description="Paths that keep what they spend now.")
    shares: list[ShareIn] = Field(default=[], description="Share caps and floors.")
    weekly_budgets: list[Decimal] = Field(default=[], description="One per week; unspent money rolls forward.")


class ScenarioRef(BaseModel):
    """One scenario."""

    model_config = ConfigDict(extra="forbid")

    scenario: UUID


class ScenarioOut(BaseModel):
    """A scenario, and its answer where there is one; money over the horizon."""

    scenario: UUID
    label: str
    name: str
    status: str
    total_budget: str
    expected_sales_now: float | None
    expected_sales_proposed: float | None
    gain_80: list[float] | None
    gap: float | None
    ways_out: list[dict[str, Any]]
    lines: list[dict[str, Any]]


class JobOut(BaseModel):
    """The job that does it."""

    job: UUID


def _create(given: CreateScenarioInput, *, user: User) -> ScenarioOut:
    fields = given.model_dump(exclude={"brand"})
    return _told(services.create_scenario(actor=user, given=fields, brand=_brand(given.brand, user)))


def _optimize(given: ScenarioRef, *, user: User) -> JobOut:
    scenario = selectors.scenario_visible(user=user, scenario_id=given.scenario)
    return JobOut(job=services.solve_scenario(actor=user, scenario=scenario).pk)


def _show(given: ScenarioRef, *, user: User) -> ScenarioOut:
    return _told(selectors.scenario_visible(user=user, scenario_id=given.scenario))


def _brand(slug: str, user: User) -> Brand | None:
    if not slug:
        return None
    brand = people.brands_for(user=user, permission=selectors.VIEW).filter(slug=slug).first()
    if brand is None:
        raise NotFound(f"There is no brand {slug!r}.", where="brand", fix="Use the slug of a brand you may see.")
    return brand


def _told(scenario: Scenario) -> ScenarioOut:
    solution = scenario.solve.solution if scenario.solve else {}
    lines = sorted(solution.get("lines", []), key=lambda line: -abs(line["proposed"] - (line["now"] or 0.0)))
    return ScenarioOut(
        scenario=scenario.pk, label=scenario.label, name=scenario.name, status=scenario.status,
        total_budget=str(scenario.total_budget),
        expected_sales_now=scenario.outlook.get("expected_now"),
        expected_sales_proposed=scenario.outlook.get("expected_proposed"),
        gain_80=scenario.outlook.get("gain"),
        gap=scenario.solve.gap if scenario.solve else None,
        ways_out=scenario.relaxations,
        lines=[
            {"cell": line["cell"], "now": line["now"], "proposed": line["proposed"], "why": line["reason"]["text"]}
            for line in lines[:_MOST_LINES]
        ],
    )  # fmt: skip


def register() -> None:
    """Enter the tools of this app."""
    register_tool(
        Tool(
            name="create_scenario",
            description="Save a what-if: horizon, budget and constraints. Solves nothing; call optimize_budget next.",
            input_model=CreateScenarioInput,
            output_model=ScenarioOut,
            permission=selectors.MANAGE,
            read_only=False,
            run=_create,
        )
    )
    register_tool(
        Tool(
            name="optimize_budget",
            description="Solve a scenario. Returns the job; when it has ended, show_scenario has the allocation with "
            "its certificate and reasons, or the smallest conflict with what would resolve it.",
            input_model=ScenarioRef,
            output_model=JobOut,
            permission=selectors.MANAGE,
            read_only=False,
            run=_optimize,
        )
    )
    register_tool(
        Tool(
            name="show_scenario",
            description="A scenario and its answer: expected sales now and proposed with interval, the lines that "
            "change most and why, or the ways out of a conflict.",
            input_model=ScenarioRef,
            output_model=ScenarioOut,
            permission=selectors.VIEW,
            run=_show,
        )
    )
    what_if_tools.register()
