"""Fitted response curves and solved allocations. Both are immutable: a new fit or solve is a new row."""

from __future__ import annotations

from django.db import models

from accounts.models import Brand, User
from optimization.learning_models import LearningObservation as LearningObservation
from optimization.learning_models import LearningProgramme as LearningProgramme
from optimization.learning_models import LearningWeek as LearningWeek
from tenants.core.ids import new_id


class CurveVersion(models.Model):
    """The response curves of the cells (retailer x placement x SKU) of one brand, or of all with no brand given.

    Fitted once from one state of the data.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="curve_versions", help_text="empty: all"
    )
    number = models.PositiveIntegerField()
    data_version = models.PositiveBigIntegerField(help_text="version of the event table the fit read")
    data_start = models.DateField()
    data_end = models.DateField()
    method = models.CharField(max_length=80)
    settings = models.JSONField(default=dict, help_text="everything the fit depends on besides the data")
    curves = models.JSONField(default=list, help_text="one object per cell: path, family, params, errors, range")
    diagnostics = models.JSONField(default=dict)
    job_id = models.UUIDField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["brand", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "number"], name="curve_version_numbered_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.brand or 'all brands'} curves v{self.number}"


class Solve(models.Model):
    """A budget problem and its certified answer. The same problem is solved once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="solves")
    curve_version = models.ForeignKey(
        CurveVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="solves",
        help_text="empty: the problem brought curves of its own",
    )  # fmt: skip
    problem_sha256 = models.CharField(max_length=64, help_text="of the problem and the current spend together")
    problem = models.JSONField()
    current = models.JSONField(null=True, blank=True, help_text="cell id -> spend today, to compare with")
    solution = models.JSONField()
    status = models.CharField(max_length=16, choices=[("optimal", "optimal"), ("infeasible", "infeasible")])
    engine = models.CharField(max_length=40)
    objective = models.FloatField(null=True, blank=True)
    gap = models.FloatField(null=True, blank=True)
    seconds = models.FloatField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "problem_sha256"], name="problem_solved_once_per_brand", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} by {self.engine}"
