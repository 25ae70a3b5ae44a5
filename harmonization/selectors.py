"""Reads of uploads, loads, contracts, the catalogue, and the published events."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import polars as pl
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, JSONObject

from accounts import selectors as people
from accounts.models import User
from harmonization.core.event_table import EventTableFolder
from harmonization.models import (
    Account,
    Campaign,
    ContractVersion,
    EventTable,
    Listing,
    Load,
    MappingContract,
    Product,
    Restatement,
    Retailer,
    TableVersion,
    Upload,
)
from jobs.models import Job
from tenants.core.problems import InvalidInput, NotFound
from tenants.selectors import tenant_folder

EVENTS = "events"
Person = User | AnonymousUser


@dataclass(frozen=True, kw_only=True)
class Finality:
    """Until when an account's network may still restate its latest figures."""

    network: str
    account: str
    restating_until: date


@dataclass(frozen=True, kw_only=True)
class EventView:
    """The published events of some brands.

    Attributes:
        rows: RMIS columns of every load, and, from the load and the catalogue, `rmn_*`: brand, account, retailer,
            network, report, rank of the report and whether it holds all impressions, the product's own SKU and name.
        version: version of the event table that was opened.
        headline: per load, the attribution column that is the network's own figure for a metric.
        outcomes: per load, all attribution columns that its file told.
        as_of: when the newest load was published.
    """

    rows: pl.LazyFrame
    version: int
    headline: dict[str, dict[str, str]]
    outcomes: dict[str, list[str]]
    finality: list[Finality]
    as_of: datetime


def events_folder() -> EventTableFolder:
    """The running tenant's event table."""
    return EventTableFolder(tenant_folder() / "delta" / EVENTS)


def published_events(
    *, brand_ids: Collection[UUID], with_unbranded: bool = False, as_of: datetime | None = None
) -> EventView | None:
    """Published events of these brands; None where nothing was published at all.

    Args:
        with_unbranded: also rows of accounts of several brands that name no product of the catalogue. They are
            nobody's in particular, so only roles for the whole tenant see them.
        as_of: what was in force at that instant, before later files restated it; None means now.

    Raises:
        InvalidInput: the version of that instant was deleted, as old ones are.
    """
    version = version_in_force(as_of)
    loads = _published_loads(as_of)
    if version is None or not loads:
        return None
    allowed = pl.col("rmn_brand_id").is_in([str(pk) for pk in brand_ids])
    rows = _with_owners(events_folder().scan(version), loads).filter(
        allowed | pl.col("rmn_brand_id").is_null() if with_unbranded else allowed
    )
    return EventView(
        rows=rows,
        version=version,
        headline={str(load.pk): dict(load.report.get("headline", {})) for load in loads},
        outcomes={
            str(load.pk): [told["column"] for told in load.report.get("attribution_columns", [])] for load in loads
        },
        finality=_finality(loads),
        as_of=max(load.published_at for load in loads if load.published_at),
    )


def version_in_force(as_of: datetime | None) -> int | None:
    """Version of the event table that readers open now, or opened at an instant; None where there was none.

    Raises:
        InvalidInput: the version of that instant was deleted, as old ones are.
    """
    if as_of is None:
        table = EventTable.objects.filter(name=EVENTS).first()
        return table.version if table else None
    versions = TableVersion.objects.filter(table=EVENTS)
    found = versions.filter(published_at__lte=as_of).first()
    if found is None:
        return None
    if not found.readable:
        oldest = versions.filter(readable=True).last()
        raise InvalidInput(
            f"The events as of {as_of:%Y-%m-%d %H:%M} UTC are no longer kept.",
            where="as_of",
            fix=f"Ask for an instant from {oldest.published_at:%Y-%m-%d %H:%M} UTC on." if oldest else "Ask for now.",
        )
    return int(found.version)


def _published_loads(as_of: datetime | None) -> list[Load]:
    """Published loads with their accounts and, of their reports, no more than is asked for here.

    Every page of figures reads them all, and a whole report is kilobytes long.
    """
    names = ("headline", "attribution_columns", "coverage", "report", "restatement_days")
    told = JSONObject(**{name: f"report__{name}" for name in names})
    loads: list[Load] = []
    wanted = Q(status=Load.Status.PUBLISHED)
    if as_of is not None:
        # Those that were replaced meanwhile were in force then; of what was not, the version has no rows.
        wanted = Q(status__in=[Load.Status.PUBLISHED, Load.Status.REPLACED], published_at__lte=as_of)
    published = Load.objects.filter(wanted).defer("report", "problem").annotate(told=told)
    for load in published.select_related("upload__account__retailer", "upload__account__brand"):
        load.report = {name: value for name, value in load.told.items() if value is not None}
        loads.append(load)
    return loads


