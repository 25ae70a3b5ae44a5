"""What brands sell, what each retailer calls it, and which product an advertised id is."""

from __future__ import annotations

import pghistory
from django.core.validators import MinValueValidator
from django.db import models

from accounts.models import Brand, User
from harmonization.models.networks import Account, Retailer
from tenants.core.ids import new_id


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
    cost = models.DecimalField("cost of a unit", max_digits=12, decimal_places=4, null=True, blank=True)
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

    class Availability(models.TextChoices):
        IN_STOCK = "in_stock", "in stock"
        LIMITED = "limited", "limited"
        OUT_OF_STOCK = "out_of_stock", "out of stock"
        DISCONTINUED = "discontinued", "discontinued"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="listings")
    retailer = models.ForeignKey(Retailer, on_delete=models.CASCADE, related_name="listings")
    retailer_sku = models.CharField(max_length=64, help_text="ASIN, item id or product id of the retailer")
    units_in_stock = models.PositiveIntegerField(null=True, blank=True)
    daily_unit_sales = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    stock_as_of = models.DateField(null=True, blank=True)
    availability = models.CharField(
        max_length=16, choices=Availability, blank=True, help_text="as the retailer's feed says; empty: not told"
    )
    has_buy_box = models.BooleanField(null=True, blank=True, help_text="whether the brand's own offer is the shown one")
    valid_from = models.DateField(null=True, blank=True, help_text="first day on which the id meant this product")
    valid_to = models.DateField(null=True, blank=True, help_text="last such day; empty: still")

    class Meta:
        ordering = ["retailer", "retailer_sku"]
        constraints = [
            models.UniqueConstraint(fields=["retailer", "retailer_sku"], name="listing_once_per_retailer"),
            models.CheckConstraint(
                condition=models.Q(valid_from__isnull=True)
                | models.Q(valid_to__isnull=True)
                | models.Q(valid_to__gte=models.F("valid_from")),
                name="listing_ends_after_it_starts",
            ),
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


class ProductIdentifier(models.Model):
    """Another id of a product: a GTIN of one of its packs, a seller's SKU, a maker's part number.

    With no retailer it holds everywhere. Two products may claim the same id: the crosswalk then says so.
    """

    class Kind(models.TextChoices):
        ASIN = "asin", "ASIN"
        ITEM_ID = "item_id", "item id"
        UPC = "upc", "UPC"
        EAN = "ean", "EAN"
        GTIN = "gtin", "GTIN"
        MPN = "mpn", "maker's part number"
        SELLER_SKU = "seller_sku", "seller's SKU"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="identifiers")
    retailer = models.ForeignKey(
        Retailer, on_delete=models.CASCADE, null=True, blank=True, related_name="identifiers", help_text="empty: all"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    value = models.CharField(max_length=80)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["product", "kind", "value"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "retailer", "kind", "value"],
                name="identifier_once_per_product",
                nulls_distinct=False,
            ),
        ]
        indexes = [models.Index(fields=["kind", "value"], name="identifier_by_value")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value}"


@pghistory.track(exclude=["spend", "rows", "first_day", "last_day", "checked_at"])
class CrosswalkEntry(models.Model):
    """An advertised id of a retailer, and the product it is: found by the catalogue, or decided by a person.

    `confidence` and `method` say how it was found; `candidates` are all products that claim the id. A decision by a
    person stands until a person takes it back, whatever the catalogue says later.
    """

    class State(models.TextChoices):
        RESOLVED = "resolved", "resolved"
        CONFLICT = "conflict", "conflict"
        UNKNOWN = "unknown", "not in the catalogue"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    retailer = models.ForeignKey(Retailer, on_delete=models.CASCADE, related_name="crosswalk")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="crosswalk")
    sku_id = models.CharField(max_length=120)
    sku_id_type = models.CharField(max_length=12, blank=True)
    gtin14 = models.CharField(max_length=14, blank=True)
    name = models.CharField(max_length=400, blank=True, help_text="as the report calls it")
    product = models.ForeignKey(Product, on_delete=models.SET_NULL, null=True, blank=True, related_name="crosswalk")
    state = models.CharField(max_length=10, choices=State)
    confidence = models.FloatField(default=0)
    method = models.CharField(max_length=40, blank=True, help_text="what it was found by: id, gtin, gtin_level, ...")
    candidates = models.JSONField(default=list, blank=True)
    rows = models.PositiveBigIntegerField(default=0)
    spend = models.JSONField(default=dict, blank=True, help_text="currency code to amount as text")
    first_day = models.DateField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=400, blank=True)
    made_listing = models.BooleanField(default=False, help_text="the retailer's id was not listed before the decision")
    former_product = models.ForeignKey(
        Product, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", help_text="what it was listed as"
    )
    checked_at = models.DateTimeField()

    class Meta:
        ordering = ["retailer", "sku_id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "sku_id", "sku_id_type"], name="advertised_id_once_per_account")
        ]

    def __str__(self) -> str:
        return f"{self.sku_id} at {self.retailer}"

    @property
    def is_decided(self) -> bool:
        """Whether a person said which product it is."""
        return self.decided_at is not None
