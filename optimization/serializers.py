"""Shapes of the curves and solves API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.rest.strict import StrictSerializer
from optimization.models import CurveVersion, Solve
from optimization.services import MOST_WEEKS, USUAL_WEEKS


class CurveVersionSerializer(serializers.ModelSerializer[CurveVersion]):
    diagnostics = serializers.JSONField(read_only=True, help_text="cells, rows used, rows and spend left out by reason")

    class Meta:
        model = CurveVersion
        fields = [
            "id", "brand", "number", "data_version", "data_start", "data_end", "method", "settings", "diagnostics",
            "job_id", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class CurveVersionDetailSerializer(CurveVersionSerializer):
    curves = serializers.JSONField(
        read_only=True,
        help_text="one object per cell: retailer, placement, sku, family, params (money a week), errors, "
        "observed_spend, n_weeks, r2, shrinkage, notes",
    )

    class Meta(CurveVersionSerializer.Meta):
        fields = [*CurveVersionSerializer.Meta.fields, "curves"]
        read_only_fields = fields


class FitSerializer(StrictSerializer):
    brand = serializers.UUIDField(allow_null=True, default=None, help_text="none: the curves of all brands")
    weeks = serializers.IntegerField(min_value=4, max_value=MOST_WEEKS, default=USUAL_WEEKS)


class FitStartedSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()


class NewSolveSerializer(StrictSerializer):
    brand = serializers.UUIDField(allow_null=True, default=None, help_text="whose question it is; none: the tenant's")
    problem = serializers.JSONField(help_text="a document of the schema rmn-budget-instance/1")


class SolveSerializer(serializers.ModelSerializer[Solve]):
    class Meta:
        model = Solve
        fields = [
            "id", "brand", "curve_version", "problem_sha256", "status", "engine", "objective", "gap", "seconds",
            "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class SolveDetailSerializer(SolveSerializer):
    solution = serializers.JSONField(
        read_only=True, help_text="spend, certificate, prices and reasons; or the smallest conflict"
    )
    problem = serializers.JSONField(read_only=True, help_text="rmn-budget-instance/1")

    class Meta(SolveSerializer.Meta):
        fields = [*SolveSerializer.Meta.fields, "solution", "problem"]
        read_only_fields = fields
