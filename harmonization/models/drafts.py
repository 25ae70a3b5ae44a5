"""Mappings that are being worked on."""

from __future__ import annotations

from django.db import models

from accounts.models import User
from harmonization.models.contracts import ContractVersion, MappingContract
from harmonization.models.loads import Upload
from tenants.core.ids import new_id


class MappingDraft(models.Model):
    """A contract's text that is not in force: proposed for an upload, or a change of a published contract.

    `columns` is what was proposed for each column of the upload, `decided` what a person said of it, by header.
    `revision` counts the changes, so that two windows do not write over each other unseen.
    """

    class State(models.TextChoices):
        PROPOSING = "proposing", "being proposed"
        OPEN = "open", "open"
        FAILED = "failed", "failed"
        PUBLISHED = "published", "published"
        DISCARDED = "discarded", "discarded"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, null=True, blank=True, related_name="drafts")
    contract = models.ForeignKey(
        MappingContract, on_delete=models.CASCADE, null=True, blank=True, related_name="drafts"
    )
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    text = models.TextField("YAML", blank=True)
    columns = models.JSONField(default=list, blank=True)
    notes = models.JSONField(default=list, blank=True)
    decided = models.JSONField(default=dict, blank=True)
    problem = models.JSONField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)
    job_id = models.UUIDField(null=True, blank=True)
    published_as = models.ForeignKey(
        ContractVersion, on_delete=models.SET_NULL, null=True, blank=True, related_name="drafts"
    )
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["upload"],
                condition=models.Q(state__in=["proposing", "open"], contract__isnull=True),
                name="upload_has_one_open_proposal",
            ),
            models.CheckConstraint(
                condition=models.Q(upload__isnull=False) | models.Q(contract__isnull=False),
                name="draft_is_of_an_upload_or_a_contract",
            ),
        ]

    def __str__(self) -> str:
        return f"draft of {self.contract or self.upload}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN
