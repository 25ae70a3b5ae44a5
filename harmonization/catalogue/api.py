"""REST of the catalogue's surroundings: advertised ids, audiences, exchange rates."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services as authority
from accounts.models import User
from accounts.rest.strict import StrictSerializer
from harmonization import services
from harmonization.catalogue import selectors
from harmonization.models import Audience, CrosswalkEntry, FxRate
from tenants.selectors import current_tenant

TAGS = ["catalogue"]


class CrosswalkSerializer(serializers.ModelSerializer[CrosswalkEntry]):
    sku = serializers.SerializerMethodField(help_text="the product it is; none where nobody is sure")
    candidates = serializers.SerializerMethodField(help_text="products that claim the id: sku, method, confidence")
    spend = serializers.DictField(child=serializers.CharField(), read_only=True, help_text="by currency")
    decided_by = serializers.EmailField(source="decided_by.email", default=None, read_only=True)

    class Meta:
        model = CrosswalkEntry
        fields = [
            "id", "account", "retailer", "sku_id", "sku_id_type", "gtin14", "name", "sku", "state", "confidence",
            "method", "candidates", "rows", "spend", "first_day", "last_day", "decided_by", "decided_at", "reason",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_sku(self, entry: CrosswalkEntry) -> str | None:
        """Not told of a product of a brand that the reader may not know of."""
        sku = entry.product.sku if entry.product else None
        return sku if sku in self._allowed() else None

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_candidates(self, entry: CrosswalkEntry) -> list[dict[str, object]]:
        """Those that the reader may know of."""
        return selectors.known_candidates(entry, self._allowed())

    def _allowed(self) -> frozenset[str]:
        # One query for a page of entries: the context is that of the whole answer.
        context = cast(dict[str, Any], self.context)
        if "skus" not in context:
            shown = self.parent.instance if self.parent is not None else self.instance
            entries = [shown] if isinstance(shown, CrosswalkEntry) else list(cast(Any, shown) or [])
            context["skus"] = selectors.visible_skus(user=context["request"].user, entries=entries)
        return cast(frozenset[str], context["skus"])


class CrosswalkAsked(StrictSerializer):
    state = serializers.ChoiceField(CrosswalkEntry.State.choices, required=False)
    account = serializers.UUIDField(required=False)
    page = serializers.IntegerField(min_value=1, required=False)
    page_size = serializers.IntegerField(min_value=1, required=False)


class DecisionSerializer(StrictSerializer):
    sku = serializers.CharField(max_length=64, help_text="the product's own code")
    reason = serializers.CharField(max_length=400)


class AudienceSerializer(serializers.ModelSerializer[Audience]):
    class Meta:
        model = Audience
        fields = ["id", "account", "external_id", "name", "kind", "size_bucket", "min_cell", "ntb", "consent_basis"]
        read_only_fields = fields


class FxRateSerializer(serializers.ModelSerializer[FxRate]):
    class Meta:
        model = FxRate
        fields = ["id", "day", "currency", "base", "rate", "source"]
        read_only_fields = fields


class CrosswalkList(generics.ListAPIView[CrosswalkEntry]):
    """Advertised ids and the products they are; what is not sure first."""

    serializer_class = CrosswalkSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission=selectors.VIEW)
        asked = CrosswalkAsked(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        filters = {name: value for name, value in asked.validated_data.items() if not name.startswith("page")}
        return selectors.entries_visible(user=self.request.user).filter(**filters)

    @extend_schema(tags=TAGS, summary="List advertised ids", parameters=[CrosswalkAsked])
    def get(self, request: Request, *args: Any, **options: Any) -> Response:
        return super().get(request, *args, **options)


class CrosswalkDecide(APIView):
    """Saying which product an advertised id is."""

    parser_classes = [JSONParser]

    @extend_schema(
        tags=TAGS, summary="Decide which product an id is", request=DecisionSerializer, responses=CrosswalkSerializer
    )
    def post(self, request: Request, entry_id: UUID) -> Response:
        entry = selectors.entry_visible(user=request.user, entry_id=entry_id)
        asked = DecisionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        authority.require(user=request.user, permission="catalogue.manage", brand=entry.account.brand_id)
        product = selectors.product_visible(user=request.user, sku=asked.validated_data["sku"])
        entry = services.decide_product(
            actor=cast(User, request.user), entry=entry, product=product, reason=asked.validated_data["reason"]
        )
        return Response(CrosswalkSerializer(entry, context={"request": request}).data)


class CrosswalkWithdraw(APIView):
    """Taking a decision back."""

    @extend_schema(tags=TAGS, summary="Withdraw a decision on an id", request=None, responses=CrosswalkSerializer)
    def post(self, request: Request, entry_id: UUID) -> Response:
        entry = selectors.entry_visible(user=request.user, entry_id=entry_id)
        entry = services.withdraw_decision(actor=cast(User, request.user), entry=entry)
        return Response(CrosswalkSerializer(entry, context={"request": request}).data)


@extend_schema(tags=TAGS, summary="List audiences")
class AudienceList(generics.ListAPIView[Audience]):
    """Audiences of accounts."""

    serializer_class = AudienceSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission=selectors.VIEW)
        return selectors.audiences_visible(user=self.request.user)


@extend_schema(tags=TAGS, summary="List exchange rates to the base currency")
class FxRateList(generics.ListAPIView[FxRate]):
    """Exchange rates, newest first."""

    serializer_class = FxRateSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission=selectors.VIEW)
        return FxRate.objects.filter(base=current_tenant().base_currency)
