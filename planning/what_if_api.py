"""REST of what is made of scenarios without changing them: comparisons and typed allocations."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rest.downloads import as_download
from metrics.core.export import EXPORT_FORMATS
from planning import services
from planning.core.paths import read_path
from planning.exports import export_comparison
from planning.what_if_serializers import ComparisonSerializer

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


def _asked(request: Request) -> dict[str, Any]:
    given = request.query_params
    parts = [part for text in given.getlist("scenarios") for part in text.split(",") if part.strip()]
    return {"references": parts, "per_week": given.get("per") == "week"}


def _narrowed(request: Request) -> dict[str, Any]:
    given = request.query_params
    return {"scope": read_path(given.get("scope", "")), "constraint": given.get("constraint", "")}
