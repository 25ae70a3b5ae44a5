"""Curves in words and pictures: what their pages and files show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import Brand, User
from accounts.selectors import brands_for, may
from harmonization.models import Retailer
from jobs.selectors import schedules_of
from metrics.core.notices import network_tone
from metrics.services import query_metrics
from optimization import selectors, services
from optimization.core.adjustments import Adjusted
from optimization.core.curve_chart import curve_chart
from optimization.core.curve_table import CurveFilter, CurveRow, chosen, curve_rows
from optimization.core.factors import Factors
from optimization.core.stored_curves import StoredCurve
from optimization.models import CurveAdjustment, CurveVersion
from tenants.core.problems import NotFound

Chip = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class VersionTable:
    """The curves of a version as they are read today."""

    version: CurveVersion
    in_use: Adjusted
    factors: Factors
    rows: list[CurveRow]

    @property
    def currency(self) -> str:
        return str(self.version.settings.get("currency", ""))


def version_table(version: CurveVersion) -> VersionTable:
    """All rows of a version, under today's overrides, priors and factors."""
    in_use = selectors.curves_in_use(version)
    factors = selectors.incrementality_factors(version.brand)
    products = selectors.product_names(brand=version.brand)
    return VersionTable(
        version=version, in_use=in_use, factors=factors,
        rows=curve_rows(in_use.records, products=products, factors=factors, tones=tones()),
    )  # fmt: skip


def filter_of(query: Mapping[str, str]) -> CurveFilter:
    """What the address of a page, or a request, narrows the cells to."""
    return CurveFilter(
        retailer=query.get("retailer", ""), placement=query.get("placement", ""), search=query.get("search", ""),
        state=query.get("state", ""),
    )  # fmt: skip


def rows_shown(table: VersionTable, query: Mapping[str, str]) -> list[CurveRow]:
    """The rows an address asks for, in its order."""
    return chosen(table.rows, filter_of(query), query.get("sort", ""))


def standing_of(version: CurveVersion) -> dict[str, Any]:
    """What a reader must know of a version before its figures: newer data, a newer version, priors taken back."""
    newest = selectors.latest_curves(brand=version.brand)
    newer = newest if newest is not None and newest.pk != version.pk else None
    held = {one.id for one in selectors.adjustments_in_force(brand=version.brand)}
    return {
        "newer": newer,
        "stale_until": None if newer else selectors.newer_data(version),
        "withdrawn": sum(one not in held for one in version.settings.get("priors", ())),
    }


def stale_lines(versions: Iterable[CurveVersion]) -> list[dict[str, Any]]:
    """The newest version of each scope, where reports have come since."""
    newest: dict[UUID | None, CurveVersion] = {}
    for one in versions:
        held = newest.get(one.brand_id)
        if held is None or held.number < one.number:
            newest[one.brand_id] = one
    return [
        {"version": one, "brand": one.brand, "until": until}
        for one in newest.values()
        if (until := selectors.newer_data(one)) is not None
    ]


def refit_lines(user: User) -> list[dict[str, Any]]:
    """The weekly fits a person may switch: of all brands and of each, with their schedules. Nothing for others."""
    scopes: list[Brand | None] = [*brands_for(user=user, permission="schedules.manage")]
    if may(user=user, permission="schedules.manage"):
        scopes.insert(0, None)
    fits = {one.brand_id: one for one in schedules_of(kind=services.FIT)}
    return [
        {"brand": brand, "schedule": fits.get(brand.pk if brand else None)}
        for brand in scopes
        if may(user=user, permission="curves.fit", brand=brand)
    ]


def version_line(version: CurveVersion) -> dict[str, Any]:
    """A version in the list."""
    return {
        "version": version,
        "cells": version.diagnostics.get("cells"),
        "check": version.diagnostics.get("out_of_sample", {}),
        "verdict": verdict(version),
    }


def verdict(version: CurveVersion) -> Chip:
    """What the check on unseen weeks says, as a chip."""
    check: Mapping[str, Any] = version.diagnostics.get("out_of_sample", {})
    if not check or check.get("missing"):
        return "not checked", "", "circle-dashed"
    if check["beaten_by"]:
        return "no better than naive", "warn", "alert-triangle"
    return "beats naive", "good", "check"


def notes_of(table: VersionTable) -> list[tuple[str, str]]:
    """What a reader of the file must know."""
    version = table.version
    notes = [
        ("Curves", str(version)),
        ("Method", version.method),
        ("Weeks", f"{version.data_start} to {version.data_end}"),
        ("Currency", table.currency),
        ("Return", "attributed sales per unit of spend, as reported by each network, at the usual weekly spend"),
        *(("Warning", words) for words in version.diagnostics.get("warnings", ())),
    ]
    if table.in_use.used:
        notes.append(("Overrides and priors", f"{len(table.in_use.used)} in use, sha256 {table.in_use.sha256}"))
    if table.factors:
        notes.append(("Incrementality factors", f"{len(table.factors)} in force, sha256 {table.factors.sha256}"))
    return notes


