"""Scenarios: what somebody wants to know of a budget, and the answer they got."""

from __future__ import annotations

from decimal import Decimal

import pghistory
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.models import Brand, User
from harmonization.models import Account, Retailer
from optimization.models import CurveVersion, Solve
from tenants.core.ids import new_id


@pghistory.track(exclude=["updated_at"])
class Scenario(models.Model):
    """A budget question of one brand, or of all with no brand given: horizon, money, constraints.

    Once solved, with the solve that answers it.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        SOLVING = "solving", "solving"
        SOLVED = "solved", "solved"
        INFEASIBLE = "infeasible", "infeasible"
        FAILED = "failed", "failed"

    class Objective(models.TextChoices):
        SALES = "sales", "sales as reported"
        INCREMENTAL_SALES = "incremental_sales", "incremental sales"
        PROFIT = "profit", "profit"

    class Mode(models.TextChoices):
        FIXED_BUDGET = "fixed_budget", "the whole budget"
        TARGET_ROI = "flexible_target_roi", "up to a return over all"
        TARGET_MARGINAL_ROI = "flexible_target_marginal_roi", "up to a return of the last unit"
        INCREMENTAL_ONLY = "incremental_only", "only the extra money"

    class IroasBy(models.TextChoices):
        EXPECTED = "expected", "expected factors"
        CAUTIOUS = "cautious", "cautious factors"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveIntegerField(unique=True, help_text="shown as SC-0001")
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="scenarios", help_text="empty: all brands"
    )
    name = models.CharField(max_length=120)
    horizon_start = models.DateField()
    horizon_end = models.DateField()
    total_budget = models.DecimalField(max_digits=14, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))])
    min_roas = models.DecimalField(
        max_digits=8, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    reserve_fraction = models.DecimalField(
        "experiment reserve, fraction of the budget", max_digits=5, decimal_places=4, default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(Decimal("0.5"))],
    )  # fmt: skip
    stock_cover_threshold_days = models.PositiveSmallIntegerField(
        default=3, help_text="a cell whose stock lasts fewer days gets no spend"
    )
    max_change_fraction = models.DecimalField(
        "largest change of a line, fraction of its current spend", max_digits=6, decimal_places=4, null=True,
        blank=True, validators=[MinValueValidator(0)],
    )  # fmt: skip
    bounds = models.JSONField(
        default=list, blank=True, help_text="list of {path: [..], min_spend, max_spend} on any level of the tree"
    )
    objective = models.CharField(max_length=20, choices=Objective, default=Objective.SALES)
    mode = models.CharField(max_length=30, choices=Mode, default=Mode.FIXED_BUDGET)
    target = models.DecimalField(
        "target return of a flexible mode", max_digits=8, decimal_places=4, null=True, blank=True,
        validators=[MinValueValidator(0)],
    )  # fmt: skip
    min_iroas = models.DecimalField(
        "least incremental ROAS", max_digits=8, decimal_places=4, null=True, blank=True,
        validators=[MinValueValidator(0)],
    )  # fmt: skip
    min_iroas_by = models.CharField(
        "least incremental ROAS is judged by", max_length=10, choices=IroasBy, default=IroasBy.EXPECTED
    )
    max_cpa = models.DecimalField(
        "most cost per order", max_digits=14, decimal_places=2, null=True, blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
    )  # fmt: skip
    margin_fraction = models.DecimalField(
        "margin where the catalogue knows none, fraction of sales", max_digits=5, decimal_places=4, null=True,
        blank=True, validators=[MinValueValidator(0), MaxValueValidator(1)],
    )  # fmt: skip
    margins = models.JSONField(default=list, blank=True, help_text="list of {path: [..], margin}")
    fixed = models.JSONField(default=list, blank=True, help_text="list of paths that keep what they spend now")
    shares = models.JSONField(
        default=list, blank=True, help_text="list of {path: [..], within: [..], min_share, max_share}"
    )
    fair_level = models.CharField(
        max_length=16, blank=True, default="", help_text="level whose every node gets a part of what it has now"
    )
    fair_fraction = models.DecimalField(
        "least part of the current one", max_digits=5, decimal_places=4, null=True, blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )  # fmt: skip
    weekly_budgets = models.JSONField(
        default=list, blank=True, help_text="one for each week, unspent money rolls forward; empty: none"
    )
    ratios = models.JSONField(
        default=list, blank=True, help_text="list of {path: [..], other: [..], min_ratio, max_ratio}"
    )
    season = models.JSONField(
        default=list, blank=True, help_text="one for each week with a budget, 1 for a usual one; empty: all are usual"
    )
    tail_fraction = models.DecimalField(
        "worst cases whose mean is maximised, fraction", max_digits=5, decimal_places=4, null=True, blank=True,
        validators=[MinValueValidator(Decimal("0.02")), MaxValueValidator(1)],
        help_text="empty: the expected value is maximised",
    )  # fmt: skip
    status = models.CharField(max_length=16, choices=Status, default=Status.DRAFT)
    curve_version = models.ForeignKey(CurveVersion, on_delete=models.PROTECT, null=True, blank=True)
    solve = models.ForeignKey(Solve, on_delete=models.PROTECT, null=True, blank=True, related_name="scenarios")
    current_spend = models.JSONField(default=dict, blank=True, help_text="cell id -> spend over as long a time before")
    current_start = models.DateField(null=True, blank=True, help_text="first day that the current spend was measured")
    current_end = models.DateField(null=True, blank=True)
    current_elsewhere = models.DecimalField(
        max_digits=14, decimal_places=2, default=Decimal(0), help_text="current spend in lines that no curve describes"
    )
    outlook = models.JSONField(
        default=dict, blank=True, help_text="when solved: expected sales before and after, intervals, chance of a gain"
    )
    relaxations = models.JSONField(
        default=list, blank=True, help_text="when infeasible: what each way out changes and would give"
    )
    job_id = models.UUIDField(null=True, blank=True)
    problem = models.JSONField(null=True, blank=True, help_text="why the last attempt failed")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(horizon_end__gte=models.F("horizon_start")), name="scenario_ends_after_it_starts"
            ),
            models.CheckConstraint(condition=models.Q(total_budget__gt=0), name="scenario_has_money"),
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.name}"

    @property
    def label(self) -> str:
        """The short name people use."""
        return f"SC-{self.number:04d}"


@pghistory.track(exclude=["updated_at"])
class Budget(models.Model):
    """Money that a scope may spend over a period: what spend is paced against.

    The scope is a brand, or all with none given, narrowed to a retailer, an account, or a campaign of one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="budgets", help_text="empty: all brands"
    )
    retailer = models.ForeignKey(Retailer, on_delete=models.PROTECT, null=True, blank=True, related_name="budgets")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, blank=True, related_name="budgets")
    campaign = models.CharField(max_length=255, blank=True, help_text="the network's id of a campaign of the account")
    period_start = models.DateField()
    period_end = models.DateField(help_text="inclusive")
    amount = models.DecimalField(max_digits=14, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))])
    currency = models.CharField(max_length=3)
    scenario = models.ForeignKey(
        Scenario, on_delete=models.SET_NULL, null=True, blank=True, related_name="budgets", help_text="taken from it"
    )
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-period_start", "period_end", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "retailer", "account", "campaign", "period_start", "period_end"],
                name="budget_once_per_scope_and_period",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(period_end__gte=models.F("period_start")), name="budget_ends_after_it_starts"
            ),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="budget_has_money"),
            models.CheckConstraint(
                condition=models.Q(campaign="") | models.Q(account__isnull=False), name="budget_campaign_has_account"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope_words}, {self.period_start} to {self.period_end}"

    @property
    def scope_words(self) -> str:
        """Chips, Amazon, campaign 12: what it is for."""
        campaign = f"campaign {self.campaign}" if self.campaign else ""
        parts = [self.brand.name if self.brand else "All brands", self.retailer.name if self.retailer else "",
                 self.account.name if self.account else "", campaign]  # fmt: skip
        return ", ".join(part for part in parts if part)
