"""REST of experiments. Parse, call a service, serialise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services as authority
from accounts.models import Brand, User
from measurement import selectors, services
from measurement.core.registered_plan import canonical_plan
from measurement.models import Experiment, PanelVersion
from measurement.serializers import (
    AssignmentSerializer,
    CancelSerializer,
    ChoiceSerializer,
    CopySerializer,
    ExperimentAnswerSerializer,
    ExperimentDetailSerializer,
    ExperimentSerializer,
    ExperimentTermsSerializer,
    NewExperimentSerializer,
    PlanSerializer,
    RegisterSerializer,
)
from tenants.core.problems import InvalidInput, NotFound

TAGS: Final = ["experiments"]
_STATE: Final = OpenApiParameter("state", OpenApiTypes.STR, enum=Experiment.State.values)


class Experiments(generics.ListAPIView[Experiment]):
    """Experiments, newest first."""

    serializer_class = ExperimentSerializer

    def get_queryset(self) -> Any:
        rows = selectors.experiments_listed(user=self.request.user)
        state = self.request.query_params.get("state", "")
        if state and state not in Experiment.State.values:
            raise InvalidInput(
                f"There is no state {state[:40]!r}.",
                where="state",
                fix=f"Use one of {', '.join(Experiment.State.values)}.",
            )
        return rows.filter(state=state) if state else rows

    @extend_schema(tags=TAGS, summary="List experiments", parameters=[_STATE])
    def get(self, request: Request, *args: Any, **options: Any) -> Response:
        return super().get(request, *args, **options)

    @extend_schema(
        tags=TAGS, summary="Create an experiment", request=NewExperimentSerializer,
        responses={201: ExperimentDetailSerializer},
        description="A draft. Send its data, design it, choose a candidate, register. Every wrong field is listed in "
        "`errors` of the problem document.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = body_of(request)
        brand_id = serializers.UUIDField(allow_null=True).run_validation(given.pop("brand", None))
        actor = authority.require(user=request.user, permission=selectors.MANAGE, brand=brand_id)
        brand = Brand.objects.get(pk=brand_id) if brand_id is not None else None
        made = services.create_experiment(actor=actor, given=given, brand=brand)
        return Response(ExperimentDetailSerializer(made).data, status=status.HTTP_201_CREATED)


class OneExperiment(APIView):
    """One experiment."""

    @extend_schema(tags=TAGS, summary="Show an experiment", responses=ExperimentAnswerSerializer)
    def get(self, request: Request, experiment_id: UUID) -> Response:
        return answer(experiment_of(request, experiment_id))

    @extend_schema(
        tags=TAGS, summary="Change an experiment", request=ExperimentTermsSerializer(partial=True),
        responses=ExperimentDetailSerializer,
        description="Only the fields sent change, and only until its plan is registered.",
    )  # fmt: skip
    def patch(self, request: Request, experiment_id: UUID) -> Response:
        one = experiment_of(request, experiment_id)
        changed = services.update_experiment(actor=actor_of(request, one), experiment=one, given=body_of(request))
        return Response(ExperimentDetailSerializer(changed).data)

    @extend_schema(tags=TAGS, summary="Delete a draft", responses={204: None})
    def delete(self, request: Request, experiment_id: UUID) -> Response:
        one = experiment_of(request, experiment_id)
        services.delete_experiment(actor=actor_of(request, one), experiment=one)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DuplicateExperiment(APIView):
    """A copy to change."""

    @extend_schema(
        tags=TAGS, summary="Copy an experiment", request=CopySerializer, responses={201: ExperimentDetailSerializer}
    )
    def post(self, request: Request, experiment_id: UUID) -> Response:
        one, given = experiment_of(request, experiment_id), valid(CopySerializer(data=request.data))
        copy = services.duplicate_experiment(actor=actor_of(request, one), experiment=one, name=given["name"])
        return Response(ExperimentDetailSerializer(copy).data, status=status.HTTP_201_CREATED)


class ChooseCandidate(APIView):
    """Taking a candidate of the design."""

    @extend_schema(
        tags=TAGS, summary="Choose a candidate", request=ChoiceSerializer, responses=ExperimentDetailSerializer,
        description="Its units are assigned, by a seeded draw where the design draws.",
    )  # fmt: skip
    def post(self, request: Request, experiment_id: UUID) -> Response:
        one, given = experiment_of(request, experiment_id), valid(ChoiceSerializer(data=request.data))
        chosen = services.choose_candidate(actor=actor_of(request, one), experiment=one, choice=given["choice"])
        return Response(ExperimentDetailSerializer(chosen).data)


class Assignment(APIView):
    """Who is treated."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        tags=TAGS, summary="Assign units by a file", request=AssignmentSerializer,
        responses=ExperimentDetailSerializer,
    )  # fmt: skip
    def post(self, request: Request, experiment_id: UUID) -> Response:
        one = experiment_of(request, experiment_id)
        actor = actor_of(request, one)
        content = valid(AssignmentSerializer(data=request.data))["file"].read()
        return Response(
            ExperimentDetailSerializer(services.assign_units(actor=actor, experiment=one, content=content)).data
        )


