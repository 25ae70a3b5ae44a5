"""What waits for a worker and who holds it: one row for each open job of any tenant, in the public schema.

A row disappears when its job ends; dead letters stay, with the reason, until somebody retries or removes them.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from tenants.models import Tenant


class Dispatch(models.Model):
    """The claim on one job. `token` fences: whoever holds an older one may no longer publish."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        DEAD = "dead", "dead"

    job_id = models.UUIDField(primary_key=True, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="dispatches")
    kind = models.CharField(max_length=64)
    queue = models.CharField(max_length=32)
    priority = models.SmallIntegerField(default=0, help_text="higher goes first, within its tenant")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField()
    token = models.BigIntegerField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, help_text="by the database's clock")
    worker = models.CharField(max_length=120, blank=True)
    cancel_requested = models.BooleanField(default=False)
    reason = models.TextField(blank=True, help_text="of the last crash")
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True, help_text="when a worker was last told")

    class Meta:
        ordering = ["created_at"]
        verbose_name_plural = "dispatches"
        indexes = [
            models.Index(
                fields=["queue", "-priority", "created_at"], name="dispatch_waiting", condition=Q(state="waiting")
            ),
            models.Index(fields=["lease_until"], name="dispatch_leases", condition=Q(state="running")),
            models.Index(fields=["tenant", "state"], name="dispatch_of_tenant"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="running") | Q(token__isnull=False, lease_until__isnull=False),
                name="dispatch_running_has_a_lease",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.job_id}"


class Turn(models.Model):
    """When a tenant was last served, so that who waited longest goes first."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="+")
    last_claimed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.tenant_id} at {self.last_claimed_at}"


class Tally(models.Model):
    """How many jobs of a tenant ended in which state: counted here, so that metrics never visit tenant schemas."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    queue = models.CharField(max_length=32)
    state = models.CharField(max_length=16)
    jobs = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "queue", "state"], name="tally_once")]
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return f"{self.jobs} {self.state}"
