"""REST of what experiments are made from and what takes time: data, design, reading, refreshes."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.core.schedules import Timing
from measurement import selectors, services
from measurement.api import TAGS, actor_of, experiment_of, valid
from measurement.core.words import count_of
from measurement.serializers import (
    ErasedSerializer,
    EventPanelSerializer,
    ExperimentJobSerializer,
    NewPanelSerializer,
    PanelSerializer,
    ReadingSerializer,
    RefreshScheduledSerializer,
    RefreshSerializer,
)
from tenants.core.problems import InvalidInput

#: As long as a job keeps it.
_LONGEST_KEY: Final = 200
_IDEMPOTENCY: Final = OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER)


class Panels(APIView):
    """Data of an experiment."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        tags=TAGS, summary="List the data of an experiment", responses=PanelSerializer(many=True),
        description="What was sent, newest first; never the figures of a test that still runs.",
    )  # fmt: skip
    def get(self, request: Request, experiment_id: UUID) -> Response:
        rows = list(selectors.panels_of(experiment_of(request, experiment_id)))
        return Response(PanelSerializer(rows, many=True, context={"removals": selectors.removals_of(rows)}).data)

    @extend_schema(
        tags=TAGS, summary="Send data of an experiment", request=NewPanelSerializer,
        responses={201: PanelSerializer, 200: PanelSerializer},
        description="201 for data that were not there; 200 for the same file read in the same way.",
    )  # fmt: skip
    def post(self, request: Request, experiment_id: UUID) -> Response:
        one = experiment_of(request, experiment_id)
        actor = actor_of(request, one)
        given = valid(NewPanelSerializer(data=request.data))
        file = given.pop("file")
        known = set(selectors.panels_of(one).values_list("pk", flat=True))
        made = services.add_panel(
            actor=actor, experiment=one, chunks=file.chunks(), file_name=file.name or "panel.csv", columns=given or None
        )
        code = status.HTTP_200_OK if made.pk in known else status.HTTP_201_CREATED
        return Response(PanelSerializer(made).data, status=code)

    @extend_schema(
        tags=TAGS, summary="Erase the data of an experiment that was given up", request=None,
        responses={200: ErasedSerializer},
        description="Files go at once; what is known of them stays listed with who removed them. 409 for one that was "
        "not cancelled, or that has a reading.",
    )  # fmt: skip
    def delete(self, request: Request, experiment_id: UUID) -> Response:
        one = experiment_of(request, experiment_id)
        done = services.erase_panels(actor=actor_of(request, one), experiment=one)
        return Response(ErasedSerializer(done).data)


class EventPanels(APIView):
    """Data from the reports."""

    @extend_schema(
        tags=TAGS, summary="Build data from the harmonised events", request=EventPanelSerializer,
        responses={201: PanelSerializer},
        description="Units by days as the accounts of the experiment's brand reported them.",
    )  # fmt: skip
    def post(self, request: Request, experiment_id: UUID) -> Response:
        one = experiment_of(request, experiment_id)
        actor = actor_of(request, one)
        given = valid(EventPanelSerializer(data=request.data))
        made = services.panel_from_events(actor=actor, experiment=one, **given)
        return Response(PanelSerializer(made).data, status=status.HTTP_201_CREATED)


class DesignExperiment(APIView):
    """Searching for candidates."""

    @extend_schema(
        tags=TAGS, summary="Search for a design", request=None, responses={202: ExperimentJobSerializer},
        parameters=[_IDEMPOTENCY],
    )  # fmt: skip
    def post(self, request: Request, experiment_id: UUID) -> Response:
        one = experiment_of(request, experiment_id)
        key = _key(request)
        job = services.request_design(actor=actor_of(request, one), experiment=one, idempotency_key=key)
        return Response({"job_id": job.pk}, status=status.HTTP_202_ACCEPTED)


class AnalyseExperiment(APIView):
    """Reading an experiment."""

    @extend_schema(
        tags=TAGS, summary="Read an experiment", request=None, responses={202: ExperimentJobSerializer},
        parameters=[_IDEMPOTENCY],
        description="409 `early-look` before its end, its cool-down and its data, unless its plan has looks.",
    )  # fmt: skip
    def post(self, request: Request, experiment_id: UUID) -> Response:
        one = experiment_of(request, experiment_id)
        key = _key(request)
        job = services.request_analysis(actor=actor_of(request, one), experiment=one, idempotency_key=key)
        return Response({"job_id": job.pk}, status=status.HTTP_202_ACCEPTED)


class ExperimentReading(APIView):
    """What it said."""

    @extend_schema(
        tags=TAGS, summary="Show a reading", responses=ReadingSerializer,
        parameters=[OpenApiParameter("reading", OpenApiTypes.UUID, description="An earlier one; none: the newest.")],
    )  # fmt: skip
    def get(self, request: Request, experiment_id: UUID) -> Response:
        field = serializers.UUIDField(required=False, allow_null=True)
        chosen = field.run_validation(request.query_params.get("reading"))
        found = selectors.reading_visible(user=request.user, experiment_id=experiment_id, reading_id=chosen)
        return Response(ReadingSerializer(found).data)


class Refreshes(APIView):
    """New data by themselves."""

    @extend_schema(
        tags=TAGS, summary="Let new data be fetched on a schedule", request=RefreshSerializer,
        responses=RefreshScheduledSerializer,
        description="The experiment is read by the same job once its end, cool-down and data are reached.",
    )  # fmt: skip
    def post(self, request: Request, experiment_id: UUID) -> Response:
        one = experiment_of(request, experiment_id)
        actor = actor_of(request, one)
        given = valid(RefreshSerializer(data=request.data))
        every, crontab = given["every_seconds"], given["crontab"]
        timing = Timing(every_seconds=None if crontab else every, crontab=crontab) if every or crontab else None
        made = services.schedule_refreshes(
            actor=actor, experiment=one, source=given["source"], on=given["on"], timing=timing
        )
        told = {"schedule_id": made.id if made else None, "enabled": bool(made and made.enabled)}
        return Response(RefreshScheduledSerializer(told).data)


def _key(request: Request) -> str | None:
    """The key of a repeated request, if there is one that jobs can keep."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and (len(key) > _LONGEST_KEY or "\x00" in key):
        raise InvalidInput(
            f"The key has {count_of(len(key), 'character')}.",
            where="Idempotency-Key",
            fix=f"Use at most {_LONGEST_KEY}.",
        )
    return key