def _with_owners(rows: pl.LazyFrame, loads: list[Load]) -> pl.LazyFrame:
    """Rows with what the load and the catalogue know of them; what a file claims about its brand decides nothing."""
    owners = pl.LazyFrame([_owner(load) for load in loads], schema=_OWNER_SCHEMA)
    listings = Listing.objects.select_related("product__brand").values_list(
        "retailer_id", "retailer_sku", "product__brand_id", "product__brand__name", "product__sku", "product__name"
    )
    products = pl.LazyFrame(
        [tuple(str(value) for value in row) for row in listings],
        schema=["rmn_retailer_id", "sku_id", "product_brand_id", "product_brand", "rmn_sku", "rmn_product"],
        orient="row",
        schema_overrides=dict.fromkeys(
            ["rmn_retailer_id", "sku_id", "product_brand_id", "product_brand", "rmn_sku", "rmn_product"], pl.String
        ),
    )
    return (
        rows.join(owners, on="load_id", how="inner", maintain_order="left")
        .join(products, on=["rmn_retailer_id", "sku_id"], how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("product_brand_id", "rmn_brand_id").alias("rmn_brand_id"),
            pl.coalesce("product_brand", "rmn_brand").alias("rmn_brand"),
        )
        .drop("product_brand_id", "product_brand")
    )


_OWNER_SCHEMA = {
    "load_id": pl.String,
    "rmn_brand_id": pl.String,
    "rmn_brand": pl.String,
    "rmn_account_id": pl.String,
    "rmn_account": pl.String,
    "rmn_retailer_id": pl.String,
    "rmn_retailer": pl.String,
    "rmn_network": pl.String,
    "rmn_report": pl.String,
    "rmn_report_rank": pl.Int32,
    "rmn_report_impressions": pl.String,
}


def _owner(load: Load) -> dict[str, object]:
    account = load.upload.account
    assert account is not None, "a published load has an account: the database checks it"
    coverage = load.report.get("coverage", {})
    return {
        "load_id": str(load.pk),
        "rmn_brand_id": str(account.brand_id) if account.brand_id else None,
        "rmn_brand": account.brand.name if account.brand else None,
        "rmn_account_id": str(account.pk),
        "rmn_account": account.name,
        "rmn_retailer_id": str(account.retailer_id),
        "rmn_retailer": account.retailer.name,
        "rmn_network": account.retailer.network,
        "rmn_report": load.report.get("report", ""),
        "rmn_report_rank": coverage.get("rank", 100),
        "rmn_report_impressions": coverage.get("impressions", "all"),
    }


def _finality(loads: list[Load]) -> list[Finality]:
    latest: dict[tuple[str, str], date] = {}
    for load in loads:
        account = load.upload.account
        if account is None or load.period_end is None:
            continue
        until = load.period_end + timedelta(days=int(load.report.get("restatement_days", 0)))
        key = (account.retailer.network, account.name)
        latest[key] = max(latest.get(key, until), until)
    return [Finality(network=key[0], account=key[1], restating_until=until) for key, until in sorted(latest.items())]


def retailers() -> QuerySet[Retailer]:
    """Every retailer of the tenant: their names are no brand's secret."""
    return Retailer.objects.all()


def accounts_visible(*, user: Person, permission: str = "uploads.view") -> QuerySet[Account]:
    """Accounts of the brands for which a person has a permission; those of several brands for tenant-wide roles."""
    accounts = Account.objects.select_related("brand", "retailer")
    if people.may(user=user, permission=permission):
        return accounts
    return accounts.filter(brand__in=people.brands_for(user=user, permission=permission))


def sources_visible(*, user: Person) -> QuerySet[Account]:
    """Accounts with what arrived for each: `files`, `rows` that stand, `first_day` and `last_day` of their figures."""
    published = Q(uploads__loads__status=Load.Status.PUBLISHED)
    gave_way = (
        Restatement.objects.filter(
            earlier__upload__account=OuterRef("pk"), earlier__status=Load.Status.PUBLISHED, ended_at=None
        )
        .values("earlier__upload__account")
        .annotate(total=Sum("rows"))
        .values("total")
    )
    return accounts_visible(user=user).annotate(
        files=Count("uploads", distinct=True),
        rows=Sum("uploads__loads__rows_out", filter=published, default=0) - Coalesce(Subquery(gave_way), 0),
        first_day=Min("uploads__loads__period_start", filter=published),
        last_day=Max("uploads__loads__period_end", filter=published),
    )


def account_visible(*, user: Person, account_id: UUID, permission: str = "uploads.view") -> Account:
    """One account.

    Raises:
        NotFound: there is none, or it belongs to a brand this person may not know of.
    """
    account = accounts_visible(user=user, permission=permission).filter(pk=account_id).first()
    if account is None:
        raise NotFound("There is nothing here under that id.")
    return account


