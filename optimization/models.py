"""Response curves, what people lay over them, and solved allocations. All immutable: whatever is new is a new row."""

from __future__ import annotations

import pghistory
import pgtrigger
from django.db import models

from accounts.models import Brand, User
from optimization.core.adjustments import KINDS
from optimization.core.responses import Family
from optimization.learning_models import LearningObservation as LearningObservation
from optimization.learning_models import LearningProgramme as LearningProgramme
from optimization.learning_models import LearningWeek as LearningWeek
from tenants.core.ids import new_id


class CurveVersion(models.Model):
    """The response curves of the cells (retailer x placement x SKU) of one brand, or of all with no brand given.

    Fitted once from one state of the data, or imported as draws from a posterior.
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
    draws = models.JSONField(default=dict, blank=True, help_text="of an import: cell id -> parameters of some draws")
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


@pghistory.track()
class CurveAdjustment(models.Model):
    """An override of one curve, or a prior on the curves of a scope, by a person with a reason.

    It can be revoked and runs out, but never changes: another opinion is another row, which counts before it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="curve_adjustments",
        help_text="whose curves; empty: those fitted over all brands",
    )  # fmt: skip
    kind = models.CharField(max_length=12, choices=list(KINDS.items()))
    retailer = models.CharField(max_length=120, blank=True, help_text="name; empty: any")
    placement = models.CharField(max_length=40, blank=True, help_text="canonical placement; empty: any")
    sku = models.CharField(max_length=120, blank=True, help_text="as the curves tell it; empty: any")
    family = models.CharField(max_length=20, blank=True, choices=[(one.label, one.label) for one in Family])
    a = models.FloatField(null=True, blank=True, help_text="amplitude, money a week")
    k = models.FloatField(null=True, blank=True, help_text="scale, money a week")
    exponent = models.FloatField(null=True, blank=True, help_text="p of a power, n of hill")
    roas = models.FloatField("return", null=True, blank=True, help_text="of a cell's usual weekly spend")
    scale = models.FloatField(null=True, blank=True, help_text="k, money a week")
    spread = models.FloatField(null=True, blank=True, help_text="one standard deviation, relative: 0.2 is within 20 %")
    reason = models.CharField(max_length=500)
    expires_on = models.DateField(null=True, blank=True, help_text="first day on which it no longer counts")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoke_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="prior", spread__isnull=False)
                | (models.Q(kind="override", a__gte=0, k__gt=0) & ~models.Q(family="") & ~models.Q(sku="")),
                name="adjustment_has_what_its_kind_needs",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="adjustment_has_a_reason"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="only_revoked", exclude=["revoked_by", "revoked_at", "revoke_reason"]),
            pgtrigger.Protect(name="stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.scope}"

    @property
    def scope(self) -> str:
        """What it holds for, in words."""
        return ", ".join(filter(None, (self.retailer, self.placement.replace("_", " "), self.sku))) or "every cell"


class Solve(models.Model):
    """A budget problem and its certified answer. The same problem is solved once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="solves")
    curve_version = models.ForeignKey(
        CurveVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="solves",
        help_text="empty: the problem brought curves of its own",
    )  # fmt: skip
    problem_sha256 = models.CharField(max_length=64, help_text="of problem, current spend and inputs together")
    inputs = models.JSONField(
        default=dict, blank=True,
        help_text="what lay over the curves: adjustments with all they say, factors, and a digest of each",
    )  # fmt: skip
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
