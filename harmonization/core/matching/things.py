"""Which canonical column each thing and its traits are, the likeliest first, with how likely."""

from __future__ import annotations

from typing import Final

#: Thing to `trait column:likelihood ...; ...`. The trait `-` is the thing without one. A trait that is not listed
#: has no column in RMIS: the proposal abstains.
_TABLE: Final = {
    "account": "id account_id:1.0; name account_name:1.0; - account_name:0.9 account_id:0.88",
    "customer": "id account_id:0.6 user_id:0.59; name account_name:0.7; - account_name:0.4 user_id:0.39",
    "campaign": (
        "id campaign_id:1.0; "
        "name campaign_name:1.0; "
        "type campaign_type:1.0; "
        "status status:0.92; "
        "- campaign_name:0.92 campaign_id:0.9"
    ),
    "ad_group": (
        "id ad_group_id:1.0; name ad_group_name:1.0; status status:0.88; - ad_group_name:0.92 ad_group_id:0.9"
    ),
    "ad": "id ad_id:1.0; status status:0.8; type ad_product:0.8 creative_type:0.7",
    "creative": (
        "id creative_id:1.0; name creative_name:1.0; type creative_type:1.0; "
        "- creative_name:0.85 creative_id:0.83; size"
    ),
    "keyword": "- keyword:1.0; name keyword:0.95; status status:0.7",
    "search_term": "- search_term:1.0; name search_term:0.9",
    "product": (
        "id sku_id:0.97; "
        "name product_name:1.0; "
        "- product_name:0.9 sku_id:0.88; "
        "size pack_size:0.97; "
        "type product_category:0.7"
    ),
    "sku": "- sku_id:0.93 seller_sku:0.8; id sku_id:0.95 seller_sku:0.75; name product_name:0.9",
    "seller_sku": "- seller_sku:1.0 sku_id:0.8; id seller_sku:1.0 sku_id:0.8",
    "asin": "- sku_id:0.99; id sku_id:0.99; name product_name:0.8",
    "gtin": "- gtin14:0.99 sku_id:0.7; id gtin14:0.98 sku_id:0.7",
    "mpn": "- sku_id:0.6; id sku_id:0.6",
    "brand": "id brand_id:1.0; name brand_name:1.0; - brand_name:0.93 brand_id:0.85",
    "retailer": "id retailer_id:1.0; name retailer_name:1.0; - retailer_name:0.93 retailer_id:0.9",
    "portfolio": "name portfolio_name:1.0; - portfolio_name:0.93",
    "placement": "- placement:1.0; name placement:0.97; type placement:0.9",
    "ad_network": "- placement:0.74; name placement:0.74; type placement:0.74",
    "device": "- device:1.0; type device:0.98; name device:0.9",
    "media": "- media_type:0.9; type media_type:1.0",
    "ad_product": "- ad_product:0.9 creative_type:0.6; name ad_product:0.85; type ad_product:0.9",
    "bidding": "- bidding_strategy:1.0; type bidding_strategy:0.97; name bidding_strategy:0.9",
    "buying": "- buy_type:1.0; type buy_type:1.0",
    "cost_model": "- cost_model:0.97; type cost_model:0.97; id cost_model:0.9",
    "match_type": "- match_type:1.0",
    "audience": "id audience_id:1.0; name audience_id:0.7; - audience_id:0.85",
    "geo": "- geo:0.92; name geo:0.91; id geo:0.8",
    # Of several levels side by side the finest is kept.
    "geo_country": "- geo:0.93; name geo:0.92; id geo:0.75",
    "geo_region": "- geo:0.94; name geo:0.93; id geo:0.76",
    "geo_metro": "- geo:0.95; name geo:0.94; id geo:0.77",
    "geo_city": "- geo:0.96; name geo:0.95; id geo:0.78",
    "geo_postal": "- geo:0.97; id geo:0.8",
    "store": "id store_id:1.0; - store_id:0.85",
    "sales_channel": "- sales_channel:1.0; type sales_channel:0.95; name sales_channel:0.95",
    "channel": "- sales_channel:0.66; type sales_channel:0.6; name sales_channel:0.6",
    "purchased": "- purchased_sku_id:0.8; id purchased_sku_id:0.95",
    "purchased_gtin": "- purchased_gtin:0.98; id purchased_gtin:0.95",
    "category": "- product_category:0.93; name product_category:0.95",
    "event": "id event_id:1.0",
    "session": "id session_id:1.0; - session_id:0.7",
    "user": "id user_id:1.0; - user_id:0.6",
    "request": "id request_id:1.0",
    "currency": "- currency:1.0; id currency:1.0; name currency:0.8",
    "day": "- period_start:1.0",
    "span": "- period_start:0.8",
    "start": "- period_start:0.98",
    "end": "- period_end:0.98",
    "hour": "- event_hour:0.97",
    "instant": "- event_ts_utc:0.92",
    "as_of": "- as_of_utc:0.95",
}


def _parse(text: str) -> dict[str, tuple[tuple[str, float], ...]]:
    traits = {}
    for part in text.split(";"):
        trait, *columns = part.split()
        pairs = [column.split(":") for column in columns]
        traits["" if trait == "-" else trait] = tuple((name, float(likelihood)) for name, likelihood in pairs)
    return traits


THINGS: Final = {thing: _parse(text) for thing, text in _TABLE.items()}
