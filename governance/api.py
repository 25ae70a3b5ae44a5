"""REST of policies."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers

from accounts import services as authority
from governance import selectors
from governance.models import PolicyRule


class PolicyRuleSerializer(serializers.ModelSerializer[PolicyRule]):
    class Meta:
        model = PolicyRule
        fields = [
            "id", "network", "rule_id", "scope", "severity", "statement", "parameters", "min_cell_k", "source",
            "effective_from", "effective_to",
        ]  # fmt: skip
        read_only_fields = fields


@extend_schema(
    tags=["governance"],
    summary="List policy rules",
    parameters=[OpenApiParameter("on", OpenApiTypes.DATE, description="only rules in force on this day")],
)
class PolicyRuleList(generics.ListAPIView[PolicyRule]):
    """Policy rules. They are edited in the admin."""

    serializer_class = PolicyRuleSerializer

    def get_queryset(self) -> Any:
        authority.require_somewhere(user=self.request.user, permission="policies.view")
        asked = self.request.query_params.get("on")
        return selectors.rules_in_force(on=serializers.DateField().run_validation(asked) if asked else None)
