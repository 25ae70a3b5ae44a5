"""Which product of the catalogue each advertised id is: found by evidence, decided by people where it disagrees."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import polars as pl
from django.db import transaction
from django.utils import timezone

from accounts import services as people
from accounts.models import User
from harmonization.core.crosswalk import crosswalk
from harmonization.core.findings import Found
from harmonization.models import Account, CrosswalkEntry, Listing, Product, ProductIdentifier
from tenants.core.problems import Conflict, InvalidInput

UNKNOWN_KIND = "unknown_products"
#: What is found by less is shown, and left to people.
LEAST_CONFIDENCE = 0.6
_BATCH = 1_000
_SUM = pl.Decimal(38, 6)
_TEXT = ("sku_id", "sku_id_type", "gtin14", "seller_sku", "product_name")
_CATALOGUE = {
    **dict.fromkeys(("sku", "retailer_id", "source_id", "source_id_type", "gtin14", "product_name"), pl.String),
    **dict.fromkeys(("valid_from", "valid_to"), pl.Date),
}


def resolve_products(*, account: Account, events: pl.LazyFrame) -> list[Found]:
    """Resolve every id that an account advertises, keep what came of it, and say what the catalogue does not know.

    What a person decided stays as it was decided. Nothing is said while the tenant has no catalogue at all.

    Args:
        events: all rows of the account that stand.
    """
    advertised = _advertised(events, account)
    known = Product.objects.exists()
    resolved = crosswalk(advertised, _catalogue()) if known else _unresolved(advertised)
    _keep(account, resolved.to_dicts())
    return _unknown(account) if known else []


def decide_product(*, actor: User, entry: CrosswalkEntry, product: Product, reason: str) -> CrosswalkEntry:
    """A person says which product an advertised id is. From then on its figures are that product's.

    The id becomes a listing of the product at the retailer, so rows that were loaded before follow too.

    Raises:
        InvalidInput: no reason was given.
    """
    _require(actor, entry)
    people.require(user=actor, permission="catalogue.manage", brand=product.brand_id)
    if not reason.strip():
        raise InvalidInput("Why is it this product?", where="reason", fix="Give a reason in a few words.")
    with transaction.atomic():
        entry = CrosswalkEntry.objects.select_for_update().get(pk=entry.pk)
        Listing.objects.update_or_create(
            retailer_id=entry.retailer_id, retailer_sku=entry.sku_id[:64], defaults={"product": product}
        )
        entry.product, entry.state, entry.method, entry.confidence = (
            product,
            CrosswalkEntry.State.RESOLVED,
            "person",
            1.0,
        )
        entry.decided_by, entry.decided_at, entry.reason = actor, timezone.now(), reason.strip()[:400]
        entry.save()
    return entry


def withdraw_decision(*, actor: User, entry: CrosswalkEntry) -> CrosswalkEntry:
    """Take a decision back: the id is what the catalogue makes of it when the account is checked next.

    Raises:
        Conflict: nobody decided.
    """
    _require(actor, entry)
    with transaction.atomic():
        entry = CrosswalkEntry.objects.select_for_update().get(pk=entry.pk)
        if not entry.is_decided:
            raise Conflict("Nobody has decided on this id.", fix="There is nothing to take back.")
        if entry.product is not None:
            entry.product.listings.filter(retailer_id=entry.retailer_id, retailer_sku=entry.sku_id).delete()
        entry.decided_by, entry.decided_at, entry.reason = None, None, ""
        entry.product, entry.method, entry.confidence = None, "", 0.0
        entry.state = CrosswalkEntry.State.CONFLICT if entry.candidates else CrosswalkEntry.State.UNKNOWN
        entry.save()
    return entry


def _require(actor: User, entry: CrosswalkEntry) -> None:
    people.require(user=actor, permission="catalogue.manage", brand=entry.account.brand_id)


def _advertised(events: pl.LazyFrame, account: Account) -> pl.DataFrame:
    columns = events.collect_schema().names()
    text = [
        (pl.col(name) if name in columns else pl.lit(None, dtype=pl.String)).cast(pl.String).alias(name)
        for name in _TEXT
    ]
    by_report = (
        events.select(*text, "report", "currency", "spend", "period_start", "period_end")
        .filter(pl.col("sku_id").is_not_null())
        .group_by("sku_id", "sku_id_type", "currency", "report")
        .agg(
            pl.col("gtin14", "seller_sku", "product_name").drop_nulls().last(),
            pl.len().cast(pl.Int64).alias("rows"),
            pl.col("spend").fill_null(0).cast(_SUM).sum(),
            pl.col("period_start").min().alias("first_day"),
            pl.col("period_end").max().alias("last_day"),
        )
        .collect(engine="streaming")
    )
    # Reports of one account tell the same spend again: that of the one that has most of it is at stake.
    by_currency = by_report.group_by("sku_id", "sku_id_type", "currency", maintain_order=True).agg(
        pl.col("gtin14", "seller_sku", "product_name").drop_nulls().first(),
        pl.col("rows").sum(),
        pl.col("spend").max(),
        pl.col("first_day").min(),
        pl.col("last_day").max(),
    )
    ids = by_currency.group_by("sku_id", "sku_id_type", maintain_order=True).agg(
        pl.col("gtin14", "seller_sku", "product_name").drop_nulls().first(),
        pl.col("rows").sum(),
        pl.struct("currency", "spend").alias("spend"),
        pl.col("first_day").min(),
        pl.col("last_day").max(),
    )
    # An id means what it meant when it was advertised last.
    return ids.with_columns(pl.lit(account.retailer.slug).alias("retailer_id"), pl.col("last_day").alias("day"))


def _catalogue() -> pl.DataFrame:
    """Every id of every product, and each product once without any, for its GTIN and name."""
    rows: list[tuple[Any, ...]] = []
    gtins = dict(Product.objects.values_list("sku", "gtin14"))
    names = dict(Product.objects.values_list("sku", "name"))
    listings = Listing.objects.values_list("product__sku", "retailer__slug", "retailer_sku", "valid_from", "valid_to")
    rows += [(sku, retailer, own, None, first, last) for sku, retailer, own, first, last in listings]
    others = ProductIdentifier.objects.values_list(
        "product__sku", "retailer__slug", "value", "kind", "valid_from", "valid_to"
    )
    rows += list(others)
    rows += [(sku, None, None, None, None, None) for sku in gtins]
    # A further GTIN of a product is its GTIN too, of another pack.
    packs = [(value, sku) for sku, _, value, kind, *_ in others if kind in ("upc", "ean", "gtin")]
    records = [
        (sku, retailer, own, kind, gtins.get(sku) or None, names.get(sku), first, last)
        for sku, retailer, own, kind, first, last in rows
    ]
    records += [(sku, None, None, None, value, names.get(sku), None, None) for value, sku in packs]
    return pl.DataFrame(records, schema=_CATALOGUE, orient="row")


def _unresolved(advertised: pl.DataFrame) -> pl.DataFrame:
    return advertised.with_columns(
        pl.lit(None, dtype=pl.String).alias("sku"), pl.lit("").alias("method"), pl.lit(0.0).alias("confidence"),
        pl.lit(None, dtype=pl.String).alias("conflict"), pl.lit(None).alias("candidates"),
    )  # fmt: skip


def _keep(account: Account, resolved: Iterable[dict[str, Any]]) -> None:
    products = dict(Product.objects.values_list("sku", "pk"))
    now = timezone.now()
    with transaction.atomic():
        known = {
            (entry.sku_id, entry.sku_id_type): entry
            for entry in CrosswalkEntry.objects.select_for_update().filter(account=account)
        }
        fresh: list[CrosswalkEntry] = []
        again: list[CrosswalkEntry] = []
        for row in resolved:
            key = (row["sku_id"][:120], row["sku_id_type"] or "")
            entry = known.get(key)
            target = again if entry else fresh
            entry = entry or CrosswalkEntry(
                account=account, retailer_id=account.retailer_id, sku_id=key[0], sku_id_type=key[1]
            )
            _tell(entry, row, products)
            entry.checked_at = now
            target.append(entry)
        CrosswalkEntry.objects.bulk_create(fresh, batch_size=_BATCH)
        CrosswalkEntry.objects.bulk_update(
            again,
            [
                "gtin14", "name", "product", "state", "confidence", "method", "candidates", "rows", "spend",
                "first_day", "last_day", "checked_at",
            ],
            batch_size=_BATCH,
        )  # fmt: skip
        # Ids of rows that no longer stand; what a person decided is kept for when they come back.
        CrosswalkEntry.objects.filter(account=account, checked_at__lt=now, decided_at__isnull=True).delete()


def _tell(entry: CrosswalkEntry, row: dict[str, Any], products: dict[str, Any]) -> None:
    entry.gtin14, entry.name = (row["gtin14"] or "")[:14], (row["product_name"] or "")[:400]
    entry.rows, entry.first_day, entry.last_day = row["rows"], row["first_day"], row["last_day"]
    entry.spend = {one["currency"] or "unknown": f"{one['spend']:.2f}" for one in row["spend"]}
    entry.candidates = json.loads(json.dumps(row["candidates"] or []))
    if entry.is_decided:
        return
    sure = row["sku"] is not None and row["confidence"] >= LEAST_CONFIDENCE
    entry.product_id = products.get(row["sku"]) if sure else None
    entry.confidence, entry.method = row["confidence"], row["method"] or ""
    if sure:
        entry.state = CrosswalkEntry.State.RESOLVED
    else:
        entry.state = CrosswalkEntry.State.CONFLICT if entry.candidates else CrosswalkEntry.State.UNKNOWN


def _unknown(account: Account) -> list[Found]:
    entries = list(CrosswalkEntry.objects.filter(account=account).exclude(state=CrosswalkEntry.State.RESOLVED))
    if not entries:
        return []
    money: dict[str, Decimal] = {}
    for entry in entries:
        for currency, amount in entry.spend.items():
            money[currency] = money.get(currency, Decimal(0)) + Decimal(amount)
    largest = sorted(entries, key=lambda entry: -sum(map(Decimal, entry.spend.values())))[:20]
    conflicts = sum(entry.state == CrosswalkEntry.State.CONFLICT for entry in entries)
    return [
        Found(
            kind=UNKNOWN_KIND,
            subject="advertised ids",
            severity="warn",
            title=f"{len(entries):,} advertised id{'' if len(entries) == 1 else 's'} without a sure product",
            detail=f"{conflicts:,} of them may be one of several. Their spend is no product's until somebody decides, "
            "or the catalogue names them.",
            rows=sum(entry.rows for entry in entries),
            money=money,
            evidence={
                "largest": [f"{entry.sku_id} {entry.name}".strip() for entry in largest],
                "in_conflict": conflicts,
            },
            first_day=min((entry.first_day for entry in entries if entry.first_day), default=None),
            last_day=max((entry.last_day for entry in entries if entry.last_day), default=None),
        )
    ]
