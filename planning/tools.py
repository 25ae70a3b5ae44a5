"""The planner's way to scenarios. It may ask and solve; it approves nothing and changes no network."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from accounts import selectors as people
from accounts.models import Brand, User
from accounts.services import require
from jobs.core.tools import Tool, register_tool
from optimization import selectors as curves
from planning import learning_tools, selectors, services, what_if_tools
from planning.answers import incremental_of, notes_of
from planning.core.aim_words import objective_words
from planning.models import Scenario
from planning.tool_terms import ConstraintIn, RangeIn, WeekIn, fields_of, read_constraints
from tenants.core.problems import InvalidInput, NotFound

_MOST_LINES = 50


class CreateScenarioInput(BaseModel):
    """What to ask of a budget."""

    model_config = ConfigDict(extra="forbid")

    brand: str = Field(default="", description="Slug of a brand; empty for all brands.")
    name: str = Field(max_length=120)
    range: RangeIn
    total_budget: Decimal
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217, that of the curves.")
    objective: Literal["sales", "incremental_sales", "profit"]
    mode: Literal["fixed_budget", "flexible_target_roi", "flexible_target_marginal_roi", "incremental_only"] = Field(
        description="flexible: total_budget is a ceiling under `target`; incremental_only: place only the extra money, "
        "keep the rest as it is.",
    )
    target: Decimal | None = Field(default=None, description="Return of the objective that a flexible mode keeps.")
    tail_fraction: Decimal | None = Field(
        default=None,
        description="0.1 maximises the mean of the worst tenth of what may be true; none: the expected value.",
    )
    min_iroas_by: Literal["expected", "cautious"] = Field(
        default="expected",
        description="Cautious: a min_iroas counts what factors are at least in four of five cases.",
    )
    usual_margin: Decimal | None = Field(default=None, description="For profit, where no margin is known: 0 to 1.")
    fair_level: Literal["", "channel", "rmn", "placement", "sku"] = ""
    fair_fraction: Decimal | None = Field(
        default=None, description="Every node of fair_level keeps so much of its current part."
    )
    weeks: list[WeekIn] = Field(default=[], max_length=53, description="One for each week; none: the whole at once.")
    constraints: list[ConstraintIn] = Field(default=[], max_length=200)


class ScenarioRef(BaseModel):
    """One scenario."""

    model_config = ConfigDict(extra="forbid")

    scenario_id: str = Field(min_length=1, max_length=64, description="Id or label such as SC-0001.")


class ScenarioOut(BaseModel):
    """A scenario, and its answer where there is one; money over the horizon."""

    scenario: UUID
    label: str
    name: str
    status: str
    maximises: str = Field(description="What is maximised, in words.")
    total_budget: str
    expected_sales_now: float | None
    expected_sales_proposed: float | None
    expected_incremental: float | None = Field(description="Of the proposal, by the factors that there are.")
    tail_now: float | None = Field(description="Mean sales over the worst tail_fraction of draws, where that is asked.")
    tail_proposed: float | None
    gain_80: list[float] | None
    gap: float | None
    notes: list[str] = Field(description="What must be told with the figures, such as a return that no line earns.")
    ways_out: list[dict[str, Any]]
    lines: list[dict[str, Any]]


class JobOut(BaseModel):
    """The job that does it."""

    job: UUID


def _create(given: CreateScenarioInput, *, user: User) -> ScenarioOut:
    brand = _brand(given.brand, user)
    require(user=user, permission=selectors.MANAGE, brand=brand)
    basis = selectors.Basis(brand, curves.latest_curves(brand=brand), None)
    if given.currency != basis.currency:
        raise InvalidInput(
            f"Budgets here are in {basis.currency}, not {given.currency}.",
            where="currency",
            fix=f"Give the amounts in {basis.currency}; nothing is converted.",
        )
    read = read_constraints(given.constraints, basis.paths)
    read.places |= {"margin_fraction": "usual_margin", "weekly_budgets": "weeks", "season": "weeks"}
    read.places |= {"horizon_start": "range.start", "horizon_end": "range.end"}
    fields = fields_of(read.fields, given.weeks) | {
        "name": given.name, "horizon_start": given.range.start, "horizon_end": given.range.end,
        "total_budget": given.total_budget, "objective": given.objective, "mode": given.mode, "target": given.target,
        "tail_fraction": given.tail_fraction, "min_iroas_by": given.min_iroas_by, "margin_fraction": given.usual_margin,
        "fair_level": given.fair_level, "fair_fraction": given.fair_fraction,
    }  # fmt: skip
    try:
        return _told(services.create_scenario(actor=user, given=fields, brand=brand))
    except InvalidInput as refused:
        raise read.in_words_of_the_call(refused) from refused


def _optimize(given: ScenarioRef, *, user: User) -> JobOut:
    scenario = selectors.scenario_named(user=user, reference=given.scenario_id)
    return JobOut(job=services.solve_scenario(actor=user, scenario=scenario).pk)


def _show(given: ScenarioRef, *, user: User) -> ScenarioOut:
    return _told(selectors.scenario_named(user=user, reference=given.scenario_id))


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
        maximises=objective_words(selectors.terms_of(scenario)),
        total_budget=str(scenario.total_budget),
        expected_sales_now=scenario.outlook.get("expected_now"),
        expected_sales_proposed=scenario.outlook.get("expected_proposed"),
        expected_incremental=incremental_of(scenario) if scenario.status == Scenario.Status.SOLVED else None,
        tail_now=scenario.outlook.get("tail_now"),
        tail_proposed=scenario.outlook.get("tail_proposed"),
        gain_80=scenario.outlook.get("gain"),
        gap=scenario.solve.gap if scenario.solve else None,
        notes=notes_of(scenario),
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
    learning_tools.register()
