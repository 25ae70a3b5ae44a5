"""The planner's way to curves: what was learned of the response to spend, read only."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from accounts.models import User
from jobs.core.tools import Tool, register_tool
from optimization import presenters, selectors
from optimization.models import CurveVersion
from tenants.core.problems import NotFound

_MOST_CURVES = 50


class ListCurvesInput(BaseModel):
    """Which version, and which of its curves."""

    model_config = ConfigDict(extra="forbid")

    version: UUID | None = Field(default=None, description="Id of a curve version; none: the newest you may see.")
    retailer: str = Field(default="", description="Only this retailer.")
    sku: str = Field(default="", description="Only this SKU, by the retailer's id.")
    limit: int = Field(default=20, ge=1, le=_MOST_CURVES)


class CurveOut(BaseModel):
    """One curve as solves read it today: expected revenue a week is a ln(1 + x/k) in the family log, a x / (k + x) in
    michaelis_menten, at a spend of x a week."""

    retailer: str
    placement: str
    sku: str
    family: str
    a: float
    k: float
    weeks_used: int
    observed_min: float
    observed_max: float
    r2: float | None
    notes: list[str]
    return_at_usual_spend: float
    return_interval_80: tuple[float, float]
    marginal_return: float
    overridden_by: str = Field(description="Who put this curve in the place of the fitted one; empty: nobody.")
    factor: float | None = Field(description="Incremental per attributed unit of sales; null: nothing says.")


class ListCurvesOutput(BaseModel):
    """Curves, those with the most weeks first."""

    version: UUID
    number: int
    brand: str
    data_start: str
    data_end: str
    newer_data_until: str | None = Field(description="Reports reach beyond these curves up to here: fit again.")
    warnings: list[str] = Field(description="What to know before trusting the curves.")
    unseen_weeks_error: float | None = Field(description="Error when predicting weeks that were held out.")
    naive_error: float | None = Field(description="The same of each line's mean return: curves should beat it.")
    curves: list[CurveOut]
    curve_count: int


def _run(given: ListCurvesInput, *, user: User) -> ListCurvesOutput:
    version = _version(given, user)
    rows = presenters.version_table(version).rows
    found = [row for row in rows if given.retailer in ("", row.key.retailer) and given.sku in ("", row.key.sku)]
    found.sort(key=lambda row: (-row.weeks, row.key))
    seen = {(one["retailer"], one["placement"], one["sku"]): one["observed_spend"] for one in version.curves}
    check = version.diagnostics.get("out_of_sample", {})
    newer = selectors.newer_data(version)
    return ListCurvesOutput(
        version=version.pk,
        number=version.number,
        brand=version.brand.name if version.brand else "all brands",
        data_start=str(version.data_start),
        data_end=str(version.data_end),
        newer_data_until=str(newer) if newer else None,
        warnings=version.diagnostics.get("warnings", []),
        unseen_weeks_error=(check.get("curves") or {}).get("error"),
        naive_error=(check.get("mean_return") or {}).get("error"),
        curve_count=len(found),
        curves=[
            CurveOut(
                retailer=row.key.retailer, placement=row.key.placement, sku=row.key.sku, family=row.family, a=row.a,
                k=row.k, weeks_used=row.weeks,
                observed_min=seen[row.key.retailer, row.key.placement, row.key.sku]["min"],
                observed_max=seen[row.key.retailer, row.key.placement, row.key.sku]["max"],
                r2=row.r2, notes=list(row.notes), return_at_usual_spend=row.roas,
                return_interval_80=(row.roas_low, row.roas_high), marginal_return=row.marginal,
                overridden_by=row.overridden.get("by", ""), factor=row.factor.mean if row.factor else None,
            )
            for row in found[: given.limit]
        ],
    )  # fmt: skip


def _version(given: ListCurvesInput, user: User) -> CurveVersion:
    if given.version is not None:
        return selectors.curve_version_visible(user=user, version_id=given.version)
    newest = selectors.curve_versions_listed(user=user).first()
    if newest is None:
        raise NotFound("No curves have been fitted yet.", fix="Fit them first: POST /api/v1/curves/.")
    return newest


def register() -> None:
    """Enter the tools of this app."""
    register_tool(
        Tool(
            name="list_response_curves",
            description="Fitted response curves of retailer x placement x SKU: how sales answer to spend, over which "
            "range that was observed, and how sure it is. Use it before reasoning about where more spend pays.",
            input_model=ListCurvesInput,
            output_model=ListCurvesOutput,
            permission="curves.view",
            run=_run,
        )
    )
