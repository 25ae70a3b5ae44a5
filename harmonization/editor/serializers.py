"""What REST says and takes of drafts of mappings."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.rest.strict import StrictSerializer
from harmonization.models import MappingDraft
from harmonization.services import undecided


class DraftSerializer(serializers.ModelSerializer[MappingDraft]):
    """A mapping that is being worked on."""

    undecided = serializers.SerializerMethodField()
    contract: Any = serializers.SlugRelatedField(slug_field="name", read_only=True)
    published_as: Any = serializers.StringRelatedField()

    class Meta:
        model = MappingDraft
        fields = [
            "id", "upload", "contract", "state", "revision", "text", "columns", "decided", "undecided", "notes",
            "problem", "job_id", "published_as", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_undecided(self, draft: MappingDraft) -> list[str]:
        """Headers that keep the draft from being published until somebody decides."""
        return undecided(draft)


class DraftListSerializer(DraftSerializer):
    """A draft in a list: without its text and columns."""

    class Meta(DraftSerializer.Meta):
        fields = [
            "id", "upload", "contract", "state", "revision", "undecided", "published_as", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class DraftTextSerializer(StrictSerializer):
    """A new text, or the report's particulars."""

    text = serializers.CharField(required=False, trim_whitespace=False, max_length=400_000)
    frame = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=400), required=False,
        help_text="name, title, network, report, timezone, currency, restatement_days, click_window",
    )  # fmt: skip
    revision = serializers.IntegerField(
        required=False, min_value=0, max_value=10**9, help_text="refused if it is not the present one"
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if ("text" in given) == ("frame" in given):
            raise serializers.ValidationError("Send either text or frame.")
        return given


class ColumnSerializer(StrictSerializer):
    """What one column is; `accept` agrees with the suggestion instead."""

    header = serializers.CharField(trim_whitespace=False, max_length=10_000)
    accept = serializers.BooleanField(default=False)
    target = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=64)
    click_days = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=365)
    view_days = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=365)
    match = serializers.CharField(required=False, max_length=32)
    channel = serializers.CharField(required=False, max_length=32)
    ntb = serializers.CharField(required=False, max_length=32)
    unit = serializers.CharField(required=False, max_length=32)
    date_formats = serializers.ListField(child=serializers.CharField(max_length=80), required=False, max_length=10)
    revision = serializers.IntegerField(required=False, min_value=0, max_value=10**9)


class EditSerializer(StrictSerializer):
    """Which file a published mapping is tried on, and which finding's proposal is taken over."""

    upload = serializers.UUIDField(required=False)
    finding = serializers.UUIDField(required=False, help_text="of a new or renamed column; tried on its file")


class PublishSerializer(StrictSerializer):
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)
    revision = serializers.IntegerField(required=False, min_value=0, max_value=10**9)


class PublishedSerializer(serializers.Serializer[Any]):
    version = serializers.CharField()
    contract = serializers.CharField()
    job_id = serializers.UUIDField(allow_null=True)


class TriedSerializer(serializers.Serializer[Any]):
    """The draft's examples and the first rows of its file: rows = good + quarantined + skipped."""

    examples = serializers.IntegerField()
    failed = serializers.ListField(child=serializers.CharField())
    rows = serializers.IntegerField(allow_null=True)
    good = serializers.IntegerField(allow_null=True)
    quarantined = serializers.IntegerField(allow_null=True)
    skipped = serializers.IntegerField(allow_null=True)
    broken = serializers.DictField(child=serializers.IntegerField())
    totals = serializers.ListField(child=serializers.DictField())
    lines = serializers.ListField(child=serializers.DictField())
