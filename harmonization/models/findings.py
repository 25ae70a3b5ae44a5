"""What is wrong, or looks wrong, with the data, and how reports of one account compare."""

from __future__ import annotations

from decimal import Decimal

import pghistory
from django.db import models

from accounts.models import User
from harmonization.models.loads import Load
from harmonization.models.networks import Account
from tenants.core.ids import new_id


@pghistory.track(exclude=["load", "last_seen", "evidence", "detail", "title", "rows", "money"])
class DataFinding(models.Model):
    """A finding about an account's data, with the rows and the money at stake.

    `kind` and `subject` say what it is about; with account and report they make `key`, so that the same cause is the
    same row however often a check meets it. A finding is open until its cause is gone (resolved, by the check that no
    longer meets it) or a person has said why it may stand (acknowledged).
    """

    class Severity(models.TextChoices):
        INFO = "info", "for information"
        WARN = "warn", "warning"
        CRITICAL = "critical", "critical"

    class State(models.TextChoices):
        OPEN = "open", "open"
        ACKNOWLEDGED = "acknowledged", "acknowledged"
        RESOLVED = "resolved", "resolved"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(
        max_length=64, unique=True, editable=False, help_text="SHA-256 of account, report, kind and subject"
    )
    account = models.ForeignKey(
        Account,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="findings",
        help_text="empty: about the whole tenant",
    )
    load = models.ForeignKey(
        Load, on_delete=models.SET_NULL, null=True, blank=True, related_name="findings", help_text="that showed it last"
    )
    report = models.CharField(max_length=80, blank=True, help_text="the network's report it was found in")
    kind = models.SlugField(max_length=48, help_text="the check that found it: level_shift, drift_renamed, ...")
    subject = models.CharField(max_length=400, help_text="what exactly it is about: a column, a campaign and its days")
    severity = models.CharField(max_length=8, choices=Severity)
    title = models.CharField(max_length=200)
    detail = models.TextField(blank=True)
    evidence = models.JSONField(default=dict, blank=True, help_text="rows, columns, days, figures that show it")
    rows = models.PositiveBigIntegerField(default=0, help_text="rows at stake")
    money = models.JSONField(default=dict, blank=True, help_text="money at stake: currency code to amount as text")
    first_day = models.DateField(null=True, blank=True, help_text="first day of the figures concerned")
    last_day = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    reason = models.CharField(max_length=400, blank=True, help_text="why it may stand, or what resolved it")
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    class Meta:
        ordering = ["-last_seen", "kind", "subject"]
        indexes = [models.Index(fields=["state", "severity"], name="finding_by_state")]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="acknowledged") | (models.Q(decided_at__isnull=False) & ~models.Q(reason="")),
                name="finding_acknowledged_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Reconciliation(models.Model):
    """One metric of two reports of an account over the days that both cover, as it was compared last."""

    class Verdict(models.TextChoices):
        AGREES = "agrees", "agrees"
        EXPLAINED = "explained", "explained"
        FLAGGED = "flagged", "flagged"
        NOT_COMPARABLE = "not_comparable", "not comparable"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="reconciliations")
    report_a = models.CharField(max_length=80)
    report_b = models.CharField(max_length=80)
    metric = models.CharField(max_length=40)
    currency = models.CharField(max_length=8, blank=True)
    first_day = models.DateField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)
    total_a = models.DecimalField(max_digits=38, decimal_places=6, default=0)
    total_b = models.DecimalField(max_digits=38, decimal_places=6, default=0)
    verdict = models.CharField(max_length=16, choices=Verdict)
    explanation = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)
    rows = models.PositiveBigIntegerField(default=0, help_text="rows of the days that differ")
    evidence = models.JSONField(default=dict, blank=True)
    checked_at = models.DateTimeField()

    class Meta:
        ordering = ["account", "report_a", "report_b", "currency", "metric"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "report_a", "report_b", "metric", "currency"], name="reports_compared_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric} of {self.report_a} and {self.report_b}"

    @property
    def difference(self) -> Decimal:
        """B less A."""
        return self.total_b - self.total_a

    @property
    def share(self) -> Decimal | None:
        """The difference as a fraction of the larger; None where both are 0."""
        larger = max(abs(self.total_a), abs(self.total_b))
        return self.difference / larger if larger else None
