"""The registry of metrics and dimensions: the one place that says what a figure means and how it adds up.

Additive metrics are sums of rows. Ratios are ratios of sums, never means of ratios, and b/0 is missing. Terms follow
the IAB/MRC Retail Media Measurement Guidelines (January 2024).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import polars as pl

from tenants.core.problems import InvalidInput

Unit = Literal["money", "count", "multiple", "fraction"]
Better = Literal["up", "down", "none"]
ChangeKind = Literal["percent", "points", "ratio"]
Grain = Literal["day", "week", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure.

    Attributes:
        unit: `money` is in the line's currency, `fraction` is a share (0.084 is 8.4 %), `multiple` a return (5.31).
        column: of the events, for additive metrics that every report has.
        outcome: attributed outcome, for additive metrics whose column each network's attribution decides.
        numerator, denominator, scale: of a ratio; the value is scale x sum(numerator) / sum(denominator).
        better: the direction that is welcome; `none` where it depends.
        change: how a difference to another period is told.
        standard: what the guidelines say about it.
    """

    name: str
    label: str
    unit: Unit
    description: str
    column: str = ""
    outcome: str = ""
    numerator: str = ""
    denominator: str = ""
    scale: int = 1
    better: Better = "up"
    change: ChangeKind = "percent"
    standard: str = ""

    @property
    def additive(self) -> bool:
        """Whether the figure of a whole is the sum of the figures of its parts."""
        return not self.numerator

    @property
    def formula(self) -> str:
        """How it is computed, in words of the other metrics and columns."""
        if not self.additive:
            times = "" if self.scale == 1 else f"{self.scale} x "
            return f"{times}{self.numerator} / {self.denominator}"
        return f"sum of attributed {self.outcome}" if self.outcome else f"sum of {self.column}"

    @property
    def attributed(self) -> bool:
        """Whether it rests on an attribution rule."""
        if self.additive:
            return bool(self.outcome)
        return METRICS[self.numerator].attributed or METRICS[self.denominator].attributed


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """Something that figures can be split by or filtered on.

    Attributes:
        columns: of the events; the first that is known names the member.
        label_columns: the first that is known says what people call the member, where that is not its key.
        of_account: the same for all rows of an account, so that it never decides which report is read.
        grain: for calendar dimensions; a row that spans more than one such unit belongs to none.
        within: dimensions a member is only unique in; they are added to a query that asks for it.
    """

    name: str
    label: str
    description: str
    columns: tuple[str, ...] = ()
    label_columns: tuple[str, ...] = ()
    of_account: bool = False
    grain: Grain | None = None
    within: tuple[str, ...] = ()

    @property
    def can_filter(self) -> bool:
        """Days are chosen by start and end, not by a filter."""
        return self.grain is None

    @property
    def label_name(self) -> str:
        """Column of a result that holds the member's label."""
        return f"{self.name}_label"

    def expression(self, known: frozenset[str], *, shift_days: int = 0) -> pl.Expr:
        """The member of a row; null where its report does not tell.

        Args:
            known: columns of the event table; a report's own columns exist only once it was loaded.
            shift_days: added to dates, to lay a comparison period over the period it is compared with.
        """
        if self.grain is not None:
            return _calendar(self.grain, shift_days).alias(self.name)
        return _first_known(self.columns, known).alias(self.name)

    def label_expression(self, known: frozenset[str]) -> pl.Expr:
        """What a row calls its member."""
        return _first_known(self.label_columns, known).alias(self.label_name)


def _first_known(columns: tuple[str, ...], known: frozenset[str]) -> pl.Expr:
    present = [pl.col(column) for column in columns if column in known]
    if len(present) > 1:
        return pl.coalesce(present)
    return present[0] if present else pl.lit(None, pl.String)


def _calendar(grain: Grain, shift_days: int) -> pl.Expr:
    every = {"day": "1d", "week": "1w", "month": "1mo"}[grain]
    moved = pl.duration(days=shift_days)
    first = (pl.col("period_start") + moved).dt.truncate(every)
    last = (pl.col("period_end") + moved).dt.truncate(every)
    return pl.when(first == last).then(first)


