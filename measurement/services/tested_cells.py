"""A reading as calibration takes it: its cell, its return, and what the networks attribute to the same change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import NormalDist
from typing import Any

import numpy as np

from accounts.models import Brand
from measurement.core.calibration import Cell, CellTest
from measurement.core.increments import Attributed, attributed_of_all, attributed_of_extra
from measurement.models import Experiment, Reading
from metrics.core.request import read_request
from metrics.core.table import CURRENCY
from metrics.services import query_tenant_metrics
from optimization.core.stored_curves import StoredCurve
from tenants.core.problems import Conflict, InvalidInput

#: Days of reports that say what a cell spends now.
RECENT_DAYS = 56


@dataclass(frozen=True)
class CellSales:
    """Attributed sales and spend of a cell over some days, and the spend of its lines by SKU."""

    sales: float
    spend: float
    by_sku: Mapping[str, float]


def cell_of(curve: StoredCurve) -> Cell:
    """The cell that a curve's factor is looked up by; where reports tell no placement it is all of the retailer."""
    return curve.key.retailer, known_placement(curve.key.placement)


def known_placement(placement: str) -> str:
    """A canonical placement; empty where reports do not tell it."""
    return "" if placement == "unknown" else placement


def cell_test(reading: Reading, curves: Sequence[StoredCurve], *, on: date) -> CellTest:
    """What a reading says of its cell.

    Args:
        curves: those of the brand in use; a heavy-up needs those of its cell.
        on: the day from which its age counts.

    Raises:
        Conflict: it is a look before the end, or the experiment is of no one cell or outcome that has a factor.
        InvalidInput: it has no return with an interval, or the reports of its days are not there.
    """
    experiment = reading.experiment
    first, last = refuse_unusable(reading)
    cell = (experiment.retailer.name if experiment.retailer else "", experiment.placement)
    days = (last - first).days + 1
    iroas, se = _return_of(reading)
    mine = [one for one in curves if cell_of(one) == cell]
    sold = cell_sales(experiment.brand, cell, first, last, experiment.currency)
    attributed = _attributed(experiment, reading, sold, mine, days)
    recent = cell_sales(experiment.brand, cell, on - timedelta(days=RECENT_DAYS), on, experiment.currency)
    then, now = sold.spend / days, recent.spend / RECENT_DAYS
    return CellTest(
        id=experiment.label, retailer=cell[0], placement=cell[1], iroas=iroas, se=se, attributed=attributed.roas,
        attributed_se=attributed.se, days=days, age_days=max((on - last).days, 0),
        # Reports that have ended say nothing of what is spent now.
        spend_ratio=now / then if now > 0.0 and then > 0.0 else 1.0,
    )  # fmt: skip


def refuse_unusable(reading: Reading) -> tuple[date, date]:
    """First and last day of the test; raises `Conflict` where the reading is not the newest final one, or of no
    cell that plans know."""
    experiment = reading.experiment
    if reading.interim:
        raise Conflict(
            f"Reading {reading.number} of {experiment.label} is a look before the end.",
            fix="Read it once it has ended, then use that.",
        )
    newest = experiment.readings.filter(interim=False).order_by("-number").first()
    if newest is not None and newest.pk != reading.pk:
        raise Conflict(
            f"Reading {reading.number} of {experiment.label} is superseded by reading {newest.number}.",
            fix=f"Use reading {newest.number}.",
        )
    if experiment.retailer is None:
        raise Conflict(
            f"{experiment.label} tested the ads of all retailers together, and factors are of one.",
            fix="Test the ads of one retailer, and of one placement where its reports tell placements.",
        )
    if experiment.outcome != "sales":
        raise Conflict(
            f"{experiment.label} measured {experiment.outcome}, and plans count sales.",
            fix="Use a test that measured sales.",
        )
    if experiment.start_date is None or experiment.end_date is None:
        raise Conflict(f"{experiment.label} has no dates.", fix="Give its start and end.")
    return experiment.start_date, experiment.end_date


def cell_sales(brand: Brand | None, cell: Cell, start: date, end: date, currency: str) -> CellSales:
    """What the networks report of a cell over some days, through the metrics layer."""
    filters = {"retailer": [cell[0]]} | ({"brand": [str(brand.pk)]} if brand else {})
    filters |= {"placement": [cell[1]]} if cell[1] else {}
    table = query_tenant_metrics(
        request=read_request(
            metrics=("spend", "sales"), dimensions=("placement", "sku"), start=start, end=end, filters=filters
        )
    )
    sales = spend = Decimal(0)
    by_sku: dict[str, float] = defaultdict(float)
    for row in table.lines.iter_rows(named=True):
        if currency and row[CURRENCY] not in (None, currency):
            continue
        sales += row["sales"] or Decimal(0)
        spend += row["spend"] or Decimal(0)
        by_sku[str(row["sku"] or "")] += float(row["spend"] or 0)
    return CellSales(float(sales), float(spend), by_sku)


def _return_of(reading: Reading) -> tuple[float, float]:
    """iROAS and its standard error, from the interval that goes with it."""
    found: Mapping[str, Any] | None = reading.result.get("iroas")
    where = f"reading of {reading.experiment.label}"
    if found is None or found.get("value") is None:
        raise InvalidInput(
            "It has no incremental return, for the money of the test is not known.",
            where=where,
            fix="Send its data with a column of spend, and read it again.",
        )
    value, z = float(found["value"]), NormalDist().inv_cdf(1.0 - float(reading.result["alpha"]) / 2.0)
    halves = [abs(float(found[end]) - value) for end in ("low", "high") if found.get(end) is not None]
    if not halves or max(halves) <= 0.0:
        raise InvalidInput(
            "The interval of its return has no end, so the data say nothing of it.",
            where=where,
            fix="Run a longer or larger test.",
        )
    # Of one end the data do not bound, the other is all that is known of its width.
    return value, (sum(halves) / len(halves)) / z


def _attributed(
    experiment: Experiment, reading: Reading, sold: CellSales, curves: Sequence[StoredCurve], days: int
) -> Attributed:
    if experiment.action != Experiment.Action.HEAVY_UP:
        return attributed_of_all(sold.sales, sold.spend)
    extra = reading.result.get("cost")
    extra = float(extra) if extra is not None else float(experiment.planned_spend or 0)
    if not curves:
        raise InvalidInput(
            f"There is no curve of the cell that {experiment.label} tested, and a heavy-up is held against one.",
            where="curves",
            fix="Fit the curves of its brand over days that hold the test.",
        )
    weekly = np.array([sold.by_sku.get(one.key.sku, 0.0) for one in curves]) * 7.0 / days
    return attributed_of_extra(sold.sales, sold.spend, extra, curves, weekly)
