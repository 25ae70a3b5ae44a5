"""What planning would take over from a reading, worked out once for as long as nothing that it rests on changes.

The page of a reading shows it at every visit, and it is a calibration and two allocations. What is published is always
worked out anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, TypeVar

from django.core.cache import cache
from django.db.models import Max

from harmonization.models import EventTable
from harmonization.selectors import EVENTS
from measurement import selectors
from measurement.models import Calibration, Experiment, Reading
from measurement.services.versions import code_version
from metrics.models import FactorSet
from optimization import selectors as optimization

T = TypeVar("T")

#: Raised when what is kept changes its shape: what an earlier release kept is then passed over.
_SHAPE: Final = 1
_CACHE_SECONDS: Final = 3600


def kept_preview(reading: Reading, find: Callable[[], T]) -> T:
    """What `find` says of a reading, found once under the same data, curves, factors and readings.

    Args:
        find: what it raises is not kept.
    """
    key = _key(reading)
    held: T | None = cache.get(key)
    if held is not None:
        return held
    found = find()
    cache.set(key, found, _CACHE_SECONDS)
    return found


def _key(reading: Reading) -> str:
    """Everything that the answer rests on, in a digest."""
    brand = reading.experiment.brand
    curves = optimization.latest_curves(brand=brand)
    adjusted = [repr(one) for one in optimization.adjustments_in_force(brand=brand)]
    of_brand = Experiment.objects.filter(brand=brand)
    parts = (
        _SHAPE, code_version(), reading.pk, selectors.today(), curves.pk if curves else None, adjusted,
        EventTable.objects.filter(name=EVENTS).values_list("version", flat=True).first(),
        FactorSet.objects.aggregate(newest=Max("version"))["newest"],
        of_brand.aggregate(newest=Max("updated_at"))["newest"],
        Reading.objects.filter(experiment__in=of_brand).aggregate(newest=Max("created_at"))["newest"],
        Calibration.objects.filter(reading__experiment__in=of_brand).aggregate(newest=Max("published_at"))["newest"],
    )  # fmt: skip
    return f"measurement:preview/{hashlib.sha256(repr(parts).encode()).hexdigest()}"
