"""Shapes of the quality API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.rest.strict import StrictSerializer
from harmonization.core.findings import SEVERITIES
from harmonization.models import DataFinding, Reconciliation
from harmonization.quality.selectors import SourceReport


class FindingSerializer(serializers.ModelSerializer[DataFinding]):
    decided_by = serializers.EmailField(source="decided_by.email", default=None, read_only=True)
    money = serializers.DictField(
        child=serializers.CharField(), read_only=True, help_text="at stake: currency code to amount"
    )
    evidence = serializers.DictField(read_only=True, help_text="figures that show it, by kind")

    class Meta:
        model = DataFinding
        fields = [
            "id", "account", "report", "load", "kind", "subject", "severity", "title", "detail", "evidence", "rows",
            "money", "first_day", "last_day", "state", "reason", "decided_by", "decided_at", "first_seen", "last_seen",
        ]  # fmt: skip
        read_only_fields = fields


class FindingsAsked(StrictSerializer):
    """Filters of the list of findings."""

    state = serializers.ChoiceField([*DataFinding.State.values, "all"], default="open")
    severity = serializers.ChoiceField(SEVERITIES, required=False)
    kind = serializers.SlugField(required=False)
    account = serializers.UUIDField(required=False)
    load = serializers.UUIDField(required=False)
    report = serializers.CharField(max_length=80, required=False)
    brand = serializers.UUIDField(required=False)
    page = serializers.IntegerField(min_value=1, required=False)
    page_size = serializers.IntegerField(min_value=1, required=False)


class ReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=400, help_text="why it may stand")


class ReconciliationSerializer(serializers.ModelSerializer[Reconciliation]):
    difference = serializers.DecimalField(max_digits=38, decimal_places=6, read_only=True, help_text="B less A")
    share = serializers.DecimalField(
        max_digits=12, decimal_places=6, read_only=True, allow_null=True, help_text="of the larger total"
    )
    evidence = serializers.DictField(read_only=True, help_text="days and campaigns that differ most")

    class Meta:
        model = Reconciliation
        fields = [
            "id", "account", "report_a", "report_b", "metric", "currency", "first_day", "last_day",
            "total_a", "total_b", "difference", "share",
            "verdict", "explanation", "detail", "rows", "evidence", "checked_at",
        ]  # fmt: skip
        read_only_fields = fields


class CheckAskedSerializer(StrictSerializer):
    account = serializers.UUIDField(required=False, help_text="none: every account of the tenant")


class SourceSerializer(serializers.Serializer[SourceReport]):
    """One report of one account: how fresh and final its figures are."""

    account = serializers.UUIDField(source="account.pk")
    account_name = serializers.CharField(source="account.name")
    retailer = serializers.CharField(source="account.retailer.slug")
    network = serializers.CharField(source="account.retailer.network")
    brand = serializers.UUIDField(source="account.brand_id", allow_null=True)
    report = serializers.CharField()
    contract = serializers.CharField()
    standing = serializers.ChoiceField(["no_figures", "on_time", "late", "stopped"], source="freshness.standing")
    first_day = serializers.DateField(allow_null=True)
    last_day = serializers.DateField(source="freshness.last_day", allow_null=True)
    expected_by = serializers.DateField(source="freshness.expected_by", allow_null=True)
    late_days = serializers.IntegerField(source="freshness.late_days")
    every_days = serializers.IntegerField(source="freshness.cadence.every_days")
    cadence_is_known = serializers.BooleanField(source="freshness.cadence.is_known")
    final_until = serializers.DateField(source="freshness.final_until", allow_null=True)
    restating_until = serializers.DateField(source="freshness.restating_until", allow_null=True)
    files = serializers.IntegerField()
    rows = serializers.IntegerField()
    quarantined = serializers.IntegerField()
    findings = serializers.SerializerMethodField()

    def get_findings(self, source: SourceReport) -> dict[str, Any]:
        """Open ones by severity."""
        return {"critical": source.critical, "warn": source.warnings}
