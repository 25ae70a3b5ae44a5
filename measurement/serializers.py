"""Shapes of the experiments API. Terms are checked by `measurement.core.terms`, so they come in as they are."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.rest.strict import StrictSerializer
from jobs.core.schedules import LONGEST_SECONDS, SHORTEST_SECONDS
from measurement.core.terms import METHODS, SETTINGS
from measurement.models import Experiment, PanelRemoval, PanelVersion, Reading
from measurement.selectors import removals_of
from measurement.services import LONGEST_REASON, SOURCES, UNITS


class ExperimentTermsSerializer(serializers.Serializer[Any]):
    """What is asked of an experiment; for the document only: the values are read by the service, with its own words."""

    name = serializers.CharField(max_length=120)
    hypothesis = serializers.CharField(required=False, help_text="what is expected, before it is seen")
    kind = serializers.ChoiceField(Experiment.Kind.choices, required=False)
    action = serializers.ChoiceField(Experiment.Action.choices, required=False, help_text="what treated units get")
    retailer = serializers.SlugField(required=False, help_text="slug; none: all")
    placement = serializers.CharField(required=False, help_text="canonical placement; none: all")
    outcome = serializers.CharField(required=False, help_text="sales, units, orders")
    currency = serializers.CharField(required=False, help_text="ISO 4217, of outcome and cost")
    start_date = serializers.DateField(allow_null=True, required=False)
    end_date = serializers.DateField(allow_null=True, required=False, help_text="inclusive")
    cooldown_days = serializers.IntegerField(required=False, help_text="days after it in which effects still arrive")
    planned_spend = serializers.DecimalField(14, 2, allow_null=True, required=False)
    method = serializers.ChoiceField([(name, name) for name in METHODS["geo"]], required=False)
    alpha = serializers.FloatField(required=False, help_text="two-sided, 0.05")
    seed = serializers.IntegerField(required=False, help_text="of every draw")
    looks = serializers.ChoiceField(Experiment.Looks.choices, required=False, help_text="none: at the planned end")
    settings = serializers.DictField(required=False, help_text=f"constraints: {', '.join(SETTINGS)}")


class NewExperimentSerializer(ExperimentTermsSerializer):
    brand = serializers.UUIDField(allow_null=True, required=False, help_text="none: all brands")


class ExperimentSerializer(serializers.ModelSerializer[Experiment]):
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]
    retailer = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    settings = serializers.JSONField(read_only=True)

    class Meta:
        model = Experiment
        fields = [
            "id", "label", "brand", "name", "hypothesis", "kind", "action", "retailer", "placement", "outcome",
            "currency", "state", "start_date", "end_date", "cooldown_days", "planned_spend", "method", "alpha", "seed",
            "looks", "settings", "plan_sha256", "registered_at", "started_at", "cancelled_at", "cancel_reason",
            "job_id", "problem", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class PanelRemovalSerializer(serializers.ModelSerializer[PanelRemoval]):
    removed_by = serializers.CharField(source="removed_by.name", default=None, allow_null=True, read_only=True)

    class Meta:
        model = PanelRemoval
        fields = ["reason", "removed_by", "created_at"]
        read_only_fields = fields


class ErasedSerializer(serializers.Serializer[Any]):
    files = serializers.IntegerField(help_text="removed")
    bytes = serializers.IntegerField()
    shared = serializers.IntegerField(help_text="that stay, for another experiment has the same")


class PanelSerializer(serializers.ModelSerializer[PanelVersion]):
    columns = serializers.JSONField(read_only=True, help_text="which column is what")
    notes = serializers.JSONField(read_only=True, help_text="what was done to its rows on reading")
    removed = serializers.SerializerMethodField(help_text="when and why its file was removed; null while it is there")

    @extend_schema_field(PanelRemovalSerializer(allow_null=True))
    def get_removed(self, panel: PanelVersion) -> dict[str, Any] | None:
        known = self.context.get("removals")  # of a list; of one alone they are looked up
        found = (removals_of([panel]) if known is None else known).get(panel.pk)
        return PanelRemovalSerializer(found).data if found else None

    class Meta:
        model = PanelVersion
        fields = [
            "id", "number", "format", "origin", "file_name", "sha256", "size", "columns", "currency", "unit_count",
            "period_count", "first_day", "last_day", "notes", "data_version", "job_id", "created_at",
            "removed",
        ]  # fmt: skip
        read_only_fields = fields


class ReadabilitySerializer(serializers.Serializer[Any]):
    final = serializers.BooleanField(help_text="end and cool-down are over, and the data are in")
    interim = serializers.BooleanField(help_text="the plan allows a look now")
    due = serializers.DateField(allow_null=True)
    last_needed = serializers.DateField(allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField())


class ExperimentDetailSerializer(ExperimentSerializer):
    design = serializers.JSONField(read_only=True, help_text="candidates, the chosen one, power, fit, frontier")
    checks = serializers.JSONField(
        source="checks_told", read_only=True,
        help_text="check, verdict (passed, unclear, failed), passed (null where it is unclear), words",
    )  # fmt: skip
    analysis_plan = serializers.JSONField(read_only=True, help_text="as it was hashed")
    data_source = serializers.JSONField(read_only=True)

    class Meta(ExperimentSerializer.Meta):
        fields = [*ExperimentSerializer.Meta.fields, "design", "checks", "analysis_plan", "data_source"]
        read_only_fields = fields


class ExperimentAnswerSerializer(serializers.Serializer[Any]):
    """One experiment with its data and when it may be read."""

    experiment = ExperimentDetailSerializer()
    panel = PanelSerializer(allow_null=True, help_text="the newest data")
    readability = ReadabilitySerializer()


class NewPanelSerializer(StrictSerializer):
    file = serializers.FileField(help_text="CSV of units by periods; of a switchback its log; of an A/B test JSON")
    date = serializers.CharField(required=False, help_text="column of days; what is not named is as the header says")
    unit = serializers.CharField(required=False, help_text="column of units")
    period = serializers.CharField(required=False, help_text="of a switchback: column of period numbers")
    treated = serializers.CharField(required=False, help_text="of a switchback: column of 1 and 0")
    outcome = serializers.CharField(required=False, help_text="column of the outcome")
    cost = serializers.CharField(required=False, help_text="column of spend")
    currency = serializers.CharField(required=False, help_text="column of currency codes")
    missing = serializers.CharField(required=False, help_text="rows that lack: leave_out, zero, zero_inside or refuse")
    duplicates = serializers.CharField(required=False, help_text="rows that repeat: refuse or sum")


class EventPanelSerializer(StrictSerializer):
    unit = serializers.ChoiceField([(name, name) for name in UNITS], default="sku")
    start = serializers.DateField(allow_null=True, default=None)
    end = serializers.DateField(allow_null=True, default=None)


class ChoiceSerializer(StrictSerializer):
    choice = serializers.IntegerField(min_value=0, help_text="place in `design.candidates`")


class AssignmentSerializer(StrictSerializer):
    file = serializers.FileField(help_text="CSV of unit and group: treated, control, excluded")


class RegisterSerializer(StrictSerializer):
    retrospective = serializers.BooleanField(default=False, help_text="the test began before its plan; it is said")


class CancelSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=LONGEST_REASON)


class CopySerializer(StrictSerializer):
    name = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)


class RefreshSerializer(StrictSerializer):
    on = serializers.BooleanField(default=True)
    source = serializers.DictField(  # type: ignore[assignment]
        required=False, default=None, allow_null=True,
        help_text=f"kind: {' or '.join(SOURCES)}; events have a unit, a place has location, file and columns",
    )  # fmt: skip
    every_seconds = serializers.IntegerField(
        min_value=SHORTEST_SECONDS, max_value=LONGEST_SECONDS, required=False, allow_null=True, default=None
    )
    crontab = serializers.CharField(required=False, default="", allow_blank=True, max_length=120, help_text="UTC")


class RefreshScheduledSerializer(serializers.Serializer[Any]):
    schedule_id = serializers.UUIDField(allow_null=True)
    enabled = serializers.BooleanField()


class PlanSerializer(serializers.Serializer[Any]):
    plan = serializers.JSONField(help_text="rmn-experiment-plan/1")
    canonical = serializers.CharField(help_text="the text that was hashed")
    sha256 = serializers.CharField()
    registered_at = serializers.DateTimeField(allow_null=True)


class ExperimentJobSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()


class ReadingSerializer(serializers.ModelSerializer[Reading]):
    result = serializers.JSONField(read_only=True, help_text="rmn-reading/1; several cells each under `cells`")
    panel = PanelSerializer(read_only=True)

    class Meta:
        model = Reading
        fields = [
            "id", "number", "interim", "look", "method", "evidence", "plan_sha256", "code_version", "seed", "seconds",
            "panel", "result", "created_at",
        ]  # fmt: skip
        read_only_fields = fields
