"""What a person judges to be incremental. Experiments and studies publish through `metrics.services.publish_factors`,
which this calls too: there is one store of factors, for reports and for solves."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Final

from accounts.models import Brand, User
from accounts.services import require
from harmonization.core.rmis import PLACEMENTS
from harmonization.models import Retailer
from metrics.core.incrementality import LARGEST
from metrics.models import FactorSet, IncrementalityFactor
from metrics.services import NewFactor, publish_factors
from optimization import selectors
from tenants.core.problems import InvalidInput

SET_FACTORS: Final = "factors.publish"
LONGEST_REASON: Final = 200
#: Half width of a central 80 % interval of a normal, in standard errors.
_Z80: Final = Decimal("1.2815515655446004")
_STEP: Final = Decimal(1).scaleb(-6)


def set_factor(
    *,
    actor: User,
    mean: float,
    standard_error: float,
    reason: str,
    brand: Brand | None = None,
    retailer: str = "",
    placement: str = "",
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> FactorSet:
    """Say which share of attributed sales the ads caused, with the reason. Earlier factors are kept; this one counts.

    Args:
        mean, standard_error: incremental per attributed unit of sales.
        brand: None is all brands.
        retailer: name or slug; empty is any. placement: a canonical placement; empty is any.
        valid_from, valid_to: days of the money it holds for; None is open.

    Raises:
        InvalidInput: names the field that breaks a rule.
        NotAllowed, NotFound: as `accounts.services.require` for factors.publish.
    """
    require(user=actor, permission=SET_FACTORS, brand=brand)
    _check(mean, standard_error, reason, placement)
    held = _retailer(retailer)
    middle = Decimal(repr(mean)).quantize(_STEP)
    half = (Decimal(repr(standard_error)) * _Z80).quantize(_STEP)
    wanted = NewFactor(
        low=middle - half, value=middle, high=middle + half, evidence="judgement", method=reason.strip(),
        retailer=held.pk if held else None, placement=placement, valid_from=valid_from, valid_to=valid_to,
    )  # fmt: skip
    if (known := _in_force(brand, wanted, held.name if held else "")) is not None:
        return known
    latest = FactorSet.objects.order_by("-version").values_list("version", flat=True).first()
    return publish_factors(
        actor=actor,
        brand=brand,
        # The same judgement may come back after another one: it is a set of its own then.
        source=f"Judged by {actor}"[:160] + (f", after version {latest}" if latest else ""),
        note=reason.strip(),
        factors=[wanted],
    ).factor_set


def _in_force(brand: Brand | None, wanted: NewFactor, name: str) -> FactorSet | None:
    """The set that says exactly this already, of what counts today."""
    counts = selectors.incrementality_factors(brand).get((name, wanted.placement))
    row = IncrementalityFactor.objects.select_related("factor_set").filter(pk=counts.id).first() if counts else None
    if row is None or row.factor_set.brand_id != (brand.pk if brand else None):
        return None
    same = ("low", "value", "high", "evidence", "method", "valid_from", "valid_to")
    return row.factor_set if all(getattr(row, field) == getattr(wanted, field) for field in same) else None


def _check(mean: float, standard_error: float, reason: str, placement: str) -> None:
    if not math.isfinite(mean) or not 0.0 <= mean <= LARGEST:
        raise InvalidInput(
            f"{mean:g} is no incrementality factor.", where="mean", fix=f"Give 0 to {LARGEST}; 0.6 stands for 60 %."
        )
    if not math.isfinite(standard_error) or standard_error < 0.0 or mean + 1.3 * standard_error > LARGEST:
        raise InvalidInput(
            f"{standard_error:g} is no standard error.",
            where="standard_error",
            fix="Give zero or a positive number, in the unit of the factor.",
        )
    if not reason.strip() or len(reason.strip()) > LONGEST_REASON:
        raise InvalidInput(
            "A factor that a person judges needs its reason.",
            where="reason",
            fix=f"Say in up to {LONGEST_REASON} characters why; the disclosure of reports repeats it.",
        )
    if placement and placement not in PLACEMENTS:
        raise InvalidInput(
            f"{placement!r} is no canonical placement.", where="placement", fix=f"Use one of: {', '.join(PLACEMENTS)}."
        )


def _retailer(name: str) -> Retailer | None:
    if not name:
        return None
    found = Retailer.objects.filter(name=name).first() or Retailer.objects.filter(slug=name).first()
    if found is None:
        known = ", ".join(Retailer.objects.values_list("name", flat=True)) or "none"
        raise InvalidInput(f"There is no retailer {name!r}.", where="retailer", fix=f"Use one of: {known}.")
    return found
