"""Which attributed figures each report shows, with everything that qualifies them.

The truth of a file is summed here from whole cents and counts, apart from the writers that turn the same columns into
text, so that a slip of a writer shows as a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from demo.core.reported import MONEY, Report


@dataclass(frozen=True)
class Measure:
    """One attributed figure: a column of a report in this product, and its qualifiers as in RMIS attributions."""

    column: str
    metric: str
    click_days: int
    view_days: int | None = None
    touch: str = "click"
    match: str = "total"
    channel: str = "all"
    ntb: str = "all"
    model: str = "last_touch"

    def qualifiers(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "click_days": self.click_days,
            "view_days": self.view_days,
            "touch": self.touch,
            "match": self.match,
            "channel": self.channel,
            "ntb": self.ntb,
            "model": self.model,
        }


def _console(days: int, suffix: str) -> tuple[Measure, ...]:
    return (
        Measure(f"sales{suffix}", "sales", days),
        Measure(f"orders{suffix}", "orders", days),
        Measure(f"units{suffix}", "units", days),
        Measure(f"units{suffix}_same", "units", days, match="same_sku"),
        Measure(f"units{suffix}_other", "units", days, match="halo"),
        Measure(f"sales{suffix}_same", "sales", days, match="same_sku"),
        Measure(f"sales{suffix}_other", "sales", days, match="halo"),
    )


AMAZON_7_DAY = _console(7, "")
AMAZON_14_DAY = _console(14, "_long")
WALMART = (
    Measure("sales_short", "sales", 3),
    Measure("sales", "sales", 14),
    Measure("sales_long", "sales", 30),
    Measure("orders", "orders", 14),
    Measure("units", "units", 14),
    Measure("sales_same", "sales", 14, match="same_sku"),
    Measure("sales_other", "sales", 14, match="halo"),
    Measure("sales_store", "sales", 14, channel="store"),
    Measure("sales_pickup", "sales", 14, channel="pickup"),
    Measure("sales_delivery", "sales", 14, channel="delivery"),
    Measure("ntb_sales", "sales", 14, ntb="new"),
    Measure("ntb_units", "units", 14, ntb="new"),
)
# A click counts for any product of the category for 30 days, a view for the same product for one day. The figure is
# one sum of both, so it carries the wider match.
CRITEO = tuple(
    Measure(column, column, 30, view_days=1, touch="both", match="category") for column in ("sales", "units", "orders")
)


def cents_to_text(cents: int) -> str:
    """Whole cents as an exact decimal string with two places."""
    sign, rest = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{rest // 100}.{rest % 100:02d}"


def total_of(report: Report, column: str) -> str:
    """The exact sum of a column: money with two places, counts without."""
    total = int(report[column].sum())
    return cents_to_text(total) if column in MONEY else str(total)


def totals(report: Report, currency: str) -> list[dict[str, Any]]:
    """Traffic and spend of a report, per currency; spend is an exact decimal string."""
    return [
        {
            "currency": currency,
            "impressions": int(report["impressions"].sum()),
            "clicks": int(report["clicks"].sum()),
            "spend": total_of(report, "spend"),
        }
    ]


def attributed(report: Report, measures: Sequence[Measure]) -> list[dict[str, Any]]:
    """Each attributed figure in total, with its qualifiers; values are exact decimal strings."""
    return [measure.qualifiers() | {"value": total_of(report, measure.column)} for measure in measures]
