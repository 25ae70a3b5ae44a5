"""Money of several currencies: what a unit of each was worth on a day, and the currency the tenant counts in."""

from __future__ import annotations

import pghistory
from django.core.validators import MinValueValidator
from django.db import models

from tenants.core.ids import new_id

_CODE = r"^[A-Z]{3}$"


@pghistory.track()
class DataSettings(models.Model):
    """What holds for all data of the tenant; there is one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    base_currency = models.CharField(
        max_length=3, default="USD", help_text="ISO 4217 code of the currency that sums are converted to"
    )

    class Meta:
        verbose_name = "data settings"
        verbose_name_plural = "data settings"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="data_settings_are_one_row"),
            models.CheckConstraint(condition=models.Q(base_currency__regex=_CODE), name="base_currency_is_iso_4217"),
        ]

    def __str__(self) -> str:
        return f"base currency {self.base_currency}"


class FxRate(models.Model):
    """What one unit of a currency was worth in another on a day, and who says so."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    day = models.DateField()
    currency = models.CharField(max_length=3)
    base = models.CharField(max_length=3, help_text="the currency that the rate is in")
    rate = models.DecimalField(max_digits=20, decimal_places=10, validators=[MinValueValidator(0)])
    source = models.CharField(max_length=80, blank=True, help_text="ECB, the treasury, ...")

    class Meta:
        verbose_name = "exchange rate"
        ordering = ["-day", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["day", "currency", "base"], name="rate_once_per_day"),
            models.CheckConstraint(
                condition=models.Q(currency__regex=_CODE) & models.Q(base__regex=_CODE) & models.Q(rate__gt=0),
                name="rate_is_of_iso_4217_codes_and_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"1 {self.currency} = {self.rate.normalize():f} {self.base} on {self.day}"
