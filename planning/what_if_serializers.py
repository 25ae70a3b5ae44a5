"""Shapes of what is made of scenarios without changing them: comparisons and typed allocations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from planning.core.simulation import Simulation


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


class AmountSerializer(serializers.Serializer[Any]):
    """For the document only: amounts are read by the service, which lists every finding."""

    scope = serializers.CharField(required=False, help_text="channel=onsite search/rmn=Amazon, or rmn=Amazon alone")
    path = serializers.ListField(child=serializers.CharField(), required=False, help_text="names from the top")
    amount = serializers.DecimalField(14, 2)


class SimulateSerializer(serializers.Serializer[Any]):
    allocation = AmountSerializer(many=True)
    rest = serializers.ChoiceField(
        choices=["current", "proposed", "zero"], default="current", help_text="what lines get that nothing is typed for"
    )
    split = serializers.ChoiceField(
        choices=["as_now", "best"], default="as_now",
        help_text="how an amount of a node is split over its lines: in proportion to current spend, or where it sells "
        "most",
    )  # fmt: skip


class EffectSerializer(serializers.Serializer[Any]):
    path = serializers.ListField(child=serializers.CharField())
    now = serializers.DecimalField(18, 2)
    typed = serializers.DecimalField(18, 2)
    sales_now = serializers.FloatField()
    sales = serializers.FloatField()
    roas_now = serializers.FloatField(allow_null=True)
    roas = serializers.FloatField(allow_null=True)


class BrokenSerializer(serializers.Serializer[Any]):
    words = serializers.CharField()
    path = serializers.ListField(child=serializers.CharField())
    allowed = serializers.FloatField(allow_null=True)
    found = serializers.FloatField(allow_null=True)
    lines = serializers.IntegerField(help_text="how many single lines break it")


class BestSerializer(serializers.Serializer[Any]):
    spend = serializers.FloatField(allow_null=True)
    sales = serializers.FloatField(allow_null=True, help_text="null where nothing meets the terms")
    gap = serializers.FloatField(allow_null=True)
    why = serializers.CharField()


class TypedLineSerializer(serializers.Serializer[Any]):
    cell = serializers.CharField()
    path = serializers.ListField(child=serializers.CharField())
    now = serializers.DecimalField(18, 2)
    typed = serializers.DecimalField(18, 2)
    best = serializers.FloatField(allow_null=True)
    sales_now = serializers.FloatField()
    sales = serializers.FloatField()
    marginal_now = serializers.FloatField(allow_null=True)
    marginal = serializers.FloatField(allow_null=True)
    gain = serializers.ListField(child=serializers.FloatField(), allow_null=True, help_text="80 % interval")
    breaks = serializers.CharField(help_text="the bound of its own that it breaks; empty for none")


class SimulationSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    whole = EffectSerializer()
    outlook = serializers.JSONField(help_text="80 % intervals of sales and gain, and the chance of a gain")
    left = serializers.FloatField(allow_null=True, help_text="sales that the best allocation of the same money adds")
    same_money = BestSerializer()
    broken = BrokenSerializer(many=True, help_text="terms of the scenario that it does not keep")
    by_channel = serializers.SerializerMethodField()
    by_retailer = serializers.SerializerMethodField()
    notes = serializers.ListField(child=serializers.CharField())
    lines = TypedLineSerializer(many=True, help_text="largest change first")

    @extend_schema_field(EffectSerializer(many=True))
    def get_by_channel(self, simulation: Simulation) -> Any:
        return EffectSerializer(simulation.effects(1), many=True).data

    @extend_schema_field(EffectSerializer(many=True))
    def get_by_retailer(self, simulation: Simulation) -> Any:
        return EffectSerializer(simulation.effects(2), many=True).data


class SensitivitySerializer(serializers.Serializer[Any]):
    key = serializers.CharField(source="price.key")
    words = serializers.CharField(source="price.words")
    path = serializers.ListField(source="price.path", child=serializers.CharField())
    asked = serializers.FloatField(source="price.asked", allow_null=True)
    price = serializers.FloatField(source="price.price", help_text="objective gained by one more unit of it")
    lines = serializers.IntegerField(source="price.lines", help_text="lines that it holds")
    step = serializers.FloatField(allow_null=True, help_text="one percent of it")
    first_order = serializers.FloatField(allow_null=True, help_text="what its price says one percent earns")
    gain = serializers.FloatField(allow_null=True, help_text="what solving again with one percent more earns")


class AlternativeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    how = serializers.CharField()
    spend = serializers.FloatField()
    sales = serializers.FloatField()
    worth = serializers.FloatField(help_text="what it comes to in what the scenario maximises")
    below = serializers.FloatField(help_text="how much more of that the answer comes to")
    broken = BrokenSerializer(many=True)


class ExplanationSerializer(serializers.Serializer[Any]):
    binding = SensitivitySerializer(many=True, help_text="dearest first")
    alternatives = AlternativeSerializer(many=True, help_text="allocations that were turned down, the best first")
