"""Reads of what attributed sales are worth: margin, incrementality, sales per order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from accounts.models import Brand
from harmonization.models import Listing
from metrics.core.request import read_request
from metrics.services import query_tenant_metrics
from optimization.core.factors import Factors
from optimization.core.stored_curves import StoredCurve
from planning.core.cautious import untested

#: Where no experiment has measured anything, attributed sales count as they are.
NONE_MEASURED = "none measured"


@dataclass(frozen=True)
class Incrementality:
    """Incremental over attributed sales by cell id, and where that is from; cells left out have 1.

    Attributes:
        cautious: what they are at least in four of five cases, of every cell: one that nothing measured is not sure
            to have 1.
    """

    factors: Mapping[str, float] = field(default_factory=dict)
    cautious: Mapping[str, float] = field(default_factory=dict)
    source: str = NONE_MEASURED


def incrementality_of(curves: Sequence[StoredCurve], factors: Factors) -> Incrementality:
    """The factor of each curve's cell; where no cell has one, the source says so."""
    found = {one.key.id: factors.for_cell(one.key.retailer, one.key.placement) for one in curves}
    known = {cell: factor for cell, factor in found.items() if factor is not None}
    sources = sorted({factor.source for factor in known.values()})
    lacking = len(found) - len(known)
    source = f"by {' and '.join(sources)}" if sources else NONE_MEASURED
    if known and lacking:
        source += f"; {lacking} of {len(found)} lines {NONE_MEASURED}"
    return Incrementality(
        {cell: factor.multiplier for cell, factor in known.items()},
        {cell: untested() if factor is None else factor.cautious for cell, factor in found.items()},
        source,
    )


def listing_margins(*, brand: Brand | None) -> dict[tuple[str, str], Decimal]:
    """Margin as a fraction of price by (retailer, SKU), of products whose margin the catalogue knows."""
    listings = Listing.objects.filter(product__margin__isnull=False)
    if brand is not None:
        listings = listings.filter(product__brand=brand)
    rows = listings.values_list("retailer__name", "product__sku", "product__margin")
    return {(retailer, sku): margin for retailer, sku, margin in rows if margin is not None and 0 <= margin <= 1}


def order_values(
    curves: Sequence[StoredCurve], *, brand: Brand | None, start: date, end: date, currency: str
) -> dict[str, float]:
    """Attributed sales per order by cell id.

    A cell whose orders are not told, or too few to be shown, has the average of its retailer; where that tells none
    at all it is left out.
    """
    table = query_tenant_metrics(
        request=read_request(
            metrics=("sales", "orders"), dimensions=("retailer", "placement", "sku"), start=start, end=end,
            filters={"currency": [currency]} | ({"brand": [str(brand.pk)]} if brand else {}),
        )
    )  # fmt: skip
    sales: dict[str, Decimal] = defaultdict(Decimal)
    orders: dict[str, Decimal] = defaultdict(Decimal)
    for row in table.lines.iter_rows(named=True):
        if row["sales"] is None or not row["orders"]:
            continue
        cell = f"{row['retailer']}|{row['placement'] or 'unknown'}|{row['sku'] or ''}"
        for key in (cell, str(row["retailer"])):
            sales[key] += row["sales"]
            orders[key] += Decimal(row["orders"])
    found = {}
    for curve in curves:
        key = curve.key.id if sales.get(curve.key.id) else curve.key.retailer
        if sales.get(key):
            found[curve.key.id] = float(sales[key] / orders[key])
    return found
