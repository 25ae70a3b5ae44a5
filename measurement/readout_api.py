"""REST of readings as files; `measurement/api.py` has the experiments themselves."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.rest.downloads import as_download
from measurement import selectors
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


def _reading(request: Request, experiment_id: UUID) -> Reading:
    field = serializers.UUIDField(required=False, allow_null=True)
    chosen = field.run_validation(request.query_params.get("reading"))
    return selectors.reading_visible(user=request.user, experiment_id=experiment_id, reading_id=chosen)
