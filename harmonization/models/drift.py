"""What a difference between files of a report means for the load."""

from __future__ import annotations

import pghistory
from django.db import models

from harmonization.models.contracts import MappingContract
from tenants.core.ids import new_id


@pghistory.track()
class DriftRule(models.Model):
    """What follows from one class of drift, for one mapping or, with none, for all that have no rule of their own."""

    class Drift(models.TextChoices):
        ADDED = "added", "a column is new"
        REMOVED = "removed", "a column is gone"
        RENAMED = "renamed", "a column has another name"
        RETYPED = "retyped", "a column holds another type"
        UNIT_CHANGED = "unit_changed", "a column is in another unit"

    class Action(models.TextChoices):
        BLOCK = "block", "refuse the file until a person accepts it"
        WARN = "warn", "load it and warn"
        PROPOSE = "propose", "load it and propose a change of the mapping"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contract = models.ForeignKey(
        MappingContract, on_delete=models.CASCADE, null=True, blank=True, related_name="drift_rules",
        help_text="empty: all mappings",
    )  # fmt: skip
    drift = models.CharField(max_length=16, choices=Drift)
    action = models.CharField(max_length=8, choices=Action)

    class Meta:
        ordering = ["contract__name", "drift"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "drift"], name="drift_rule_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.contract or 'all mappings'}: {self.get_drift_display()}"
