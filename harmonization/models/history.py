"""What was in force when, and what each load took from others."""

from __future__ import annotations

from django.db import models

from harmonization.models.loads import Load
from tenants.core.ids import new_id


class TableVersion(models.Model):
    """A version of the event table that was in force from `published_at` until the next one."""

    class Act(models.TextChoices):
        LOAD = "load", "a load was published"
        WHOLE = "whole", "a person confirmed that an export is whole"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    table = models.CharField(max_length=40)
    version = models.PositiveBigIntegerField()
    act = models.CharField(max_length=8, choices=Act, default=Act.LOAD)
    load = models.ForeignKey(Load, on_delete=models.SET_NULL, null=True, blank=True, related_name="table_versions")
    published_at = models.DateTimeField()
    readable = models.BooleanField(default=True, help_text="its files are still there")

    class Meta:
        ordering = ["-published_at", "-version"]
        indexes = [models.Index(fields=["table", "published_at"], name="version_by_time")]
        constraints = [models.UniqueConstraint(fields=["table", "version"], name="table_version_published_once")]

    def __str__(self) -> str:
        return f"{self.table} {self.version}"


class Restatement(models.Model):
    """What a later load took from an earlier one, when both were there.

    It ends with the later load: then rows that no load in force tells are the earlier one's again, and those that
    another one tells are entries of that. Where the rows were deleted meanwhile it does not end, and the earlier file
    has to be loaded again.
    """

    class Mode(models.TextChoices):
        PERIOD = "period", "every row of its days"
        ROWS = "rows", "rows of the same key"
        ANEW = "anew", "the same file was read again"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    later = models.ForeignKey(Load, on_delete=models.CASCADE, related_name="restated", help_text="whose rows count")
    earlier = models.ForeignKey(Load, on_delete=models.CASCADE, related_name="restated_by", help_text="whose gave way")
    mode = models.CharField(max_length=8, choices=Mode)
    looks_filtered = models.BooleanField(default=False, help_text="by key, for the later export does not look whole")
    rows = models.PositiveBigIntegerField(default=0, help_text="rows that gave way")
    spend = models.JSONField(default=dict, blank=True, help_text="their spend: currency code to amount as text")
    vanished_rows = models.PositiveBigIntegerField(default=0, help_text="rows that the later export no longer tells")
    vanished_spend = models.JSONField(default=dict, blank=True)
    straddling_rows = models.PositiveBigIntegerField(
        default=0, help_text="multi-day rows over a border of the later export's days; they stay"
    )
    straddling_spend = models.JSONField(default=dict, blank=True)
    version = models.PositiveBigIntegerField(help_text="of the event table in which it came about")
    asides = models.JSONField(
        default=list, blank=True, help_text="files of rows that gave way without a version of the table telling which"
    )
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="when the later load was in force no more, and its rows were shared out anew"
    )
    ended_by = models.ForeignKey(
        Load, on_delete=models.SET_NULL, null=True, blank=True, related_name="gave_back", help_text="whose rows count"
    )
    returned_rows = models.PositiveBigIntegerField(default=0, help_text="of these rows, those in force again then")
    returned_spend = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["later", "earlier", "version"], name="restatement_once_per_version"),
            models.CheckConstraint(condition=~models.Q(later=models.F("earlier")), name="restatement_of_another_load"),
        ]

    def __str__(self) -> str:
        return f"{self.later} restates {self.earlier}"
