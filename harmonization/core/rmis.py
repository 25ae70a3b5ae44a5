"""The canonical retail-media schema: every column of `events`, typed once, and the qualifiers of attributed outcomes.

Contracts, validation and storage derive from `EVENTS`. Attributed outcomes are a long table in thought (one row per
metric, window, product scope, channel, new-to-brand split and model) and wide columns on disk: the column's name
carries every qualifier, so a table grows by schema evolution and no qualifier is ever lost.

Placement and impression terms follow the IAB/MRC Retail Media Measurement Guidelines (January 2024) and the IAB / IAB
Europe in-store definitions (December 2024).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Final, Literal

import polars as pl

MONEY: Final = pl.Decimal(18, 6)
SCHEMA_VERSION: Final = "rmis/1"

Unit = Literal["text", "count", "money", "fraction", "date", "instant", "hour", "seconds"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of `events`: its name, storage type, meaning and unit.

    `always` columns are written by every load, null where the report does not tell; the others only where bound.
    """

    name: str
    dtype: pl.DataType
    description: str
    unit: Unit = "text"
    always: bool = False


def _text(name: str, description: str, *, always: bool = False) -> Column:
    return Column(name, pl.String(), description, "text", always)


def _count(name: str, description: str, *, always: bool = False) -> Column:
    return Column(name, pl.Int64(), description, "count", always)


def _money(name: str, description: str, *, always: bool = False) -> Column:
    return Column(name, MONEY, description, "money", always)


def _fraction(name: str, description: str) -> Column:
    return Column(name, pl.Float64(), description, "fraction")


EVENTS: Final[tuple[Column, ...]] = (
    # lineage
    _text("event_key", "XXH3-128 (hex) of network, report, account and the contract's natural key", always=True),
    _count("source_row", "row of the source file, counted from 1 with every record before it", always=True),
    _text("load_id", "the load that wrote the row", always=True),
    _text("contract", "name and version of the mapping contract", always=True),
    _text("report", "the network's report the row comes from", always=True),
    _text("unread", "columns whose cells could not be read and were left empty, joined by commas", always=True),
    _text("event_id", "the network's own id of the event, where it sends raw events"),
    # who
    _text("network", "retail media network", always=True),
    _text("retailer_id", "retailer whose shoppers saw the ad", always=True),
    _text("retailer_name", "retailer's name as reported"),
    _text("account_id", "advertiser account at the network", always=True),
    _text("account_name", "advertiser account's name as reported", always=True),
    _text("brand_id", "brand the spend belongs to", always=True),
    _text("brand_name", "brand's name as reported", always=True),
    # when
    _text("grain", "event, hour, day or period", always=True),
    Column("period_start", pl.Date(), "first day, in the source's zone", "date", always=True),
    Column("period_end", pl.Date(), "last day, inclusive, in the source's zone", "date", always=True),
    Column("event_hour", pl.Int8(), "hour of the day in the source's zone", "hour"),
    Column("event_ts_utc", pl.Datetime("us", "UTC"), "instant of the event", "instant"),
    Column("as_of_utc", pl.Datetime("us", "UTC"), "instant the network computed the figures", "instant"),
    _text("source_tz", "IANA zone the report's dates are in", always=True),
    # what was bought
    _text("portfolio_name", "portfolio of the campaign"),
    _text("campaign_id", "campaign's id at the network", always=True),
    _text("campaign_name", "campaign's name", always=True),
    _text("campaign_type", "network's campaign type"),
    _text("ad_group_id", "ad group or line item id", always=True),
    _text("ad_group_name", "ad group or line item name", always=True),
    _text("ad_id", "ad's id"),
    _text("creative_id", "creative's id"),
    _text("creative_name", "creative's name"),
    _text("creative_type", "creative's type"),
    _text("ad_product", "sponsored_products, sponsored_brands, sponsored_display, onsite_display, ...", always=True),
    _text("buy_type", "auction, preferred deal, sponsorship"),
    _text("cost_model", "cpc, cpm, vcpm or flat", always=True),
    _text("bidding_strategy", "network's bidding strategy"),
    _text("status", "delivery status"),
    _text("sku_id", "advertised product's id", always=True),
    _text("sku_id_type", "asin, item_id, upc, ean, gtin, mpn or seller_sku", always=True),
    _text("seller_sku", "advertiser's own stock keeping unit"),
    _text("gtin14", "GS1 GTIN-14 with check digit"),
    _text("product_name", "advertised product's name"),
    _text("product_category", "product's category at the retailer"),
    # where and to whom
    _text("placement_raw", "placement as the network writes it", always=True),
    _text("placement", "canonical placement, `unknown` where the network's is not mapped", always=True),
    _text("device", "device or environment"),
    _text("media_type", "display, video, ..."),
    _text("sales_channel", "channel of the sale as reported"),
    _text("keyword", "keyword or target that was bid on"),
    _text("match_type", "broad, phrase, exact, auto"),
    _text("search_term", "what the shopper typed"),
    _text("audience_id", "audience"),
    _text("geo", "geography"),
    _text("store_id", "store, for in-store media"),
    # what happened
    _text("currency", "ISO 4217 code of spend and money outcomes", always=True),
    _count("impressions", "ad impressions on the basis of impression_basis", always=True),
    _text("impression_basis", "served, begin_to_render, viewable, in_store_ots or unknown", always=True),
    _count("viewable_impressions", "MRC viewable impressions"),
    _count("invalid_impressions", "impressions filtered as invalid"),
    _count("clicks", "clicks", always=True),
    _count("invalid_clicks", "clicks filtered as invalid"),
    _money("spend", "media cost in `currency`", always=True),
    _money("fees", "fees on top of media cost"),
    _count("video_starts", "videos started"),
    _count("video_q25", "videos played to 25 %"),
    _count("video_q50", "videos played to 50 %"),
    _count("video_q75", "videos played to 75 %"),
    _count("video_completes", "videos played to the end"),
    _count("video_views", "video views as the network counts them"),
    _count("reach", "unique shoppers"),
    Column("frequency", pl.Float64(), "impressions per unique shopper", "count"),
    # ratios as reported: kept apart from derived ones, to be compared with them
    _fraction("reported_ctr", "click-through rate"),
    _money("reported_cpc", "cost per click"),
    _money("reported_cpm", "cost per thousand impressions"),
    _money("reported_cpa", "cost per order"),
    _fraction("reported_acos", "ad cost over attributed sales"),
    _fraction("reported_roas", "attributed sales over ad cost"),
    _fraction("reported_cvr", "orders over clicks"),
    _fraction("reported_ntb_sales_rate", "new-to-brand share of sales"),
    _fraction("reported_ntb_units_rate", "new-to-brand share of units"),
)
COLUMNS: Final[dict[str, Column]] = {column.name: column for column in EVENTS}

