"""What is kept of figures: published incrementality factors, and named views of a page."""

from __future__ import annotations

from typing import Any

import pghistory
import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.models import Brand, User
from harmonization.core.rmis import PLACEMENTS
from harmonization.models import Retailer
from metrics.core.incrementality import EVIDENCE, LARGEST, OUTCOMES
from tenants.core.ids import new_id

#: What was published stays as it is: figures that rest on it can be computed again.
_AS_PUBLISHED = [pgtrigger.Protect(name="stays_as_published", operation=pgtrigger.Update | pgtrigger.Delete)]


def _share(words: str) -> models.DecimalField[Any, Any]:
    bounds = [MinValueValidator(-LARGEST), MaxValueValidator(LARGEST)]
    return models.DecimalField(max_digits=9, decimal_places=6, validators=bounds, help_text=words)


@pghistory.track(pghistory.InsertEvent())
class FactorSet(models.Model):
    """Incrementality factors that were published together: of one experiment, model or decision."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.PositiveIntegerField(unique=True, help_text="of two factors for the same rows the later counts")
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="empty: all brands"
    )
    source = models.CharField(max_length=200, help_text="what they come from: an experiment, a study, a decision")
    note = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64, unique=True, help_text="of the content: the same is published once")
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-version"]
        triggers = _AS_PUBLISHED

    def __str__(self) -> str:
        return f"version {self.version}: {self.source}"


class IncrementalityFactor(models.Model):
    """Which share of an attributed outcome the ads caused, in a scope and for a time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    factor_set = models.ForeignKey(FactorSet, on_delete=models.PROTECT, related_name="factors")
    outcome = models.CharField(max_length=12, choices=[(name, name) for name in OUTCOMES], default="sales")
    retailer = models.ForeignKey(
        Retailer, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="empty: any"
    )
    placement = models.CharField(
        max_length=40, blank=True, choices=[(name, name) for name in PLACEMENTS], help_text="empty: any"
    )
    campaign_type = models.CharField(max_length=60, blank=True, help_text="empty: any")
    low = _share("low end of the interval")
    value = _share("incremental per attributed unit")
    high = _share("high end of the interval")
    level = models.DecimalField(max_digits=4, decimal_places=3, help_text="of the interval: 0.8 is 80 %")
    evidence = models.CharField(max_length=16, choices=list(EVIDENCE.items()))
    method = models.CharField(max_length=200, help_text="how it was found, as the disclosure says it")
    valid_from = models.DateField(null=True, blank=True, help_text="first day of the rows it holds for; empty: open")
    valid_to = models.DateField(null=True, blank=True, help_text="last day; empty: open")

    class Meta:
        ordering = ["factor_set", "outcome", "retailer", "placement", "campaign_type"]
        triggers = _AS_PUBLISHED
        constraints = [
            models.CheckConstraint(
                condition=models.Q(low__lte=models.F("value")) & models.Q(value__lte=models.F("high")),
                name="factor_lies_in_its_interval",
            ),
            models.CheckConstraint(
                condition=models.Q(level__gt=0) & models.Q(level__lt=1), name="factor_level_is_a_fraction"
            ),
            models.CheckConstraint(
                condition=models.Q(valid_from__isnull=True)
                | models.Q(valid_to__isnull=True)
                | models.Q(valid_to__gte=models.F("valid_from")),
                name="factor_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} x {self.value.normalize():f}"


@pghistory.track(exclude=["updated_at"])
class SavedView(models.Model):
    """The state of the Performance page under a name: one person's, or everybody's who may see what it shows."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=2000, blank=True, help_text="of the page's address, without the question mark")
    shared = models.BooleanField(default=False, help_text="everybody who may see its brand sees it in the list")
    brand = models.ForeignKey(
        Brand, on_delete=models.CASCADE, null=True, blank=True, related_name="+",
        help_text="the brand it is narrowed to",
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "owner"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="view_name_once_per_person")]

    def __str__(self) -> str:
        return self.name
