"""Fitting response curves from published events: versions of them, each made once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
from django.db import models, transaction

from accounts.models import Brand, User
from accounts.services import require
from jobs.models import Job
from jobs.services import submit_job
from metrics.core.request import read_request
from metrics.core.table import CURRENCY, MetricTable
from metrics.services import query_tenant_metrics
from optimization import selectors
from optimization.core.adjustments import adjusted
from optimization.core.curves import fit_curves as fit_series
from optimization.core.factors import Factors, with_factors
from optimization.core.out_of_sample import OutOfSample, check_out_of_sample, warnings_of
from optimization.core.responses import Family
from optimization.core.stored_curves import curve_record
from optimization.core.weekly_series import CellWeek, Reported, WeeklySeries, weekly_series, whole_weeks
from optimization.models import CurveVersion
from optimization.services.numbering import lock_numbers
from tenants.core.problems import InvalidInput
from tenants.selectors import current_tenant

FIT = "optimization.fit"
METHOD = "empirical Bayes, adstock x saturation /2"
MOST_WEEKS = 104
USUAL_WEEKS = 52
_FAMILIES = (Family.LOG, Family.MICHAELIS_MENTEN)
_CARRY_OVERS = (0.0, 0.3, 0.6)

Tell = Callable[[str, int, int | None], None]


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A curve version, and whether this fit made it or found it made."""

    version: CurveVersion
    created: bool


def request_fit(
    *, actor: User, brand: Brand | None = None, weeks: int = USUAL_WEEKS, idempotency_key: str | None = None
) -> Job:
    """Let the curves of a brand, or of all, be fitted as a job.

    Raises:
        InvalidInput: `weeks` is out of range.
        NotAllowed, NotFound: as `accounts.services.require` for curves.fit.
    """
    check_weeks(weeks)
    return submit_job(
        kind=FIT,
        params={"brand": str(brand.pk) if brand else None, "weeks": weeks},
        actor=actor,
        brand=brand,
        title=f"Fit response curves, {brand.name if brand else 'all brands'}",
        idempotency_key=idempotency_key,
    )


