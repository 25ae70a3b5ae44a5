"""Mapping contracts and their versions."""

from __future__ import annotations

import pghistory
from django.db import models

from accounts.models import User
from tenants.core.ids import new_id


@pghistory.track()
class MappingContract(models.Model):
    """How one report of one network is read. Its text is in versions, of which one is published."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.SlugField(max_length=80, unique=True)
    network = models.SlugField(max_length=32)
    published = models.ForeignKey(
        "ContractVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="published_for"
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ContractVersion(models.Model):
    """An immutable text of a contract."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contract = models.ForeignKey(MappingContract, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField("YAML")
    sha256 = models.CharField(max_length=64)
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["contract", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "number"], name="contract_version_numbered_once"),
            models.UniqueConstraint(fields=["contract", "sha256"], name="contract_text_kept_once"),
        ]

    def __str__(self) -> str:
        return f"{self.contract} v{self.number}"
