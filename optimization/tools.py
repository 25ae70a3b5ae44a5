"""The planner's way to curves: what was learned of the response to spend, read only."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from accounts.models import User
from jobs.core.tools import Tool, register_tool
from optimization import selectors
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
    """One curve: expected revenue a week is a ln(1 + x/k), or a x / (k + x), at a spend of x a week."""

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


class ListCurvesOutput(BaseModel):
    """Curves, those with the most weeks first."""

    version: UUID
    number: int
    brand: str
    data_start: str
    data_end: str
    curves: list[CurveOut]
    curve_count: int


def _run(given: ListCurvesInput, *, user: User) -> ListCurvesOutput:
    version = _version(given, user)
    found = [one for one in version.curves if given.retailer in ("", one["retailer"]) and given.sku in ("", one["sku"])]
    found.sort(key=lambda one: (-one["n_weeks"], one["retailer"], one["placement"], one["sku"]))
    return ListCurvesOutput(
        version=version.pk,
        number=version.number,
        brand=version.brand.name if version.brand else "all brands",
        data_start=str(version.data_start),
        data_end=str(version.data_end),
        curve_count=len(found),
        curves=[
            CurveOut(
                retailer=one["retailer"], placement=one["placement"], sku=one["sku"], family=one["family"],
                a=one["params"]["a"], k=one["params"]["k"], weeks_used=one["n_weeks"],
                observed_min=one["observed_spend"]["min"], observed_max=one["observed_spend"]["max"],
                r2=one["r2"], notes=one["notes"],
            )
            for one in found[: given.limit]
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