PLACEMENTS: Final = (
    *(f"onsite_search_{spot}" for spot in ("top", "rest", "carousel")),
    *(f"onsite_{page}" for page in ("browse", "pdp", "pdp_buybox", "home", "cart", "other", "display")),
    *(f"offsite_{medium}" for medium in ("display", "social", "search", "video", "ctv")),
    *(f"instore_{zone}" for zone in ("exterior", "entrance", "checkout", "aisle", "other")),
    "unknown",
)
GRAINS: Final = ("event", "hour", "day", "period")
SKU_ID_TYPES: Final = ("asin", "item_id", "upc", "ean", "gtin", "mpn", "seller_sku")
IMPRESSION_BASES: Final = ("served", "begin_to_render", "viewable", "in_store_ots", "unknown")
COST_MODELS: Final = ("cpc", "cpm", "vcpm", "flat")
#: Columns whose values come from a closed list: contracts may map to nothing else.
VOCABULARIES: Final[dict[str, tuple[str, ...]]] = {
    "placement": PLACEMENTS,
    "grain": GRAINS,
    "sku_id_type": SKU_ID_TYPES,
    "impression_basis": IMPRESSION_BASES,
    "cost_model": COST_MODELS,
}

Metric = Literal[
    "sales",
    "orders",
    "units",
    "add_to_cart",
    "detail_page_views",
    "view_through_conversions",
    "assisted_sales",
    "assisted_units",
]
Match = Literal["same_sku", "parent_sku", "category", "brand", "halo", "campaign", "total"]
Channel = Literal["online", "store", "pickup", "delivery", "all"]
Ntb = Literal["all", "new", "existing"]
Touch = Literal["click", "view", "both"]
Model = Literal["last_touch", "linear", "first_touch", "data_driven"]

