"""By what figures can be split and filtered."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import polars as pl

Grain = Literal["day", "week", "month"]


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
        name="campaign_type",
        label="Campaign type",
        columns=("ad_product", "campaign_type"),
        description="Kind of advertising: sponsored products, sponsored brands, display and so on.",
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
