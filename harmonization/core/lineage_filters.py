"""By what rows of files can be asked for, and the columns of published events that tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: What rows may be asked by, with the columns it is compared with: the same names as figures are asked by.
FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "network": ("rmn_network",),
    "retailer": ("rmn_retailer",),
    "account": ("rmn_account_id",),
    "brand": ("rmn_brand_id",),
    "report": ("rmn_report",),
    "currency": ("currency",),
    "campaign": ("campaign_id", "campaign_name"),
    "ad_group": ("ad_group_id", "ad_group_name"),
    "placement": ("placement",),
    "sku": ("rmn_sku", "sku_id"),
    "search_term": ("search_term",),
    "load": ("load_id",),
    "event_key": ("event_key",),
}
