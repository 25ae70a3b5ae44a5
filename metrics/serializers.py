"""The shapes of the API's answers. They document and never compute: the records come from `metrics.core.records`."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class PeriodSerializer(serializers.Serializer[dict[str, Any]]):
    """Days, both inclusive."""

    start = serializers.DateField()
    end = serializers.DateField()


class MetricHeadSerializer(serializers.Serializer[dict[str, Any]]):
    """A metric of the table."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not DRF's own
    unit = serializers.ChoiceField(choices=["money", "count", "multiple", "fraction"])


class MetricLineSerializer(serializers.Serializer[dict[str, Any]]):
    """One line: money and counted outcomes are exact decimals as text, ratios numbers, null is `not told`."""

    key = serializers.DictField(child=serializers.CharField(allow_null=True))
    labels = serializers.DictField(child=serializers.CharField(allow_null=True))
    currency = serializers.CharField(allow_null=True)
    values = serializers.DictField(child=serializers.JSONField(allow_null=True))
    previous = serializers.DictField(child=serializers.JSONField(allow_null=True), allow_null=True)


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
    column = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class RestatingSerializer(serializers.Serializer[dict[str, Any]]):
    """Until when an account's figures may still change."""

    network = serializers.CharField()
    account = serializers.CharField()
    until = serializers.DateField()


class MetricTableSerializer(serializers.Serializer[dict[str, Any]]):
    """Figures with their totals and where they come from."""

    period = PeriodSerializer()
    comparison = PeriodSerializer(allow_null=True)
    attribution = serializers.CharField()
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
