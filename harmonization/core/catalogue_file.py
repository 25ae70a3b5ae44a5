"""Catalogue files: what a brand sells, what each retailer calls it, and how long the stock lasts.

One row per product and retailer. The whole file is good or none of it is taken: half a catalogue would put spend on
products whose stock nobody looked at.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from stdnum import ean
from stdnum.exceptions import ValidationError

from tenants.core.problems import InvalidInput

REQUIRED = ("sku", "brand", "product_name", "retailer")
ID_COLUMNS = ("retailer_sku", "asin", "walmart_item_id", "criteo_product_id")
#: Column that holds the retailer's own id where there is no `retailer_sku`, by network.
ID_OF_NETWORK = {"amazon_ads": "asin", "walmart_connect": "walmart_item_id", "criteo": "criteo_product_id"}
MAX_FINDINGS = 50
#: A catalogue is read whole, while somebody waits.
MAX_ROWS = 50_000
#: Longest text of each column, as the catalogue's tables hold it.
LONGEST = {
    "sku": 64,
    "brand": 120,
    "product_name": 200,
    "category": 160,
    "pack_size": 40,
    "retailer": 120,
    "network": 32,
    "retailer_sku": 64,
}
#: Largest value and decimal places of each number.
NUMBERS = {
    "price": (Decimal("9999999999.99"), 2),
    "margin": (Decimal(1), 4),
    "daily_unit_sales": (Decimal("9999999999.99"), 2),
    "units_in_stock": (Decimal(2_147_483_647), 0),
}
#: What is the same at every retailer, so rows of one SKU have to agree on it.
OF_THE_PRODUCT = ("brand", "product_name", "gtin14", "category", "pack_size", "price", "margin")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRow:
    """One product at one retailer. Price in the retailer's currency, margin a fraction of the price."""

    row: int
    sku: str
    gtin14: str
    brand: str
    product_name: str
    category: str
    pack_size: str
    price: Decimal | None
    margin: Decimal | None
    retailer: str
    network: str
    retailer_sku: str
    units_in_stock: int | None
    daily_unit_sales: Decimal | None
    stock_as_of: date | None


