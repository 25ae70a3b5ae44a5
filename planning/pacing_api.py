"""REST of budgets and pacing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services as authority
from planning import selectors, services
from planning.api import read_brand_id
from planning.models import Budget
from planning.services.pacing import FIELDS
from tenants.core.problems import InvalidInput

TAGS: Final = ["pacing"]


class BudgetSerializer(serializers.ModelSerializer[Budget]):
    scope = serializers.CharField(source="scope_words", read_only=True)

    class Meta:
        model = Budget
        fields = [
            "id", "scope", "brand", "retailer", "account", "campaign", "period_start", "period_end", "amount",
            "currency", "scenario", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class NewBudgetSerializer(serializers.Serializer[Any]):
    """For the document only: the values are read by the service, with its own words."""

    brand = serializers.UUIDField(allow_null=True, required=False, help_text="none: all brands")
    retailer = serializers.UUIDField(allow_null=True, required=False)
    account = serializers.UUIDField(allow_null=True, required=False)
    campaign = serializers.CharField(required=False, help_text="the network's id of a campaign of the account")
    period_start = serializers.DateField()
    period_end = serializers.DateField(help_text="inclusive")
    amount = serializers.DecimalField(14, 2)


class PacedSerializer(serializers.Serializer[Any]):
    budget = BudgetSerializer()
    as_of = serializers.DateField()
    zones = serializers.ListField(child=serializers.CharField(), help_text="time zones of the accounts")
    status = serializers.CharField(source="pace.status")
    spent = serializers.FloatField(source="pace.spent", help_text="to the end of spent_until")
    planned = serializers.FloatField(source="pace.planned", help_text="of the budget, spread evenly, to the same day")
    spent_until = serializers.DateField(source="pace.spent_until", allow_null=True)
    projected = serializers.FloatField(source="pace.projected", allow_null=True, help_text="at the end of the period")
    low = serializers.FloatField(source="pace.low", allow_null=True, help_text="of the 80 % interval")
    high = serializers.FloatField(source="pace.high", allow_null=True)
    cap_day = serializers.DateField(source="pace.cap_day", allow_null=True, help_text="day it is used up")
    cap_earliest = serializers.DateField(source="pace.cap_earliest", allow_null=True)
    cap_latest = serializers.DateField(source="pace.cap_latest", allow_null=True)
    notes = serializers.ListField(source="pace.notes", child=serializers.CharField())


class ForecastSerializer(serializers.Serializer[Any]):
    budgets = PacedSerializer(many=True, help_text="those of the latest period first")
    left_out = serializers.IntegerField(help_text="budgets beyond those told at once; narrow the scope to see them")


class Budgets(generics.ListAPIView[Budget]):
    """What may be spent, the latest period first."""

    serializer_class = BudgetSerializer

    def get_queryset(self) -> Any:
        return selectors.budgets_listed(user=self.request.user)

    @extend_schema(
        tags=TAGS, summary="Set a budget", request=NewBudgetSerializer, responses={201: BudgetSerializer},
        description="A budget of the same scope and period is replaced. Every wrong field is listed in `errors`.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        if not isinstance(request.data, Mapping):
            raise InvalidInput("An object is expected.", where="body", fix=f"Send {', '.join(FIELDS)}.")
        given = dict(request.data.items())
        brand_id = read_brand_id(given.get("brand") or None)
        actor = authority.require(user=request.user, permission=selectors.MANAGE, brand=brand_id)
        budget = services.set_budget(actor=actor, given=given)
        return Response(BudgetSerializer(budget).data, status=status.HTTP_201_CREATED)


class OneBudget(APIView):
    """One budget."""

    @extend_schema(tags=TAGS, summary="Show a budget", responses=BudgetSerializer)
    def get(self, request: Request, budget_id: UUID) -> Response:
        return Response(BudgetSerializer(selectors.budget_visible(user=request.user, budget_id=budget_id)).data)

    @extend_schema(tags=TAGS, summary="Delete a budget", responses={204: None})
    def delete(self, request: Request, budget_id: UUID) -> Response:
        budget = selectors.budget_visible(user=request.user, budget_id=budget_id)
        actor = authority.require(user=request.user, permission=selectors.MANAGE, brand=budget.brand)
        services.delete_budget(actor=actor, budget=budget)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ScenarioBudgets(APIView):
    """A scenario as budgets."""

    @extend_schema(
        tags=TAGS, summary="Take a solved scenario as budgets", request=None,
        responses={201: BudgetSerializer(many=True)},
        description="One budget per retailer over the horizon. Those of the same scope and period are replaced; those "
        "taken from a former answer of it that are not proposed any more are deleted.",
    )  # fmt: skip
    def post(self, request: Request, scenario_id: UUID) -> Response:
        scenario = selectors.scenario_visible(user=request.user, scenario_id=scenario_id)
        actor = authority.require(user=request.user, permission=selectors.MANAGE, brand=scenario.brand)
        made = services.budgets_from_scenario(actor=actor, scenario=scenario)
        return Response(BudgetSerializer(made, many=True).data, status=status.HTTP_201_CREATED)


class Pacing(APIView):
    """Budgets against spend."""

    @extend_schema(
        tags=TAGS, summary="Forecast pacing", responses=ForecastSerializer,
        parameters=[
            OpenApiParameter("as_of", date, description="as if it were that day; else today in each account's zone"),
            OpenApiParameter("scope", str, description="brand=chips/rmn=Amazon: only budgets of these"),
            OpenApiParameter("every", bool, default=False, description="also periods that do not hold the day"),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        text = request.query_params.get("as_of", "")
        try:
            as_of = date.fromisoformat(text) if text else None
        except ValueError as error:
            raise InvalidInput(f"{text[:40]!r} is no day.", where="as_of", fix="Write it as YYYY-MM-DD.") from error
        found = services.forecast_pacing(
            user=request.user,
            as_of=as_of,
            scope=request.query_params.get("scope", ""),
            every=request.query_params.get("every", "").lower() in ("1", "true"),
        )
        return Response(ForecastSerializer(found).data)
