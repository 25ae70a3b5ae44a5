"""REST of curves and solves. Parse, call a service, serialise."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services as authority
from accounts.models import Brand, User
from accounts.rest.downloads import as_download
from accounts.rest.strict import valid
from metrics.core.export import EXPORT_FORMATS
from optimization import selectors, services
from optimization.core.curve_table import SORTS, STATES
from optimization.exports import export_curves
from optimization.models import CurveAdjustment, CurveVersion, Solve
from optimization.serializers import (
    AdjustmentSerializer,
    CurveVersionDetailSerializer,
    CurveVersionSerializer,
    FactorsQuerySerializer,
    FactorsSerializer,
    FitSerializer,
    FitStartedSerializer,
    ImportSerializer,
    JudgedFactorSerializer,
    NewAdjustmentSerializer,
    NewSolveSerializer,
    RevokeSerializer,
    SolveDetailSerializer,
    SolveSerializer,
)

TAGS: Final = ["optimisation"]
IDEMPOTENCY: Final = OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER)


class CurveVersions(generics.ListAPIView[CurveVersion]):
    """Fitted curves."""

    serializer_class = CurveVersionSerializer

    def get_queryset(self) -> Any:
        return selectors.curve_versions_listed(user=self.request.user)

    @extend_schema(
        tags=TAGS, summary="Fit response curves", request=FitSerializer, responses={202: FitStartedSerializer},
        parameters=[IDEMPOTENCY],
        description="A job fits the curves from the published events. The same data and settings give the same "
        "version again; see the job's result.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        data = valid(FitSerializer(data=request.data))
        actor, brand = actor_for(request, data["brand"], "curves.fit")
        job = services.request_fit(
            actor=actor,
            brand=brand,
            weeks=data["weeks"],
            idempotency_key=request.headers.get("Idempotency-Key"),
        )
        return Response({"job_id": job.pk}, status=status.HTTP_202_ACCEPTED)


class OneCurveVersion(APIView):
    """One version with its curves."""

    @extend_schema(tags=TAGS, summary="Show a curve version", responses=CurveVersionDetailSerializer)
    def get(self, request: Request, version_id: UUID) -> Response:
        version = selectors.curve_version_visible(user=request.user, version_id=version_id)
        return Response(CurveVersionDetailSerializer(version).data)


class CurveFile(APIView):
    """The curves as a file."""

    @extend_schema(
        tags=TAGS,
        summary="Download the curves of a version",
        description="As they are read today, under overrides and priors; narrowed and sorted like the page.",
        parameters=[
            OpenApiParameter("export", str, enum=EXPORT_FORMATS, default="csv"),
            OpenApiParameter("retailer", str),
            OpenApiParameter("placement", str),
            OpenApiParameter("search", str, description="a part of the SKU or of the product's name"),
            OpenApiParameter("state", str, enum=list(STATES)),
            OpenApiParameter("sort", str, description=f"one of {', '.join(SORTS)}; - before it for descending"),
        ],
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY, description="CSV, or XLSX where asked for")},
    )
    def get(self, request: Request, version_id: UUID) -> HttpResponse:
        version = selectors.curve_version_visible(user=request.user, version_id=version_id)
        query = request.query_params
        return as_download(
            export_curves(user=request.user, version=version, kind=query.get("export", "csv"), query=query)
        )


class Adjustments(generics.ListAPIView[CurveAdjustment]):
    """Overrides of curves and priors on them, by people."""

    serializer_class = AdjustmentSerializer

    def get_queryset(self) -> Any:
        return selectors.adjustments_listed(user=self.request.user)

    @extend_schema(
        tags=TAGS, summary="Override a curve, or give a prior", request=NewAdjustmentSerializer,
        responses={201: AdjustmentSerializer},
        description="Solves read it from now on; earlier answers stay. A prior is in the next fit too.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        data = valid(NewAdjustmentSerializer(data=request.data))
        actor, brand = actor_for(request, data.pop("brand"), "curves.fit")
        made = services.adjust_curves(actor=actor, brand=brand, **data)
        return Response(AdjustmentSerializer(made).data, status=status.HTTP_201_CREATED)


class OneAdjustment(APIView):
    """One override or prior."""

    @extend_schema(tags=TAGS, summary="Show an override or a prior", responses=AdjustmentSerializer)
    def get(self, request: Request, adjustment_id: UUID) -> Response:
        found = selectors.adjustment_visible(user=request.user, adjustment_id=adjustment_id)
        return Response(AdjustmentSerializer(found).data)


class RevokeAdjustment(APIView):
    """Take an override or a prior back."""

    @extend_schema(
        tags=TAGS, summary="Revoke an override or a prior", request=RevokeSerializer, responses=AdjustmentSerializer
    )
    def post(self, request: Request, adjustment_id: UUID) -> Response:
        data = valid(RevokeSerializer(data=request.data))
        found = selectors.adjustment_visible(user=request.user, adjustment_id=adjustment_id)
        actor = authority.require(user=request.user, permission="curves.fit", brand=found.brand)
        revoked = services.revoke_adjustment(actor=actor, adjustment_id=adjustment_id, reason=data["reason"])
        return Response(AdjustmentSerializer(revoked).data)


class CurveFactors(APIView):
    """Incrementality factors as solves read them."""

    @extend_schema(
        tags=TAGS, summary="Show the incrementality factors in force", responses=FactorsSerializer,
        parameters=[
            OpenApiParameter("brand", OpenApiTypes.UUID, description="none: all brands together"),
            OpenApiParameter("on", OpenApiTypes.DATE, description="a day of the money in question; today without one"),
        ],
        description="For a cell the most specific counts: of its brand before all brands, then retailer and placement, "
        "retailer, placement, everything; none: its sales count whole.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        data = valid(FactorsQuerySerializer(data=request.query_params.dict()))
        _, brand = actor_for(request, data["brand"], "metrics.view")
        found = selectors.incrementality_factors(brand, on=data["on"])
        return Response({"sha256": found.sha256, "factors": found.as_list()})

    @extend_schema(
        tags=TAGS, summary="Set an incrementality factor", request=JudgedFactorSerializer,
        responses={201: FactorsSerializer},
        description="A person's judgement, with the reason. Experiments publish at /metrics/factors/.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        data = valid(JudgedFactorSerializer(data=request.data))
        actor, brand = actor_for(request, data.pop("brand"), "factors.publish")
        services.set_factor(actor=actor, brand=brand, **data)
        found = selectors.incrementality_factors(brand)
        return Response({"sha256": found.sha256, "factors": found.as_list()}, status=status.HTTP_201_CREATED)


class CurveImports(APIView):
    """Curves that were fitted elsewhere."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        tags=TAGS, summary="Import posterior curves", request={"multipart/form-data": ImportSerializer},
        responses={201: CurveVersionSerializer},
        description="A Parquet file in the format rmn-curve-draws/1: one row per cell and draw. The same file is one "
        "version, answered with 200.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        data = valid(ImportSerializer(data=request.data))
        actor, brand = actor_for(request, data["brand"], "curves.fit")
        made = services.import_curves(
            actor=actor,
            brand=brand,
            content=data["file"].read(services.LARGEST_IMPORT + 1),
            source=data["source"],
            data_start=data["data_start"],
            data_end=data["data_end"],
            currency=data["currency"],
        )
        code = status.HTTP_201_CREATED if made.created else status.HTTP_200_OK
        return Response(CurveVersionSerializer(made.version).data, status=code)


