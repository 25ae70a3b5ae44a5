"""Overrides of curves and priors on them, by people: made with a reason, revoked with one, changed never."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Brand, User
from accounts.services import require
from optimization import selectors
from optimization.core.adjustments import KINDS, Adjustment, Kind, check_adjustment
from optimization.models import CurveAdjustment
from tenants.core.problems import Conflict, InvalidInput

ADJUST: Final = "curves.fit"
LONGEST_REASON: Final = 500


def adjust_curves(
    *,
    actor: User | None,
    kind: str,
    reason: str,
    brand: Brand | None = None,
    retailer: str = "",
    placement: str = "",
    sku: str = "",
    family: str = "",
    a: float | None = None,
    k: float | None = None,
    exponent: float | None = None,
    roas: float | None = None,
    scale: float | None = None,
    spread: float | None = None,
    expires_on: date | None = None,
) -> CurveAdjustment:
    """Override the curve of a cell, or say what is known of the curves of a scope beforehand.

    Solves read it from now on; answers given before stay as they are. What is said twice is kept once.

    Args:
        actor: with curves.fit; None means an operator at the command line.
        kind: override (of one cell: family, a, k, exponent) or prior (roas, scale, spread).
        expires_on: first day on which it no longer counts; None is until it is revoked.

    Raises:
        InvalidInput: names every field that breaks a rule.
        NotAllowed, NotFound: as `accounts.services.require`.
    """
    if actor is not None:
        require(user=actor, permission=ADJUST, brand=brand)
    wanted = Adjustment(
        kind=_kind(kind), retailer=retailer.strip(), placement=placement.strip(), sku=sku.strip(), family=family,
        a=a, k=k, exponent=exponent, roas=roas, scale=scale, spread=spread, reason=reason.strip(),
    )  # fmt: skip
    check_adjustment(wanted)
    _check_words(wanted, expires_on)
    _check_scope(wanted, brand)
    columns = {
        name: value for name, value in wanted.as_dict().items() if name not in ("id", "by", "at", "expires_on")
    }  # fmt: skip
    with transaction.atomic():
        columns |= {"brand": brand, "expires_on": expires_on, "revoked_at": None}
        same = CurveAdjustment.objects.filter(**columns, created_by=actor).first()
        newest = (
            CurveAdjustment.objects.filter(
                brand=brand, kind=wanted.kind, retailer=wanted.retailer, placement=wanted.placement, sku=wanted.sku,
                revoked_at=None,
            ).order_by("-created_at").first()
        )  # fmt: skip
        if same is not None and newest is not None and same.pk == newest.pk:
            return same
        return CurveAdjustment.objects.create(**columns, created_by=actor)


def revoke_adjustment(*, actor: User, adjustment_id: UUID, reason: str) -> CurveAdjustment:
    """Take an override or a prior back: solves from now on read the curves without it.

    A version that was fitted with a prior keeps it; the next fit does not.

    Raises:
        InvalidInput: no reason is given.
        Conflict: it was revoked before.
        NotAllowed, NotFound: as `accounts.services.require`.
    """
    found = selectors.adjustment_visible(user=actor, adjustment_id=adjustment_id)
    require(user=actor, permission=ADJUST, brand=found.brand)
    words = reason.strip()
    if not words or len(words) > LONGEST_REASON or "\x00" in words:
        raise InvalidInput(
            "Taking it back needs a reason too.", where="reason", fix=f"Say why, in up to {LONGEST_REASON} characters."
        )
    with transaction.atomic():
        held = CurveAdjustment.objects.select_for_update(of=("self",)).get(pk=found.pk)
        if held.revoked_at is not None:
            raise Conflict(f"It was revoked on {held.revoked_at:%-d %b %Y}.", fix="There is nothing left to revoke.")
        CurveAdjustment.objects.filter(pk=held.pk).update(revoked_by=actor, revoked_at=Now(), revoke_reason=words)
    held.refresh_from_db()
    return held


def _kind(given: str) -> Kind:
    if given == "override":
        return "override"
    if given == "prior":
        return "prior"
    raise InvalidInput(f"{given!r} is no kind of adjustment.", where="kind", fix=f"Use one of: {', '.join(KINDS)}.")


def _check_words(given: Adjustment, expires_on: date | None) -> None:
    longest = {"retailer": 120, "placement": 40, "sku": 120, "reason": LONGEST_REASON}
    for name, most in longest.items():
        text = getattr(given, name)
        if len(text) > most or "\x00" in text:
            raise InvalidInput(
                f"It has more than {most} characters, or one with the code zero.", where=name, fix="Shorten it."
            )
    if expires_on is not None and expires_on <= timezone.now().date():
        raise InvalidInput(
            f"It would have run out on {expires_on}.", where="expires_on", fix="Give a day to come, or none."
        )


def _check_scope(given: Adjustment, brand: Brand | None) -> None:
    version = selectors.latest_curves(brand=brand)
    if version is None and given.kind == "prior":
        return  # it waits for the first fit
    records = version.curves if version else []
    if any(given.holds_for(record) for record in records):
        return
    if not records:
        raise InvalidInput("There is no curve to override yet.", where="sku", fix="Fit the curves first.")
    for name in ("retailer", "placement", "sku"):
        known = sorted({record[name] for record in records})
        if getattr(given, name) and getattr(given, name) not in known:
            told = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
            raise InvalidInput(
                f"No curve has the {name} {getattr(given, name)!r}.", where=name, fix=f"Use one of: {told}."
            )
    raise InvalidInput(
        f"There is no curve of {given.scope}.", where="sku", fix="Choose a cell of the newest version of the curves."
    )
