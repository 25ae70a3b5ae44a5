"""The planner's way to figures: the service that the page and REST call, with typed input and output."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from accounts.models import User
from jobs.core.tools import Tool, register_tool
from metrics import services
from metrics.core.definitions import DIMENSIONS, METRICS
from metrics.core.records import table_record
from metrics.core.request import MATCHES, MAX_WINDOW

_MOST_LINES = 50


class QueryMetricsInput(BaseModel):
    """What to look up."""

    model_config = ConfigDict(extra="forbid")

    metrics: list[str] = Field(min_length=1, description=f"Any of: {', '.join(METRICS)}.")
    dimensions: list[str] = Field(default=[], description=f"What to split by. Any of: {', '.join(DIMENSIONS)}.")
    start: date = Field(description="First day.")
    end: date = Field(description="Last day.")
    filters: dict[str, list[str]] = Field(default={}, description="Members to keep, by dimension.")
    compare: Literal["none", "previous", "previous_exact", "year"] = "none"
    attribution: Literal["as_reported", "common_window", "incremental"] = Field(
        default="as_reported",
        description="Networks count differently: compare them in the common window; incremental is what ads caused.",
    )
    window: int | None = Field(default=None, ge=1, le=MAX_WINDOW, description="Days of the common window.")
    match: str = Field(default="", description=f"Purchases of the common window. One of: {', '.join(MATCHES)}.")
    money: str = Field(default="", description="native, base, or a currency code to convert to.")
    as_of: AwareDatetime | None = Field(default=None, description="As the figures were published at that instant.")
    sort: str = Field(default="", description="A metric or dimension asked for, - before it for descending order.")
    limit: int = Field(default=20, ge=1, le=_MOST_LINES)


class LineFinality(BaseModel):
    """Until when a line may be restated, and how many of its days have no rows."""

    restating_until: date | None
    missing_days: int


class MetricLine(BaseModel):
    """One line; null is "not told", which is not 0."""

    key: dict[str, str | None]
    labels: dict[str, str | None]
    currency: str | None
    values: dict[str, str | int | float | None]
    previous: dict[str, str | int | float | None] | None
    withheld: dict[str, str]
    finality: LineFinality


class QueryMetricsOutput(BaseModel):
    """Figures; `notices` must be told with them."""

    lines: list[MetricLine]
    line_count: int
    rest: list[MetricLine]
    totals: list[MetricLine]
    notices: list[str]
    as_of: str | None
    data_version: int | None


def _run(given: QueryMetricsInput, *, user: User) -> QueryMetricsOutput:
    record: dict[str, Any] = table_record(services.query_metrics(actor=user, **given.model_dump()))
    record["notices"] = [notice["text"] for notice in record["notices"]]
    return QueryMetricsOutput.model_validate(record)


def register() -> None:
    """Enter the tools of this app."""
    register_tool(
        Tool(
            name="query_metrics",
            description="Spend, sales, ROAS and other figures of retail media, split by network, campaign, SKU, "
            "week or other dimensions, with an optional comparison. Use it for every question about performance.",
            input_model=QueryMetricsInput,
            output_model=QueryMetricsOutput,
            permission="metrics.view",
            run=_run,
        )
    )
