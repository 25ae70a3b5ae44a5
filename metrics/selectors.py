"""Reads of what there are figures of."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.db.models import Max, Q

from harmonization.models import Load


def last_days(*, brand_ids: Collection[UUID]) -> dict[UUID, date]:
    """Per account of these brands, or of several, the last day of its published loads."""
    of_brands = Q(upload__account__brand_id__in=list(brand_ids)) | Q(upload__account__brand__isnull=True)
    loads = Load.objects.filter(of_brands, status=Load.Status.PUBLISHED, period_end__isnull=False)
    found = loads.order_by().values_list("upload__account_id").annotate(Max("period_end"))
    return dict(found)
