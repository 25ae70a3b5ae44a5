"""Learning programmes: a weekly budget that learns, what it proposed, and what the weeks turned out to be.

A proposal and an observation are written once. What is believed is nowhere stored: it follows from the observations.
"""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models

from accounts.models import Brand, User
from tenants.core.ids import new_id


class LearningProgramme(models.Model):
    """A weekly budget of one brand, or of all with no brand given, that is allocated anew by what past weeks sold."""

    class Status(models.TextChoices):
        ACTIVE = "active", "active"
        PAUSED = "paused", "paused"
        ENDED = "ended", "ended"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveIntegerField(unique=True, help_text="shown as LP-0001")
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="learning_programmes",
        help_text="empty: all brands",
    )  # fmt: skip
    name = models.CharField(max_length=120)
    solve = models.ForeignKey("optimization.Solve", on_delete=models.PROTECT, related_name="learning_programmes")
    problem = models.JSONField(help_text="of one week, rmn-budget-instance/1")
    problem_sha256 = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    weekly_budget = models.DecimalField(max_digits=14, decimal_places=2, validators=[MinValueValidator(0)])
    first_week = models.DateField(help_text="Monday of week 0")
    least_cover_days = models.PositiveSmallIntegerField(default=3, help_text="a line whose stock lasts less gets none")
    settings = models.JSONField(help_text="temperature, reserve, outlook, forgetting, noise, shock")
    prior = models.JSONField(help_text="beliefs before the first week")
    seed = models.PositiveIntegerField()
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(condition=models.Q(weekly_budget__gt=0), name="programme_has_money"),
            models.CheckConstraint(condition=models.Q(first_week__iso_week_day=1), name="programme_starts_on_monday"),
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.name}"

    @property
    def label(self) -> str:
        """The short name people use."""
        return f"LP-{self.number:04d}"


class LearningWeek(models.Model):
    """What a programme proposes for one week, and what a person made of it."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", "proposed"
        ACCEPTED = "accepted", "accepted"
        SKIPPED = "skipped", "skipped"
        OBSERVED = "observed", "observed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    programme = models.ForeignKey(LearningProgramme, on_delete=models.PROTECT, related_name="weeks")
    number = models.PositiveIntegerField(help_text="weeks since the first")
    monday = models.DateField()
    sequence = models.PositiveIntegerField(help_text="place among the programme's proposals and observations")
    decision = models.JSONField(help_text="features, draw, chances, spend: the line of the log")
    lines = models.JSONField(help_text="one object per cell: spend, return factor with its interval, reason")
    summary = models.JSONField(help_text="expected sales and return, certificate, what was left out")
    known = models.JSONField(help_text="week -> version of the observation that was known")
    beliefs_sha256 = models.CharField(max_length=64, help_text="of mean and covariance that it was drawn from")
    problem_sha256 = models.CharField(max_length=64, help_text="of the problem of that week, empty shelves included")
    status = models.CharField(max_length=8, choices=Status, default=Status.PROPOSED)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    job_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["programme", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "number"], name="week_proposed_once"),
            models.UniqueConstraint(fields=["programme", "sequence"], name="proposal_has_its_place"),
        ]

    def __str__(self) -> str:
        return f"{self.programme.label} week of {self.monday}"


class LearningObservation(models.Model):
    """What a week was, as it was known at one time; a restatement is another row."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    programme = models.ForeignKey(LearningProgramme, on_delete=models.PROTECT, related_name="observations")
    number = models.PositiveIntegerField(help_text="weeks since the first")
    monday = models.DateField()
    version = models.PositiveIntegerField(help_text="1, and one more for each restatement")
    sequence = models.PositiveIntegerField(help_text="place among the programme's proposals and observations")
    features = models.JSONField(help_text="of that week: those of its proposal, where there is one")
    spend = models.JSONField(help_text="money per cell")
    sales = models.JSONField(help_text="money per cell")
    told = models.JSONField(help_text="true for cells whose figures are final")
    data_version = models.PositiveBigIntegerField(help_text="version of the event table it was read from")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["programme", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "number", "version"], name="week_observed_once_per_version"),
            models.UniqueConstraint(fields=["programme", "sequence"], name="observation_has_its_place"),
        ]

    def __str__(self) -> str:
        return f"{self.programme.label} week of {self.monday}, version {self.version}"
