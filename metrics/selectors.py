"""Reads of what there are figures of."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.db.models import Max

from harmonization.models import Load


def last_days(*, brand_ids: Collection[UUID]) -> dict[UUID, date]:
    """Per account of these brands, the last day of its published loads."""
    loads = Load.objects.filter(
        status=Load.Status.PUBLISHED, upload__brand_id__in=list(brand_ids), period_end__isnull=False
    )
    found = loads.order_by().values_list("upload__account_id").annotate(Max("period_end"))
    return dict(found)
