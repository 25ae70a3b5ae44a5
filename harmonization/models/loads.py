"""Files as they arrived, what became of them, and the version of the event table that readers may open."""

from __future__ import annotations

from django.db import models

from accounts.models import Brand, User
from harmonization.models.contracts import ContractVersion
from harmonization.models.networks import Account
from tenants.core.ids import new_id


class Upload(models.Model):
    """A file as it arrived, kept under its hash."""

    class Kind(models.TextChoices):
        REPORT = "report", "network report"
        CATALOGUE = "catalogue", "catalogue"
        AUDIENCES = "audiences", "audiences"
        POLICIES = "policies", "policies"
        FX_RATES = "fx_rates", "exchange rates"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.REPORT)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="uploads")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, blank=True, related_name="uploads")
    file_name = models.CharField(max_length=255, help_text="as the sender called it, without any folder")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField("bytes")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["account", "sha256"], name="upload_once_per_account", nulls_distinct=False),
            models.CheckConstraint(
                condition=models.Q(kind__in=["catalogue", "policies", "fx_rates"]) | models.Q(account__isnull=False),
                name="report_belongs_to_an_account",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class Load(models.Model):
    """One harmonisation of an upload under a contract version: what came in, what came out, what waits."""

    class Status(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        PUBLISHED = "published", "published"
        REPLACED = "replaced", "replaced by a newer reading"
        FAILED = "failed", "failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="loads")
    contract_version = models.ForeignKey(ContractVersion, on_delete=models.PROTECT, null=True, blank=True)
    job_id = models.UUIDField(null=True, blank=True, db_index=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.WAITING)
    rows_in = models.PositiveBigIntegerField(default=0)
    rows_out = models.PositiveBigIntegerField(default=0)
    rows_quarantined = models.PositiveBigIntegerField(default=0)
    rows_skipped = models.PositiveBigIntegerField(default=0)
    period_start = models.DateField(null=True, blank=True)
    period_end = models.DateField(null=True, blank=True)
    whole = models.BooleanField(default=False, help_text="a person confirmed that the export is not filtered")
    report = models.JSONField(default=dict, blank=True)
    problem = models.JSONField(null=True, blank=True)
    quarantine_path = models.CharField(max_length=255, blank=True, help_text="below the tenant's folder")
    delta_version = models.PositiveBigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["upload", "contract_version"],
                condition=models.Q(status="published"),
                name="upload_published_once_per_contract_version",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="published")
                | models.Q(rows_in=models.F("rows_out") + models.F("rows_quarantined") + models.F("rows_skipped")),
                name="load_rows_add_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.upload} ({self.get_status_display()})"


class EventTable(models.Model):
    """The version of a Delta table that readers may open."""

    name = models.CharField(max_length=40, primary_key=True)
    version = models.PositiveBigIntegerField(null=True, help_text="empty until something is published")
    size = models.PositiveBigIntegerField("bytes", default=0, help_text="on disk, former versions and quarantine too")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name} at {self.version}"
