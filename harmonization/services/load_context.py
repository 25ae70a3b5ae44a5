"""What a load is told that its file does not say: the account, the day it is, and what money was worth."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone

from harmonization.core.load_context import LoadContext
from harmonization.models import FxRate, Load, Upload
from tenants.selectors import current_tenant

_FURTHEST_AHEAD = timedelta(hours=14)


def build_context(
    *, upload: Upload, load: Load | None = None, parameters: Mapping[str, str] | None = None
) -> LoadContext:
    """The context of one load, or of a look at a file before there is one.

    Where no rate of a row's day is known, its spend in the base currency stays empty.
    """
    account = upload.account
    assert account is not None, "a report has an account: the database checks it"
    base = current_tenant().base_currency
    rates = tuple(FxRate.objects.filter(base=base).order_by("day", "currency").values_list("day", "currency", "rate"))
    return LoadContext(
        load_id=str(load.pk) if load else "",
        account_id=account.external_id,
        account_name=account.name,
        brand_id=str(upload.brand_id) if upload.brand_id else None,
        brand_name=str(upload.brand) if upload.brand else None,
        retailer_id=account.retailer.slug,
        currency=account.currency,
        # The day it is where it is latest: a network's today may have begun hours before that of UTC.
        as_of=(timezone.now() + _FURTHEST_AHEAD).date(),
        parameters=dict(parameters or {}),
        base_currency=base,
        fx_rates=rates,
    )
