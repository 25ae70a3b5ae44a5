"""Rules and natural key of a proposed contract, from the columns that it maps and the values that were seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from harmonization.core.matching.columns import Matched

#: Columns that tell rows apart, names only where there is no id.
_KEYS: Final[tuple[tuple[str, ...], ...]] = (
    ("period_start",), ("period_end",), ("event_hour",), ("account_id", "account_name"),
    ("retailer_id", "retailer_name"),
    ("campaign_id", "campaign_name"), ("ad_group_id", "ad_group_name"), ("ad_id",), ("creative_id", "creative_name"),
    ("brand_id", "brand_name"), ("sku_id", "gtin14", "seller_sku", "product_name"),
    ("purchased_sku_id", "purchased_gtin"),
    ("keyword",), ("match_type",), ("search_term",), ("placement",), ("device",), ("media_type",), ("buy_type",),
    ("audience_id",), ("geo",), ("store_id",), ("sales_channel",), ("product_category",), ("currency",),
)  # fmt: skip
_COUNTS: Final = ("impressions", "clicks", "spend")


def natural_key(targets: Sequence[str], grain: str) -> list[str]:
    """Canonical columns that make a row itself, as far as names tell."""
    if grain == "event" and "event_id" in targets:
        return ["event_id"]
    key = []
    for choices in _KEYS:
        found = next((name for name in choices if name in targets), None)
        if found is not None:
            key.append("placement_raw" if found == "placement" else found)
    return key or ["period_start"]


def draft_rules(document: dict[str, Any], matched: Matched) -> list[dict[str, Any]]:
    """Rules that hold for every report of media, of the columns that are there."""
    targets = {one["target"] for one in document["fields"]}
    rules: list[dict[str, Any]] = []
    if "period_start" in targets:
        rules.append({"id": "dates_present", "kind": "not_null", "columns": ["period_start"]})
        rules.append({"id": "date_plausible", "kind": "range", "column": "period_start", "min": "2012-01-01"})
    measures = [name for name in _COUNTS if name in targets]
    if filled := [name for name in measures if _always_filled(name, matched)]:
        rules.append({"id": "measures_present", "kind": "not_null", "columns": filled})
    rules += [{"id": f"{name}_not_negative", "kind": "range", "column": name, "min": 0} for name in measures]
    if "currency" in targets:
        rules.append({"id": "currency_iso", "kind": "regex", "column": "currency", "pattern": "^[A-Z]{3}$"})
    if "gtin14" in targets:
        rules.append({"id": "gtin_valid", "kind": "gtin_check", "column": "gtin14", "severity": "warn"})
    if {"impressions", "clicks"} <= targets:
        rules.append(_expression("clicks_within_impressions", "clicks <= impressions"))
    if {"reported_ctr", "clicks", "impressions"} <= targets:
        rules.append(_expression("ctr_agrees", "abs(reported_ctr - clicks / impressions) <= 0.0001"))
    if {"reported_cpc", "clicks", "spend"} <= targets:
        rules.append(_expression("cpc_agrees", "abs(reported_cpc - spend / clicks) <= 0.0051"))
    rules += _sums(document["attributions"])
    return rules


def _expression(id_: str, expression: str) -> dict[str, Any]:
    return {"id": id_, "kind": "expression", "expression": expression, "severity": "warn"}


def _always_filled(target: str, matched: Matched) -> bool:
    for decision in matched.decisions:
        if decision.meaning.target == target:
            profile = decision.column.profile
            return profile.filled > 0 and profile.filled == len(profile.numbers)
    return False


def _sums(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Total is same product plus others, where a metric is split so; new buyers are some of all."""
    rules = []
    for metric in ("sales", "units"):
        own = [entry for entry in entries if entry["metric"] == metric]
        # Only figures of one window and one kind of touch add up.
        window = next((_window(entry) for entry in own if entry["match"] == "total" and _plain(entry)), None)
        own = [entry for entry in own if _window(entry) == window]
        plain = {entry["match"]: entry["id"] for entry in own if _plain(entry)}
        if {"total", "same_sku", "halo"} <= set(plain):
            parts = f"{plain['total']} - {plain['same_sku']} - {plain['halo']}"
            rules.append(_expression(f"{metric}_add_up", f"abs({parts}) <= 0.01"))
        new = [entry["id"] for entry in own if entry.get("ntb") == "new" and "channel" not in entry]
        if "total" in plain and len(new) == 1:
            rules.append(_expression(f"{metric}_ntb_within_total", f"{new[0]} <= {plain['total']} + 0.01"))
    return rules


def _window(entry: dict[str, Any]) -> tuple[object, object]:
    return entry["click_days"], entry.get("view_days")


def _plain(entry: dict[str, Any]) -> bool:
    return "channel" not in entry and "ntb" not in entry and entry["click_days"] is not None
