"""REST: figures, their definitions, and figures as a file."""

from __future__ import annotations

from typing import Any, Final, cast
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services as authority
from accounts.models import User
from accounts.rest.downloads import as_download
from metrics import selectors, services
from metrics.core.definitions import DIMENSIONS, METRICS
from metrics.core.export import EXPORT_FORMATS
from metrics.core.records import definition_records, table_record
from metrics.core.request import ATTRIBUTIONS, COMPARISONS, MATCHES, MAX_LINES
from metrics.models import FactorSet, SavedView
from metrics.parameters import DEFAULT_LIMIT, FILTERS, read_query
from metrics.serializers import (
    ChangedViewSerializer,
    DefinitionsSerializer,
    FactorSetSerializer,
    MetricTableSerializer,
    NewFactorSetSerializer,
    NewViewSerializer,
    SavedViewSerializer,
)

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
        description="`as_reported`: each network's own model and window. `common_window`: one rule for all, see "
        "`window` and `match`. `incremental`: as reported, times the published incrementality factors.",
    ),
    OpenApiParameter("window", int, description="Days after a click of the common rule; 14 where none is said."),
    OpenApiParameter("match", str, enum=list(MATCHES), description="Purchases of the common rule."),
    OpenApiParameter(
        "money",
        str,
        description="`native`, `base` (the tenant's currency) or an ISO 4217 code to convert to, each row at the rate "
        "of its day. What has no rate keeps its own currency.",
    ),
    OpenApiParameter(
        "as_of",
        str,
        description="Figures as they were published at an instant (ISO 8601) or at the end of a day, before later "
        "files restated them.",
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


class FactorSetList(generics.ListAPIView[FactorSet]):
    """Published incrementality factors."""

    serializer_class = FactorSetSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission="metrics.view")
        return selectors.factor_sets_visible(user=self.request.user)

    @extend_schema(
        operation_id="metrics_factors_publish",
        tags=["metrics"],
        request=NewFactorSetSerializer,
        responses={200: FactorSetSerializer, 201: FactorSetSerializer},
    )
    def post(self, request: Request) -> Response:
        """Publish factors together. A published set stays as it is; the same content is published once."""
        data = _valid(NewFactorSetSerializer(data=request.data))
        actor = _person(request)
        published = services.publish_factors(
            actor=actor,
            brand=services.brand_to_publish_for(actor=actor, brand=str(data["brand"] or "")),
            source=data["source"],
            note=data["note"],
            factors=[services.NewFactor(**factor) for factor in data["factors"]],
        )
        code = status.HTTP_201_CREATED if published.created else status.HTTP_200_OK
        return Response(FactorSetSerializer(published.factor_set).data, status=code)


class SavedViewList(generics.ListAPIView[SavedView]):
    """Your saved views of the Performance page, and those that others share."""

    serializer_class = SavedViewSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission="metrics.view")
        return selectors.views_visible(user=cast(User, self.request.user))

    @extend_schema(
        operation_id="metrics_views_save",
        tags=["metrics"],
        request=NewViewSerializer,
        responses={201: SavedViewSerializer},
    )
    def post(self, request: Request) -> Response:
        """Save a state of the page; an own view of that name is replaced."""
        authority.require_somewhere(user=request.user, permission="metrics.view")
        view = services.save_view(actor=_person(request), **_valid(NewViewSerializer(data=request.data)))
        return Response(SavedViewSerializer(view).data, status=status.HTTP_201_CREATED)


class SavedViewDetail(APIView):
    """One saved view."""

    @extend_schema(operation_id="metrics_view", tags=["metrics"], responses=SavedViewSerializer)
    def get(self, request: Request, view_id: UUID) -> Response:
        """The view."""
        return Response(SavedViewSerializer(selectors.view_visible(user=_person(request), view_id=view_id)).data)

    @extend_schema(
        operation_id="metrics_view_change",
        tags=["metrics"],
        request=ChangedViewSerializer,
        responses=SavedViewSerializer,
    )
    def patch(self, request: Request, view_id: UUID) -> Response:
        """Rename, share or replace it."""
        actor = _person(request)
        selectors.view_visible(user=actor, view_id=view_id)
        changes = _valid(ChangedViewSerializer(data=request.data))
        return Response(SavedViewSerializer(services.change_view(actor=actor, view_id=view_id, **changes)).data)

    @extend_schema(operation_id="metrics_view_delete", tags=["metrics"], responses={204: None})
    def delete(self, request: Request, view_id: UUID) -> Response:
        """Take it away."""
        services.delete_view(actor=_person(request), view_id=view_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _person(request: Request) -> User:
    return cast(User, request.user)  # the API's permission class lets nobody else in


def _valid(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
