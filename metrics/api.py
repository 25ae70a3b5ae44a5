"""REST: figures, their definitions, and figures as a file."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rest.downloads import as_download
from metrics import services
from metrics.core.definitions import DIMENSIONS, METRICS
from metrics.core.export import EXPORT_FORMATS
from metrics.core.records import definition_records, table_record
from metrics.core.request import ATTRIBUTIONS, COMPARISONS, MAX_LINES
from metrics.parameters import DEFAULT_LIMIT, FILTERS, read_query
from metrics.serializers import DefinitionsSerializer, MetricTableSerializer

_FILTER_PARAMETERS: Final = [
    OpenApiParameter(
        name,
        str,
        many=True,
        description=f"Keep only these. {DIMENSIONS[name].description}"
        + (" Send its id." if name in {"brand", "account"} else ""),
    )
    for name in FILTERS
]
_PARAMETERS: Final = [
    OpenApiParameter(
        "metrics", str, required=True, description=f"Names, separated by commas. Any of: {', '.join(METRICS)}."
    ),
    OpenApiParameter(
        "dimensions",
        str,
        description=f"What to split by, separated by commas. Any of: {', '.join(DIMENSIONS)}. None: totals only.",
    ),
    OpenApiParameter("start", OpenApiTypes.DATE, required=True, description="First day, YYYY-MM-DD."),
    OpenApiParameter("end", OpenApiTypes.DATE, required=True, description="Last day, YYYY-MM-DD."),
    OpenApiParameter(
        "compare",
        str,
        enum=COMPARISONS,
        default="none",
        description="`previous` and `year` match weekdays, `previous_exact` is the same number of days before.",
    ),
    OpenApiParameter(
        "attribution",
        str,
        enum=ATTRIBUTIONS,
        default="as_reported",
        description="`as_reported`: each network's own model and window.",
    ),
    OpenApiParameter(
        "sort", str, description="A metric or dimension of the request; `-` before it for descending order."
    ),
    OpenApiParameter(
        "limit",
        int,
        description=f"Lines, 1 to {MAX_LINES}; the others are summed into one. A query gives {DEFAULT_LIMIT} where "
        "none is said, a file gives all.",
    ),
    *_FILTER_PARAMETERS,
]


class MetricQueryView(APIView):
    """Figures of the brands you may see."""

    @extend_schema(
        operation_id="metrics_query", tags=["metrics"], parameters=_PARAMETERS, responses=MetricTableSerializer
    )
    def get(self, request: Request) -> Response:
        """Split, filter and compare figures; totals are sums of the lines, ratios are ratios of sums."""
        table = services.query_metrics(
            actor=request.user, **read_query(request.query_params, usual_limit=DEFAULT_LIMIT)
        )
        return Response(table_record(table))


class MetricDefinitionsView(APIView):
    """What figures mean."""

    @extend_schema(operation_id="metrics_definitions", tags=["metrics"], responses=DefinitionsSerializer)
    def get(self, request: Request) -> Response:
        """Every metric with its formula and unit, and every dimension."""
        return Response(definition_records())


class MetricExportView(APIView):
    """Figures as a file."""

    @extend_schema(
        operation_id="metrics_export",
        tags=["metrics"],
        parameters=[
            OpenApiParameter("export", str, enum=EXPORT_FORMATS, default="csv", description="Kind of file."),
            *_PARAMETERS,
        ],
        responses={
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="UTF-8 with a byte order mark."),
            (200, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """The figures of a query as CSV or XLSX, with the disclosure that IAB/MRC ask for."""
        given = read_query(request.query_params, usual_limit=None, also=("export",))
        kind = request.query_params.get("export", "csv")
        return as_download(services.export_metrics(actor=request.user, kind=kind, **given))
