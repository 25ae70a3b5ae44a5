"""The canonical retail-media schema (RMIS): every table and column, typed and described once.

Contracts, validation, storage and docs/rmis.md derive from `TABLES`. Attributed outcomes are a long table in thought
and wide columns of `events` on disk: see `harmonization.core.attribution`.

Placement and impression terms follow the IAB/MRC Retail Media Measurement Guidelines (January 2024) and the IAB / IAB
Europe in-store definitions (December 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import polars as pl

from harmonization.core.attribution import (
    MONEY_METRICS,
    Attribution,
    Channel,
    GrossNet,
    Match,
    Metric,
    Model,
    Ntb,
    Touch,
)

__all__ = [
    "COLUMNS",
    "EVENTS",
    "MADE",
    "MONEY",
    "MONEY_METRICS",
    "PLACEMENTS",
    "RATE",
    "SCHEMA_VERSION",
    "TABLES",
    "VOCABULARIES",
    "Attribution",
    "Channel",
    "Column",
    "GrossNet",
    "Match",
    "Metric",
    "Model",
    "Ntb",
    "Table",
    "Touch",
    "Unit",
]

MONEY: Final = pl.Decimal(18, 6)
#: Units of the base currency for one unit of another.
RATE: Final = pl.Decimal(24, 12)
SCHEMA_VERSION: Final = "rmis/1"

Unit = Literal["text", "count", "money", "fraction", "rate", "date", "instant", "hour", "flag"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its name, storage type, meaning and unit.

    `always` columns are there in every row, in `events` null where the report does not tell; the others only where
    something is known.
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
    _text("event_key", "two XXH64 (hex) over network, report, account and the contract's natural key", always=True),
    _count("source_row", "row of the source file, counted from 1 with every record before it", always=True),
    _text("load_id", "the load that wrote the row", always=True),
    _text("contract", "name and version of the mapping contract", always=True),
    _text("report", "the network's report the row comes from", always=True),
    _text("unread", "columns whose cells could not be read and were left empty, joined by commas", always=True),
    _text("event_id", "the network's own id of the event, where it sends raw events"),
    _text("request_id", "the ad request that the event answers"),
    _text("session_id", "shopper's session, pseudonymous"),
    _text("user_id", "shopper, pseudonymous"),
    # who
    _text("network", "retail media network", always=True),
    _text("retailer_id", "retailer whose shoppers saw the ad", always=True),
    _text("retailer_name", "retailer's name as reported"),
    _text("account_id", "advertiser account at the network", always=True),
    _text("account_name", "advertiser account's name as reported", always=True),
    _text("brand_id", "brand the spend belongs to", always=True),
    _text("brand_name", "brand's name as reported", always=True),
    # when
    _text("grain", "what time a row covers", always=True),
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
    _text("ad_product", "product line, such as sponsored_products, sponsored_brands, onsite_display", always=True),
    _text("buy_type", "auction, preferred deal, sponsorship"),
    _text("cost_model", "what is paid for", always=True),
    _text("bidding_strategy", "network's bidding strategy"),
    _text("status", "delivery status"),
    _text("sku_id", "advertised product's id", always=True),
    _text("sku_id_type", "kind of sku_id", always=True),
    _text("seller_sku", "advertiser's own stock keeping unit"),
    _text("gtin14", "GS1 GTIN-14 with check digit"),
    _text("product_name", "advertised product's name"),
    _text("pack_size", "size of the pack as the retailer writes it"),
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
    _text("purchased_sku_id", "product that was bought, where each row is a sale"),
    _text("purchased_gtin", "its GTIN-14"),
    _text("audience_id", "audience"),
    _text("breakdown", "what else the network splits rows by, as it writes it: kind of action, language, system"),
    _text("geo", "geography"),
    _text("store_id", "store, for in-store media"),
    # what happened
    _text("currency", "ISO 4217 code of spend and money outcomes", always=True),
    _count("impressions", "ad impressions on the basis of impression_basis", always=True),
    _text("impression_basis", "what counts as an impression", always=True),
    _count("viewable_impressions", "MRC viewable impressions"),
    _count("invalid_impressions", "impressions filtered as invalid"),
    _count("clicks", "clicks", always=True),
    _count("invalid_clicks", "clicks filtered as invalid"),
    _money("spend", "media cost in `currency`", always=True),
    _money("spend_base", "spend in the tenant's base currency, at fx_rate"),
    Column("fx_rate", RATE, "units of the base currency for one of `currency`", "rate"),
    Column("fx_date", pl.Date(), "day of that rate: the last one known on period_end", "date"),
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
#: Columns that harmonising itself writes: no contract maps anything to them.
MADE: Final = frozenset(
    {"event_key", "source_row", "load_id", "contract", "unread", "fx_rate", "fx_date", "spend_base"}
)

ATTRIBUTIONS: Final[tuple[Column, ...]] = (
    _text("event_key", "row of events that the figure belongs to", always=True),
    _text("metric", "what was counted", always=True),
    Column(
        "value", MONEY, "how much of it; money in the event's currency, modelled counts can be fractions", "money", True
    ),
    _count("click_days", "days after a click in which a purchase counts; null where clicks earn no credit"),
    _count("view_days", "days after a view in which a purchase counts; null where views earn no credit"),
    _text("touch", "kind of touch that earns credit", always=True),
    _text("match", "which purchases count, of the advertised product or others", always=True),
    _text("view_match", "which purchases count after a view, where that differs"),
    _text("channel", "where was bought", always=True),
    _text("ntb", "buyers that count", always=True),
    _count("ntb_lookback_months", "months without a purchase that make a buyer new"),
    _text("model", "how credit is shared among touches", always=True),
    _text("gross_net", "whether cancelled and returned orders count"),
    _text("purchased_sku_id", "product that was bought, where each event is a sale"),
    _text("purchased_gtin", "its GTIN-14"),
)

SKUS: Final[tuple[Column, ...]] = (
    _text("sku", "advertiser's own product id", always=True),
    _text("gtin14", "GS1 GTIN-14 with check digit"),
    _text("retailer_id", "retailer that lists the product", always=True),
    _text("source_id", "retailer's id of the product", always=True),
    _text("source_id_type", "kind of that id", always=True),
    Column("valid_from", pl.Date(), "first day the id means this product", "date"),
    Column("valid_to", pl.Date(), "last day the id means this product", "date"),
    _text("product_name", "name of the product", always=True),
    _text("brand", "brand that sells it", always=True),
    _text("category_path", "category at the retailer, from the widest, joined by >"),
    _text("pack_size", "size of the pack"),
    _money("price", "shelf price in the retailer's currency"),
    _money("cost", "cost of the goods, per unit"),
    _fraction("margin", "(price - cost) / price"),
    _text("availability", "whether it can be bought"),
    Column("buy_box", pl.Boolean(), "whether the advertiser holds the buy box", "flag"),
    _fraction("crosswalk_confidence", "how sure the link of id and product is, 0 to 1"),
)

AUDIENCES: Final[tuple[Column, ...]] = (
    _text("audience_id", "id at the network", always=True),
    _text("network", "retail media network", always=True),
    _text("name", "name at the network", always=True),
    _text("audience_type", "how the audience is made", always=True),
    _text("size_bucket", "number of shoppers, as a range: never a count"),
    _count("min_cell", "fewest shoppers of which figures may be shown"),
    _text("ntb", "buyers in it"),
    _text("consent_basis", "why their data may be used"),
)

POLICIES: Final[tuple[Column, ...]] = (
    _text("network", "whose rule it is", always=True),
    _text("rule_id", "the rule's id", always=True),
    _text("scope", "what it is about: creative, targeting, measurement, export, ...", always=True),
    _text("policy_severity", "what breaking it means", always=True),
    Column("effective_from", pl.Date(), "first day", "date", True),
    Column("effective_to", pl.Date(), "last day; null while it holds", "date"),
    _count("min_cell_k", "fewest shoppers of which figures may be shown"),
    _text("allowed_windows", "attribution windows that may be used, days joined by commas"),
    _text("creative_limits", "sizes, lengths, weights"),
    _text("source", "where the network says so", always=True),
)

LOADS: Final[tuple[Column, ...]] = (
    _text("load_id", "the load (batch)", always=True),
    _text("file_sha256", "digest of the file as it arrived", always=True),
    _text("contract", "name and version of the contract", always=True),
    _text("contract_digest", "SHA-256 of the contract's text", always=True),
    _text("network", "retail media network", always=True),
    _text("report", "which report", always=True),
    _text("account_id", "advertiser account", always=True),
    _count("rows_in", "rows of the file below its header; = out + quarantined + skipped", always=True),
    _count("rows_out", "good rows", always=True),
    _count("rows_quarantined", "rows kept aside", always=True),
    _count("rows_skipped", "totals, blanks, repeats", always=True),
    Column("period_start", pl.Date(), "first day of the good rows", "date"),
    Column("period_end", pl.Date(), "last day of the good rows", "date"),
    Column("as_of", pl.Datetime("us", "UTC"), "when the figures were taken", "instant", True),
    _text("restates", "what the load replaces of earlier ones", always=True),
    Column("finality_date", pl.Date(), "day after which the network corrects no more", "date"),
)

_PLACEMENTS: Final[dict[str, str]] = {
    "onsite_search_top": "above or first among search results",
    "onsite_search_rest": "among search results",
    "onsite_search_carousel": "in a carousel on a search page",
    "onsite_browse": "on category and merchandising pages",
    "onsite_pdp": "on a product's page",
    "onsite_pdp_buybox": "at the buy box of a product's page",
    "onsite_home": "on the home page",
    "onsite_cart": "in the cart and at checkout",
    "onsite_other": "elsewhere on the retailer's site or app",
    "onsite_display": "display on the retailer's site or app, page not told",
    "offsite_display": "display on other sites",
    "offsite_social": "in social networks",
    "offsite_search": "in search engines",
    "offsite_video": "video on other sites",
    "offsite_ctv": "on connected television",
    "instore_exterior": "outside the store",
    "instore_entrance": "at the entrance",
    "instore_checkout": "at the checkout",
    "instore_aisle": "in an aisle or at the shelf",
    "instore_other": "elsewhere in the store",
    "unknown": "not told or not mapped: counted and shown, never guessed",
}
PLACEMENT_COLUMNS: Final[tuple[Column, ...]] = (
    _text("placement", "canonical placement", always=True),
    _text("description", "where it is", always=True),
)
PLACEMENTS: Final = tuple(_PLACEMENTS)
PLACEMENT_DESCRIPTIONS: Final = dict(_PLACEMENTS)

SKU_ID_TYPES: Final = ("asin", "item_id", "upc", "ean", "gtin", "mpn", "seller_sku")
#: Columns whose values come from a closed list: contracts may map to nothing else.
VOCABULARIES: Final[dict[str, tuple[str, ...]]] = {
    "placement": PLACEMENTS,
    "grain": ("event", "hour", "day", "period"),
    "sku_id_type": SKU_ID_TYPES,
    "impression_basis": ("served", "begin_to_render", "viewable", "in_store_ots", "unknown"),
    "cost_model": ("cpc", "cpm", "vcpm", "flat"),
}
#: The same for columns of the other tables.
TABLE_VOCABULARIES: Final[dict[str, tuple[str, ...]]] = VOCABULARIES | {
    "metric": get_args(Metric),
    "touch": get_args(Touch),
    "match": get_args(Match),
    "view_match": get_args(Match),
    "channel": get_args(Channel),
    "ntb": get_args(Ntb),
    "model": get_args(Model),
    "gross_net": get_args(GrossNet),
    "source_id_type": SKU_ID_TYPES,
    "availability": ("in_stock", "limited", "out_of_stock", "discontinued", "unknown"),
    "audience_type": ("retailer_1p", "lookalike", "contextual", "crm"),
    "consent_basis": ("consent", "contract", "legitimate_interest", "not_personal", "unknown"),
    "policy_severity": ("block", "warn", "info"),
    "restates": ("period", "rows"),
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the schema. `key` names the columns that make a row itself."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]


TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        Table("events", "One row per row of a report, as the network counts.", EVENTS, ("event_key",)),
        Table(
            "attributions",
            "Outcomes credited to an event, none to many; on disk they are columns of events.",
            ATTRIBUTIONS,
            tuple(c.name for c in ATTRIBUTIONS if c.name not in ("value", "purchased_sku_id", "purchased_gtin")),
        ),
        Table(
            "skus",
            "What each retailer calls a product, and since when.",
            SKUS,
            ("retailer_id", "source_id_type", "source_id", "valid_from"),
        ),
        Table("audiences", "Groups of shoppers that can be addressed.", AUDIENCES, ("network", "audience_id")),
        Table("policies", "What networks allow.", POLICIES, ("network", "rule_id", "effective_from")),
        Table("loads", "One row per file that was harmonised under one contract.", LOADS, ("load_id",)),
        Table("placements", "Where an ad is seen: a closed list.", PLACEMENT_COLUMNS, ("placement",)),
    )
}
