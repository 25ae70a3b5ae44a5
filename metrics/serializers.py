"""The shapes of the API's answers. They document and never compute: the records come from `metrics.core.records`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from accounts.rest.strict import StrictSerializer
from metrics.core.incrementality import EVIDENCE, OUTCOMES
from metrics.core.request import ATTRIBUTIONS
from metrics.models import FactorSet, IncrementalityFactor, SavedView


class PeriodSerializer(serializers.Serializer[dict[str, Any]]):
    """Days, both inclusive."""

    start = serializers.DateField()
    end = serializers.DateField()


class MetricHeadSerializer(serializers.Serializer[dict[str, Any]]):
    """A metric of the table."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not DRF's own
    unit = serializers.ChoiceField(choices=["money", "count", "multiple", "fraction"])


class LineFinalitySerializer(serializers.Serializer[dict[str, Any]]):
    """Whether a line's figures may still change."""

    restating_until = serializers.DateField(allow_null=True)
    missing_days = serializers.IntegerField()


class CommonRuleSerializer(serializers.Serializer[dict[str, Any]]):
    """The rule that figures of the common window are counted under."""

    click_days = serializers.IntegerField()
    match = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class CoverageSerializer(serializers.Serializer[dict[str, Any]]):
    """Fractions of the spend in a currency; null where the request does not ask."""

    currency = serializers.CharField(allow_null=True)
    exact = serializers.FloatField(allow_null=True)
    nearest = serializers.FloatField(allow_null=True)
    measured = serializers.FloatField(allow_null=True)
    tested = serializers.FloatField(allow_null=True)


class FactorSerializer(serializers.Serializer[dict[str, Any]]):
    """An incrementality factor that figures were multiplied with."""

    outcome = serializers.CharField()
    scope = serializers.CharField()
    low = serializers.FloatField()
    value = serializers.FloatField()
    high = serializers.FloatField()
    level = serializers.FloatField()
    evidence = serializers.ChoiceField(choices=list(EVIDENCE))
    method = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    version = serializers.IntegerField()
    valid_from = serializers.DateField(allow_null=True)
    valid_to = serializers.DateField(allow_null=True)


class MetricLineSerializer(serializers.Serializer[dict[str, Any]]):
    """One line: money and counted outcomes are exact decimals as text, ratios numbers, null is `not told`."""

    key = serializers.DictField(child=serializers.CharField(allow_null=True))
    labels = serializers.DictField(child=serializers.CharField(allow_null=True))
    currency = serializers.CharField(allow_null=True)
    values = serializers.DictField(child=serializers.JSONField(allow_null=True))
    previous = serializers.DictField(child=serializers.JSONField(allow_null=True), allow_null=True)
    withheld = serializers.DictField(
        child=serializers.CharField(), help_text="what stands for figures of too few orders, which are null"
    )
    finality = LineFinalitySerializer()


class NoticeSerializer(serializers.Serializer[dict[str, Any]]):
    """Something to know to read the figures right."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=["info", "warn"])
    text = serializers.CharField()


class ReportUsedSerializer(serializers.Serializer[dict[str, Any]]):
    """A report that figures come from."""

    network = serializers.CharField()
    account = serializers.CharField()
    report = serializers.CharField()
    all_impressions = serializers.BooleanField(help_text="false: only what was clicked at least once")
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    rows = serializers.IntegerField()


class LeftOutSerializer(serializers.Serializer[dict[str, Any]]):
    """Rows that were not read, and why."""

    network = serializers.CharField()
    account = serializers.CharField()
    report = serializers.CharField()
    reason = serializers.ChoiceField(choices=["repeats", "straddles"])
    currency = serializers.CharField(allow_null=True)
    rows = serializers.IntegerField()
    spend = serializers.CharField()


class MissingDaysSerializer(serializers.Serializer[dict[str, Any]]):
    """Days for which an account has no row."""

    network = serializers.CharField()
    account = serializers.CharField()
    days = serializers.ListField(child=serializers.DateField())


class AttributionUsedSerializer(serializers.Serializer[dict[str, Any]]):
    """The rule under which a network's outcomes are counted."""

    network = serializers.CharField()
    metric = serializers.CharField()
    column = serializers.CharField(allow_blank=True)
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    fit = serializers.ChoiceField(choices=["headline", "exact", "nearest", "none"])
    difference = serializers.CharField(allow_blank=True, help_text="from the common rule, in words")


class RestatingSerializer(serializers.Serializer[dict[str, Any]]):
    """Until when an account's figures may still change."""

    network = serializers.CharField()
    account = serializers.CharField()
    until = serializers.DateField()