class AssignmentFile(APIView):
    """Who is treated, as a file."""

    @extend_schema(
        tags=TAGS, summary="Download the assignment",
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY, description="unit, group, cell, pair")},
    )  # fmt: skip
    def get(self, request: Request, experiment_id: UUID) -> HttpResponse:
        return assignment_response(experiment_of(request, experiment_id))


class Plan(APIView):
    """The analysis plan."""

    @extend_schema(
        tags=TAGS, summary="Show the registered plan", responses=PlanSerializer,
        description="`canonical` is the text whose SHA-256 was fixed before the test.",
    )  # fmt: skip
    def get(self, request: Request, experiment_id: UUID) -> Response:
        one = experiment_of(request, experiment_id)
        if not one.is_registered:
            raise NotFound(f"{one.label} has no registered plan.", fix="Register it first.")
        told = {
            "plan": one.analysis_plan, "canonical": canonical_plan(one.analysis_plan), "sha256": one.plan_sha256,
            "registered_at": one.registered_at,
        }  # fmt: skip
        return Response(PlanSerializer(told).data)


class RegisterExperiment(APIView):
    """Fixing the plan."""

    @extend_schema(
        tags=TAGS, summary="Register the plan", request=RegisterSerializer, responses=ExperimentDetailSerializer,
        description="The plan is hashed; afterwards neither plan, units nor dates change.",
    )  # fmt: skip
    def post(self, request: Request, experiment_id: UUID) -> Response:
        one, given = experiment_of(request, experiment_id), valid(RegisterSerializer(data=request.data))
        actor = actor_of(request, one)
        made = services.register_experiment(actor=actor, experiment=one, retrospective=given["retrospective"])
        return Response(ExperimentDetailSerializer(made).data)


class StartExperiment(APIView):
    """Saying that the test runs."""

    @extend_schema(tags=TAGS, summary="Start an experiment", request=None, responses=ExperimentDetailSerializer)
    def post(self, request: Request, experiment_id: UUID) -> Response:
        one = experiment_of(request, experiment_id)
        made = services.start_experiment(actor=actor_of(request, one), experiment=one)
        return Response(ExperimentDetailSerializer(made).data)


class CancelExperiment(APIView):
    """Giving up."""

    @extend_schema(
        tags=TAGS, summary="Cancel an experiment", request=CancelSerializer, responses=ExperimentDetailSerializer
    )
    def post(self, request: Request, experiment_id: UUID) -> Response:
        one, given = experiment_of(request, experiment_id), valid(CancelSerializer(data=request.data))
        made = services.cancel_experiment(actor=actor_of(request, one), experiment=one, reason=given["reason"])
        return Response(ExperimentDetailSerializer(made).data)


def answer(one: Experiment, code: int = status.HTTP_200_OK) -> Response:
    """An experiment with its newest data and when it may be read."""
    panel: PanelVersion | None = selectors.latest_panel(one)
    told = {"experiment": one, "panel": panel, "readability": selectors.readability(one, panel, on=selectors.today())}
    return Response(ExperimentAnswerSerializer(told).data, status=code)


def assignment_response(one: Experiment) -> HttpResponse:
    """The assignment as a CSV file."""
    return HttpResponse(
        services.assignment_file(one),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{one.label}-assignment.csv"'},
    )


def experiment_of(request: Request, experiment_id: UUID) -> Experiment:
    """The experiment of an address, if this person may see it."""
    return selectors.experiment_visible(user=request.user, experiment_id=experiment_id)


def actor_of(request: Request, experiment: Experiment) -> User:
    """Who asks, if they may manage it."""
    return authority.require(user=request.user, permission=selectors.MANAGE, brand=experiment.brand)


def body_of(request: Request) -> dict[str, Any]:
    """The body as one object."""
    if not isinstance(request.data, Mapping):
        raise InvalidInput(
            "An object is expected.", where="body", fix="Send the fields of an experiment as one object."
        )
    return dict(request.data.items())


def valid(serializer: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    """What a body says, or a list of its faults."""
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data
