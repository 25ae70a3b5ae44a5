"""Retailers, the accounts at them, and what their reports name: campaigns, placements, audiences."""

from __future__ import annotations

import pghistory
from django.db import models

from accounts.models import Brand
from tenants.core.ids import new_id


@pghistory.track()
class Retailer(models.Model):
    """A retailer whose media is bought, through the network that sells it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120, unique=True)
    network = models.SlugField(max_length=32, help_text="the network that reports: amazon, walmart, criteo, ...")
    timezone = models.CharField(max_length=64, default="UTC", help_text="zone of the dates in its reports (IANA name)")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Account(models.Model):
    """An advertising account at one retailer, of one brand or, with no brand, of several.

    Files are uploaded for an account. A row of them belongs to the brand of the product it advertises; where the
    report names no product of the catalogue, to the account's brand.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(
        Brand,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="accounts",
        help_text="empty: several brands",
    )
    retailer = models.ForeignKey(Retailer, on_delete=models.PROTECT, related_name="accounts")
    external_id = models.CharField(max_length=80, help_text="the network's own id of the account")
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, default="USD")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["retailer", "external_id"], name="account_once_per_retailer"),
            models.CheckConstraint(
                condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="account_currency_is_iso_4217"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.retailer})"


class Campaign(models.Model):
    """A campaign seen in the reports of an account."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="campaigns")
    key = models.CharField(max_length=255, help_text="the network's id, or the name where a report has no id")
    name = models.CharField(max_length=255)
    campaign_type = models.CharField(max_length=64, blank=True)
    first_day = models.DateField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="campaign_once_per_account")]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Placement(models.Model):
    """What a network calls a placement, and the canonical placement it is."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    network = models.SlugField(max_length=32)
    raw_name = models.CharField(max_length=160)
    placement = models.CharField(max_length=40, help_text="canonical name, or unknown")

    class Meta:
        ordering = ["network", "raw_name"]
        constraints = [models.UniqueConstraint(fields=["network", "raw_name"], name="placement_once_per_network")]

    def __str__(self) -> str:
        return f"{self.network}: {self.raw_name}"


@pghistory.track()
class Audience(models.Model):
    """An audience that campaigns of an account can address."""

    class Kind(models.TextChoices):
        RETAILER_FIRST_PARTY = "retailer_1p", "retailer first-party"
        LOOKALIKE = "lookalike", "lookalike"
        CONTEXTUAL = "contextual", "contextual"
        CRM = "crm", "CRM"

    class Ntb(models.TextChoices):
        ALL = "all", "all"
        NEW = "new", "new to brand"
        EXISTING = "existing", "existing"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="audiences")
    external_id = models.CharField(max_length=80)
    name = models.CharField(max_length=160)
    kind = models.CharField(max_length=16, choices=Kind)
    size_bucket = models.CharField(max_length=32, blank=True)
    min_cell = models.PositiveIntegerField(default=50, help_text="smallest group that may be reported")
    ntb = models.CharField(
        "new to brand", max_length=8, choices=Ntb, default="all", help_text="buyers it holds: all, new or existing"
    )
    consent_basis = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["account", "external_id"], name="audience_once_per_account")]

    def __str__(self) -> str:
        return self.name
