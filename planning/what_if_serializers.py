"""Shapes of what is made of scenarios without changing them: comparisons and typed allocations."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class ComparedScenarioSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(source="key")
    label = serializers.CharField()  # type: ignore[assignment]
    name = serializers.CharField()
    status = serializers.CharField(source="state")
    reason = serializers.CharField(help_text="why it has no figures; empty where it has")
    brand = serializers.CharField()
    curves = serializers.CharField()
    attribution = serializers.CharField()


class ComparedRowSerializer(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.ChoiceField(choices=["money", "ratio", "percent", "text"])
    values = serializers.ListField(
        child=serializers.JSONField(allow_null=True), help_text="per scenario; null where it has none"
    )
    differs = serializers.BooleanField()


class ComparedLineSerializer(serializers.Serializer[Any]):
    cell = serializers.CharField(help_text="empty for the reserve and for what is not spent")
    label = serializers.CharField()  # type: ignore[assignment]
    path = serializers.ListField(child=serializers.CharField())
    amounts = serializers.ListField(child=serializers.DecimalField(18, 2, allow_null=True))
    bindings = serializers.ListField(child=serializers.CharField(), help_text="what binds, per scenario")
    spread = serializers.DecimalField(18, 2, help_text="largest amount less the smallest")


class ComparisonSerializer(serializers.Serializer[Any]):
    scenarios = ComparedScenarioSerializer(source="candidates", many=True)
    currency = serializers.CharField()
    per_week = serializers.BooleanField()
    cautions = serializers.ListField(child=serializers.CharField(), help_text="what is not like with like")
    totals = ComparedRowSerializer(many=True)
    terms = ComparedRowSerializer(many=True)
    lines = ComparedLineSerializer(many=True, help_text="largest difference first")
