"""REST of scenarios. Parse, call a service, serialise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services as authority
from accounts.models import Brand, User
from accounts.rest.downloads import as_download
from accounts.rest.strict import valid
from metrics.core.export import EXPORT_FORMATS
from planning import selectors, services
from planning.exports import export_lines
from planning.models import Scenario
from planning.serializers import (
    DuplicateSerializer,
    FeasibilitySerializer,
    NewScenarioSerializer,
    RelaxSerializer,
    ScenarioDetailSerializer,
    ScenarioSerializer,
    SolveStartedSerializer,
    TermsSerializer,
)
from tenants.core.problems import InvalidInput

TAGS: Final = ["scenarios"]
_IDEMPOTENCY: Final = OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER)


class Scenarios(generics.ListAPIView[Scenario]):
    """Budget questions, newest first."""

    serializer_class = ScenarioSerializer

    def get_queryset(self) -> Any:
        return selectors.scenarios_listed(user=self.request.user)

    @extend_schema(
        tags=TAGS, summary="Create a scenario", request=NewScenarioSerializer,
        responses={201: ScenarioDetailSerializer},
        description="A draft; /solve/ answers it. Every wrong field is listed in `errors` of the problem document.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        actor, brand, given = _asked(request)
        scenario = services.create_scenario(actor=actor, given=given, brand=brand)
        return Response(ScenarioDetailSerializer(scenario).data, status=status.HTTP_201_CREATED)


class CheckScenario(APIView):
    """Feasibility without a solve."""

    @extend_schema(
        tags=TAGS, summary="Check whether bounds can be met", request=NewScenarioSerializer,
        responses=FeasibilitySerializer,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        actor, brand, given = _asked(request)
        return Response(FeasibilitySerializer(services.check_scenario(actor=actor, given=given, brand=brand)).data)


class OneScenario(APIView):
    """One scenario."""

    @extend_schema(tags=TAGS, summary="Show a scenario", responses=ScenarioDetailSerializer)
    def get(self, request: Request, scenario_id: UUID) -> Response:
        return Response(ScenarioDetailSerializer(_scenario(request, scenario_id)).data)

    @extend_schema(
        tags=TAGS, summary="Change a scenario", request=TermsSerializer(partial=True),
        responses=ScenarioDetailSerializer,
        description="Only the fields sent change. An answer to the old question is taken off.",
    )  # fmt: skip
    def patch(self, request: Request, scenario_id: UUID) -> Response:
        scenario = _scenario(request, scenario_id)
        changed = services.update_scenario(actor=_actor(request, scenario), scenario=scenario, given=_object(request))
        return Response(ScenarioDetailSerializer(changed).data)

    @extend_schema(tags=TAGS, summary="Delete a draft", responses={204: None})
    def delete(self, request: Request, scenario_id: UUID) -> Response:
        scenario = _scenario(request, scenario_id)
        services.delete_scenario(actor=_actor(request, scenario), scenario=scenario)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SolveScenario(APIView):
    """Solving a scenario."""

    @extend_schema(
        tags=TAGS, summary="Solve a scenario", request=None, responses={202: SolveStartedSerializer},
        parameters=[_IDEMPOTENCY],
    )  # fmt: skip
    def post(self, request: Request, scenario_id: UUID) -> Response:
        scenario = _scenario(request, scenario_id)
        job = services.solve_scenario(
            actor=_actor(request, scenario),
            scenario=scenario,
            idempotency_key=request.headers.get("Idempotency-Key"),
        )
        return Response({"job_id": job.pk}, status=status.HTTP_202_ACCEPTED)


class DuplicateScenario(APIView):
    """A copy to change."""

    @extend_schema(
        tags=TAGS, summary="Copy a scenario", request=DuplicateSerializer, responses={201: ScenarioDetailSerializer}
    )
    def post(self, request: Request, scenario_id: UUID) -> Response:
        scenario, name = _scenario(request, scenario_id), valid(DuplicateSerializer(data=request.data))["name"]
        copy = services.duplicate_scenario(actor=_actor(request, scenario), scenario=scenario, name=name)
        return Response(ScenarioDetailSerializer(copy).data, status=status.HTTP_201_CREATED)


class RelaxScenario(APIView):
    """A way out of a conflict."""

    @extend_schema(
        tags=TAGS, summary="Relax one constraint of a conflict", request=RelaxSerializer,
        responses={201: ScenarioDetailSerializer},
        description="A new draft with that constraint loosened by the least that works.",
    )  # fmt: skip
    def post(self, request: Request, scenario_id: UUID) -> Response:
        scenario, choice = _scenario(request, scenario_id), valid(RelaxSerializer(data=request.data))["choice"]
        relaxed = services.relax_scenario(actor=_actor(request, scenario), scenario=scenario, choice=choice)
        return Response(ScenarioDetailSerializer(relaxed).data, status=status.HTTP_201_CREATED)


class ScenarioLines(APIView):
    """The lines as a file."""

    @extend_schema(
        tags=TAGS,
        summary="Download the lines of a solved scenario",
        parameters=[OpenApiParameter("export", str, enum=EXPORT_FORMATS, default="csv")],
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY, description="CSV, or XLSX where asked for")},
    )
    def get(self, request: Request, scenario_id: UUID) -> HttpResponse:
        scenario = _scenario(request, scenario_id)
        kind = request.query_params.get("export", "csv")
        return as_download(export_lines(user=request.user, scenario=scenario, kind=kind))


def _asked(request: Request) -> tuple[User, Brand | None, dict[str, Any]]:
    given = _object(request)
    brand_id = read_brand_id(given.pop("brand", None))
    actor = authority.require(user=request.user, permission=selectors.MANAGE, brand=brand_id)
    return actor, Brand.objects.get(pk=brand_id) if brand_id is not None else None, given


def read_brand_id(value: Any) -> UUID | None:
    """The id of a brand, none for all.

    Raises:
        InvalidInput: it is no id.
    """
    try:
        return None if value is None else UUID(str(value))
    except ValueError as error:
        raise InvalidInput(
            f"{str(value)[:40]!r} is no id of a brand.", where="brand", fix="Give the id, or none for all brands."
        ) from error


def _object(request: Request) -> dict[str, Any]:
    if not isinstance(request.data, Mapping):
        raise InvalidInput("An object is expected.", where="body", fix="Send the fields of a scenario as one object.")
    return dict(request.data.items())


def _scenario(request: Request, scenario_id: UUID) -> Scenario:
    return selectors.scenario_visible(user=request.user, scenario_id=scenario_id)


def _actor(request: Request, scenario: Scenario) -> User:
    return authority.require(user=request.user, permission=selectors.MANAGE, brand=scenario.brand)
