"""Shapes of the curves and solves API."""

from __future__ import annotations

from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.rest.strict import StrictSerializer
from optimization import selectors
from optimization.core.adjustments import KINDS
from optimization.core.responses import Family
from optimization.models import CurveAdjustment, CurveVersion, Solve
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
    changed = serializers.SerializerMethodField(
        help_text="curves that solves read otherwise today: `overridden` and `prior` say by whom and why"
    )
    newer_data_until = serializers.SerializerMethodField(help_text="reports reach beyond these curves up to here")

    class Meta(CurveVersionSerializer.Meta):
        fields = [*CurveVersionSerializer.Meta.fields, "curves", "changed", "newer_data_until"]
        read_only_fields = fields

    @extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": True}})
    def get_changed(self, version: CurveVersion) -> list[dict[str, Any]]:
        kept = version.curves
        read = selectors.curves_in_use(version).records
        return [now for now, before in zip(read, kept, strict=True) if now is not before]

    def get_newer_data_until(self, version: CurveVersion) -> date | None:
        return selectors.newer_data(version)


class AdjustmentSerializer(serializers.ModelSerializer[CurveAdjustment]):
    by = serializers.CharField(source="created_by", read_only=True, allow_null=True, help_text="who made it")
    revoked_by = serializers.CharField(read_only=True, allow_null=True)

    class Meta:
        model = CurveAdjustment
        fields = [
            "id", "brand", "kind", "retailer", "placement", "sku", "family", "a", "k", "exponent", "roas", "scale",
            "spread", "reason", "by", "created_at", "expires_on", "revoked_by", "revoked_at", "revoke_reason",
        ]  # fmt: skip
        read_only_fields = fields


class NewAdjustmentSerializer(StrictSerializer):
    brand = serializers.UUIDField(allow_null=True, default=None, help_text="whose curves; none: those of all brands")
    kind = serializers.ChoiceField(choices=list(KINDS))
    retailer = serializers.CharField(allow_blank=True, default="", max_length=120)
    placement = serializers.CharField(allow_blank=True, default="", max_length=40)
    sku = serializers.CharField(allow_blank=True, default="", max_length=120)
    family = serializers.ChoiceField(choices=[one.label for one in Family], allow_blank=True, default="")
    a = serializers.FloatField(allow_null=True, default=None, help_text="of an override: amplitude, money a week")
    k = serializers.FloatField(allow_null=True, default=None, help_text="of an override: scale, money a week")
    exponent = serializers.FloatField(allow_null=True, default=None, help_text="p of a power, n of hill")
    roas = serializers.FloatField(allow_null=True, default=None, help_text="of a prior: return of the usual spend")
    scale = serializers.FloatField(allow_null=True, default=None, help_text="of a prior: k, money a week")
    spread = serializers.FloatField(
        allow_null=True, default=None, help_text="of a prior: one standard deviation, relative; 0.2 is within 20 %"
    )
    reason = serializers.CharField(max_length=500)
    expires_on = serializers.DateField(
        allow_null=True, default=None, help_text="first day on which it no longer counts"
    )


class RevokeSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500)


class FactorsQuerySerializer(serializers.Serializer[Any]):
    brand = serializers.UUIDField(allow_null=True, default=None)
    on = serializers.DateField(allow_null=True, default=None)


class FactorInForceSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    version = serializers.IntegerField(help_text="of the published set")
    retailer = serializers.CharField(allow_blank=True, help_text="empty: any")
    placement = serializers.CharField(allow_blank=True, help_text="empty: any")
    mean = serializers.FloatField(help_text="incremental per attributed unit of sales")
    sd = serializers.FloatField(help_text="standard error of the mean")
    source = serializers.ChoiceField(choices=["experiment", "person", "import"])  # type: ignore[assignment]


class FactorsSerializer(serializers.Serializer[Any]):
    sha256 = serializers.CharField(allow_blank=True, help_text="of all of them, as a solve names them")
    factors = FactorInForceSerializer(many=True)


class JudgedFactorSerializer(StrictSerializer):
    brand = serializers.UUIDField(allow_null=True, default=None, help_text="none: all brands")
    retailer = serializers.CharField(allow_blank=True, default="", help_text="name or slug; empty: any")
    placement = serializers.CharField(allow_blank=True, default="", help_text="canonical; empty: any")
    mean = serializers.FloatField(help_text="0.6: the ads caused 60 % of what is attributed to them")
    standard_error = serializers.FloatField()
    reason = serializers.CharField(max_length=200)
    valid_from = serializers.DateField(allow_null=True, default=None)
    valid_to = serializers.DateField(allow_null=True, default=None)


class ImportSerializer(StrictSerializer):
    brand = serializers.UUIDField(allow_null=True, default=None, help_text="none: curves of all brands")
    file = serializers.FileField(allow_empty_file=True, help_text="Parquet, one row per cell and draw")
    source = serializers.CharField(max_length=120, help_text="what fitted them")  # type: ignore[assignment]
    data_start = serializers.DateField(help_text="first day of the data they were fitted to")
    data_end = serializers.DateField(help_text="last day of them")
    currency = serializers.CharField(allow_blank=True, default="", max_length=3, help_text="empty: the tenant's")


class FitSerializer(StrictSerializer):
    brand = serializers.UUIDField(allow_null=True, default=None, help_text="none: the curves of all brands")
    weeks = serializers.IntegerField(min_value=4, max_value=MOST_WEEKS, default=USUAL_WEEKS)


class FitStartedSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()


class NewSolveSerializer(StrictSerializer):
    brand = serializers.UUIDField(allow_null=True, default=None, help_text="whose question it is; none: the tenant's")
    problem = serializers.JSONField(help_text="a document of the schema rmn-budget-instance/1")


class SolveSerializer(serializers.ModelSerializer[Solve]):
    inputs = serializers.JSONField(
        read_only=True, help_text="overrides, priors and factors that lay over the curves, with a digest of each"
    )

    class Meta:
        model = Solve
        fields = [
            "id", "brand", "curve_version", "problem_sha256", "inputs", "status", "engine", "objective", "gap",
            "seconds", "created_at",
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
