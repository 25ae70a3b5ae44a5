"""Instacart Ads: the product report under its older names and under the newer ones, which name the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from demo.core.reports.tables import (
    Column,
    Form,
    Style,
    Table,
    attribution,
    count,
    day,
    money,
    month_number,
    ratio,
    text,
)
from harmonization.core.rmis import Model

NETWORK: Final = "instacart"
DAYS: Final = 14
OLD: Final = Form("usd")
OLD_SHEET: Final = Form("workbook", "xlsx")
LINEAR: Final = Form("linear", style=Style(date=month_number))
NEW_NAMES: Final = {
    "date": "event.date", "status": "product.status", "campaign": "campaign.name", "ad_group": "ad_group.name",
    "product": "product.name", "product_size": "product.size", "upc": "product.scan_code", "spend": "event.spend",
    "attributed_sales": "event.attributed_sales_linear", "attributed_quantities": "event.attributed_units_linear",
    "impressions": "event.impressions", "clicks": "event.clicks", "ctr": "event.ctr",
    "ntb_attributed_sales": "event.ntb_attributed_sales_linear", "campaign_uuid": "campaign.id",
    "ad_group_uuid": "ad_group.id", "id": "product.id",
}  # fmt: skip


def _product(form: Form) -> tuple[Column, ...]:
    model: Model = "linear" if form is LINEAR else "last_touch"
    named = (
        day("date"), text("status", choices=("active", "paused")), text("campaign", "campaign"),
        text("ad_group", "ad_group"), text("product", "product"), text("product_size", "pack_size"), text("upc", "upc"),
        money("spend", "spend", "spend"), money("attributed_sales", "sales14", attribution("sales", DAYS, model=model)),
        count("attributed_quantities", "units14", attribution("units", DAYS, model=model)),
        count("impressions", "impressions", "impressions"), count("clicks", "clicks", "clicks"),
        ratio("ctr", "clicks", "impressions"),
        money("ntb_attributed_sales", "sales14_new", attribution("sales", DAYS, ntb="new", model=model)),
        text("id", "item_id"), text("campaign_uuid", "campaign_id"), text("ad_group_uuid", "ad_group_id"),
    )  # fmt: skip
    if form is not LINEAR:
        return named
    return tuple(replace(each, header=NEW_NAMES[each.header]) for each in named)


FORMS: Final = (OLD, OLD_SHEET, LINEAR)
TABLES: Final = (Table("instacart_product", NETWORK, _product, FORMS, things=8, knows_currency=False),)
