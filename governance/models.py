"""The rules that decide what may leave and what may run."""

from __future__ import annotations

import pghistory
from django.db import models

from tenants.core.ids import new_id


@pghistory.track()
class PolicyRule(models.Model):
    """One rule of a network, of the law or of the tenant, with its source and the time it is in force."""

    class Severity(models.TextChoices):
        BLOCK = "block", "block"
        WARN = "warn", "warn"
        INFO = "info", "inform"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    network = models.SlugField(max_length=40, help_text="network the rule belongs to, or legal_us and the like")
    rule_id = models.CharField(max_length=80)
    scope = models.CharField(max_length=80, help_text="what it looks at: creative.title, metrics, landing_page, ...")
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.WARN)
    statement = models.TextField(help_text="the rule in one sentence")
    parameters = models.JSONField(default=dict, blank=True, help_text="limits the checks read")
    min_cell_k = models.PositiveIntegerField(null=True, blank=True, help_text="smallest group that may be shown")
    source = models.CharField(max_length=400, blank=True)
    effective_from = models.DateField(null=True, blank=True)
    effective_to = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["network", "rule_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["network", "rule_id", "effective_from"], name="policy_rule_once_per_date", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(effective_from__isnull=True)
                | models.Q(effective_to__isnull=True)
                | models.Q(effective_to__gte=models.F("effective_from")),
                name="policy_rule_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.network}: {self.rule_id}"
