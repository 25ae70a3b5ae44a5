"""Reads of curve versions and solves, and of what a fit needs to know about the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from accounts import selectors as people
from accounts.models import Brand, User
from accounts.services import require_somewhere
from harmonization.models import Listing, Load, Retailer
from metrics.core.incrementality import in_force
from metrics.core.request import Period
from metrics.selectors import factors_for
from optimization.core.adjustments import Adjusted, Adjustment, adjusted
from optimization.core.factors import SOURCES, Factor, Factors
from optimization.core.posterior_import import drawn_curves
from optimization.core.problem import Curve
from optimization.core.weekly_series import whole_weeks
from optimization.models import CurveAdjustment, CurveVersion, Solve
from tenants.core.problems import NotFound

VIEW_CURVES = "curves.view"
VIEW_SOLVES = "scenarios.view"
Person = User | AnonymousUser
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, kw_only=True)
class AccountDays:
    """What is published of one account.

    Attributes:
        final_until: last day that the network no longer restated when its latest report was exported.
    """

    retailer: str
    first_day: date
    last_day: date
    final_until: date


def account_days(*, brand: Brand | None) -> dict[str, AccountDays]:
    """Per account (id as text) that may hold rows of the brand, or of all."""
    loads = Load.objects.filter(
        status=Load.Status.PUBLISHED, period_start__isnull=False, period_end__isnull=False
    ).select_related("upload__account__retailer")
    if brand is not None:
        loads = loads.filter(Q(upload__account__brand=brand) | Q(upload__account__brand__isnull=True))
    found: dict[str, AccountDays] = {}
    for load in loads:
        account = load.upload.account
        if account is None or load.period_start is None or load.period_end is None:
            continue
        open_days = timedelta(days=int(load.report.get("restatement_days", 0)))
        seen = found.get(str(account.pk))
        final = load.period_end - open_days
        found[str(account.pk)] = AccountDays(
            retailer=account.retailer.name,
            first_day=min(seen.first_day, load.period_start) if seen else load.period_start,
            last_day=max(seen.last_day, load.period_end) if seen else load.period_end,
            final_until=max(seen.final_until, final) if seen else final,
        )
    return found


def stock_cover_days(*, brand: Brand | None) -> dict[tuple[str, str], float | None]:
    """Days until the stock is gone, by (retailer, SKU); None where the feed does not say.

    A product that a retailer lists twice is there for as long as the better of its listings.
    """
    found: dict[tuple[str, str], float | None] = {}
    for key, listing in _listings(brand):
        cover, known = listing.stock_cover_days, found.get(key)
        found[key] = cover if known is None else max(known, cover or 0.0)
    return found


def empty_shelf_weeks(*, brand: Brand | None) -> dict[tuple[str, str], list[date]]:
    """Mondays of the weeks in which the stock feed last found nothing, by (retailer, SKU).

    The feed tells one day, not a history: earlier gaps on the shelf stay unknown.
    """
    covers = stock_cover_days(brand=brand)
    return {
        key: [listing.stock_as_of - timedelta(days=listing.stock_as_of.weekday())]
        for key, listing in _listings(brand)
        if covers[key] == 0.0 and listing.stock_as_of is not None
    }


def product_names(*, brand: Brand | None) -> dict[tuple[str, str], str]:
    """What people call a SKU, by (retailer, SKU)."""
    return {key: listing.product.name for key, listing in _listings(brand)}


def _listings(brand: Brand | None) -> Iterator[tuple[tuple[str, str], Listing]]:
    """Listings under the SKU that figures are told by: the product's own code, which the catalogue knows."""
    listings = Listing.objects.select_related("retailer", "product")
    for one in listings if brand is None else listings.filter(product__brand=brand):
        yield (one.retailer.name, one.product.sku), one


def incrementality_factors(brand: Brand | None, *, on: date | None = None) -> Factors:
    """Which share of attributed sales the ads caused, by (retailer, placement): what is in force for a brand on a day.

    Reports and solves rest on the same published factors. Those of one campaign type are left out: a cell has all.

    Args:
        brand: None is all brands together, for which only factors of all brands hold.
        on: a day of the money in question; today without one.
    """
    day = on or timezone.now().date()
    names = {str(key): name for key, name in Retailer.objects.values_list("pk", "name")}
    known = factors_for(brand_ids=[brand.pk] if brand else [])
    return Factors(
        [
            Factor(
                mean=one.value,
                low=one.low,
                high=one.high,
                level=one.level,
                source=SOURCES[one.evidence],
                retailer=names.get(one.retailer, ""),
                placement=one.placement,
                id=one.id,
                version=one.version,
                method=one.method,
            )
            for one in in_force(known, "sales", Period(start=day, end=day))
            if not one.campaign_type
        ]
    )


def curve_versions_visible(*, user: Person) -> QuerySet[CurveVersion]:
    """Versions of the brands a person may see, those of all brands for tenant-wide roles; without their curves."""
    versions = (
        CurveVersion.objects.select_related("brand", "created_by").defer("curves", "draws").order_by("-created_at")
    )
    return _scoped(versions, user, VIEW_CURVES)