def fit_curves(
    *,
    brand: Brand | None = None,
    weeks: int = USUAL_WEEKS,
    actor: User | None = None,
    job_id: UUID | None = None,
    tell: Tell = lambda stage, done, total: None,
    publish: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Fitted:
    """Fit the curves of a brand's cells, or of all, from the published events.

    The figures come through the metrics layer, so that no two reports of one account are added up. The same data
    under the same settings are one version, however often it is asked for, unless another has come since: then they
    are written again, for the newest version is the one in use.

    Args:
        weeks: how far back the window reaches, complete weeks.
        actor: with curves.fit; None means the platform itself or an operator at the command line.
        tell: told each stage with what is done of it.
        publish: the transaction in which the version is written.

    Raises:
        InvalidInput: nothing is published, or nothing of it can be used; says why.
        NotAllowed, NotFound: as `accounts.services.require`.
    """
    if actor is not None:
        require(user=actor, permission="curves.fit", brand=brand)
    check_weeks(weeks)
    days = selectors.account_days(brand=brand)
    window = _window(days, weeks)
    tell("Weekly figures", 0, None)
    table = query_tenant_metrics(
        request=read_request(
            metrics=("spend", "sales"),
            dimensions=("week", "retailer", "placement", "sku"),
            start=window[0],
            end=window[1],
            filters={"brand": [str(brand.pk)]} if brand else {},
        )
    )
    currency = _main_currency(table)
    shelf = selectors.empty_shelf_weeks(brand=brand)
    series = weekly_series(_cell_weeks(table), _reported(table, days), currency=currency, out_of_stock=shelf)
    priors = [one for one in selectors.adjustments_in_force(brand=brand) if one.kind == "prior"]
    factors = selectors.incrementality_factors(brand)
    settings = _settings(weeks, currency, shelf) | {"figures_sha256": _figures_sha256(table)} | factors_of(factors)
    if priors:
        settings["priors"] = [one.id for one in priors]
    version = table.provenance.version or 0
    same = newest_if_same(
        brand=brand, data_version=version, data_start=window[0], data_end=window[1], method=METHOD, settings=settings
    )
    if same is not None:
        return Fitted(version=same, created=False)
    if not series.keys:
        told = "; ".join(f"{count} rows {reason}" for reason, count in series.left_out.items()) or "there are no rows"
        raise InvalidInput(
            f"No week between {window[0]} and {window[1]} can be used: {told}.",
            where="data",
            fix="Load reports by day and SKU that reach further back, then fit again.",
        )
    tell("Fit", 0, len(series.keys))
    curves = with_factors(adjusted(_curve_records(series), priors).records, factors)
    tell("Fit", len(series.keys), len(series.keys))
    tell("Check on unseen weeks", 0, len(series.keys))
    check = _check_of(series)
    tell("Check on unseen weeks", len(series.keys), len(series.keys))
    made = CurveVersion(
        brand=brand, data_version=version, data_start=window[0], data_end=window[1], method=METHOD,
        settings=settings, curves=curves, diagnostics=_diagnostics(series, curves, table, check), job_id=job_id,
        created_by=actor,
    )  # fmt: skip
    with publish(), transaction.atomic():
        lock_numbers("curve versions")
        made.number = (CurveVersion.objects.filter(brand=brand).aggregate(top=models.Max("number"))["top"] or 0) + 1
        made.save(force_insert=True)
    return Fitted(version=made, created=True)


def newest_if_same(*, brand: Brand | None, **made_of: Any) -> CurveVersion | None:
    """The newest version of exactly this scope, where it was made of this.

    An equal one that others followed does not do: what followed it is in use, be it an import or a fit with a prior
    that has been revoked since.
    """
    newest = selectors.latest_curves(brand=brand)
    return newest if newest and all(getattr(newest, name) == value for name, value in made_of.items()) else None


def factors_of(factors: Factors) -> dict[str, Any]:
    """What a version's settings keep of the incrementality factors it was made under; empty for none."""
    return {"factors_sha256": factors.sha256} if factors else {}


def check_weeks(weeks: int) -> None:
    """Whether a window of so many weeks can be fitted; raises `InvalidInput` where not."""
    if not 4 <= weeks <= MOST_WEEKS:
        raise InvalidInput(
            f"A window of {weeks} weeks cannot be fitted.", where="weeks", fix=f"Give 4 to {MOST_WEEKS} weeks."
        )


def _window(days: Mapping[str, selectors.AccountDays], weeks: int) -> tuple[date, date]:
    if not days:
        raise InvalidInput("No report has been published yet.", where="data", fix="Upload reports, then fit again.")
    first, last = min(one.first_day for one in days.values()), max(one.last_day for one in days.values())
    window = whole_weeks(first, last, most=weeks)
    if window is None:
        raise InvalidInput(
            f"The published reports cover {first:%-d %b %Y} to {last:%-d %b %Y}, which is no complete week.",
            where="data",
            fix="Upload reports of at least some weeks from Monday to Sunday.",
        )
    return window


def _cell_weeks(table: MetricTable) -> list[CellWeek]:
    return [
        CellWeek(
            week=row["week"], retailer=row["retailer"], placement=row["placement"], sku=row["sku"],
            currency=row[CURRENCY], spend=row["spend"], sales=row["sales"],
        )
        for row in table.lines.iter_rows(named=True)
    ]  # fmt: skip


def _reported(table: MetricTable, days: Mapping[str, selectors.AccountDays]) -> list[Reported]:
    """What each account reported inside the window."""
    start, end = table.request.period.start, table.request.period.end
    missing = {gap.account_id: gap.days for gap in table.provenance.gaps}
    found = []
    for account_id in {report.account_id for report in table.provenance.reports}:
        known = days.get(account_id)
        if known is None:
            continue
        found.append(
            Reported(
                retailer=known.retailer,
                first_day=max(known.first_day, start),
                last_day=min(known.last_day, end),
                missing=missing.get(account_id, ()),
                final_until=known.final_until,
            )
        )
    return found


def _main_currency(table: MetricTable) -> str:
    base = current_tenant().base_currency
    spent = {row[CURRENCY]: row["spend"] or Decimal(0) for row in table.totals.iter_rows(named=True) if row[CURRENCY]}
    return base if base in spent or not spent else max(spent, key=lambda code: spent[code])


def _settings(weeks: int, currency: str, shelf: Mapping[tuple[str, str], list[date]]) -> dict[str, Any]:
    return {
        "weeks": weeks,
        "currency": currency,
        "families": [family.label for family in _FAMILIES],
        "carry_overs": list(_CARRY_OVERS),
        "attribution": "as_reported",
        "restating_weeks": "left out",
        "out_of_stock_weeks": {"|".join(key): [str(day) for day in mondays] for key, mondays in sorted(shelf.items())},
    }


def _figures_sha256(table: MetricTable) -> str:
    """Of the weekly figures: what the catalogue calls a product changes them while the events stay the same."""
    return hashlib.sha256(table.lines.write_csv().encode()).hexdigest()


def _paths(series: WeeklySeries) -> list[tuple[str, ...]]:
    # Neighbours in the tree of money are cells of one retailer, and of one placement there.
    return [(key.retailer, key.placement, key.sku) for key in series.keys]


def _check_of(series: WeeklySeries) -> OutOfSample:
    return check_out_of_sample(
        _paths(series), series.cell, series.week, series.spend, series.sales, series.in_stock,
        families=_FAMILIES, carry_overs=_CARRY_OVERS,
    )  # fmt: skip


def _curve_records(series: WeeklySeries) -> list[dict[str, Any]]:
    fitted = fit_series(
        _paths(series), series.cell, series.week, series.spend, series.sales, series.in_stock,
        families=_FAMILIES, carry_overs=_CARRY_OVERS,
    )  # fmt: skip
    return [curve_record(key, one) for key, one in zip(series.keys, fitted, strict=True)]


def _diagnostics(
    series: WeeklySeries, curves: list[dict[str, Any]], table: MetricTable, check: OutOfSample
) -> dict[str, Any]:
    shrinkage = [one["shrinkage"] for one in curves]
    return {
        "cells": len(curves),
        "rows_used": int(np.sum(series.in_stock)),
        "rows_out_of_stock": int(np.sum(~series.in_stock)),
        "rows_left_out": series.left_out,
        "spend_left_out": {reason: str(amount) for reason, amount in series.left_out_spend.items()},
        "family": _most_common([one["family"] for one in curves]),
        "carry_over": curves[0]["carry_over"],
        "shrinkage_median": float(np.median(shrinkage)),
        "cells_with_few_weeks": sum(one["n_weeks"] < 6 for one in curves),
        "out_of_sample": check.as_dict(),
        "warnings": warnings_of(check),
        "notices": [notice.text for notice in table.notices],
    }


def _most_common(names: list[str]) -> str:
    return max(sorted(set(names)), key=names.count)
