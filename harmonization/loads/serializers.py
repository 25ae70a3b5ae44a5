"""Shapes of what loads keep and what they took from each other."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from harmonization.core.table_file import FILE_KINDS
from harmonization.models import Load, Restatement

#: No file has so many rows; numbers beyond are no rows but mistakes, and too large for a column.
MOST_OF_A_FILE = 10**12


class QuarantineListAsked(serializers.Serializer[Any]):
    account = serializers.UUIDField(required=False, help_text="of this account")
    contract = serializers.SlugField(required=False, help_text="read by this mapping")
    rule = serializers.CharField(required=False, max_length=120, help_text="with rows that broke this rule")


class QuarantineAsked(serializers.Serializer[Any]):
    rule = serializers.CharField(required=False, default="", max_length=120, help_text="only rows that broke it")
    offset = serializers.IntegerField(min_value=0, max_value=MOST_OF_A_FILE, default=0, help_text="rows to pass over")
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=100, help_text="rows at most")


class QuarantineFileAsked(serializers.Serializer[Any]):
    export = serializers.ChoiceField(choices=list(FILE_KINDS), default="csv")
    rule = serializers.CharField(required=False, default="", max_length=120)


class FindingOfRowSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    column = serializers.CharField(allow_null=True)
    value = serializers.CharField(allow_null=True)


class QuarantinedRowSerializer(serializers.Serializer[Any]):
    source_row = serializers.IntegerField(help_text="row of the file, the first is 1")
    rule_ids = serializers.ListField(child=serializers.CharField(), source="rules")
    findings = FindingOfRowSerializer(many=True)
    raw = serializers.DictField(child=serializers.CharField(allow_null=True), help_text="header to cell")
    spend = serializers.CharField(allow_null=True)
    currency = serializers.CharField(allow_null=True)


class QuarantineSerializer(serializers.Serializer[Any]):
    rows_quarantined = serializers.IntegerField(help_text="rows that the load kept back")
    rows_matching = serializers.IntegerField(help_text="of those, rows that broke the rule asked for")
    rows = QuarantinedRowSerializer(many=True)


class QuarantinedLoadSerializer(serializers.ModelSerializer[Load]):
    file_name = serializers.CharField(source="upload.file_name")
    account = serializers.UUIDField(source="upload.account_id")
    contract = serializers.CharField(source="contract_version")
    rules = serializers.SerializerMethodField(help_text="rule, rows and spend by currency")
    spend = serializers.JSONField(source="report.spend_quarantined", default=dict)
    can_replay = serializers.SerializerMethodField(help_text="another version of the mapping is in force")

    class Meta:
        model = Load
        fields = [
            "id", "upload", "file_name", "account", "contract", "published_at", "rows_in", "rows_quarantined", "rules",
            "spend", "can_replay",
        ]  # fmt: skip
        read_only_fields = fields

    def get_rules(self, load: Load) -> list[dict[str, Any]]:
        return [{name: told[name] for name in ("rule", "rows", "spend")} for told in load.report.get("quarantine", [])]

    def get_can_replay(self, load: Load) -> bool:
        version = load.contract_version
        return version is not None and version.contract.published_id != version.pk


class ReplaysSerializer(serializers.Serializer[Any]):
    jobs = serializers.ListField(child=serializers.UUIDField())
    left = serializers.IntegerField(help_text="loads whose jobs could not be submitted now; ask again")


class RestatementSerializer(serializers.ModelSerializer[Restatement]):
    earlier_file = serializers.CharField(source="earlier.upload.file_name")
    later_file = serializers.CharField(source="later.upload.file_name")

    class Meta:
        model = Restatement
        fields = [
            "earlier", "earlier_file", "later", "later_file", "mode", "looks_filtered", "rows", "spend",
            "vanished_rows", "vanished_spend", "straddling_rows", "straddling_spend", "version", "created_at",
            "ended_at", "ended_by", "returned_rows", "returned_spend",
        ]  # fmt: skip
        read_only_fields = fields


class MissingRowsSerializer(serializers.Serializer[Any]):
    rows = serializers.IntegerField()
    spend = serializers.DictField(child=serializers.CharField(), help_text="by currency")
    first = serializers.DateField(allow_null=True, help_text="first day of them")
    last = serializers.DateField(allow_null=True)


class LoadHistorySerializer(serializers.Serializer[Any]):
    standing = serializers.IntegerField(help_text="rows of the load that are in force")
    restated = RestatementSerializer(many=True, help_text="what it took from other loads")
    restated_by = RestatementSerializer(many=True, help_text="what other loads took from it")
    gave_back = RestatementSerializer(
        many=True, help_text="what an earlier reading of its file had taken and others have again since"
    )
    missing = MissingRowsSerializer(
        help_text="rows of it that no load in force tells; harmonise its upload again, and they count again"
    )


class LineageAsked(serializers.Serializer[Any]):
    start = serializers.DateField(required=False, help_text="first day")
    end = serializers.DateField(required=False, help_text="last day")
    as_of = serializers.DateTimeField(required=False, help_text="rows that were in force at that instant")
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=100, help_text="rows at most")
    network = serializers.CharField(required=False, help_text="members by comma; likewise below")
    retailer = serializers.CharField(required=False)
    account = serializers.CharField(required=False, help_text="ids")
    brand = serializers.CharField(required=False, help_text="ids")
    report = serializers.CharField(required=False)
    currency = serializers.CharField(required=False)
    campaign = serializers.CharField(required=False)
    ad_group = serializers.CharField(required=False)
    placement = serializers.CharField(required=False)
    sku = serializers.CharField(required=False)
    search_term = serializers.CharField(required=False)
    load = serializers.CharField(required=False)
    event_key = serializers.CharField(required=False)


class SourceRowSerializer(serializers.Serializer[Any]):
    event_key = serializers.CharField()
    load = serializers.UUIDField()
    upload = serializers.UUIDField()
    file_name = serializers.CharField()
    source_row = serializers.IntegerField(help_text="row of the file, the first is 1")
    contract = serializers.CharField()
    report = serializers.CharField()
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    campaign = serializers.CharField(allow_null=True)
    sku = serializers.CharField(allow_null=True)
    currency = serializers.CharField(allow_null=True)
    impressions = serializers.IntegerField(allow_null=True)
    clicks = serializers.IntegerField(allow_null=True)
    spend = serializers.CharField(allow_null=True)


class LineageSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="rows that meet what was asked")
    files = serializers.IntegerField()
    spend = serializers.DictField(child=serializers.CharField(), help_text="of all those rows, by currency")
    version = serializers.IntegerField(allow_null=True, help_text="of the event table")
    rows = SourceRowSerializer(many=True)


class RowAsked(serializers.Serializer[Any]):
    number = serializers.IntegerField(
        min_value=1, max_value=MOST_OF_A_FILE, help_text="row of the file, the first is 1"
    )


class CellOriginSerializer(serializers.Serializer[Any]):
    header = serializers.CharField()
    cell = serializers.CharField(allow_null=True)
    target = serializers.CharField(allow_null=True, help_text="canonical column it feeds")
    how = serializers.CharField(help_text="how the header was matched")
    value = serializers.CharField(allow_null=True, help_text="canonical value")


class RowOriginSerializer(serializers.Serializer[Any]):
    load = serializers.UUIDField(source="load.pk")
    upload = serializers.UUIDField(source="load.upload_id")
    file_name = serializers.CharField(source="load.upload.file_name")
    contract = serializers.CharField(source="load.contract_version")
    source_row = serializers.IntegerField()
    state = serializers.CharField(help_text="in force, gave way, quarantined, or not published")
    rules = serializers.ListField(child=serializers.CharField())
    cells = CellOriginSerializer(many=True)
    derived = serializers.SerializerMethodField(help_text="canonical columns that no cell of the row holds")

    def get_derived(self, origin: Any) -> dict[str, str]:
        return dict(origin.derived)