class MetricTableSerializer(serializers.Serializer[dict[str, Any]]):
    """Figures with their totals and where they come from."""

    period = PeriodSerializer()
    comparison = PeriodSerializer(allow_null=True)
    attribution = serializers.ChoiceField(choices=list(ATTRIBUTIONS))
    common_rule = CommonRuleSerializer()
    money = serializers.CharField(help_text="`native`, or the currency that money was converted to")
    coverage = CoverageSerializer(many=True)
    dimensions = serializers.ListField(child=serializers.CharField())
    metrics = MetricHeadSerializer(many=True)
    lines = MetricLineSerializer(many=True)
    line_count = serializers.IntegerField(help_text="lines there are, also beyond the limit")
    rest = MetricLineSerializer(many=True, help_text="lines beyond the limit, summed by currency")
    totals = MetricLineSerializer(many=True, help_text="sums of lines and rest, by currency")
    notices = NoticeSerializer(many=True)
    as_of = serializers.DateTimeField(allow_null=True)
    data_version = serializers.IntegerField(allow_null=True)
    reports_used = ReportUsedSerializer(many=True)
    left_out = LeftOutSerializer(many=True)
    missing_days = MissingDaysSerializer(many=True)
    attributions = AttributionUsedSerializer(many=True)
    restating = RestatingSerializer(many=True)
    factors = FactorSerializer(many=True)


class MetricDefinitionSerializer(serializers.Serializer[dict[str, Any]]):
    """What a metric means."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    unit = serializers.CharField()
    additive = serializers.BooleanField()
    attributed = serializers.BooleanField()
    formula = serializers.CharField()
    description = serializers.CharField()
    standard = serializers.CharField()
    standing = serializers.ChoiceField(choices=["as defined", "with disclosure", "not covered"])


class DimensionDefinitionSerializer(serializers.Serializer[dict[str, Any]]):
    """By what figures can be split."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    description = serializers.CharField()
    can_filter = serializers.BooleanField()
    within = serializers.ListField(child=serializers.CharField())


class DefinitionsSerializer(serializers.Serializer[dict[str, Any]]):
    """The registry."""

    metrics = MetricDefinitionSerializer(many=True)
    dimensions = DimensionDefinitionSerializer(many=True)


class FactorRowSerializer(serializers.ModelSerializer[IncrementalityFactor]):
    """A published factor."""

    class Meta:
        model = IncrementalityFactor
        fields = [
            "outcome", "retailer", "placement", "campaign_type", "low", "value", "high", "level", "evidence", "method",
            "valid_from", "valid_to",
        ]  # fmt: skip


class FactorSetSerializer(serializers.ModelSerializer[FactorSet]):
    """Factors that were published together."""

    factors = FactorRowSerializer(many=True)

    class Meta:
        model = FactorSet
        fields = ["id", "version", "brand", "source", "note", "published_at", "factors"]


class NewFactorSerializer(StrictSerializer):
    """A factor to publish."""

    outcome = serializers.ChoiceField(choices=OUTCOMES, default="sales")
    retailer = serializers.UUIDField(allow_null=True, default=None)
    placement = serializers.CharField(allow_blank=True, default="")
    campaign_type = serializers.CharField(allow_blank=True, default="")
    low = serializers.DecimalField(max_digits=9, decimal_places=6)
    value = serializers.DecimalField(max_digits=9, decimal_places=6)
    high = serializers.DecimalField(max_digits=9, decimal_places=6)
    level = serializers.DecimalField(max_digits=4, decimal_places=3, default=Decimal("0.8"))
    evidence = serializers.ChoiceField(choices=list(EVIDENCE))
    method = serializers.CharField(max_length=200)
    valid_from = serializers.DateField(allow_null=True, default=None)
    valid_to = serializers.DateField(allow_null=True, default=None)


class NewFactorSetSerializer(StrictSerializer):
    """Factors to publish together."""

    brand = serializers.UUIDField(allow_null=True, default=None)
    source = serializers.CharField(max_length=200)  # type: ignore[assignment]
    note = serializers.CharField(allow_blank=True, default="")
    factors = NewFactorSerializer(many=True)


class SavedViewSerializer(serializers.ModelSerializer[SavedView]):
    """A named state of the Performance page."""

    owner = serializers.CharField(source="owner.email", read_only=True)

    class Meta:
        model = SavedView
        fields = ["id", "name", "query", "shared", "brand", "owner", "created_at", "updated_at"]
        read_only_fields = ["id", "brand", "owner", "created_at", "updated_at"]


class NewViewSerializer(StrictSerializer):
    """A view to save; an own one of that name is replaced."""

    name = serializers.CharField(max_length=80)
    query = serializers.CharField(max_length=2000, allow_blank=True, default="")
    shared = serializers.BooleanField(default=False)


class ChangedViewSerializer(StrictSerializer):
    """What to change of a view."""

    name = serializers.CharField(max_length=80, required=False)
    query = serializers.CharField(max_length=2000, allow_blank=True, required=False)
    shared = serializers.BooleanField(required=False)
