"""What registered experiments spend of the reserve that a plan holds back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from accounts.models import User
from measurement import selectors
from measurement.core.words import count_of
from measurement.models import Experiment
from measurement.selectors.reserves import HeldReserve


@dataclass(frozen=True)
class Spent:
    """Money of the plan's currency, and tests whose money could not be counted, with the reason."""

    amount: Decimal
    left_out: tuple[str, ...] = ()


def spent_of(held: HeldReserve, *, as_user: User | AnonymousUser) -> Spent:
    """Extra spend of heavy-ups in the days of a plan, day by day alike; of one that was given up, until that day.

    A plan over all brands pays for the tests of each. A test over all brands is not paid by the plan of one alone; how
    much of it is, nobody said, so it is named.

    Args:
        as_user: tests that they may not see count, and are not named.
    """
    rows = Experiment.objects.filter(
        start_date__lte=held.end, end_date__gte=held.start, registered_at__isnull=False,
        action=Experiment.Action.HEAVY_UP,
    )  # fmt: skip
    if held.brand_id is not None:
        rows = rows.filter(Q(brand=held.brand_id) | Q(brand=None))
    seen = set(selectors.experiments_visible(user=as_user).values_list("pk", flat=True))
    amount, left_out, unseen = Decimal(0), [], 0
    for one in rows.order_by("number"):
        share = _share(one, held.start, held.end)
        if not share:
            continue
        why = _uncounted(one, held)
        if not why:
            amount += (one.planned_spend or Decimal(0)) * share
        elif one.pk in seen:
            left_out.append(f"{one.label}: {why}")
        else:
            unseen += 1
    if unseen:
        left_out.append(f"{count_of(unseen, 'test')} that you may not see: what of this reserve it costs is not known.")
    return Spent(amount.quantize(Decimal("0.01")), tuple(left_out))


def _uncounted(one: Experiment, held: HeldReserve) -> str:
    """Why its money is not counted; empty where it is."""
    if one.planned_spend is None:
        return "its plan does not say what it costs."
    if one.currency and one.currency != held.currency:
        return f"it costs {one.currency}, the reserve of {held.label} is in {held.currency}."
    if one.brand_id != held.brand_id and one.brand_id is None:
        return f"it is of all brands; how much of it {held.brand_name} pays is not known."
    return ""


def _share(one: Experiment, first: date, last: date) -> Decimal:
    """The part of its days that it spends within those of the plan."""
    if one.start_date is None or one.end_date is None:
        return Decimal(0)
    until = one.end_date
    if one.cancelled_at is not None:
        until = min(until, one.cancelled_at.date())
    days = (min(until, last) - max(one.start_date, first)).days + 1
    return Decimal(max(days, 0)) / ((one.end_date - one.start_date).days + 1)
