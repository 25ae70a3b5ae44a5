"""What brands sell, and what each retailer calls it."""

from __future__ import annotations

import pghistory
from django.core.validators import MinValueValidator
from django.db import models

from accounts.models import Brand
from harmonization.models.networks import Retailer
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
