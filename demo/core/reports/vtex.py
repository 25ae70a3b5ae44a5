"""VTEX Ads: raw events as Parquet in UTC, each sent at least once, so that some come again."""

from __future__ import annotations

import datetime as dt
import random
from typing import Final

from demo.core.reports.facts import Row
from demo.core.reports.tables import FIRST_DAY, Column, Form, Table, attribution, count, money, text

NETWORK: Final = "vtex_ads"
EVENTS: Final = 90
REPEATED: Final = 7
PARQUET: Final = Form("day", "parquet", currency="BRL")
SEVEN_DAYS: Final = Form(
    "click_7_only", "parquet", currency="BRL", window=7, parameters={"click_window": "7D", "view_window": "none"}
)


def _events(rng: random.Random, form: Form) -> list[Row]:
    """Events around midnight in UTC, where a local day would be another."""
    start = dt.datetime.combine(FIRST_DAY, dt.time(), tzinfo=dt.UTC)
    rows = []
    for number in range(EVENTS):
        units, price = rng.randint(1, 4), rng.randint(199, 2_499)
        rows.append(
            {
                "thing": number, "id": f"e-{number:05d}", "session": f"s-{number // 3}", "user": f"u-{number // 5}",
                "ad_id": f"a-{number % 4}", "campaign_id": f"c-{number % 2}", "request": f"r-{number // 2}",
                "moment": start + dt.timedelta(milliseconds=rng.randrange(3 * 86_400_000)),
                "order": f"o-{number // 2:04d}", "sku": f"p-{number % 2}", "units": units, "price": price,
                "paid": price - 20, "total": units * (price - 20),
            }
        )  # fmt: skip
    return rows


def _shared(moment: str) -> tuple[Column, ...]:
    return (
        text("event_id", "id"), text("session_id", "session"), text("user_id", "user"), text("ad_id", "ad_id"),
        text("campaign_id", "campaign_id"), text("request_id", "request"),
        text("ad_type", choices=("product", "banner", "sponsored_brand")),
        text("placement_name", choices=("site_search_top", "site_home_shelf", "msite_category")),
        text("context", choices=("search", "home", "category", "lobby")), Column(moment, "moment", "instant"),
    )  # fmt: skip


def _plain(form: Form) -> tuple[Column, ...]:
    return (*_shared("created_at"), text("site", choices=("examplemart",)))


def _items(form: Form) -> tuple[Column, ...]:
    click, view = (7, None) if form is SEVEN_DAYS else (14, 14)
    return (
        *_shared("event_created_at"), text("order_id", "order"), text("product_sku", "sku"), money("price", "price"),
        money("promotional_price", "paid"), count("quantity", "units", attribution("units", click, view)),
        money("total_value", "total", attribution("sales", click, view)),
    )  # fmt: skip


def _raw(contract: str, measure: str) -> Table:
    return Table(
        contract,
        NETWORK,
        _plain,
        (PARQUET,),
        rows=_events,
        one_per_row=(measure,),
        twice=REPEATED,
        knows_currency=False,
    )


TABLES: Final = (
    _raw("vtex_impressions", "impressions"),
    _raw("vtex_views", "viewable_impressions"),
    _raw("vtex_clicks", "clicks"),
    Table(
        "vtex_conversion_items", NETWORK, _items, (PARQUET, SEVEN_DAYS), rows=_events, twice=REPEATED,
        knows_currency=False,
    ),
)  # fmt: skip
