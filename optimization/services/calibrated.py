"""Curves under new incrementality factors: the newest version again, with what its attributed sales now count for."""

from __future__ import annotations

from uuid import UUID

from django.db import models, transaction

from accounts.models import Brand, User
from accounts.services import require
from optimization import selectors
from optimization.core.factors import with_factors
from optimization.models import CurveVersion
from optimization.services.fits import Fitted, factors_of
from optimization.services.numbering import lock_numbers


def recalibrate_curves(*, brand: Brand | None, actor: User | None = None, job_id: UUID | None = None) -> Fitted | None:
    """Make a version of a brand's newest curves that says under which factors they count; None without curves.

    Fit, data and checks are those of the version it comes from, which it names (`recalibrated`): factors change what
    attributed sales are worth, not how they answer to spend. Under the same factors it is the same version.

    Args:
        actor: with curves.fit; None means the platform, after whoever published the factors was allowed to.

    Raises:
        NotAllowed, NotFound: as `accounts.services.require`.
    """
    if actor is not None:
        require(user=actor, permission="curves.fit", brand=brand)
    factors = selectors.incrementality_factors(brand)
    with transaction.atomic():
        lock_numbers("curve versions")
        newest = selectors.latest_curves(brand=brand)
        if newest is None:
            return None
        if newest.settings.get("factors_sha256", "") == factors.sha256:
            return Fitted(version=newest, created=False)
        kept = {name: value for name, value in newest.settings.items() if name != "factors_sha256"}
        top = CurveVersion.objects.filter(brand=brand).aggregate(top=models.Max("number"))["top"] or 0
        made = CurveVersion.objects.create(
            brand=brand, number=top + 1, data_version=newest.data_version, data_start=newest.data_start,
            data_end=newest.data_end, method=newest.method, settings=kept | factors_of(factors),
            curves=with_factors(newest.curves, factors), draws=newest.draws,
            diagnostics=newest.diagnostics | {"recalibrated": newest.diagnostics.get("recalibrated", newest.number)},
            job_id=job_id, created_by=actor,
        )  # fmt: skip
    return Fitted(version=made, created=True)
