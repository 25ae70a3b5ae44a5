"""Shapes of the scenarios API. Amounts are checked by `planning.core.terms`, so they come in as they are."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.rest.strict import StrictSerializer
from planning.answers import notes_of
from planning.core.aims import FAIR_LEVELS
from planning.models import Scenario


class BoundSerializer(serializers.Serializer[Any]):
    path = serializers.ListField(
        child=serializers.CharField(), help_text="names from the top: channel, retailer, placement, audience, SKU"
    )
    min_spend = serializers.DecimalField(14, 2, allow_null=True, required=False)
    max_spend = serializers.DecimalField(14, 2, allow_null=True, required=False)


class ShareSerializer(serializers.Serializer[Any]):
    path = serializers.ListField(child=serializers.CharField())
    within = serializers.ListField(child=serializers.CharField(), required=False, help_text="none: of the total")
    min_share = serializers.DecimalField(5, 4, allow_null=True, required=False)
    max_share = serializers.DecimalField(5, 4, allow_null=True, required=False)


class RatioSerializer(serializers.Serializer[Any]):
    path = serializers.ListField(child=serializers.CharField())
    other = serializers.ListField(child=serializers.CharField(), help_text="the node that its spend is held against")
    min_ratio = serializers.DecimalField(8, 4, allow_null=True, required=False)
    max_ratio = serializers.DecimalField(8, 4, allow_null=True, required=False)


class MarginSerializer(serializers.Serializer[Any]):
    path = serializers.ListField(child=serializers.CharField())
    margin = serializers.DecimalField(5, 4, help_text="fraction of sales")


class TermsSerializer(serializers.Serializer[Any]):
    """What is asked of a budget; for the document only: the values are read by the service, with its own words."""

    name = serializers.CharField(max_length=120)
    horizon_start = serializers.DateField()
    horizon_end = serializers.DateField(help_text="inclusive")
    total_budget = serializers.DecimalField(14, 2)
    min_roas = serializers.DecimalField(8, 4, allow_null=True, required=False)
    reserve_fraction = serializers.DecimalField(5, 4, required=False, help_text="held back for experiments, 0 to 0.5")
    stock_cover_threshold_days = serializers.IntegerField(required=False)
    max_change_fraction = serializers.DecimalField(6, 4, allow_null=True, required=False)
    bounds = BoundSerializer(many=True, required=False)
    objective = serializers.ChoiceField(Scenario.Objective.choices, required=False, help_text="what is maximised")
    mode = serializers.ChoiceField(
        Scenario.Mode.choices, required=False,
        help_text="flexible: total_budget is a ceiling; incremental_only: no line loses what it spends now",
    )  # fmt: skip
    target = serializers.DecimalField(
        8, 4, allow_null=True, required=False, help_text="return that a flexible mode keeps, of the objective"
    )
    min_iroas = serializers.DecimalField(8, 4, allow_null=True, required=False)
    min_iroas_by = serializers.ChoiceField(
        Scenario.IroasBy.choices, required=False,
        help_text="cautious: min_iroas counts what factors are at least in four of five cases",
    )  # fmt: skip
    max_cpa = serializers.DecimalField(14, 2, allow_null=True, required=False, help_text="most cost per order")
    margin_fraction = serializers.DecimalField(
        5, 4, allow_null=True, required=False, help_text="for profit, where the catalogue knows no margin"
    )
    margins = MarginSerializer(many=True, required=False)
    fixed = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()), required=False,
        help_text="nodes that keep what they spend now",
    )  # fmt: skip
    shares = ShareSerializer(many=True, required=False)
    fair_level = serializers.ChoiceField(FAIR_LEVELS, allow_blank=True, required=False)
    fair_fraction = serializers.DecimalField(
        5, 4, allow_null=True, required=False, help_text="every node of fair_level keeps so much of its current part"
    )
    weekly_budgets = serializers.ListField(
        child=serializers.DecimalField(14, 2), required=False,
        help_text="one for each week of whole weeks; unspent money rolls forward",
    )  # fmt: skip
    ratios = RatioSerializer(many=True, required=False)
    season = serializers.ListField(
        child=serializers.DecimalField(8, 4), required=False,
        help_text="one for each weekly budget: times as much as a usual week sells of the same money",
    )  # fmt: skip
    tail_fraction = serializers.DecimalField(
        5, 4, allow_null=True, required=False,
        help_text="0.1: the mean of the worst tenth of what may be true is maximised, in place of the expected value",
    )  # fmt: skip


class NewScenarioSerializer(TermsSerializer):
    brand = serializers.UUIDField(allow_null=True, required=False, help_text="none: all brands")


class ScenarioSerializer(serializers.ModelSerializer[Scenario]):
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]
    outlook = serializers.JSONField(
        read_only=True,
        help_text="when solved: expected sales before and after, 80 % intervals, chance of a gain, and with "
        "tail_fraction the mean of the worst cases (tail_now, tail_proposed); money",
    )

    class Meta:
        model = Scenario
        fields = [
            "id", "label", "brand", "name", "status", "horizon_start", "horizon_end", "total_budget", "min_roas",
            "reserve_fraction", "stock_cover_threshold_days", "max_change_fraction", "bounds", "objective", "mode",
            "target", "min_iroas", "max_cpa", "margin_fraction", "margins", "fixed", "shares", "fair_level",
            "fair_fraction", "weekly_budgets", "ratios", "season", "tail_fraction", "min_iroas_by", "curve_version",
            "solve", "outlook", "job_id", "problem", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class ScenarioDetailSerializer(ScenarioSerializer):
    relaxations = serializers.JSONField(
        read_only=True,
        help_text="when infeasible: per constraint of the smallest conflict the least change that works and what it "
        "would give; its place in this list is the `choice` of /relax/",
    )
    solution = serializers.JSONField(
        source="solve.solution", default=None, read_only=True, help_text="as of /solves/: certificate, lines, reasons"
    )

    notes = serializers.SerializerMethodField(
        help_text="what must be told with the figures, such as a least return that no line earns at any spend"
    )

    def get_notes(self, scenario: Scenario) -> list[str]:
        return notes_of(scenario)

    class Meta(ScenarioSerializer.Meta):
        fields = [
            *ScenarioSerializer.Meta.fields, "current_start", "current_end", "current_spend", "current_elsewhere",
            "relaxations", "solution", "notes",
        ]  # fmt: skip
        read_only_fields = fields


class RelaxSerializer(StrictSerializer):
    choice = serializers.IntegerField(min_value=0, help_text="place in `relaxations`")


class DuplicateSerializer(StrictSerializer):
    name = serializers.CharField(max_length=120, default="", allow_blank=True)


class SolveStartedSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()


class WayOutSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    path = serializers.ListField(child=serializers.CharField())
    limit = serializers.CharField(allow_blank=True)
    asked = serializers.DecimalField(18, 4)
    needed = serializers.DecimalField(18, 4, allow_null=True)
    restores = serializers.BooleanField()
    text = serializers.CharField()
    move = serializers.CharField()


class FeasibilitySerializer(serializers.Serializer[Any]):
    feasible = serializers.BooleanField(help_text="whether the bounds can be met; the least ROAS needs a solve")
    available = serializers.DecimalField(14, 2)
    least = serializers.DecimalField(18, 2, help_text="what the floors force")
    most = serializers.DecimalField(18, 2, allow_null=True, help_text="what the caps allow")
    lines = serializers.IntegerField()
    out_of_stock = serializers.IntegerField()
    shortfall = serializers.DecimalField(18, 2)
    extra = serializers.DecimalField(14, 2, allow_null=True, help_text="incremental_only: money left to place")
    incrementality = serializers.CharField(help_text="where factors come from, if any are asked for")
    conflict = WayOutSerializer(many=True)
