"""REST of the next test. Parse, call a service, serialise."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Brand
from accounts.services import require
from measurement import selectors, services
from measurement.core.next_test import USUAL_WEEKS, Suggestion


class NextTestQuerySerializer(serializers.Serializer[Any]):
    """Of what, and within what."""

    brand = serializers.UUIDField(required=False, default=None, help_text="none: all brands together")
    reserve = serializers.DecimalField(
        required=False,
        default=None,
        max_digits=14,
        decimal_places=2,
        min_value=0,
        help_text="money for tests; none: any",
    )
    scenario = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=40,
        help_text="id or label; its reserve pays, instead of `reserve`",
    )
    weeks = serializers.IntegerField(
        required=False, default=USUAL_WEEKS, min_value=1, max_value=104, help_text="that plans rest on the answer"
    )


class SuggestionSerializer(serializers.Serializer[Any]):
    """A test that could be run, and what it is worth."""

    retailer = serializers.CharField(source="candidate.retailer")
    placement = serializers.CharField(source="candidate.placement", help_text="empty: all of the retailer")
    how = serializers.CharField(source="candidate.how")
    weeks = serializers.IntegerField(source="candidate.weeks")
    cost = serializers.FloatField(source="candidate.cost", help_text="paid from the reserve")
    log_se = serializers.FloatField(source="candidate.log_se", help_text="expected error of ln(factor)")
    value = serializers.FloatField(help_text="expected value of its information, incremental revenue")
    per_cost = serializers.FloatField()
    affordable = serializers.BooleanField()
    factor = serializers.FloatField(help_text="believed today")
    low = serializers.FloatField(help_text="90 % interval")
    high = serializers.FloatField()
    moved = serializers.FloatField(help_text="share of the budget that its reading is expected to move")


class NextTestsSerializer(serializers.Serializer[Any]):
    """Every cell as a candidate, the best first."""

    best = SuggestionSerializer(allow_null=True)
    ranked = SuggestionSerializer(many=True)
    reserve = serializers.DecimalField(max_digits=14, decimal_places=2, allow_null=True)
    scenario = serializers.CharField(source="scenario.label", allow_null=True, default=None)
    taken = serializers.DecimalField(
        max_digits=14, decimal_places=2, help_text="of its reserve, by experiments registered in its days"
    )
    currency = serializers.CharField()
    assumptions = serializers.ListField(child=serializers.CharField())
    left_out = serializers.ListField(child=serializers.CharField())


class NextTest(APIView):
    """Which cell to test next."""

    @extend_schema(
        tags=["experiments"], summary="Suggest the next test", parameters=[NextTestQuerySerializer],
        responses=NextTestsSerializer,
        description="Cells of the newest curves, ranked by the expected value of information of a test per unit of "
        "its cost. `best` is null where no reading would move money, or none that would fits the reserve; with "
        "`per_cost` below 1 it is worth less than it costs.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        asked = NextTestQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        require(user=request.user, permission=selectors.VIEW, brand=data["brand"])
        brand = Brand.objects.get(pk=data["brand"]) if data["brand"] else None
        found = services.suggest_next_test(
            as_user=request.user, brand=brand, reserve=data["reserve"], scenario=data["scenario"], weeks=data["weeks"]
        )
        return Response(NextTestsSerializer(found).data)


def words_of(one: Suggestion) -> str:
    """A suggestion in one line."""
    place = one.candidate.placement.replace("_", " ") or "all placements"
    return (
        f"{one.candidate.retailer}, {place}: worth {one.value:,.0f} for {one.candidate.cost:,.0f}; "
        f"factor {one.factor:.2f} ({one.low:.2f} to {one.high:.2f})"
    )
