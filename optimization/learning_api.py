"""REST of learning programmes. Parse, call a service, serialise."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final, cast
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.rest.downloads import as_download
from accounts.rest.strict import valid
from accounts.services import require
from optimization.learning_models import LearningProgramme, LearningWeek
from optimization.learning_serializers import (
    DecideSerializer,
    EstimateQuerySerializer,
    EstimateSerializer,
    NewProgrammeSerializer,
    ProgrammeSerializer,
    ReplaySerializer,
    RunSerializer,
    RunStartedSerializer,
    StatusSerializer,
    WeekDetailSerializer,
    WeekSerializer,
)
from optimization.selectors import learning as selectors
from optimization.selectors import solve_visible
from optimization.services import learning as services

TAGS: Final = ["learning"]


class Programmes(generics.ListAPIView[LearningProgramme]):
    """Weekly budgets that learn, newest first."""

    serializer_class = ProgrammeSerializer

    def get_queryset(self) -> Any:
        return selectors.programmes_listed(user=self.request.user)

    @extend_schema(
        tags=TAGS, summary="Start a learning programme", request=NewProgrammeSerializer,
        responses={201: ProgrammeSerializer},
        description="Learns from a solved problem week by week. It proposes; a person accepts.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        data = valid(NewProgrammeSerializer(data=request.data))
        solve = solve_visible(user=request.user, solve_id=data.pop("solve_id"))
        actor = require(user=request.user, permission=services.MANAGE, brand=solve.brand)
        programme = services.start_programme(actor=actor, solve=solve, **data)
        return Response(ProgrammeSerializer(programme).data, status=status.HTTP_201_CREATED)


class OneProgramme(APIView):
    """One programme."""

    @extend_schema(tags=TAGS, summary="Show a learning programme", responses=ProgrammeSerializer)
    def get(self, request: Request, programme_id: UUID) -> Response:
        return Response(ProgrammeSerializer(_programme(request, programme_id)).data)


class ProgrammeStatus(APIView):
    """Active, paused, ended."""

    @extend_schema(
        tags=TAGS, summary="Pause, resume or end a learning programme", request=StatusSerializer,
        responses=ProgrammeSerializer,
    )  # fmt: skip
    def post(self, request: Request, programme_id: UUID) -> Response:
        programme = _programme(request, programme_id)
        data = valid(StatusSerializer(data=request.data))
        actor = require(user=request.user, permission=services.MANAGE, brand=programme.brand)
        changed = services.set_programme_status(actor=actor, programme=programme, status=data["wanted"])
        return Response(ProgrammeSerializer(changed).data)


class RunProgramme(APIView):
    """New figures in, next week out."""

    @extend_schema(
        tags=TAGS, summary="Take in new figures and propose a week", request=RunSerializer,
        responses={202: RunStartedSerializer},
        parameters=[OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER)],
        description="A job. A week is proposed once; asked for again, the job's result names the proposal there is.",
    )  # fmt: skip
    def post(self, request: Request, programme_id: UUID) -> Response:
        programme = _programme(request, programme_id)
        data = valid(RunSerializer(data=request.data))
        actor = require(user=request.user, permission=services.MANAGE, brand=programme.brand)
        job = services.request_run(
            actor=actor,
            programme=programme,
            week=data["week"],
            idempotency_key=request.headers.get("Idempotency-Key"),
        )
        return Response({"job_id": job.pk}, status=status.HTTP_202_ACCEPTED)


class ProgrammeWeeks(generics.ListAPIView[LearningWeek]):
    """Proposals of a programme, newest first."""

    serializer_class = WeekSerializer

    def get_queryset(self) -> Any:
        programme = selectors.programme_visible(user=self.request.user, programme_id=self.kwargs["programme_id"])
        return programme.weeks.defer("decision", "lines").order_by("-number")

    @extend_schema(tags=TAGS, summary="List the weeks of a learning programme")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class OneWeek(APIView):
    """One proposal with its lines."""

    @extend_schema(tags=TAGS, summary="Show a proposed week", responses=WeekDetailSerializer)
    def get(self, request: Request, week_id: UUID) -> Response:
        return Response(WeekDetailSerializer(selectors.week_visible(user=request.user, week_id=week_id)).data)


class DecideWeek(APIView):
    """A person's word on a proposal."""

    @extend_schema(
        tags=TAGS, summary="Accept or skip a proposed week", request=DecideSerializer, responses=WeekSerializer,
        description="Needs plans.approve. Nothing leaves by this; the budgets are set by people.",
    )  # fmt: skip
    def post(self, request: Request, week_id: UUID) -> Response:
        week = selectors.week_visible(user=request.user, week_id=week_id)
        data = valid(DecideSerializer(data=request.data))
        actor = require(user=request.user, permission=services.ACCEPT, brand=week.programme.brand)
        return Response(WeekSerializer(services.decide_week(actor=actor, week=week, accept=data["accept"])).data)


class ProgrammeLog(APIView):
    """The log as a file."""

    @extend_schema(
        tags=TAGS, summary="Download the log of a learning programme",
        responses={(200, "application/x-ndjson"): OpenApiResponse(OpenApiTypes.STR, "rmn-learning-log/2")},
    )  # fmt: skip
    def get(self, request: Request, programme_id: UUID) -> HttpResponse:
        programme = _programme(request, programme_id)
        return as_download(services.export_log(user=cast(User, request.user), programme=programme))


class ReplayProgramme(APIView):
    """Whether the log decides again as it did."""

    @extend_schema(tags=TAGS, summary="Decide all weeks again from the log", responses=ReplaySerializer)
    def get(self, request: Request, programme_id: UUID) -> Response:
        return Response(asdict(services.check_replay(programme=_programme(request, programme_id))))


class EstimateProgramme(APIView):
    """Other settings, judged by the log."""

    @extend_schema(
        tags=TAGS, summary="Estimate what other settings would have sold", responses=EstimateSerializer,
        parameters=[EstimateQuerySerializer],
        description="Inverse propensity weighting of the observed weeks that were spent as proposed.",
    )  # fmt: skip
    def get(self, request: Request, programme_id: UUID) -> Response:
        programme = _programme(request, programme_id)
        data = valid(EstimateQuerySerializer(data=request.query_params))
        return Response(asdict(services.estimate_programme(programme=programme, **data)))


def _programme(request: Request, programme_id: UUID) -> LearningProgramme:
    return selectors.programme_visible(user=request.user, programme_id=programme_id)
