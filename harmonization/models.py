"""Retailers, accounts and what is sold and advertised there; uploads, contracts and loads.

Event rows are not here: they are Parquet files of a Delta table under the tenant's folder. PostgreSQL names the
version of that table that readers may open (`EventTable.version`), which is what makes a load appear whole or not at
all.
"""

from __future__ import annotations

import pghistory
from django.core.validators import MinValueValidator
from django.db import models

from accounts.models import Brand, User
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
class Product(models.Model):
    """A SKU of a brand."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="products")
    sku = models.CharField(max_length=64, unique=True, help_text="the brand's own code")
    gtin14 = models.CharField(max_length=14, blank=True, db_index=True)
    name = models.CharField(max_length=200)
    category = models.CharField(max_length=160, blank=True)
    pack_size = models.CharField(max_length=40, blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    margin = models.DecimalField("margin, fraction of price", max_digits=5, decimal_places=4, null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["sku"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(gtin14="") | models.Q(gtin14__regex=r"^\d{14}$"), name="gtin_has_14_digits"
            )
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"


class Listing(models.Model):
    """A product as one retailer lists it: its id there and how long the stock lasts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="listings")
    retailer = models.ForeignKey(Retailer, on_delete=models.CASCADE, related_name="listings")
    retailer_sku = models.CharField(max_length=64, help_text="ASIN, item id or product id of the retailer")
    units_in_stock = models.PositiveIntegerField(null=True, blank=True)
    daily_unit_sales = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    stock_as_of = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["retailer", "retailer_sku"]
        constraints = [
            models.UniqueConstraint(fields=["retailer", "retailer_sku"], name="listing_once_per_retailer"),
        ]

    def __str__(self) -> str:
        return f"{self.retailer_sku} at {self.retailer}"

    @property
    def stock_cover_days(self) -> float | None:
        """Days until the stock is gone at the present rate of sale; None where the feed does not say."""
        if self.units_in_stock is None or self.daily_unit_sales is None:
            return None
        if self.units_in_stock == 0:
            return 0.0
        return float(self.units_in_stock / self.daily_unit_sales) if self.daily_unit_sales else None


@pghistory.track()
class Audience(models.Model):
    """An audience that campaigns of an account can address."""

    class Kind(models.TextChoices):
        RETAILER_FIRST_PARTY = "retailer_1p", "retailer first-party"
        LOOKALIKE = "lookalike", "lookalike"
        CONTEXTUAL = "contextual", "contextual"
        CRM = "crm", "CRM"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="audiences")
    external_id = models.CharField(max_length=80)
    name = models.CharField(max_length=160)
    kind = models.CharField(max_length=16, choices=Kind)
    size_bucket = models.CharField(max_length=32, blank=True)
    min_cell = models.PositiveIntegerField(default=50, help_text="smallest group that may be reported")
    consent_basis = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["account", "external_id"], name="audience_once_per_account")]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class MappingContract(models.Model):
    """How one report of one network is read. Its text is in versions, of which one is published."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.SlugField(max_length=80, unique=True)
    network = models.SlugField(max_length=32)
    published = models.ForeignKey(
        "ContractVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="published_for"
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ContractVersion(models.Model):
    """An immutable text of a contract."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contract = models.ForeignKey(MappingContract, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField("YAML")
    sha256 = models.CharField(max_length=64)
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["contract", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "number"], name="contract_version_numbered_once"),
            models.UniqueConstraint(fields=["contract", "sha256"], name="contract_text_kept_once"),
        ]

    def __str__(self) -> str:
        return f"{self.contract} v{self.number}"


class Upload(models.Model):
    """A file as it arrived, kept under its hash."""

    class Kind(models.TextChoices):
        REPORT = "report", "network report"
        CATALOGUE = "catalogue", "catalogue"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.REPORT)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="uploads")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, blank=True, related_name="uploads")
    file_name = models.CharField(max_length=255, help_text="as the sender called it, without any folder")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField("bytes")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["account", "sha256"], name="upload_once_per_account", nulls_distinct=False),
            models.CheckConstraint(
                condition=models.Q(kind="catalogue") | models.Q(account__isnull=False),
                name="report_belongs_to_an_account",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class Load(models.Model):
    """One harmonisation of an upload under a contract version: what came in, what came out, what waits."""

    class Status(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        PUBLISHED = "published", "published"
        FAILED = "failed", "failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="loads")
    contract_version = models.ForeignKey(ContractVersion, on_delete=models.PROTECT, null=True, blank=True)
    job_id = models.UUIDField(null=True, blank=True, db_index=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.WAITING)
    rows_in = models.PositiveBigIntegerField(default=0)
    rows_out = models.PositiveBigIntegerField(default=0)
    rows_quarantined = models.PositiveBigIntegerField(default=0)
    rows_skipped = models.PositiveBigIntegerField(default=0)
    period_start = models.DateField(null=True, blank=True)
    period_end = models.DateField(null=True, blank=True)
    report = models.JSONField(default=dict, blank=True)
    problem = models.JSONField(null=True, blank=True)
    quarantine_path = models.CharField(max_length=255, blank=True, help_text="below the tenant's folder")
    delta_version = models.PositiveBigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["upload", "contract_version"],
                condition=models.Q(status="published"),
                name="upload_published_once_per_contract_version",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="published")
                | models.Q(rows_in=models.F("rows_out") + models.F("rows_quarantined") + models.F("rows_skipped")),
                name="load_rows_add_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.upload} ({self.get_status_display()})"


class EventTable(models.Model):
    """The version of a Delta table that readers may open."""

    name = models.CharField(max_length=40, primary_key=True)
    version = models.PositiveBigIntegerField(null=True, help_text="empty until something is published")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name} at {self.version}"
