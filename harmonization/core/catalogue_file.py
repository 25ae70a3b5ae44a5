"""Catalogue files: what a brand sells, what each retailer calls it, and how long the stock lasts.

One row per product and retailer. The whole file is good or none of it is taken: half a catalogue would put spend on
products whose stock nobody looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import polars as pl
from stdnum import ean
from stdnum.exceptions import ValidationError

from harmonization.core.gtin import to_gtin14
from harmonization.core.record_file import Findings, as_date, as_decimal, missing_columns, read_records
from tenants.core.problems import InvalidInput

REQUIRED = ("sku", "brand", "product_name", "retailer")
ID_COLUMNS = ("retailer_sku", "asin", "walmart_item_id", "criteo_product_id")
#: Column that holds the retailer's own id where there is no `retailer_sku`, by network.
ID_OF_NETWORK = {"amazon_ads": "asin", "walmart_connect": "walmart_item_id", "criteo": "criteo_product_id"}
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
#: Columns of further ids of the product; several in a cell are joined by |.
IDENTIFIERS = ("upc", "ean", "gtin", "mpn", "seller_sku")
AVAILABILITIES = ("in_stock", "limited", "out_of_stock", "discontinued")
YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
#: A stated margin may differ so much from price and cost: half a unit of its last written place.
MARGIN_ROUNDING = Decimal("0.0051")
#: Largest value and decimal places of each number.
NUMBERS = {
    "price": (Decimal("9999999999.99"), 2),
    "cost": (Decimal("99999999.9999"), 4),
    "margin": (Decimal(1), 4),
    "daily_unit_sales": (Decimal("9999999999.99"), 2),
    "units_in_stock": (Decimal(2_147_483_647), 0),
}
#: What is the same at every retailer, so rows of one SKU have to agree on it.
OF_THE_PRODUCT = ("brand", "product_name", "gtin14", "category", "pack_size", "price", "cost", "margin", "identifiers")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRow:
    """One product at one retailer.

    Price and cost are in the retailer's currency, margin is a fraction of the price: price less cost over price, where
    the file gives a cost and no margin. `identifiers` are further ids of the product, as (kind, value).
    """

    row: int
    sku: str
    gtin14: str
    brand: str
    product_name: str
    category: str
    pack_size: str
    price: Decimal | None
    cost: Decimal | None
    margin: Decimal | None
    identifiers: tuple[tuple[str, str], ...]
    retailer: str
    network: str
    retailer_sku: str
    units_in_stock: int | None
    daily_unit_sales: Decimal | None
    stock_as_of: date | None
    availability: str
    has_buy_box: bool | None
    valid_from: date | None
    valid_to: date | None


def read_catalogue(path: Path) -> list[CatalogueRow]:
    """Read a catalogue: CSV in UTF-8, or the first sheet of a workbook.

    Raises:
        InvalidInput: with every finding (up to 50) in `errors`, each naming its row and column.
    """
    header, records = read_records(path, what="catalogue", max_rows=MAX_ROWS)
    needed = REQUIRED if any(name in header for name in ID_COLUMNS) else (*REQUIRED, "retailer_sku")
    missing_columns(header, needed, what="catalogue")
    findings = Findings()
    rows: list[CatalogueRow] = []
    seen: dict[tuple[str, str], int] = {}
    products: dict[str, CatalogueRow] = {}
    for record in records:
        problems = list(_problems(record.cells, extra=record.is_ragged))
        if not problems:
            row = _row(record.row, record.cells)
            first = seen.setdefault((row.retailer.casefold(), row.retailer_sku), record.row)
            if first != record.row:
                problems.append(("retailer_sku", f"{row.retailer_sku} at {row.retailer} stands in row {first} already"))
            product = products.setdefault(row.sku, row)
            problems += [
                (name, f"{name} of {row.sku} is another in row {product.row}")
                for name in OF_THE_PRODUCT
                if getattr(row, name) != getattr(product, name)
            ]
            rows.append(row)
        for column, text in problems:
            findings.add(record.row, column, text)
        if findings.is_full:
            break
    findings.raise_if_any()
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
    for column in ("stock_as_of", "valid_from", "valid_to"):
        if (text := cells.get(column, "")) and as_date(text) is None:
            yield column, f"{text!r} is not a date such as 2026-11-22"
    first, last = as_date(cells.get("valid_from", "")), as_date(cells.get("valid_to", ""))
    if first and last and last < first:
        yield "valid_to", f"the id is valid to {last}, before it begins to be"
    if (text := cells.get("availability", "").lower()) and text not in AVAILABILITIES:
        yield "availability", f"{text!r} is none of {', '.join(AVAILABILITIES)}"
    if (text := cells.get("buy_box", "").lower()) and text not in YES_OR_NO:
        yield "buy_box", f"{text!r} is neither yes nor no"
    for kind, value in _identifiers(cells):
        if len(value) > 80:
            yield kind, f"{kind} has {len(value)} characters, 80 fit"
        elif kind in ("upc", "ean", "gtin") and to_gtin14(pl.Series([value]))[0] is None:
            yield kind, f"{value!r} is no {kind.upper()} with a right check digit"
    yield from _money_problems(cells)


def _money_problems(cells: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Price, cost and margin say one thing in three ways, so they have to agree."""
    price, cost, margin = (as_decimal(cells.get(name, "")) for name in ("price", "cost", "margin"))
    if cost is not None and price is not None and cost > price > 0:
        yield "cost", f"the cost {cost} is above the price {price}: the margin would be negative"
    elif cost is not None and margin is not None and price:
        derived = (price - cost) / price
        if abs(derived - margin) > MARGIN_ROUNDING:
            yield "margin", f"margin is {margin}, price and cost give {derived:.4f}"