def read_catalogue(path: Path) -> list[CatalogueRow]:
    """Read a UTF-8 CSV catalogue.

    Raises:
        InvalidInput: with every finding (up to 50) in `errors`, each naming its row and column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            header = [name.strip().lower() for name in reader.fieldnames or []]
            missing = [name for name in REQUIRED if name not in header]
            if missing or not any(name in header for name in ID_COLUMNS):
                missing += [] if any(name in header for name in ID_COLUMNS) else ["retailer_sku"]
                raise InvalidInput(
                    f"The catalogue lacks the columns {', '.join(missing)}.",
                    where="header",
                    fix=f"Send a CSV with at least {', '.join((*REQUIRED, 'retailer_sku'))}.",
                )
            reader.fieldnames = header
            return _rows(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(
            f"The catalogue is not a UTF-8 CSV file: {error}.", fix="Save it as CSV, UTF-8, and upload it again."
        ) from error


def _rows(reader: csv.DictReader[str]) -> list[CatalogueRow]:
    rows: list[CatalogueRow] = []
    findings: list[dict[str, object]] = []
    seen: dict[tuple[str, str], int] = {}
    products: dict[str, CatalogueRow] = {}
    for number, record in enumerate(reader, start=2):
        cells = {name: (value or "").strip() for name, value in record.items() if name is not None}
        if not any(cells.values()):
            continue
        if len(rows) >= MAX_ROWS:
            raise InvalidInput(
                f"The catalogue has more than {MAX_ROWS:,} rows.",
                where=f"row {number}",
                fix="Send it in several files, such as one for each brand; nothing of it was taken.",
            )
        problems = list(_problems(cells, extra=None in record))
        if not problems:
            row = _row(number, cells)
            first = seen.setdefault((row.retailer.casefold(), row.retailer_sku), number)
            if first != number:
                problems.append(("retailer_sku", f"{row.retailer_sku} at {row.retailer} stands in row {first} already"))
            product = products.setdefault(row.sku, row)
            problems += [
                (name, f"{name} of {row.sku} is another in row {product.row}")
                for name in OF_THE_PRODUCT
                if getattr(row, name) != getattr(product, name)
            ]
            rows.append(row)
        findings += [{"row": number, "where": f"row {number}, {column}", "detail": text} for column, text in problems]
        if len(findings) >= MAX_FINDINGS:
            break
    if findings:
        first_finding = findings[0]
        raise InvalidInput(
            f"{first_finding['detail']}" + (f" ({len(findings) - 1} more)" if len(findings) > 1 else ""),
            where=str(first_finding["where"]),
            fix="Correct these rows and upload the file again; nothing of it was taken.",
            errors=findings,
        )
    if not rows:
        raise InvalidInput("The catalogue has no rows below its header.", fix="Export it again.")
    return rows


def _problems(cells: dict[str, str], *, extra: bool) -> Iterator[tuple[str, str]]:
    if extra:
        yield "row", "there are more cells than columns"
    for column in REQUIRED:
        if not cells.get(column):
            yield column, f"{column} is empty"
    if not _retailer_sku(cells):
        yield "retailer_sku", "the retailer's own id of the product is empty"
    for column, longest in LONGEST.items():
        text = _retailer_sku(cells) if column == "retailer_sku" else cells.get(column, "")
        if len(text) > longest:
            yield column, f"{column} has {len(text)} characters, {longest} fit"
        if not text.isprintable():
            yield column, f"{text!r} has a character that cannot be printed"
    for column, (largest, places) in NUMBERS.items():
        if (text := cells.get(column, "")) and (problem := _number_problem(text, largest, places)):
            yield column, problem
    if (gtin := cells.get("gtin14", "")) and not _is_gtin14(gtin):
        yield "gtin14", f"{gtin!r} is not a GTIN-14 with a right check digit"
    if text := cells.get("stock_as_of", ""):
        try:
            date.fromisoformat(text)
        except ValueError:
            yield "stock_as_of", f"{text!r} is not a date such as 2026-11-22"


def _number_problem(text: str, largest: Decimal, places: int) -> str:
    value = _decimal(text)
    if value is None or value < 0:
        return f"{text!r} is not a number of at least 0"
    if value > largest:
        # A margin of 35 is 35 % to its writer and 35 times the price to whoever computes with it.
        return f"{text!r} is more than {largest}" + (": write 0.35 for 35 %" if largest == 1 else "")
    if value != round(value, places):
        return f"{text!r} is not a whole number" if places == 0 else f"{text!r} has more than {places} decimals"
    return ""


def _row(number: int, cells: dict[str, str]) -> CatalogueRow:
    units = _decimal(cells.get("units_in_stock", ""))
    as_of = cells.get("stock_as_of", "")
    return CatalogueRow(
        row=number,
        sku=cells["sku"],
        gtin14=cells.get("gtin14", ""),
        brand=cells["brand"],
        product_name=cells["product_name"],
        category=cells.get("category", ""),
        pack_size=cells.get("pack_size", ""),
        price=_decimal(cells.get("price", "")),
        margin=_decimal(cells.get("margin", "")),
        retailer=cells["retailer"],
        network=_network(cells),
        retailer_sku=_retailer_sku(cells),
        units_in_stock=None if units is None else int(units),
        daily_unit_sales=_decimal(cells.get("daily_unit_sales", "")),
        stock_as_of=date.fromisoformat(as_of) if as_of else None,
    )


def _network(cells: dict[str, str]) -> str:
    return cells.get("network", "").lower()


def _retailer_sku(cells: dict[str, str]) -> str:
    if own := cells.get("retailer_sku", ""):
        return own
    return cells.get(ID_OF_NETWORK.get(_network(cells), ""), "")


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _is_gtin14(text: str) -> bool:
    if len(text) != 14:
        return False
    try:
        ean.validate(text)
    except ValidationError:
        return False
    return True
