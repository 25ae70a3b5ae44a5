"""The planner's way to learning: start on a solved scenario, have a week proposed, look at it. A person accepts."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field

from accounts.models import User
from jobs.core.tools import Tool, register_tool
from optimization.core.learning.programme import monday_of
from optimization.models import LearningProgramme, LearningWeek
from optimization.selectors import learning as learning
from optimization.selectors.learning_history import latest_observations
from optimization.services import learning as services
from planning import selectors
from planning.models import Scenario
from tenants.core.problems import Conflict, NotFound

_MOST_LINES = 30
_MOST_WEEKS = 26
_MOST_PROGRAMMES = 20


class SettingsIn(BaseModel):
    """What differs from what is recommended; fractions."""

    model_config = ConfigDict(extra="forbid")

    temperature: float | None = Field(default=None, description="Of the draw, 0.01 to 0.3.")
    reserve: float | None = Field(default=None, description="Share of the budget for probes, 0 to 0.1.")
    forgetting: float | None = Field(default=None, description="How far a line may drift in a week, 0 to 0.3.")


class StartLearningInput(BaseModel):
    """What to learn on."""

    model_config = ConfigDict(extra="forbid")

    scenario_id: str = Field(min_length=1, max_length=64, description="Id or label of a solved scenario: SC-0001.")
    name: str = Field(min_length=1, max_length=120)
    first_week: date | None = Field(default=None, description="A Monday; none: the coming one.")
    weekly_budget: Decimal | None = Field(default=None, description="None: the scenario's budget by its weeks.")
    settings: SettingsIn = Field(default_factory=SettingsIn)


class ProgrammeRef(BaseModel):
    """One programme."""

    model_config = ConfigDict(extra="forbid")

    programme_id: str = Field(min_length=1, max_length=64, description="Id or label such as LP-0001.")


class RunLearningInput(ProgrammeRef):
    """Which week."""

    week: date | None = Field(default=None, description="Its Monday; none: the coming one.")


class ListLearningInput(BaseModel):
    """Nothing to choose."""

    model_config = ConfigDict(extra="forbid")


class ProgrammeOut(BaseModel):
    """A weekly budget that learns; money a week."""

    programme: UUID
    label: str
    name: str
    status: str
    brand: str = Field(description="all brands where it is of no one.")
    weekly_budget: str
    currency: str
    first_week: date
    settings: dict[str, float]
    observed_weeks: int = Field(description="Weeks whose figures are known and learnt from.")


class LearningOut(ProgrammeOut):
    """With its weeks, the newest first, and the lines of the newest proposal, those that change most first."""

    weeks: list[dict[str, Any]]
    newest: dict[str, Any] | None = Field(description="The proposal made last; a person accepts or skips it.")
    lines: list[dict[str, Any]]


class ListLearningOutput(BaseModel):
    """Programmes, the newest first."""

    programmes: list[ProgrammeOut]
    not_listed: int = Field(description="Older ones that there are too; show_learning takes their labels.")


class LearningJobOut(BaseModel):
    """The job that does it."""

    job: UUID


def _start(given: StartLearningInput, *, user: User) -> ProgrammeOut:
    scenario = selectors.scenario_named(user=user, reference=given.scenario_id)
    if scenario.status != Scenario.Status.SOLVED or scenario.solve is None:
        raise Conflict(f"{scenario.label} is {scenario.status}.", fix="Solve it first: optimize_budget.")
    programme = services.start_programme(
        actor=user,
        solve=scenario.solve,
        name=given.name,
        first_week=given.first_week or monday_of(timezone.now().date()) + timedelta(weeks=1),
        problem_weeks=selectors.terms_of(scenario).weeks,
        weekly_budget=given.weekly_budget,
        settings={name: value for name, value in given.settings.model_dump().items() if value is not None},
        least_cover_days=scenario.stock_cover_threshold_days,
    )
    return ProgrammeOut(**_told(programme))


def _run(given: RunLearningInput, *, user: User) -> LearningJobOut:
    programme = _programme(given.programme_id, user)
    return LearningJobOut(job=services.request_run(actor=user, programme=programme, week=given.week).pk)


def _show(given: ProgrammeRef, *, user: User) -> LearningOut:
    programme = _programme(given.programme_id, user)
    weeks = list(programme.weeks.defer("decision").order_by("-number")[:_MOST_WEEKS])
    newest = max(weeks, key=lambda week: week.sequence, default=None)
    lines = sorted(newest.lines if newest else (), key=_moved, reverse=True)
    return LearningOut(
        **_told(programme),
        weeks=[_week(one) for one in weeks],
        newest=_week(newest) if newest else None,
        lines=lines[:_MOST_LINES],
    )


def _list(given: ListLearningInput, *, user: User) -> ListLearningOutput:
    rows = learning.programmes_listed(user=user).order_by("-number")
    # One query for all of them: what is known of a week may have several versions.
    known = rows.annotate(observed=Count("observations__number", distinct=True))[:_MOST_PROGRAMMES]
    programmes = [ProgrammeOut(**_told(one, observed=one.observed)) for one in known]
    return ListLearningOutput(
        programmes=programmes,
        not_listed=rows.count() - len(programmes) if len(programmes) == _MOST_PROGRAMMES else 0,
    )


def _programme(reference: str, user: User) -> LearningProgramme:
    try:
        return learning.programme_visible(user=user, programme_id=UUID(reference))
    except ValueError:
        pass
    number = reference.upper().removeprefix("LP-")
    if number.isascii() and number.isdecimal() and len(number) < 10:
        key = learning.programmes_visible(user=user).filter(number=int(number)).values_list("pk", flat=True).first()
        if key is not None:
            return learning.programme_visible(user=user, programme_id=key)
    raise NotFound("There is nothing here under that id.", where="programme_id", fix="list_learning has them.")


def _told(programme: LearningProgramme, *, observed: int | None = None) -> dict[str, Any]:
    return {
        "programme": programme.pk, "label": programme.label, "name": programme.name, "status": programme.status,
        "brand": programme.brand.name if programme.brand else "all brands",
        "weekly_budget": str(programme.weekly_budget), "currency": programme.currency,
        "first_week": programme.first_week,
        "settings": {name: programme.settings[name] for name in services.SETTABLE},
        "observed_weeks": len(latest_observations(programme)) if observed is None else observed,
    }  # fmt: skip


def _moved(line: dict[str, Any]) -> float:
    return abs(float(line["proposed"]) - float(line["now"] or 0))


def _week(week: LearningWeek) -> dict[str, Any]:
    return {"week": week.pk, "monday": week.monday, "status": week.status, **week.summary}


def register() -> None:
    """Enter the tools of learning."""
    register_tool(
        Tool(
            name="start_learning",
            description="Start a weekly budget that learns which lines earn more, on a solved scenario and its limits. "
            "It proposes nothing yet: call run_learning next. A person accepts each week.",
            input_model=StartLearningInput,
            output_model=ProgrammeOut,
            permission=selectors.MANAGE,
            read_only=False,
            run=_start,
        )
    )
    register_tool(
        Tool(
            name="run_learning",
            description="Take in the weeks whose figures are known and propose the coming one. Returns the job; when "
            "it has ended, show_learning has the proposal. A week is proposed once.",
            input_model=RunLearningInput,
            output_model=LearningJobOut,
            permission=selectors.MANAGE,
            read_only=False,
            run=_run,
        )
    )
    register_tool(
        Tool(
            name="show_learning",
            description="A learning programme: its weeks with expected sales, and the lines of the newest proposal "
            "with their return factors, probes and why.",
            input_model=ProgrammeRef,
            output_model=LearningOut,
            permission=selectors.VIEW,
            run=_show,
        )
    )
    register_tool(
        Tool(
            name="list_learning",
            description="Learning programmes that there are. Use it to find the label of one.",
            input_model=ListLearningInput,
            output_model=ListLearningOutput,
            permission=selectors.VIEW,
            run=_list,
        )
    )
