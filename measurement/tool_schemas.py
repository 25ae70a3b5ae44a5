"""What the planner's tools of experiments take and give; their JSON schemas are what the model sees."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from measurement.core.next_test import USUAL_WEEKS

Status = Literal["draft", "running", "reading", "complete", "stopped"]
_SCOPE: Final = (
    r"^(channel|rmn|placement|audience|sku|brand)=[^/]+(/(channel|rmn|placement|audience|sku|brand)=[^/]+)*$"
)


class ListExperimentsInput(BaseModel):
    """Which experiments."""

    model_config = ConfigDict(extra="forbid")

    status: list[Status] = Field(default=[], description="Only these; empty: all.")
    scope: str = Field(
        default="", pattern=rf"(^$)|({_SCOPE})", description="e.g. rmn=walmart/placement=sponsored_search"
    )


class EstimateOut(BaseModel):
    """A value with its interval; an end that the data do not bound is null."""

    value: float
    low: float | None
    high: float | None


class ExperimentOut(BaseModel):
    """One experiment; figures only once it could be read."""

    experiment_id: UUID
    label: str
    name: str
    kind: str
    status: Status
    state: str
    brand: str
    retailer: str
    placement: str
    start: date | None
    end: date | None
    readable_from: date | None
    plan_sha256: str
    power: float | None = Field(description="As planned: the chance to find `mde`.")
    mde: float | None
    lift: EstimateOut | None
    p_value: float | None
    iroas: EstimateOut | None
    evidence: str
    taught: str = Field(description="What planning took over from it; empty: nothing yet.")


class ListExperimentsOutput(BaseModel):
    """Experiments, the newest first."""

    experiments: list[ExperimentOut]
    count: int


class BlackoutIn(BaseModel):
    """Days on which no test may run."""

    model_config = ConfigDict(extra="forbid")

    start: date
    end: date


class DesignExperimentInput(BaseModel):
    """What is to be tested, and how well it has to be known."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["geo_holdout", "geo_heavy_up", "switchback", "sku_holdout"]
    scope: str = Field(pattern=_SCOPE, description="e.g. rmn=walmart/placement=sponsored_search")
    kpi: Literal["sales", "units", "new_to_brand"]
    alpha: float = Field(default=0.1, ge=0.001, le=0.2)
    power: float = Field(default=0.8, ge=0.5, le=0.99)
    mde: float | None = Field(default=None, ge=0.001, le=1)
    weeks: int | None = Field(default=None, ge=1, le=26)
    blackouts: list[BlackoutIn] = Field(default=[], max_length=20)
    seed: int | None = None


class DesignExperimentOutput(BaseModel):
    """The draft, and the job that searches for its design where that could begin."""

    experiment_id: UUID
    label: str
    job: UUID | None
    next_move: str


class AnalyzeExperimentInput(BaseModel):
    """Which experiment, and which of the methods that were asked."""

    model_config = ConfigDict(extra="forbid")

    experiment_id: str = Field(min_length=1, max_length=64, description="Id or label, EX-0001.")
    method: Literal["planned", "did", "synthetic_control", "tbr", "cuped"] = "planned"


class AnalyzeExperimentOutput(BaseModel):
    """The reading, the job that makes it, or why it is not readable yet."""

    status: Literal["read", "being_read", "not_yet_readable"]
    interim: bool = Field(default=False, description="A planned look before the end, not the result.")
    experiment_id: UUID
    label: str
    reasons: list[str] = Field(description="What is still to wait for.")
    readable_from: date | None
    job: UUID | None = None
    words: str = ""
    method: str = ""
    procedure: str = Field(default="", description="The one procedure that p and intervals come from.")
    alpha: float | None = None
    lift: EstimateOut | None = None
    p_value: float | None = None
    incremental: EstimateOut | None = None
    iroas: EstimateOut | None = None
    placebos: int = 0
    evidence: str = ""
    warnings: list[str] = []
    page: str = ""


class SuggestNextTestInput(BaseModel):
    """Of which brand, and within what."""

    model_config = ConfigDict(extra="forbid")

    brand: str = Field(default="", max_length=64, description="Slug of a brand; empty: all brands together.")
    reserve: float | None = Field(default=None, ge=0, le=1e12, description="Money for tests; none: any amount.")
    scenario: str = Field(default="", max_length=40, description="SC-0001: its reserve pays, instead of `reserve`.")
    weeks: int = Field(default=USUAL_WEEKS, ge=1, le=104, description="How long plans rest on the answer.")
    limit: int = Field(default=5, ge=1, le=50)


class CandidateOut(BaseModel):
    """A test that could be run, and what it is worth."""

    scope: str = Field(description="As design_experiment takes it.")
    kind: Literal["geo_heavy_up"] = "geo_heavy_up"
    how: str
    weeks: int
    cost: float = Field(description="Paid from the reserve of a scenario.")
    value: float = Field(description="Expected value of its information: incremental sales that plans gain.")
    per_cost: float = Field(description="Below 1 its answer is worth less than it costs.")
    affordable: bool
    factor: EstimateOut = Field(description="Incremental per attributed, as believed today, with a 90 % interval.")
    moved: float = Field(description="Share of the budget that its reading is expected to move.")


class SuggestNextTestOutput(BaseModel):
    """The best test that the reserve pays for, or why there is none, and the candidates, the best first."""

    best: CandidateOut | None
    candidates: list[CandidateOut]
    count: int
    currency: str
    words: str
    assumptions: list[str]
    left_out: list[str] = Field(
        description="Readings, and tests that may spend of the reserve, that do not count now; why."
    )


class StartExperimentInput(BaseModel):
    """Which experiment, under which plan."""

    model_config = ConfigDict(extra="forbid")

    experiment_id: str = Field(min_length=1, max_length=64, description="Id or label, EX-0001.")
    fingerprint: str = Field(pattern="^[0-9a-f]{64}$", description="plan_sha256 of the registered plan.")
    idempotency_key: str = Field(min_length=16, max_length=255)


class StartExperimentOutput(BaseModel):
    """The experiment as it is now."""

    experiment_id: UUID
    label: str
    state: str
    readable_from: date | None
