"""Shapes of the data API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from harmonization.core.load_context import parse_answers
from harmonization.models import (
    Account,
    Campaign,
    ContractVersion,
    Listing,
    Load,
    MappingContract,
    Placement,
    Product,
    Retailer,
    Upload,
)
from tenants.core.problems import InvalidInput


class RetailerSerializer(serializers.ModelSerializer[Retailer]):
    class Meta:
        model = Retailer
        fields = ["id", "slug", "name", "network", "timezone"]
        read_only_fields = ["id"]


class AccountSerializer(serializers.ModelSerializer[Account]):
    class Meta:
        model = Account
        fields = ["id", "brand", "retailer", "external_id", "name", "currency"]
        read_only_fields = fields


class NewAccountSerializer(serializers.Serializer[Any]):
    brand = serializers.UUIDField(allow_null=True, default=None, help_text="none: an account of several brands")
    retailer = serializers.UUIDField()
    external_id = serializers.CharField(max_length=80)
    name = serializers.CharField(max_length=120)
    currency = serializers.RegexField(r"^[A-Z]{3}$", default="USD")


class LoadSerializer(serializers.ModelSerializer[Load]):
    contract = serializers.CharField(source="contract_version", default=None, read_only=True)
    report = serializers.JSONField(read_only=True, help_text="what the harmoniser found, see docs/harmonization.md")

    class Meta:
        model = Load
        fields = [
            "id", "upload", "contract", "job_id", "status", "rows_in", "rows_out", "rows_quarantined", "rows_skipped",
            "period_start", "period_end", "report", "problem", "delta_version", "created_at", "published_at",
        ]  # fmt: skip
        read_only_fields = fields


class UploadSerializer(serializers.ModelSerializer[Upload]):
    class Meta:
        model = Upload
        fields = ["id", "kind", "brand", "account", "file_name", "sha256", "size", "created_at"]
        read_only_fields = fields


ANSWERS = "answers to the mapping's parameters, which the file does not tell: `click_window=14D, view_window=none`"


@extend_schema_field(OpenApiTypes.STR)
class AnswersField(serializers.Field[dict[str, str], Any, Any, Any]):
    """Answers to a contract's parameters as one text."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        try:
            return parse_answers(str(data))
        except InvalidInput as problem:
            raise serializers.ValidationError(f"{problem.detail} {problem.fix}") from problem


class NewUploadSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(
        allow_empty_file=True, help_text="CSV, XLSX, JSON, NDJSON or Parquet, plain or packed as gz, zst or zip"
    )
    account = serializers.UUIDField(
        required=False, help_text="account the report belongs to; none for a catalogue, policies or rates"
    )
    kind = serializers.ChoiceField(choices=Upload.Kind.choices, default=Upload.Kind.REPORT)
    contract = serializers.SlugField(
        default="auto", help_text="mapping contract, `auto` for the one that fits, `none` to only keep the file"
    )
    parameters = AnswersField(default=dict, help_text=ANSWERS)


class UploadResultSerializer(serializers.Serializer[Any]):
    upload = UploadSerializer()
    job_id = serializers.UUIDField(allow_null=True)
    catalogue = serializers.DictField(allow_null=True)
    imported = serializers.DictField(allow_null=True, help_text="what a file of any kind but a report changed")


class HarmonizeSerializer(serializers.Serializer[Any]):
    contract = serializers.SlugField(default="auto")
    whole = serializers.BooleanField(
        default=False, help_text="the export is not filtered: rows of its days that it does not tell are gone"
    )
    accept_drift = serializers.BooleanField(
        default=False, help_text="the file is taken although it differs from the one before it in a way that blocks"
    )
    parameters = AnswersField(default=dict, help_text=ANSWERS)


class JobStartedSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()


class ContractVersionSerializer(serializers.ModelSerializer[ContractVersion]):
    class Meta:
        model = ContractVersion
        fields = ["id", "number", "text", "sha256", "note", "created_at"]
        read_only_fields = fields


class MappingSerializer(serializers.ModelSerializer[MappingContract]):
    published = ContractVersionSerializer(read_only=True)

    class Meta:
        model = MappingContract
        fields = ["id", "name", "network", "published"]
        read_only_fields = fields


class ContractTextSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(trim_whitespace=False, max_length=400_000)
    note = serializers.CharField(max_length=200, default="", allow_blank=True)


class ContractCheckSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    network = serializers.CharField()
    report = serializers.CharField()
    fields = serializers.IntegerField()  # type: ignore[assignment]
    attributions = serializers.IntegerField()
    rules = serializers.IntegerField()


class ListingSerializer(serializers.ModelSerializer[Listing]):
    retailer = serializers.SlugRelatedField[Retailer](slug_field="slug", read_only=True)
    stock_cover_days = serializers.FloatField(read_only=True, allow_null=True)

    class Meta:
        model = Listing
        fields = ["retailer", "retailer_sku", "units_in_stock", "daily_unit_sales", "stock_as_of", "stock_cover_days"]
        read_only_fields = fields


class ProductSerializer(serializers.ModelSerializer[Product]):
    listings = ListingSerializer(many=True, read_only=True)

    class Meta:
        model = Product
        fields = ["id", "brand", "sku", "gtin14", "name", "category", "pack_size", "price", "margin", "listings"]
        read_only_fields = fields


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    class Meta:
        model = Campaign
        fields = ["id", "account", "key", "name", "campaign_type", "first_day", "last_day"]
        read_only_fields = fields


class PlacementSerializer(serializers.ModelSerializer[Placement]):
    class Meta:
        model = Placement
        fields = ["id", "network", "raw_name", "placement"]
        read_only_fields = fields
