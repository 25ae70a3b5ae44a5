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
    for number, record in enumerate(reader, start=2):
        cells = {name: (value or "").strip() for name, value in record.items() if name is not None}
        if not any(cells.values()):
            continue
        problems = list(_problems(cells, extra=None in record))
        if not problems:
            row = _row(number, cells)
            first = seen.setdefault((row.retailer, row.retailer_sku), number)
            if first != number:
                problems.append(("retailer_sku", f"{row.retailer_sku} at {row.retailer} stands in row {first} already"))
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
    for column in ("price", "margin", "daily_unit_sales", "units_in_stock"):
        text = cells.get(column, "")
        if text and (_decimal(text) is None or _decimal(text) < 0):  # type: ignore[operator]
            yield column, f"{text!r} is not a number of at least 0"
    units = _decimal(cells.get("units_in_stock", ""))
    if units is not None and units != int(units):
        yield "units_in_stock", f"{cells['units_in_stock']!r} is not a whole number"
    if (gtin := cells.get("gtin14", "")) and not _is_gtin14(gtin):
        yield "gtin14", f"{gtin!r} is not a GTIN-14 with a right check digit"
    if text := cells.get("stock_as_of", ""):
        try:
            date.fromisoformat(text)
        except ValueError:
            yield "stock_as_of", f"{text!r} is not a date such as 2026-11-22"


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
