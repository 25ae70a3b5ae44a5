"""What scenarios hold back for experiments, for those who plan experiments (`measurement.selectors.reserves`)."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import AnonymousUser

from accounts.models import Brand, User
from measurement.selectors.reserves import HeldReserve
from optimization import selectors as optimization
from optimization.models import CurveVersion
from planning import selectors
from planning.answers import currency_of
from planning.models import Scenario
from tenants.selectors import current_tenant

#: That a reserve may be chosen from.
MOST: Final = 30


def listed(*, as_user: User | AnonymousUser, brand: Brand | None) -> list[HeldReserve]:
    """Scenarios of exactly this brand that hold money back, of those a person may see; the newest first."""
    rows = selectors.scenarios_visible(user=as_user).filter(brand=brand, reserve_fraction__gt=0)
    # As `currency_of` has it, without a query for each.
    solved = dict(
        CurveVersion.objects.filter(pk__in=rows.order_by().values("curve_version")).values_list(
            "pk", "settings__currency"
        )
    )
    newest = optimization.latest_curves(brand=brand)
    usual = str(newest.settings["currency"]) if newest else current_tenant().base_currency
    return [
        _told(one, str(solved[one.curve_version_id]) if one.curve_version_id else usual)
        for one in rows.select_related("brand").order_by("-number")[:MOST]
    ]


def named(*, as_user: User | AnonymousUser, reference: str) -> HeldReserve:
    """What the scenario of an id or a label holds back, which may be nothing. Raises NotFound."""
    scenario = selectors.scenario_named(user=as_user, reference=reference)
    return _told(scenario, currency_of(scenario))


def _told(scenario: Scenario, currency: str) -> HeldReserve:
    return HeldReserve(
        label=scenario.label,
        name=scenario.name,
        amount=selectors.terms_of(scenario).reserve,
        currency=currency,
        start=scenario.horizon_start,
        end=scenario.horizon_end,
        brand_id=scenario.brand_id,
        brand_name=scenario.brand.name if scenario.brand else "all brands",
    )
