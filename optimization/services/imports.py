"""Curves that were fitted elsewhere become a version like any other."""

from __future__ import annotations

import hashlib
from datetime import date

from django.db import models, transaction

from accounts.models import Brand, User
from accounts.services import require
from harmonization.core.rmis import PLACEMENTS
from harmonization.models import EventTable, Retailer
from harmonization.selectors import EVENTS
from optimization import selectors
from optimization.core.cells import CellKey
from optimization.core.factors import with_factors
from optimization.core.posterior_import import FORMAT, LARGEST_FILE, METHOD, Known, read_draws
from optimization.models import CurveVersion
from optimization.services.fits import Fitted, factors_of, newest_if_same
from optimization.services.numbering import lock_numbers
from tenants.core.problems import InvalidInput, TooLarge
from tenants.selectors import current_tenant


def import_curves(
    *,
    actor: User | None,
    content: bytes,
    source: str,
    data_start: date,
    data_end: date,
    brand: Brand | None = None,
    currency: str = "",
) -> Fitted:
    """Make a version of posterior draws in the format rmn-curve-draws/1.

    The same file is one version, unless another has come since: then it is written again, and is in use.

    Args:
        actor: with curves.fit; None means an operator at the command line.
        content: of the Parquet file.
        source: what fitted them, such as "PyMC-Marketing 0.13, run 7".
        data_start, data_end: first and last day of the data they were fitted to.
        currency: of the money in it; the tenant's where none is given.

    Raises:
        InvalidDraws: names rows and columns of the file that break a rule.
        InvalidInput: the source or the days are wrong. TooLarge: the file is.
        NotAllowed, NotFound: as `accounts.services.require`.
    """
    if actor is not None:
        require(user=actor, permission="curves.fit", brand=brand)
    code = currency or current_tenant().base_currency
    _check(source, data_start, data_end, code, len(content))
    settings = {
        "format": FORMAT, "source": source.strip(), "currency": code, "file_sha256": hashlib.sha256(content).hexdigest()
    }  # fmt: skip
    factors = selectors.incrementality_factors(brand)
    settings |= factors_of(factors)
    versions = CurveVersion.objects.filter(brand=brand)
    found = {"method": METHOD, "settings": settings, "data_start": data_start, "data_end": data_end}
    if (same := newest_if_same(brand=brand, **found)) is not None:
        return Fitted(version=same, created=False)
    read = read_draws(
        content, _known(brand), source=source.strip(), n_weeks=max((data_end - data_start).days + 1, 7) // 7
    )
    made = CurveVersion(
        brand=brand, **found, curves=with_factors(read.records, factors), draws=read.draws, created_by=actor,
        data_version=EventTable.objects.filter(name=EVENTS).values_list("version", flat=True).first() or 0,
        diagnostics={
            "cells": len(read.records),
            "draws": read.draw_count,
            "out_of_sample": {"missing": "They were fitted elsewhere."},
            "warnings": ["Imported curves are not checked on unseen weeks here: their maker has to have done so."],
            "notices": [],
        },
    )  # fmt: skip
    with transaction.atomic():
        lock_numbers("curve versions")
        made.number = (versions.aggregate(top=models.Max("number"))["top"] or 0) + 1
        made.save(force_insert=True)
    return Fitted(version=made, created=True)


def _check(source: str, start: date, end: date, currency: str, size: int) -> None:
    if not source.strip() or len(source) > 120 or "\x00" in source:
        raise InvalidInput(
            "Imported curves need their source.", where="source", fix="Say in 120 characters what fitted them."
        )
    if end < start or (end - start).days > 3660:
        raise InvalidInput(
            f"{start} to {end} are not the days of a fit.", where="data_end", fix="Give the last day of the data."
        )
    if len(currency) != 3 or not currency.isascii() or not currency.isupper():
        raise InvalidInput(f"{currency!r} is no currency.", where="currency", fix="Give its ISO 4217 code, as USD.")
    if size > LARGEST_FILE:
        raise TooLarge(f"The file has more than {LARGEST_FILE >> 20} MiB.", where="file", fix="Thin the draws.")


def _known(brand: Brand | None) -> Known:
    newest = selectors.latest_curves(brand=brand)
    records = {
        CellKey(one["retailer"], one["placement"], one["sku"]).id: one for one in (newest.curves if newest else ())
    }
    products = set(selectors.product_names(brand=brand))
    return Known(
        retailers=set(Retailer.objects.values_list("name", flat=True)),
        placements={*PLACEMENTS, "unknown"},
        products=products | {(one["retailer"], one["sku"]) for one in records.values()},
        records=records,
    )
