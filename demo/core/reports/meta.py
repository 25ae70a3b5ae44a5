"""Meta Ads: delivery by ad or place, and beside it one row per kind of action, in counts and in money.

Kinds overlap, so only some are figures; the setting of the account is in `value`, touches alone in `_7_d_click` and
`_1_d_view`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Final

from demo.core.reports.facts import Row, make_rows
from demo.core.reports.tables import (
    FIRST_DAY,
    Column,
    Form,
    Meaning,
    Table,
    attribution,
    count,
    day,
    money,
    ratio,
    text,
)
from harmonization.core.rmis import Channel, Metric

NETWORK: Final = "meta_ads"
PIXEL: Final = "offsite_conversion.fb_pixel_"
COUNTED: Final[tuple[tuple[Metric, str], ...]] = (
    ("orders", "purchase"),
    ("add_to_cart", "add_to_cart"),
    ("detail_page_views", "view_content"),
)
KINDS: Final = ("lead", *(f"{before}{kind}" for _, kind in COUNTED for before in ("", PIXEL)))
DEFAULTS: Final = Form("defaults")
LONG_CLICK: Final = Form("click_28_view_7", currency="EUR", parameters={"click_window": "28D", "view_window": "7D"})
ACTION_FORMS: Final = (DEFAULTS, LONG_CLICK)
DELIVERY_FORMS: Final = (Form("connector"), Form("workbook_eur", "xlsx", currency="EUR"))


def _delivery(*dimensions: Column) -> Callable[[Form], tuple[Column, ...]]:
    def columns(form: Form) -> tuple[Column, ...]:
        return (
            *dimensions, day("date"), text("account_id", choices=("1700252260223815",)),
            count("impressions", "impressions", "impressions"), count("inline_link_clicks", "clicks", "clicks"),
            money("spend", "spend", "spend"), count("reach", "reach", "reach"),
            ratio("frequency", "impressions", "reach"),
        )  # fmt: skip

    return columns


def _insights(form: Form) -> tuple[Column, ...]:
    """The wide export: windows in the names, link clicks beside all clicks."""
    return (
        day("date_start"), day("date_stop"), text("account_id", choices=("1700252260223815",)),
        text("account_currency", "currency"), text("campaign_id", "campaign_id"), text("campaign_name", "campaign"),
        text("adset_id", "ad_group_id"), text("adset_name", "ad_group"), text("ad_id", "ad_id"),
        count("impressions", "impressions", "impressions"), count("clicks", "clicks", "clicks"),
        count("inline_link_clicks", "clicks"), money("spend", "spend", "spend"),
        count("purchases_7d_click", "orders7", attribution("orders", 7)),
        count("purchases_1d_view", "orders1_seen", attribution("orders", None, 1)),
        money("purchase_value_7d_click", "sales7", attribution("sales", 7)),
        money("purchase_value_1d_view", "sales1_seen", attribution("sales", None, 1)),
        count("video_p25_watched_actions", "video_q25", "video_q25"),
        count("video_p100_watched_actions", "video_completes", "video_completes"),
    )  # fmt: skip


def _by_kind(rng: random.Random, form: Form) -> list[Row]:
    """Every day and ad once for each kind of action; the same figures stand for whatever the kind counts."""
    rows = []
    for row in make_rows(rng, first=FIRST_DAY, days=7, things=2):
        for index, kind in enumerate(KINDS):
            here = {"kind": kind, "index": str(index), "id": f"{row['date']:%Y%m%d}{row['thing']}", "none": None}
            rows.append(
                row | here | {"sevens": row["units7"] + index, "ones": row["units1_seen"], "cents": row["sales7"]}
            )
    return rows


def _figures(metrics: tuple[tuple[Metric, str], ...], click: int | None, view: int | None) -> Iterator[Meaning]:
    channels: tuple[tuple[str, Channel], ...] = (("", "all"), (PIXEL, "online"))
    for metric, kind in metrics:
        for before, channel in channels:
            figure = attribution(metric, click, view, channel=channel)
            yield Meaning(attribution=figure, only=("action_type", (f"{before}{kind}",)))


def _actions(who: Column, *, money_of: bool = False) -> Callable[[Form], tuple[Column, ...]]:
    def columns(form: Form) -> tuple[Column, ...]:
        setting = (28, 7) if form is LONG_CLICK else (7, 1)
        metrics: tuple[tuple[Metric, str], ...] = (("sales", "purchase"),) if money_of else COUNTED
        kind, key, ones = ("money", "cents", "none") if money_of else ("count", "sevens", "ones")
        return (
            text("_fivetran_id", "id"), who, day("date"), text("index", "index"), text("action_type", "kind"),
            Column("value", key, kind, tuple(_figures(metrics, *setting))),  # type: ignore[arg-type]
            Column("_7_d_click", key, kind, tuple(_figures(metrics, 7, None))),  # type: ignore[arg-type]
            Column("_1_d_view", ones, kind, tuple(_figures(metrics, None, 1))),  # type: ignore[arg-type]
        )  # fmt: skip

    return columns


AD: Final = text("ad_id", "ad_id")
ACCOUNT: Final = text("account_id", choices=("1700252260223815",))


def _long(contract: str, who: Column, *, money_of: bool = False) -> Table:
    return Table(contract, NETWORK, _actions(who, money_of=money_of), ACTION_FORMS, rows=_by_kind, knows_currency=False)


TABLES: Final = (
    Table("meta_ad", NETWORK, _delivery(AD), DELIVERY_FORMS, knows_currency=False),
    Table("meta_ad", NETWORK, _insights, (Form("insights", "json"), Form("insights_eur", currency="EUR"))),
    Table(
        "meta_demographics_country", NETWORK, _delivery(text("country", choices=("US", "CA", "GB", "DE"))),
        DELIVERY_FORMS, knows_currency=False,
    ),
    Table(
        "meta_demographics_region", NETWORK, _delivery(text("region", choices=("Ontario", "Texas", "Ohio", "Utah"))),
        DELIVERY_FORMS, knows_currency=False,
    ),
    _long("meta_ad_actions", AD),
    _long("meta_ad_action_values", AD, money_of=True),
    _long("meta_demographics_country_actions", ACCOUNT),
    _long("meta_demographics_region_actions", ACCOUNT),
)  # fmt: skip
