"""REST of readings as files and in planning; `measurement/api.py` has the experiments themselves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rest.downloads import as_download
from accounts.services import require
from measurement import selectors, services
from measurement.models import Reading
from measurement.reports import export_reading

TAGS = ["experiments"]
_WHICH = [OpenApiParameter("reading", OpenApiTypes.UUID, description="An earlier reading; none: the newest.")]


class ReportCsv(APIView):
    """The reading as a table."""

    @extend_schema(
        tags=TAGS, summary="Download a reading as CSV", parameters=_WHICH,
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY, description="figures, series, disclosure")},
        description="Every figure and series of the reading in full precision, and what must be told with it.",
    )  # fmt: skip
    def get(self, request: Request, experiment_id: UUID) -> HttpResponse:
        stored = _reading(request, experiment_id)
        return as_download(export_reading(user=request.user, stored=stored, kind="csv"))


class ReportPdf(APIView):
    """The reading to be handed on."""

    @extend_schema(
        tags=TAGS, summary="Download a reading as PDF", parameters=_WHICH,
        responses={(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, description="two pages or so")},
        description="Figures, pictures, other methods and the IAB/MRC disclosure; the same reading gives the same "
        "bytes.",
    )  # fmt: skip
    def get(self, request: Request, experiment_id: UUID) -> HttpResponse:
        stored = _reading(request, experiment_id)
        return as_download(export_reading(user=request.user, stored=stored, kind="pdf"))


class RangeSerializer(serializers.Serializer[Any]):
    """A value with the ends of its interval, 90 %."""

    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class TransferSerializer(serializers.Serializer[Any]):
    """What a reading changes in one cell; `spend` is money a week now, under the factors before, and after."""

    retailer = serializers.CharField()
    placement = serializers.CharField(help_text="empty: all of the retailer")
    before = serializers.FloatField()
    after = RangeSerializer()
    source = serializers.CharField()  # type: ignore[assignment]
    influence = serializers.FloatField(help_text="of this reading, 0 to 1")
    spend = serializers.ListField(child=serializers.FloatField(), min_length=3, max_length=3)


class PlanningSerializer(serializers.Serializer[Any]):
    """What planning takes over from a reading: iROAS before, by the test alone, and after; factors of all cells."""

    experiment = serializers.CharField()
    retailer = serializers.CharField()
    placement = serializers.CharField()
    attributed = serializers.FloatField()
    prior = RangeSerializer()
    test = RangeSerializer()
    after = RangeSerializer()
    narrower = serializers.FloatField()
    valid_from = serializers.DateField()
    valid_to = serializers.DateField()
    transfers = TransferSerializer(many=True)
    tests = serializers.ListField(child=serializers.CharField())
    moved = serializers.FloatField()
    curves = serializers.IntegerField(allow_null=True)


class CalibrationSerializer(serializers.Serializer[Any]):
    """What was published."""

    id = serializers.UUIDField()
    reading = serializers.UUIDField(source="reading_id")
    factor_set = serializers.IntegerField(source="factor_set.version", help_text="version")
    curve_version = serializers.IntegerField(source="curve_version.number", allow_null=True, default=None)
    published_at = serializers.DateTimeField()
    summary = serializers.JSONField()


class Planning(APIView):
    """The way back into planning."""

    @extend_schema(
        tags=TAGS, summary="See what a reading would change in planning", parameters=_WHICH,
        responses=PlanningSerializer,
    )  # fmt: skip
    def get(self, request: Request, experiment_id: UUID) -> Response:
        stored = _reading(request, experiment_id)
        actor = require(user=request.user, permission=selectors.VIEW, brand=stored.experiment.brand)
        preview = services.preview_planning(as_user=actor, reading=stored)
        return Response(PlanningSerializer(preview.as_dict()).data)

    @extend_schema(
        tags=TAGS, summary="Use a reading in planning", parameters=_WHICH, request=None,
        responses={201: CalibrationSerializer, 200: CalibrationSerializer},
        description="Publishes factors of the tested cell and, shrunken, of the others, and a version of the curves "
        "under them. Asked again it is the same calibration, answered with 200.",
    )  # fmt: skip
    def post(self, request: Request, experiment_id: UUID) -> Response:
        stored = _reading(request, experiment_id)
        actor = require(user=request.user, permission=services.PUBLISH, brand=stored.experiment.brand)
        known = set(stored.calibrations.values_list("pk", flat=True))
        made = services.use_in_planning(as_user=actor, reading=stored)
        code = status.HTTP_200_OK if made.pk in known else status.HTTP_201_CREATED
        return Response(CalibrationSerializer(made).data, status=code)


def _reading(request: Request, experiment_id: UUID) -> Reading:
    field = serializers.UUIDField(required=False, allow_null=True)
    chosen = field.run_validation(request.query_params.get("reading"))
    return selectors.reading_visible(user=request.user, experiment_id=experiment_id, reading_id=chosen)
