"""Curves that are fitted anew by themselves, on the schedules that all jobs have."""

from __future__ import annotations

from typing import Final

from django.db import transaction

from accounts.models import Brand, User
from accounts.services import require
from jobs import selectors as jobs
from jobs import services as schedules
from jobs.core.schedules import Schedule, Timing
from optimization.services.fits import FIT, USUAL_WEEKS, check_weeks
from optimization.services.numbering import lock_numbers

#: Mondays, when the week before is in. A fit of the same data finds the version it made before.
WEEKLY: Final = "30 5 * * 1"


def schedule_refits(
    *,
    actor: User,
    brand: Brand | None = None,
    on: bool = True,
    timing: Timing | None = None,
    weeks: int = USUAL_WEEKS,
) -> Schedule | None:
    """Have the curves of a brand, or of all, fitted on a schedule in the name of `actor`, or no more.

    Args:
        on: False leaves the schedule there, switched off; None comes back where there was none.
        timing: weekly without one.

    Raises:
        InvalidInput: `weeks` or the timing is out of range.
        NotAllowed, NotFound: as `accounts.services.require` for schedules.manage and curves.fit.
    """
    for permission in (jobs.MANAGE_SCHEDULES, "curves.fit"):
        require(user=actor, permission=permission, brand=brand)
    check_weeks(weeks)
    params = {"brand": str(brand.pk) if brand else None, "weeks": weeks}
    with transaction.atomic():
        lock_numbers("refit schedules")  # two at once find each other's
        held = refits_of(brand=brand)
        for one in _all_of(brand):
            # Earlier releases made one more whenever two people asked at once: each would fit the week again.
            if held is not None and one.id != held.id:
                schedules.delete_schedule(schedule_id=one.id, actor=actor)
        if held is not None:
            return schedules.update_schedule(
                schedule_id=held.id, actor=actor, params=params if on else None, timing=timing if on else None,
                enabled=on,
            )  # fmt: skip
        if not on:
            return None
        return schedules.create_schedule(
            kind=FIT,
            params=params,
            actor=actor,
            timing=timing or Timing(crontab=WEEKLY),
            brand=brand,
            title=f"Refit response curves, {brand.name if brand else 'all brands'}",
        )


def refits_of(*, brand: Brand | None) -> Schedule | None:
    """The schedule by which the curves of exactly this scope are fitted, one that is on first; None without one."""
    return next(iter(sorted(_all_of(brand), key=lambda one: (not one.enabled, one.id))), None)


def _all_of(brand: Brand | None) -> list[Schedule]:
    key = brand.pk if brand else None
    return [one for one in jobs.schedules_of(kind=FIT) if one.brand_id == key]
