"""REST of data quality: findings, comparisons of reports, freshness of sources, checks."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services as authority
from accounts.models import User
from harmonization import selectors as data
from harmonization import services
from harmonization.models import DataFinding, Reconciliation
from harmonization.quality import selectors
from harmonization.quality.serializers import (
    CheckAskedSerializer,
    FindingsAsked,
    FindingSerializer,
    ReasonSerializer,
    ReconciliationSerializer,
    SourceSerializer,
)
from harmonization.serializers import JobStartedSerializer
from harmonization.services.checks import today_at_its_latest
from tenants.selectors import current_tenant

TAGS = ["data quality"]


class FindingList(generics.ListAPIView[DataFinding]):
    """What looks wrong with the data, the gravest first."""

    serializer_class = FindingSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission=selectors.VIEW)
        asked = FindingsAsked(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        filters = {name: str(value) for name, value in asked.validated_data.items() if not name.startswith("page")}
        return selectors.findings_matching(
            selectors.findings_visible(user=self.request.user),
            filters=filters,
            currency=current_tenant().base_currency,
        )

    @extend_schema(tags=TAGS, summary="List findings", parameters=[FindingsAsked])
    def get(self, request: Request, *args: Any, **options: Any) -> Response:
        return super().get(request, *args, **options)


class FindingDetail(APIView):
    """One finding."""

    @extend_schema(tags=TAGS, summary="Show a finding", responses=FindingSerializer)
    def get(self, request: Request, finding_id: UUID) -> Response:
        return Response(FindingSerializer(selectors.finding_visible(user=request.user, finding_id=finding_id)).data)


class FindingAcknowledge(APIView):
    """Accepting a finding."""

    parser_classes = [JSONParser]

    @extend_schema(
        tags=TAGS, summary="Accept a finding, with a reason", request=ReasonSerializer, responses=FindingSerializer
    )
    def post(self, request: Request, finding_id: UUID) -> Response:
        finding = selectors.finding_visible(user=request.user, finding_id=finding_id)
        asked = ReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = services.acknowledge_finding(actor=_person(request), finding=finding, **asked.validated_data)
        return Response(FindingSerializer(row).data)


class FindingReopen(APIView):
    """Taking an acceptance back."""

    @extend_schema(tags=TAGS, summary="Open an accepted finding again", request=None, responses=FindingSerializer)
    def post(self, request: Request, finding_id: UUID) -> Response:
        finding = selectors.finding_visible(user=request.user, finding_id=finding_id)
        return Response(FindingSerializer(services.reopen_finding(actor=_person(request), finding=finding)).data)


class ReconciliationList(generics.ListAPIView[Reconciliation]):
    """Reports of one account, compared; what nothing explains first."""

    serializer_class = ReconciliationSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission=selectors.VIEW)
        return selectors.reconciliations_visible(user=self.request.user)


class CheckList(APIView):
    """Checking whole histories."""

    parser_classes = [JSONParser]

    @extend_schema(
        tags=TAGS,
        summary="Check the data anew",
        description="Looks for anomalies in every report and compares the reports of each account, as a job.",
        request=CheckAskedSerializer,
        responses={202: JobStartedSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = CheckAskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        account = None
        if wanted := asked.validated_data.get("account"):
            account = data.account_visible(user=request.user, account_id=wanted, permission=selectors.VIEW)
        job = services.start_check(actor=_person(request), account=account)
        return Response({"job_id": job.pk}, status=status.HTTP_202_ACCEPTED)


class SourceList(APIView):
    """Reports of accounts, with how fresh and how final their figures are."""

    @extend_schema(
        tags=TAGS,
        summary="List sources",
        responses=SourceSerializer(many=True),
        parameters=[OpenApiParameter("standing", OpenApiTypes.STR, description="only late, stopped, on_time sources")],
    )
    def get(self, request: Request) -> Response:
        authority.require_somewhere(user=request.user, permission="uploads.view")
        found = selectors.source_reports(user=request.user, today=today_at_its_latest())
        if wanted := request.query_params.get("standing"):
            found = [one for one in found if one.freshness.standing == wanted]
        return Response(SourceSerializer(cast(Any, found), many=True).data)


def _person(request: Request) -> User:
    # Only people and their tokens pass the default permission; services look again.
    return cast(User, request.user)