MONEY_METRICS: Final = frozenset({"sales", "assisted_sales"})
_VIEW_MATCH_PREFIX: Final = "vm_"
_WINDOW = re.compile(r"^[cv](x|[1-9]\d{0,2})$")


@dataclass(frozen=True, slots=True)
class Attribution:
    """What one attributed figure means.

    `click_days` and `view_days` are look-back windows in days; None means that kind of touch earns no credit.
    `match` says which purchases count: of the advertised product (same_sku), of the brand's other products (halo), of
    both (total), or of everything in its category, brand or campaign. Networks that credit views under another rule
    than clicks (Criteo by default: same category after a click, same product after a view) carry the rule for views in
    `view_match`; None means that it is the same. The value's dtype is `MONEY` for every metric: modelled orders and
    units can be fractions.
    """

    metric: Metric
    click_days: int | None
    view_days: int | None
    touch: Touch
    match: Match
    channel: Channel = "all"
    ntb: Ntb = "all"
    model: Model = "last_touch"
    view_match: Match | None = None

    @property
    def column(self) -> str:
        """The canonical column, e.g. `att__sales__c14__vx__click__same_sku__all__all__last_touch`."""
        parts = [
            "att",
            self.metric,
            f"c{self.click_days or 'x'}",
            f"v{self.view_days or 'x'}",
            self.touch,
            self.match,
            self.channel,
            self.ntb,
            self.model,
        ]
        if self.view_match is not None:
            parts.append(_VIEW_MATCH_PREFIX + self.view_match)
        return "__".join(parts)

    @classmethod
    def parse(cls, column: str) -> Attribution:
        """The inverse of `column`.

        Raises:
            ValueError: the name is not that of an attribution column.
        """
        parts = column.split("__")
        if len(parts) not in (9, 10) or parts[0] != "att":
            raise ValueError(f"{column!r} is not an attribution column")
        view_match: str | None = None
        if len(parts) == 10:
            if not parts[9].startswith(_VIEW_MATCH_PREFIX):
                raise ValueError(f"{column!r}: {parts[9]!r} is no view match")
            view_match = parts[9].removeprefix(_VIEW_MATCH_PREFIX)
        metric, click, view, touch, match, channel, ntb, model = parts[1:9]
        if not (_WINDOW.match(click) and click[0] == "c" and _WINDOW.match(view) and view[0] == "v"):
            raise ValueError(f"{column!r}: {click}, {view} are no windows")
        known = {
            "metric": (metric, Metric),
            "touch": (touch, Touch),
            "match": (match, Match),
            "channel": (channel, Channel),
            "ntb": (ntb, Ntb),
            "model": (model, Model),
        }
        if view_match is not None:
            known["view_match"] = (view_match, Match)
        for qualifier, (value, vocabulary) in known.items():
            if value not in vocabulary.__args__:  # type: ignore[attr-defined]
                raise ValueError(f"{column!r}: {value!r} is no {qualifier}")
        return cls(
            metric=metric,  # type: ignore[arg-type]
            click_days=None if click == "cx" else int(click[1:]),
            view_days=None if view == "vx" else int(view[1:]),
            touch=touch,  # type: ignore[arg-type]
            match=match,  # type: ignore[arg-type]
            channel=channel,  # type: ignore[arg-type]
            ntb=ntb,  # type: ignore[arg-type]
            model=model,  # type: ignore[arg-type]
            view_match=view_match,  # type: ignore[arg-type]
        )

    @property
    def label(self) -> str:
        """For people: `sales, 14-day click, same_sku`."""
        windows = [
            f"{days}-day {kind}" for kind, days in (("click", self.click_days), ("view", self.view_days)) if days
        ]
        scope = self.match if self.view_match is None else f"{self.match} (views: {self.view_match})"
        extras = [value for value in (self.channel, self.ntb) if value != "all"]
        return ", ".join([self.metric, " + ".join(windows), scope, *extras])

    def qualifiers(self) -> dict[str, str | int | None]:
        """The qualifiers by name, `view_match` only where it differs from `match`."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.view_match is None:
            del named["view_match"]
        return named
