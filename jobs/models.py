"""Long work of a tenant: what was asked, how far it is, what came of it. These tables live in the tenant's schema.

Who runs a job right now, and until when, stands in `jobs.dispatch` in the public schema: workers serve all tenants and
look in one place.
"""

from __future__ import annotations

from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Brand, User
from jobs.core.states import FINAL_STATES, OPEN_STATES, State
from tenants.core.ids import new_id


class Job(models.Model):
    """One piece of long work."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=64)
    queue = models.CharField(max_length=32)
    title = models.CharField(max_length=200)
    subject = models.CharField(max_length=200, blank=True, help_text="what it is about, such as upload:<id>")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, null=True, blank=True, related_name="jobs")
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="jobs")
    params = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    idempotency_key = models.CharField(max_length=200, null=True, blank=True, unique=True)
    body_digest = models.CharField(max_length=64, help_text="SHA-256 of what was asked, to tell a repeat from a reuse")
    state = models.CharField(
        max_length=16, choices=[(state.value, state.value) for state in State], default=State.QUEUED
    )
    attempt = models.PositiveSmallIntegerField(default=0, help_text="attempts begun, those given back not counted")
    max_attempts = models.PositiveSmallIntegerField()
    token = models.BigIntegerField(default=0, help_text="fencing token of the last attempt")
    result = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    problem = models.JSONField(
        null=True, blank=True, encoder=DjangoJSONEncoder, help_text="why it failed or is dead: detail, where, fix"
    )
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True, help_text="of the last attempt")
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["state", "-id"], name="job_by_state"),
            models.Index(fields=["subject"], name="job_by_subject", condition=~Q(subject="")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=[state.value for state in State]), name="job_state_is_known"),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, state__in=OPEN_STATES)
                | Q(finished_at__isnull=False, state__in=FINAL_STATES),
                name="job_is_finished_in_a_final_state",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_final(self) -> bool:
        return State(self.state).is_final

    @property
    def may_be_retried(self) -> bool:
        return State(self.state).may_be_retried


class JobProgress(models.Model):
    """How far the current attempt is. A row of its own: it changes often, and the job's row is wide."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, primary_key=True, related_name="progress")
    token = models.BigIntegerField(default=0, help_text="the attempt that wrote it")
    # [{"name", "status": "done" | "running" | "stopped", "done", "total", "unit", "seconds"}]
    stages: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(default=list)
    # [[seconds since the attempt began, units a second]] of the stage that runs, for the chart
    samples: models.JSONField[list[list[float]], list[list[float]]] = models.JSONField(default=list)
    rate = models.FloatField(null=True, help_text="units a second, over the last seconds")
    eta_seconds = models.FloatField(null=True, help_text="of the running stage, at that rate")
    updated_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"progress of {self.job_id}"


class JobLog(models.Model):
    """A line of a job's log, for people of the tenant."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="log_lines")
    attempt = models.PositiveSmallIntegerField(default=0)
    time = models.DateTimeField(db_default=Now())
    level = models.CharField(max_length=8, choices=[(level, level) for level in ("info", "warning", "error")])
    message = models.TextField()
    fields = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["job", "id"], name="job_log_in_order")]

    def __str__(self) -> str:
        return self.message
