"""REST of quarantine, replay, restatement and history."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services as authority
from accounts.models import User
from accounts.rest.downloads import as_download
from harmonization import selectors as data
from harmonization import services
from harmonization.loads import selectors
from harmonization.loads.files import quarantine_file
from harmonization.loads.lineage import asked_lineage, row_origin
from harmonization.loads.serializers import (
    LineageAsked,
    LineageSerializer,
    LoadHistorySerializer,
    QuarantineAsked,
    QuarantinedLoadSerializer,
    QuarantineFileAsked,
    QuarantineListAsked,
    QuarantineSerializer,
    ReplaysSerializer,
    RowAsked,
    RowOriginSerializer,
)
from harmonization.models import Load
from harmonization.serializers import JobStartedSerializer

TAGS = ["loads"]


class QuarantineList(generics.ListAPIView[Load]):
    """Loads in force with rows in quarantine."""

    serializer_class = QuarantinedLoadSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission="uploads.view")
        asked = QuarantineListAsked(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        return selectors.quarantined_loads(user=self.request.user, **asked.validated_data)

    @extend_schema(tags=TAGS, summary="List quarantines", parameters=[QuarantineListAsked])
    def get(self, request: Request, *args: Any, **options: Any) -> Response:
        return super().get(request, *args, **options)


class LoadQuarantine(APIView):
    """Rows that a load kept back."""

    @extend_schema(
        tags=TAGS, summary="Show rows in quarantine", parameters=[QuarantineAsked], responses=QuarantineSerializer
    )
    def get(self, request: Request, load_id: UUID) -> Response:
        asked = _valid(QuarantineAsked(data=request.query_params))
        load = data.load_visible(user=request.user, load_id=load_id)
        count, rows = selectors.quarantine_of(load, **asked)
        body = {"rows_quarantined": load.rows_quarantined, "rows_matching": count, "rows": rows}
        return Response(QuarantineSerializer(body).data)


class LoadQuarantineFile(APIView):
    """The quarantine of a load as a file."""

    @extend_schema(
        tags=TAGS,
        summary="Download rows in quarantine",
        parameters=[QuarantineFileAsked],
        responses=OpenApiResponse(OpenApiTypes.BINARY, description="CSV or XLSX; no cell is read as a formula"),
    )
    def get(self, request: Request, load_id: UUID) -> HttpResponse:
        asked = _valid(QuarantineFileAsked(data=request.query_params))
        load = data.load_visible(user=request.user, load_id=load_id)
        return as_download(quarantine_file(load, asked["export"], rule=asked["rule"]))


class LoadReplay(APIView):
    """Reading a file anew after its mapping was put right."""

    parser_classes = [JSONParser]

    @extend_schema(tags=TAGS, summary="Replay a load", request=None, responses={202: JobStartedSerializer})
    def post(self, request: Request, load_id: UUID) -> Response:
        load = data.load_visible(user=request.user, load_id=load_id)
        return _started(services.replay_load(actor=_person(request), load=load))


class MappingReplay(APIView):
    """Reading anew all that waits for a mapping."""

    parser_classes = [JSONParser]

    @extend_schema(
        tags=TAGS,
        summary="Replay all loads of a mapping with rows in quarantine",
        request=None,
        responses={202: ReplaysSerializer},
    )
    def post(self, request: Request, name: str) -> Response:
        authority.require_somewhere(user=request.user, permission="uploads.create")
        done = services.replay_contract(actor=_person(request), contract=data.contract_named(name=name))
        return Response({"jobs": [job.pk for job in done.jobs], "left": done.left}, status=status.HTTP_202_ACCEPTED)


class LoadHistory(APIView):
    """What a load took from others, and what others took from it."""

    @extend_schema(tags=TAGS, summary="Show the history of a load", responses=LoadHistorySerializer)
    def get(self, request: Request, load_id: UUID) -> Response:
        load = data.load_visible(user=request.user, load_id=load_id)
        return Response(LoadHistorySerializer(selectors.history_of(load)).data)


class LoadWhole(APIView):
    """Confirming that an export is whole."""

    parser_classes = [JSONParser]

    @extend_schema(
        tags=TAGS,
        summary="Confirm that an export is whole",
        description="Rows of earlier loads in its days that it does not tell are taken out, as a job.",
        request=None,
        responses={202: JobStartedSerializer},
    )
    def post(self, request: Request, load_id: UUID) -> Response:
        load = data.load_visible(user=request.user, load_id=load_id)
        return _started(services.confirm_whole(actor=_person(request), load=load))


class LineageList(APIView):
    """From a figure to the rows of files behind it."""

    @extend_schema(
        tags=TAGS,
        summary="Show the source rows behind a figure",
        parameters=[LineageAsked],
        responses=LineageSerializer,
    )
    def get(self, request: Request) -> Response:
        user = authority.require_somewhere(user=request.user, permission="metrics.view")
        asked = _valid(LineageAsked(data=request.query_params))
        return Response(LineageSerializer(asked_lineage(user, asked)).data)


class LoadRow(APIView):
    """From a row to the cells that made it."""

    @extend_schema(
        tags=TAGS, summary="Show a row of a load's file", parameters=[RowAsked], responses=RowOriginSerializer
    )
    def get(self, request: Request, load_id: UUID) -> Response:
        number = _valid(RowAsked(data=request.query_params))["number"]
        load = data.load_visible(user=request.user, load_id=load_id)
        return Response(RowOriginSerializer(row_origin(load, number)).data)


def _started(job: Any) -> Response:
    return Response({"job_id": job.pk}, status=status.HTTP_202_ACCEPTED)


def _person(request: Request) -> User:
    return cast(User, request.user)


def _valid(serializer: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    found: dict[str, Any] = serializer.validated_data
    return found