def tones() -> dict[str, str]:
    """Colour of each retailer, by its name: that of its network."""
    return {retailer.name: network_tone(retailer.network) for retailer in Retailer.objects.all()}


def choices_of(table: VersionTable) -> dict[str, list[Any]]:
    """What the cells of a version can be narrowed to."""
    return {
        "retailers": sorted({row.key.retailer for row in table.rows}),
        "placements": sorted({(row.key.placement, row.placement) for row in table.rows}),
    }


def row_of(table: VersionTable, *, retailer: str, placement: str, sku: str) -> CurveRow:
    """One cell of a version, or `NotFound`."""
    for row in table.rows:
        if (row.key.retailer, row.key.placement, row.key.sku) == (retailer, placement, sku):
            return row
    raise NotFound("There is no such curve in this version.", fix="Choose one from its table.")


def override_initial(row: CurveRow) -> dict[str, Any]:
    """What the form of an override begins with: the curve in force, to as many digits as a person would type."""
    return {"family": row.family, "a": _typed(row.a), "k": _typed(row.k)}


def _typed(value: float) -> float | int:
    found = float(f"{value:.5g}")
    return int(found) if found.is_integer() else found


def cell_context(table: VersionTable, row: CurveRow, *, user: User) -> dict[str, Any]:
    """What the page of one curve shows."""
    record = next(one for one in table.in_use.records if _is(one, row))
    before = next(one for one in table.version.curves if _is(one, row))
    curve = StoredCurve.of(record)
    changed = bool(row.overridden or row.prior)
    weeks = weeks_seen(table.version, row, user=user)
    return {
        "row": row,
        "curve": curve,
        "record": record,
        "chart": curve_chart(
            curve, fitted=StoredCurve.of(before) if changed else None, weeks=weeks, currency=table.currency
        ),
        "weeks": weeks,
        "changed": changed,
        "history": history_of(table.version, row),
    }


def weeks_seen(version: CurveVersion, row: CurveRow, *, user: User) -> list[tuple[str, float, float]]:
    """(Monday, spend, sales) of the cell's weeks as reported, restated ones included; nothing where a person may not
    see figures of the whole scope."""
    if not may(user=user, permission="metrics.view", brand=version.brand):
        return []
    retailer = Retailer.objects.filter(name=row.key.retailer).first()
    if retailer is None or row.key.placement == "unknown":
        return []
    filters = {"retailer": [row.key.retailer], "placement": [row.key.placement], "sku": [row.key.sku]}
    if version.brand is not None:
        filters["brand"] = [str(version.brand_id)]
    table = query_metrics(
        actor=user, metrics=("spend", "sales"), dimensions=("week",), start=version.data_start, end=version.data_end,
        filters=filters,
    )  # fmt: skip
    return [
        (str(line["week"]), float(line["spend"]), float(line["sales"]))
        for line in table.lines.iter_rows(named=True)
        if line["week"] is not None and line["spend"] and line["sales"] is not None
    ]


def history_of(version: CurveVersion, row: CurveRow) -> list[dict[str, Any]]:
    """Every override and prior that was ever laid over a cell, the newest first, with what became of it."""
    today = timezone.now().date()
    rows = CurveAdjustment.objects.filter(brand=version.brand).select_related("created_by", "revoked_by")
    mine = [one for one in rows if selectors.as_adjustment(one).holds_for(_key(row))]
    return [{"adjustment": one, "chip": _standing(one, today), "says": says(one)} for one in mine]


def says(one: CurveAdjustment) -> str:
    """An override or a prior in one line."""
    if one.kind == "override":
        power = f", exponent {one.exponent:g}" if one.exponent is not None else ""
        return f"{one.family.replace('_', ' ')} with a {one.a:,.6g}, k {one.k:,.6g}{power}"
    parts = []
    if one.roas is not None:
        parts.append(f"return {one.roas:,.4g}")
    if one.scale is not None:
        parts.append(f"k {one.scale:,.6g}")
    return f"{' and '.join(parts)} within {one.spread:.0%}"


def _standing(one: CurveAdjustment, today: date) -> Chip:
    if one.revoked_at is not None:
        return "revoked", "", "circle-x"
    if one.expires_on is not None and one.expires_on <= today:
        return "run out", "", "clock"
    return "in force", "good", "check"


def _key(row: CurveRow) -> dict[str, str]:
    return {"retailer": row.key.retailer, "placement": row.key.placement, "sku": row.key.sku}


def _is(record: Mapping[str, Any], row: CurveRow) -> bool:
    return _key(row).items() <= record.items()
