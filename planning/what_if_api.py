"""REST of what is made of scenarios without changing them: comparisons and typed allocations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services as authority
from accounts.rest.downloads import as_download
from metrics.core.export import EXPORT_FORMATS
from planning import selectors, services
from planning.core.paths import read_path
from planning.exports import export_comparison
from planning.serializers import ScenarioDetailSerializer
from planning.what_if_serializers import (
    ComparisonSerializer,
    ExplanationSerializer,
    SimulateSerializer,
    SimulationSerializer,
)
from tenants.core.problems import InvalidInput

TAGS: Final = ["scenarios"]
_ASKED: Final = [
    OpenApiParameter("scenarios", str, required=True, description="two to five ids or labels, parted by commas"),
    OpenApiParameter("per", str, enum=["horizon", "week"], default="horizon", description="what money is over"),
    OpenApiParameter("scope", str, description="onsite search > Amazon: only lines under that node"),
    OpenApiParameter("constraint", str, description="only lines that this binds in some scenario"),
]


class CompareScenarios(APIView):
    """Scenarios side by side."""

    @extend_schema(
        tags=TAGS, summary="Compare scenarios", parameters=_ASKED, responses=ComparisonSerializer,
        description="Totals, terms and lines of two to five scenarios. `cautions` names what is not like with like; "
        "a scenario without an answer keeps its place, with the reason.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        found = services.compare_scenarios(user=request.user, **_asked(request))
        data = ComparisonSerializer(found).data
        kept = found.narrowed(**_narrowed(request))
        return Response({**data, "lines": ComparisonSerializer().fields["lines"].to_representation(kept)})


class ComparisonLines(APIView):
    """The same as a file."""

    @extend_schema(
        tags=TAGS,
        summary="Download the lines of compared scenarios",
        parameters=[*_ASKED, OpenApiParameter("export", str, enum=EXPORT_FORMATS, default="csv")],
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY, description="CSV, or XLSX where asked for")},
    )
    def get(self, request: Request) -> HttpResponse:
        kind = request.query_params.get("export", "csv")
        return as_download(export_comparison(user=request.user, kind=kind, **_asked(request), **_narrowed(request)))


class SimulateAllocation(APIView):
    """A typed allocation under the curves and terms of a scenario."""

    @extend_schema(
        tags=TAGS, summary="Simulate a typed allocation", request=SimulateSerializer, responses=SimulationSerializer,
        description="Expected sales, terms that it breaks, and what the best allocation of the same money would add. "
        "Nothing is optimised or stored. Every wrong amount is listed in `errors` of the problem document.",
    )  # fmt: skip
    def post(self, request: Request, scenario_id: UUID) -> Response:
        scenario = selectors.scenario_visible(user=request.user, scenario_id=scenario_id)
        actor = authority.require(user=request.user, permission=selectors.MANAGE, brand=scenario.brand)
        given = request.data if isinstance(request.data, Mapping) else {}
        if unknown := sorted(set(given) - {"allocation", "rest", "split"}):
            fix = "Use allocation, rest, split."
            errors = [{"where": str(name), "detail": f"There is no field {name!r}.", "fix": fix} for name in unknown]
            raise InvalidInput(errors[0]["detail"], where=errors[0]["where"], fix=fix, errors=errors)
        simulation = services.simulate_allocation(
            actor=actor,
            scenario=scenario,
            allocation=given.get("allocation"),
            rest=str(given.get("rest", "current")),
            split=str(given.get("split", "as_now")),
        )
        return Response(SimulationSerializer(simulation).data)


class ExplainScenario(APIView):
    """Why an answer is what it is."""

    @extend_schema(
        tags=TAGS, summary="Explain a solved scenario", responses=ExplanationSerializer,
        description="Binding constraints with what one percent more of each earns, and what an equal split and the "
        "current mix would have earned under the same curves.",
    )  # fmt: skip
    def get(self, request: Request, scenario_id: UUID) -> Response:
        scenario = selectors.scenario_visible(user=request.user, scenario_id=scenario_id)
        return Response(ExplanationSerializer(services.explain_scenario(scenario=scenario)).data)


class TightenScenario(APIView):
    """A stricter least ROAS."""

    @extend_schema(
        tags=TAGS, summary="Tighten the least ROAS", request=None, responses={201: ScenarioDetailSerializer},
        description="A new draft whose least ROAS is so much stricter that the present one is reached in four of five "
        "draws of what the curves may truly be.",
    )  # fmt: skip
    def post(self, request: Request, scenario_id: UUID) -> Response:
        scenario = selectors.scenario_visible(user=request.user, scenario_id=scenario_id)
        actor = authority.require(user=request.user, permission=selectors.MANAGE, brand=scenario.brand)
        made = services.tighten_scenario(actor=actor, scenario=scenario)
        return Response(ScenarioDetailSerializer(made).data, status=status.HTTP_201_CREATED)


def _asked(request: Request) -> dict[str, Any]:
    given = request.query_params
    parts = [part for text in given.getlist("scenarios") for part in text.split(",") if part.strip()]
    return {"references": parts, "per_week": given.get("per") == "week"}


def _narrowed(request: Request) -> dict[str, Any]:
    given = request.query_params
    return {"scope": read_path(given.get("scope", "")), "constraint": given.get("constraint", "")}
