"""Reads of what there are figures of, of factors, rates, rules on small cells, and saved views."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from accounts import selectors as people
from accounts.models import User
from governance.selectors import rules_in_force
from harmonization.models import FxRate, Load
from metrics.core.conversion import Rate, Rates
from metrics.core.incrementality import Factor
from metrics.models import FactorSet, IncrementalityFactor, SavedView
from tenants.core.problems import NotFound
from tenants.selectors import current_tenant

#: Scope of the policy rules whose `min_cell_k` says how small a group may be shown.
CELL_SCOPE = "metrics"


def last_days(*, brand_ids: Collection[UUID]) -> dict[UUID, date]:
    """Per account of these brands, or of several, the last day of its published loads."""
    of_brands = Q(upload__account__brand_id__in=list(brand_ids)) | Q(upload__account__brand__isnull=True)
    loads = Load.objects.filter(of_brands, status=Load.Status.PUBLISHED, period_end__isnull=False)
    found = loads.order_by().values_list("upload__account_id").annotate(Max("period_end"))
    return dict(found)


def smallest_cell() -> int:
    """The smallest number of orders that may be shown: the strictest of the policy rules in force; 0 for none."""
    rules = rules_in_force(on=timezone.now().date()).filter(scope=CELL_SCOPE, min_cell_k__isnull=False)
    return int(rules.aggregate(top=Max("min_cell_k"))["top"] or 0)


def exchange_rates() -> Rates:
    """Every rate to the tenant's base currency."""
    base = current_tenant().base_currency
    known = FxRate.objects.filter(base=base).values_list("day", "currency", "rate")
    return Rates(base=base, rates=tuple(Rate(day, currency, rate) for day, currency, rate in known))


def factors_for(*, brand_ids: Collection[UUID]) -> list[Factor]:
    """Published factors that can hold for rows of these brands."""
    found = IncrementalityFactor.objects.select_related("factor_set__brand", "retailer").filter(
        Q(factor_set__brand__isnull=True) | Q(factor_set__brand__in=list(brand_ids))
    )
    return [_as_factor(row) for row in found]


def _as_factor(row: IncrementalityFactor) -> Factor:
    made = row.factor_set
    return Factor(
        id=str(row.pk),
        outcome=row.outcome,
        brand=str(made.brand_id) if made.brand_id else "",
        retailer=str(row.retailer_id) if row.retailer_id else "",
        placement=row.placement,
        campaign_type=row.campaign_type,
        scope=scope_of(row),
        low=float(row.low),
        value=float(row.value),
        high=float(row.high),
        level=float(row.level),
        evidence=row.evidence,
        method=row.method,
        source=made.source,
        version=made.version,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def scope_of(row: IncrementalityFactor) -> str:
    """What a factor holds for, in words."""
    named = (
        row.factor_set.brand.name if row.factor_set.brand else "",
        row.retailer.name if row.retailer else "",
        row.placement.replace("_", " "),
        row.campaign_type.replace("_", " "),
    )
    return ", ".join(filter(None, named)) or "everything"


def factor_sets_visible(*, user: User | AnonymousUser) -> QuerySet[FactorSet]:
    """Sets of the brands whose figures a person may see, and those of all brands."""
    brands = people.brands_for(user=user, permission="metrics.view")
    found = FactorSet.objects.select_related("brand", "published_by").prefetch_related("factors__retailer")
    return found.filter(Q(brand__isnull=True) | Q(brand__in=brands))


def views_visible(*, user: User) -> QuerySet[SavedView]:
    """A person's own views, and those that others share of brands whose figures the person may see."""
    brands = people.brands_for(user=user, permission="metrics.view")
    views = SavedView.objects.select_related("owner", "brand")
    if not people.may_for_some_brand(user=user, permission="metrics.view"):
        return views.filter(owner=user)
    shared = Q(shared=True) & (Q(brand__isnull=True) | Q(brand__in=brands))
    return views.filter(Q(owner=user) | shared)


def view_visible(*, user: User, view_id: UUID) -> SavedView:
    """One view: one's own, a shared one, or for owners of the tenant anybody's.

    Raises:
        NotFound: there is none that this person may know of.
    """
    everybody = people.may(user=user, permission="users.manage")
    known = SavedView.objects.select_related("owner", "brand") if everybody else views_visible(user=user)
    found = known.filter(pk=view_id).first()
    if found is None:
        raise NotFound("There is nothing here under that id.")
    return found