_METRICS: Final = (
    Metric(
        name="spend",
        label="Spend",
        unit="money",
        column="spend",
        better="none",
        description="Media cost as the network bills it, without fees.",
        standard="Net media cost; fees and data cost stay in their own column.",
    ),
    Metric(
        name="impressions",
        label="Impressions",
        unit="count",
        column="impressions",
        better="none",
        description="Ad impressions on the basis the network reports (served, begin to render or viewable).",
        standard="MRC: begin to render is the minimum; the basis is kept per row in impression_basis.",
    ),
    Metric(
        name="clicks",
        label="Clicks",
        unit="count",
        column="clicks",
        description="Clicks that the network charged or would have charged for.",
        standard="After the network's general invalid-traffic filtration.",
    ),
    Metric(
        name="sales",
        label="Sales",
        unit="money",
        outcome="sales",
        description="Sales the network attributes to the ads, in the window of the attribution in force.",
        standard="IAB/MRC: window, match and channel are disclosed with the figure.",
    ),
    Metric(
        name="orders",
        label="Orders",
        unit="count",
        outcome="orders",
        description="Orders the network attributes to the ads.",
        standard="IAB/MRC: an order is a transaction, whatever its number of units.",
    ),
    Metric(
        name="units",
        label="Units",
        unit="count",
        outcome="units",
        description="Units sold that the network attributes to the ads.",
        standard="IAB/MRC: units are counted per item of a transaction.",
    ),
    Metric(
        name="roas",
        label="ROAS",
        unit="multiple",
        numerator="sales",
        denominator="spend",
        change="ratio",
        description="Return on ad spend: attributed sales per unit of spend.",
        standard="Attributed, not incremental: it does not say what the ads caused.",
    ),
    Metric(
        name="cpc",
        label="Cost per click",
        unit="money",
        numerator="spend",
        denominator="clicks",
        better="down",
        description="Spend per click.",
        standard="Over all cost models; spend bought by impressions counts in it.",
    ),
    Metric(
        name="ctr",
        label="Click-through rate",
        unit="fraction",
        numerator="clicks",
        denominator="impressions",
        change="points",
        description="Clicks per impression.",
        standard="Comparable only between equal impression bases.",
    ),
    Metric(
        name="cpm",
        label="Cost per thousand",
        unit="money",
        numerator="spend",
        denominator="impressions",
        scale=1000,
        better="down",
        description="Spend per thousand impressions.",
        standard="Comparable only between equal impression bases.",
    ),
    Metric(
        name="acos",
        label="ACOS",
        unit="fraction",
        numerator="spend",
        denominator="sales",
        better="down",
        change="points",
        description="Advertising cost of sales: spend per unit of attributed sales.",
        standard="The inverse of ROAS, under the same attribution.",
    ),
    Metric(
        name="cvr",
        label="Conversion rate",
        unit="fraction",
        numerator="orders",
        denominator="clicks",
        change="points",
        description="Attributed orders per click.",
        standard="Orders credited to views are in it where the attribution counts views.",
    ),
    Metric(
        name="aov",
        label="Average order value",
        unit="money",
        numerator="sales",
        denominator="orders",
        description="Attributed sales per attributed order.",
        standard="Both under the same attribution.",
    ),
)
METRICS: Final = MappingProxyType({metric.name: metric for metric in _METRICS})

_DIMENSIONS: Final = (
    Dimension(
        name="network", label="Network", columns=("rmn_network",), of_account=True, description="Retail media network."
    ),
    Dimension(
        name="retailer",
        label="Retailer",
        columns=("rmn_retailer",),
        of_account=True,
        description="Retailer whose media was bought.",
    ),
    Dimension(
        name="account",
        label="Account",
        columns=("rmn_account_id",),
        label_columns=("rmn_account",),
        of_account=True,
        description="Advertising account at the network.",
    ),
    Dimension(
        name="brand",
        label="Brand",
        columns=("rmn_brand_id",),
        label_columns=("rmn_brand",),
        description="Brand of the advertised product, or of the account where the report names no product.",
    ),
    Dimension(
        name="currency",
        label="Currency",
        columns=("currency",),
        of_account=True,
        description="ISO 4217 code that spend and sales are in.",
    ),
    Dimension(
        name="campaign",
        label="Campaign",
        columns=("campaign_id", "campaign_name"),
        label_columns=("campaign_name",),
        within=("account",),
        description="Campaign of an account: its id, or its name where the report has no id.",
    ),
    Dimension(
        name="ad_group",
        label="Ad group",
        columns=("ad_group_id", "ad_group_name"),
        label_columns=("ad_group_name",),
        within=("account", "campaign"),
        description="Ad group or line item of a campaign.",
    ),
    Dimension(
        name="placement",
        label="Placement",
        columns=("placement",),
        description="Canonical placement; `unknown` where the network's own is not mapped.",
    ),
    Dimension(
        name="sku",
        label="SKU",
        columns=("rmn_sku", "sku_id"),
        label_columns=("rmn_product", "product_name"),
        description="Advertised product: the brand's own SKU where the catalogue knows it, else the retailer's id.",
    ),
    Dimension(
        name="search_term",
        label="Search term",
        columns=("search_term",),
        description="What the shopper typed. Only search term reports have it.",
    ),
    Dimension(name="date", label="Date", grain="day", description="Day in the report's own zone."),
    Dimension(name="week", label="Week", grain="week", description="Week from Monday to Sunday, named by its Monday."),
    Dimension(name="month", label="Month", grain="month", description="Calendar month, named by its first day."),
)
DIMENSIONS: Final = MappingProxyType({dimension.name: dimension for dimension in _DIMENSIONS})


def metric_named(name: str) -> Metric:
    """One metric.

    Raises:
        InvalidInput: there is none of that name.
    """
    try:
        return METRICS[name]
    except KeyError:
        raise InvalidInput(
            f"There is no metric {name!r}.", where="metrics", fix=f"Use some of: {', '.join(METRICS)}."
        ) from None


def dimension_named(name: str, *, where: str = "dimensions") -> Dimension:
    """One dimension.

    Raises:
        InvalidInput: there is none of that name.
    """
    try:
        return DIMENSIONS[name]
    except KeyError:
        raise InvalidInput(
            f"There is no dimension {name!r}.", where=where, fix=f"Use some of: {', '.join(DIMENSIONS)}."
        ) from None


def additive_parts(names: Iterable[str]) -> tuple[str, ...]:
    """The additive metrics that these metrics are computed from, each once, in the registry's order."""
    wanted: set[str] = set()
    for name in names:
        metric = METRICS[name]
        wanted |= {name} if metric.additive else {metric.numerator, metric.denominator}
    return tuple(name for name in METRICS if name in wanted)


def ratio_expression(metric: Metric, *, prefix: str = "") -> pl.Expr:
    """A ratio from columns that hold sums: float64, null where a part is missing or the denominator is 0."""
    top, bottom = (pl.col(prefix + part) for part in (metric.numerator, metric.denominator))
    quotient = top.cast(pl.Float64) / bottom.cast(pl.Float64) * metric.scale
    return pl.when(bottom.is_not_null() & (bottom != 0)).then(quotient).alias(prefix + metric.name)
