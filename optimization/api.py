"""REST of curves and solves. Parse, call a service, serialise."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services as authority
from accounts.models import Brand, User
from optimization import selectors, services
from optimization.models import CurveVersion, Solve
from optimization.serializers import (
    CurveVersionDetailSerializer,
    CurveVersionSerializer,
    FitSerializer,
    FitStartedSerializer,
    NewSolveSerializer,
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
        data = _valid(FitSerializer(data=request.data))
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
        data = _valid(NewSolveSerializer(data=request.data))
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


def _valid(serializer: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data
