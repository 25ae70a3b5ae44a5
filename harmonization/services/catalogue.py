"""The catalogue: products, what retailers call them, and stock."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.text import slugify

from accounts import services as people
from accounts.models import Brand, User
from harmonization import selectors
from harmonization.core.catalogue_file import CatalogueRow, read_catalogue
from harmonization.models import Listing, Product, ProductIdentifier, Retailer, Upload
from tenants.core.problems import InvalidInput

_BATCH = 2_000  # rows of one statement


@dataclass(frozen=True)
class CatalogueReport:
    """What an import changed."""

    rows: int
    products_created: int
    products_updated: int
    listings: int


def import_catalogue(*, actor: User, upload: Upload) -> CatalogueReport:
    """Take a catalogue file into the products and listings, all of it or nothing.

    Brands named in it must exist; retailers are added where they do not.

    Raises:
        InvalidInput: the file's findings, or a brand that does not exist.
    """
    people.require(user=actor, permission="catalogue.manage")
    if upload.kind != Upload.Kind.CATALOGUE:
        raise InvalidInput("This upload is no catalogue.", where="upload")
    rows = read_catalogue(selectors.stored_file(upload))
    with transaction.atomic():
        brands = {brand.name.casefold(): brand for brand in Brand.objects.all()}
        unknown = sorted({row.brand for row in rows if row.brand.casefold() not in brands})
        if unknown:
            raise InvalidInput(
                f"There is no brand {', '.join(map(repr, unknown))} in this tenant.",
                where="column brand",
                fix="Add the brand in the settings, or correct the file.",
            )
        retailers = _retailers(rows)
        by_sku = {row.sku: row for row in rows}
        updated = Product.objects.filter(sku__in=by_sku).count()
        Product.objects.bulk_create(
            [
                Product(
                    sku=row.sku,
                    brand=brands[row.brand.casefold()],
                    gtin14=row.gtin14,
                    name=row.product_name,
                    category=row.category,
                    pack_size=row.pack_size,
                    price=row.price,
                    cost=row.cost,
                    margin=row.margin,
                )
                for row in by_sku.values()
            ],
            batch_size=_BATCH,
            update_conflicts=True,
            unique_fields=["sku"],
            update_fields=["brand", "gtin14", "name", "category", "pack_size", "price", "cost", "margin", "updated_at"],
        )
        # Asked for: of a product that was there already, the insertion does not tell the id.
        products = dict(Product.objects.filter(sku__in=by_sku).values_list("sku", "pk"))
        Listing.objects.bulk_create(
            [
                Listing(
                    product_id=products[row.sku],
                    retailer=retailers[row.retailer.casefold()],
                    retailer_sku=row.retailer_sku,
                    units_in_stock=row.units_in_stock,
                    daily_unit_sales=row.daily_unit_sales,
                    stock_as_of=row.stock_as_of,
                    availability=row.availability,
                    has_buy_box=row.has_buy_box,
                    valid_from=row.valid_from,
                    valid_to=row.valid_to,
                )
                for row in rows
            ],
            batch_size=_BATCH,
            update_conflicts=True,
            unique_fields=["retailer", "retailer_sku"],
            update_fields=[
                "product", "units_in_stock", "daily_unit_sales", "stock_as_of", "availability", "has_buy_box",
                "valid_from", "valid_to",
            ],
        )  # fmt: skip
        ProductIdentifier.objects.bulk_create(
            [
                ProductIdentifier(product_id=products[row.sku], kind=kind, value=value)
                for row in by_sku.values()
                for kind, value in row.identifiers
            ],
            batch_size=_BATCH,
            ignore_conflicts=True,
        )
    return CatalogueReport(
        rows=len(rows), products_created=len(by_sku) - updated, products_updated=updated, listings=len(rows)
    )


def _retailers(rows: list[CatalogueRow]) -> dict[str, Retailer]:
    """Retailers by their name in small letters; those that are new are added."""
    known = {retailer.name.casefold(): retailer for retailer in Retailer.objects.all()}
    slugs = {retailer.slug for retailer in known.values()}
    for row in rows:
        key = row.retailer.casefold()
        if key in known:
            continue
        slug = slugify(row.retailer, allow_unicode=False)[:64]
        if not slug or slug in slugs:
            raise InvalidInput(
                f"The retailer {row.retailer!r} is new, and no address of its own can be made of its name.",
                where=f"row {row.row}, retailer",
                fix="Write the name as it is known here, or add the retailer with a slug of its own first.",
            )
        slugs.add(slug)
        known[key] = Retailer.objects.create(slug=slug, name=row.retailer, network=row.network or slug[:32])
    return known
