"""Places that are watched for files, and what became of each file there."""

from __future__ import annotations

import pghistory
from django.core.validators import MaxValueValidator
from django.db import models

from accounts.models import User
from harmonization.models.loads import Upload
from harmonization.models.networks import Account
from tenants.core.ids import new_id


@pghistory.track()
class ImportSource(models.Model):
    """A folder or an object-store prefix whose files are taken in for an account, on a schedule."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120, unique=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="import_sources")
    location = models.CharField(max_length=500, help_text="folder:/path or s3://bucket/prefix, below an allowed root")
    glob = models.CharField(max_length=200, default="*", help_text="which files, such as *.csv")
    contract = models.SlugField(max_length=80, default="auto", help_text="mapping, or auto")
    needs_marker = models.BooleanField(default=False, help_text="take a file only once NAME.done lies beside it")
    settle_seconds = models.PositiveIntegerField(
        default=60, validators=[MaxValueValidator(86_400)], help_text="a file must not have changed for so long"
    )
    schedule_id = models.UUIDField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    looked_at = models.DateTimeField(null=True, blank=True, editable=False)
    problem = models.JSONField(null=True, blank=True, editable=False, help_text="why the last look failed")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ImportedFile(models.Model):
    """A file that was seen at a place."""

    class State(models.TextChoices):
        SEEN = "seen", "still arriving"
        TAKEN = "taken", "taken"
        FAILED = "failed", "refused"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(ImportSource, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=1000, help_text="below the place")
    size = models.PositiveBigIntegerField("bytes")
    modified = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State, default=State.SEEN)
    upload = models.ForeignKey(Upload, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    job_id = models.UUIDField(null=True, blank=True)
    problem = models.JSONField(null=True, blank=True)
    first_seen = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-changed_at"]
        constraints = [models.UniqueConstraint(fields=["source", "path"], name="imported_file_once_per_source")]

    def __str__(self) -> str:
        return self.path
