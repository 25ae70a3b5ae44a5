"""What a published load shows of campaigns and placements, remembered."""

from __future__ import annotations

from datetime import date

import polars as pl
from django.db import transaction

from harmonization import selectors
from harmonization.models import Campaign, Load, Placement


def _events_of(load: Load) -> pl.LazyFrame:
    version = load.delta_version
    assert version is not None, "a published load has a version"
    return selectors.events_folder().scan(version).filter(pl.col("load_id") == str(load.pk))


def note_campaigns(load: Load) -> None:
    """Remember the campaigns a load brought, with the days they were seen."""
    key = pl.coalesce(pl.col("campaign_id"), pl.col("campaign_name"))
    seen = (
        _events_of(load)
        .select(
            key.alias("key"),
            pl.coalesce("campaign_name", "campaign_id").alias("name"),
            "ad_product",
            "period_start",
            "period_end",
        )
        .drop_nulls("key")
        .group_by("key")
        .agg(
            pl.col("name").last(),
            pl.col("ad_product").first(),
            pl.col("period_start").min().alias("first"),
            pl.col("period_end").max().alias("last"),
        )
        .collect(engine="streaming")
    )
    account = load.upload.account
    assert account is not None, "a report has an account: the database checks it"
    known = {row.key: row for row in Campaign.objects.filter(account=account)}
    rows = []
    for record in seen.iter_rows(named=True):
        old = known.get(record["key"][:255])
        rows.append(
            Campaign(
                account=account,
                key=record["key"][:255],
                name=record["name"][:255],
                campaign_type=record["ad_product"] or "",
                first_day=_least(record["first"], old.first_day if old else None),
                last_day=_greatest(record["last"], old.last_day if old else None),
            )
        )
    Campaign.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["account", "key"],
        update_fields=["name", "campaign_type", "first_day", "last_day"],
    )


def note_placements(load: Load, network: str) -> None:
    """Remember how each raw placement was read, so that people see and question it."""
    pairs = _events_of(load).select("placement_raw", "placement").drop_nulls().unique().collect(engine="streaming")
    with transaction.atomic():
        for raw, placement in sorted(pairs.iter_rows()):
            Placement.objects.get_or_create(network=network, raw_name=raw[:160], defaults={"placement": placement})


def _least(a: date | None, b: date | None) -> date | None:
    return min((day for day in (a, b) if day), default=None)


def _greatest(a: date | None, b: date | None) -> date | None:
    return max((day for day in (a, b) if day), default=None)