class Solves(generics.ListAPIView[Solve]):
    """Solved budget problems."""

    serializer_class = SolveSerializer

    def get_queryset(self) -> Any:
        return selectors.solves_listed(user=self.request.user)

    @extend_schema(
        tags=TAGS, summary="Solve a budget problem", request=NewSolveSerializer,
        responses={201: SolveDetailSerializer},
        description="Solved before the answer; the same problem is solved once and answered with the same row. An "
        "infeasible one is answered with its smallest conflict, not with an error.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        data = valid(NewSolveSerializer(data=request.data))
        actor, brand = actor_for(request, data["brand"], "scenarios.manage")
        solve = services.solve_document(actor=actor, document=data["problem"], brand=brand)
        return Response(SolveDetailSerializer(solve).data, status=status.HTTP_201_CREATED)


class OneSolve(APIView):
    """One solve."""

    @extend_schema(tags=TAGS, summary="Show a solve", responses=SolveDetailSerializer)
    def get(self, request: Request, solve_id: UUID) -> Response:
        return Response(SolveDetailSerializer(selectors.solve_visible(user=request.user, solve_id=solve_id)).data)


def actor_for(request: Request, brand_id: UUID | None, permission: str) -> tuple[User, Brand | None]:
    """Who asks, with the brand asked for, where they have the permission there; None is the whole tenant."""
    actor = authority.require(user=request.user, permission=permission, brand=brand_id)
    return actor, Brand.objects.get(pk=brand_id) if brand_id is not None else None