def uploads_visible(*, user: Person) -> QuerySet[Upload]:
    """Uploads of the brands a person may see; those that cover several brands for tenant-wide roles only."""
    brands = people.brands_for(user=user, permission="uploads.view")
    uploads = Upload.objects.select_related("account__retailer", "brand", "created_by").prefetch_related("loads")
    if people.may(user=user, permission="uploads.view"):
        return uploads
    return uploads.filter(brand__in=brands)


def upload_visible(*, user: Person, upload_id: UUID) -> Upload:
    """One upload, or `NotFound` in the words of a nonexistent one."""
    upload = uploads_visible(user=user).filter(pk=upload_id).first()
    if upload is None:
        raise NotFound("There is nothing here under that id.")
    return upload


def loads_visible(*, user: Person) -> QuerySet[Load]:
    """Loads of visible uploads."""
    return Load.objects.filter(upload__in=uploads_visible(user=user)).select_related(
        "upload__account__retailer", "upload__brand", "contract_version__contract"
    )


def load_visible(*, user: Person, load_id: UUID) -> Load:
    """One load, or `NotFound` in the words of a nonexistent one."""
    load = loads_visible(user=user).filter(pk=load_id).first()
    if load is None:
        raise NotFound("There is nothing here under that id.")
    return load


def quarantined_rows(load: Load, *, limit: int) -> list[dict[str, object]]:
    """Source rows that a load kept back, in the file's order, at most `limit`."""
    if not load.quarantine_path:
        return []
    path = tenant_folder() / load.quarantine_path
    return pl.scan_parquet(path).head(limit).collect().to_dicts()


def campaigns_visible(*, user: Person) -> QuerySet[Campaign]:
    """Campaigns of the brands whose figures a person may see."""
    return Campaign.objects.filter(account__in=accounts_visible(user=user, permission="metrics.view")).select_related(
        "account"
    )


def contracts() -> QuerySet[MappingContract]:
    """Contracts with their published version."""
    return MappingContract.objects.select_related("published")


def contract_named(*, name: str) -> MappingContract:
    """One contract, or `NotFound`."""
    contract = contracts().filter(name=name).first()
    if contract is None:
        raise NotFound(f"There is no mapping contract {name!r}.", fix="Choose one from the list of mappings.")
    return contract


def published_versions() -> QuerySet[ContractVersion]:
    """The text in force of every contract."""
    return ContractVersion.objects.filter(published_for__isnull=False).select_related("contract")


def products_visible(*, user: Person) -> QuerySet[Product]:
    """Catalogue entries of the brands a person may see."""
    brands = people.brands_for(user=user, permission="catalogue.view")
    return Product.objects.filter(brand__in=brands).select_related("brand").prefetch_related("listings__retailer")


def products_matching(products: QuerySet[Product], *, text: str) -> QuerySet[Product]:
    """Those whose SKU, name, GTIN or retailer id contains a text."""
    return products.filter(
        Q(sku__icontains=text)
        | Q(name__icontains=text)
        | Q(gtin14__contains=text)
        | Q(listings__retailer_sku__iexact=text)
    ).distinct()


def listings_of_brand(*, brand_id: UUID) -> QuerySet[Listing]:
    """What a brand's products are called at each retailer, with stock."""
    return Listing.objects.filter(product__brand_id=brand_id).select_related("product", "retailer")


def stored_file(upload: Upload) -> Path:
    """Where an upload's bytes lie: under their hash, with the sender's suffix, which tells readers the format."""
    name = Path(upload.file_name.lower())
    # Of a compressed file what it unpacks to, if that is a suffix and not just the end of a sentence.
    inner = Path(name.stem).suffix if name.suffix in (".gz", ".zst") else ""
    suffix = (inner if re.fullmatch(r"\.[a-z]{1,8}", inner) else "") + name.suffix
    return tenant_folder() / "uploads" / upload.sha256[:2] / f"{upload.sha256}{suffix}"


def answers_of(*, load: Load | None) -> dict[str, str]:
    """The answers to its mapping's parameters that a load was read under."""
    if load is None or load.job_id is None:
        return {}
    job = Job.objects.filter(pk=load.job_id).first()
    return dict(job.params.get("parameters", {})) if job is not None else {}


def upload_bytes() -> int:
    """Bytes of the uploads that the running tenant keeps."""
    return Upload.objects.aggregate(total=Sum("size"))["total"] or 0


def event_bytes() -> int:
    """Bytes of its event tables, with the versions that can still be read."""
    return EventTable.objects.aggregate(total=Sum("size"))["total"] or 0