def _identifiers(cells: dict[str, str]) -> list[tuple[str, str]]:
    return [
        (kind, value)
        for kind in IDENTIFIERS
        for value in sorted({part.strip() for part in cells.get(kind, "").split("|")})
        if value
    ]


def _margin(price: Decimal | None, cost: Decimal | None, margin: Decimal | None) -> Decimal | None:
    if margin is None and cost is not None and price:
        return ((price - cost) / price).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return margin


def _number_problem(text: str, largest: Decimal, places: int) -> str:
    value = as_decimal(text)
    if value is None or value < 0:
        return f"{text!r} is not a number of at least 0"
    if value > largest:
        # A margin of 35 is 35 % to its writer and 35 times the price to whoever computes with it.
        return f"{text!r} is more than {largest}" + (": write 0.35 for 35 %" if largest == 1 else "")
    if value != round(value, places):
        return f"{text!r} is not a whole number" if places == 0 else f"{text!r} has more than {places} decimals"
    return ""


def _row(number: int, cells: dict[str, str]) -> CatalogueRow:
    units = as_decimal(cells.get("units_in_stock", ""))
    price, cost, margin = (as_decimal(cells.get(name, "")) for name in ("price", "cost", "margin"))
    return CatalogueRow(
        row=number,
        sku=cells["sku"],
        gtin14=cells.get("gtin14", ""),
        brand=cells["brand"],
        product_name=cells["product_name"],
        category=cells.get("category", ""),
        pack_size=cells.get("pack_size", ""),
        price=price,
        cost=cost,
        margin=_margin(price, cost, margin),
        identifiers=tuple(_identifiers(cells)),
        retailer=cells["retailer"],
        network=_network(cells),
        retailer_sku=_retailer_sku(cells),
        units_in_stock=None if units is None else int(units),
        daily_unit_sales=as_decimal(cells.get("daily_unit_sales", "")),
        stock_as_of=as_date(cells.get("stock_as_of", "")),
        availability=cells.get("availability", "").lower(),
        has_buy_box=YES_OR_NO.get(cells.get("buy_box", "").lower()),
        valid_from=as_date(cells.get("valid_from", "")),
        valid_to=as_date(cells.get("valid_to", "")),
    )


def _network(cells: dict[str, str]) -> str:
    return cells.get("network", "").lower()


def _retailer_sku(cells: dict[str, str]) -> str:
    if own := cells.get("retailer_sku", ""):
        return own
    return cells.get(ID_OF_NETWORK.get(_network(cells), ""), "")


def _is_gtin14(text: str) -> bool:
    if len(text) != 14:
        return False
    try:
        ean.validate(text)
    except ValidationError:
        return False
    return True
