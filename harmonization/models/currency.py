"""Money of several currencies: what a unit of each was worth on a day."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models

from tenants.core.ids import new_id

_CODE = r"^[A-Z]{3}$"


class FxRate(models.Model):
    """What one unit of a currency was worth in another on a day, and who says so."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    day = models.DateField()
    currency = models.CharField(max_length=3)
    base = models.CharField(max_length=3, help_text="the currency that the rate is in")
    rate = models.DecimalField(max_digits=24, decimal_places=12, validators=[MinValueValidator(0)])
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