def curve_versions_listed(*, user: Person) -> QuerySet[CurveVersion]:
    """As `curve_versions_visible`, for a door that lists them.

    Raises:
        NotAllowed: there is no brand whose curves this person may see.
    """
    require_somewhere(user=user, permission=VIEW_CURVES)
    return curve_versions_visible(user=user)


def curve_version_visible(*, user: Person, version_id: UUID) -> CurveVersion:
    """One version with its curves, or `NotFound` in the words of a nonexistent one."""
    return _one(curve_versions_visible(user=user).defer(None), version_id)


def latest_curves(*, brand: Brand | None) -> CurveVersion | None:
    """The newest version of exactly this scope."""
    return CurveVersion.objects.filter(brand=brand).order_by("-number").first()


def adjustments_visible(*, user: Person) -> QuerySet[CurveAdjustment]:
    """Overrides and priors on the curves that a person may see, revoked ones included; the newest first."""
    rows = CurveAdjustment.objects.select_related("brand", "created_by", "revoked_by").order_by("-created_at")
    return _scoped(rows, user, VIEW_CURVES)


def adjustments_listed(*, user: Person) -> QuerySet[CurveAdjustment]:
    """As `adjustments_visible`, for a door that lists them.

    Raises:
        NotAllowed: there is no brand whose curves this person may see.
    """
    require_somewhere(user=user, permission=VIEW_CURVES)
    return adjustments_visible(user=user)


def adjustment_visible(*, user: Person, adjustment_id: UUID) -> CurveAdjustment:
    """One override or prior, or `NotFound` in the words of a nonexistent one."""
    return _one(adjustments_visible(user=user), adjustment_id)


def adjustments_in_force(*, brand: Brand | None, on: date | None = None) -> list[Adjustment]:
    """What counts on a day for the curves of exactly this scope: neither revoked nor run out; today without one."""
    day = on or timezone.now().date()
    rows = CurveAdjustment.objects.filter(
        Q(expires_on__isnull=True) | Q(expires_on__gt=day), brand=brand, revoked_at__isnull=True
    )
    return [as_adjustment(row) for row in rows.select_related("created_by").order_by("created_at", "pk")]


def as_adjustment(row: CurveAdjustment) -> Adjustment:
    """As the core takes it."""
    return Adjustment(
        id=str(row.pk), kind="prior" if row.kind == "prior" else "override", retailer=row.retailer,
        placement=row.placement, sku=row.sku, family=row.family, a=row.a, k=row.k, exponent=row.exponent,
        roas=row.roas, scale=row.scale, spread=row.spread, reason=row.reason,
        by=str(row.created_by) if row.created_by else "", at=row.created_at.isoformat(),
        expires_on=str(row.expires_on or ""),
    )  # fmt: skip


def curves_in_use(version: CurveVersion, *, on: date | None = None) -> Adjusted:
    """The curves of a version as a solve reads them on a day: under the overrides and priors in force, today without
    one. Priors that the version was fitted with are in its curves already."""
    return adjusted(
        version.curves,
        adjustments_in_force(brand=version.brand, on=on),
        fitted_with=version.settings.get("priors", ()),
    )


def posterior_draws(version: CurveVersion) -> dict[str, tuple[Curve, ...]]:
    """Kept draws of imported curves by cell id, a week; draw d of all cells is one possible truth. Empty for a fit."""
    return drawn_curves(version.curves, version.draws)


def curves_of_solve(solve: Solve) -> Adjusted | None:
    """The curves a solve was answered with, however often they were overridden since; None where it brought its own."""
    version = solve.curve_version
    if version is None:
        return None
    held = [Adjustment.of(one) for one in solve.inputs.get("adjustments", ())]
    return adjusted(version.curves, held, fitted_with=version.settings.get("priors", ()))


def newer_data(version: CurveVersion) -> date | None:
    """Last day of the complete weeks that reports reach beyond the data of a version; None where it has all."""
    days = account_days(brand=version.brand).values()
    if not days:
        return None
    weeks = whole_weeks(min(one.first_day for one in days), max(one.last_day for one in days), most=1)
    return weeks[1] if weeks and weeks[1] > version.data_end else None


def solves_listed(*, user: Person) -> QuerySet[Solve]:
    """Solves of the brands a person may see, newest first.

    Raises:
        NotAllowed: there is no brand whose solves this person may see.
    """
    require_somewhere(user=user, permission=VIEW_SOLVES)
    solves = Solve.objects.select_related("brand", "curve_version").defer("curve_version__curves", "problem", "current")
    return _scoped(solves, user, VIEW_SOLVES)


def solve_visible(*, user: Person, solve_id: UUID) -> Solve:
    """One solve, or `NotFound` in the words of a nonexistent one."""
    return _one(_scoped(Solve.objects.select_related("brand"), user, VIEW_SOLVES), solve_id)


def _scoped(rows: QuerySet[Row], user: Person, permission: str) -> QuerySet[Row]:
    if people.may(user=user, permission=permission):
        return rows
    return rows.filter(brand__in=people.brands_for(user=user, permission=permission))


def _one(rows: QuerySet[Row], key: UUID) -> Row:
    found = rows.filter(pk=key).first()
    if found is None:
        raise NotFound("There is nothing here under that id.")
    return found
