"""Catalogue files: all of one or nothing, and what `manage.py upload` says of files."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.core.permissions import Role
from harmonization import selectors
from harmonization.core.catalogue_file import read_catalogue
from harmonization.models import Listing, Product, Retailer, Upload
from jobs.models import Job
from tenants.core.problems import InvalidInput, NotAllowed
from tests.factories import BrandFactory, RetailerFactory, person
from tests.harmonization.conftest import walmart_csv

HEADER = "sku,brand,product_name,retailer,retailer_sku,gtin14,price,margin,units_in_stock,daily_unit_sales,stock_as_of"
GOOD = "S1,Chips,Sea Salt,Walmart,501,00850007120016,3.49,0.25,30,12.5,2026-11-22"


def catalogue(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows]).encode() + b"\n"


def line(**changes: str) -> str:
    cells = dict(zip(HEADER.split(","), GOOD.split(","), strict=True))
    return ",".join((cells | changes).values())


@pytest.fixture
def take(send, alice):
    """`take(content)`: import a catalogue of the brand Chips; its report."""
    BrandFactory(slug="chips", name="Chips")
    return lambda content, **options: send(content, None, "catalogue.csv", kind="catalogue", **options).catalogue


@pytest.fixture
def findings(tmp_path: Path):
    """`findings(content)`: what is wrong with a catalogue, as (where, detail)."""

    def _findings(content: bytes) -> list[tuple[str, str]]:
        path = tmp_path / "catalogue.csv"
        path.write_bytes(content)
        with pytest.raises(InvalidInput) as error:
            read_catalogue(path)
        return [(one["where"], one["detail"]) for one in error.value.errors]

    return _findings


def test_products_and_listings(take):
    report = take(catalogue(GOOD, line(retailer="Amazon", retailer_sku="B0", units_in_stock="0")))
    assert report == {"rows": 2, "products_created": 1, "products_updated": 0, "listings": 2}
    product = Product.objects.get()
    assert (product.gtin14, product.price, product.margin) == ("00850007120016", Decimal("3.49"), Decimal("0.25"))
    cover = {listing.retailer.name: listing.stock_cover_days for listing in Listing.objects.all()}
    assert cover == {"Walmart": 2.4, "Amazon": 0.0}
    assert Listing.objects.first().stock_as_of == date(2026, 11, 22)


def test_a_long_catalogue_takes_no_more_queries(take, django_assert_max_num_queries):
    rows = [line(sku=f"S{number}", retailer_sku=str(number)) for number in range(200)]
    take(catalogue(*rows[:100]))
    with django_assert_max_num_queries(44):
        report = take(catalogue(*rows))
    assert (report["products_created"], report["products_updated"]) == (100, 100)
    assert Listing.objects.count() == Product.objects.count() == 200


def test_a_catalogue_too_long_to_wait_for_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr("harmonization.core.catalogue_file.MAX_ROWS", 2)
    path = tmp_path / "long.csv"
    path.write_bytes(catalogue(*(line(retailer_sku=str(number)) for number in range(3))))
    with pytest.raises(InvalidInput, match="more than 2 rows") as error:
        read_catalogue(path)
    assert error.value.where == "row 4"


def test_later_catalogue_updates(take):
    take(catalogue(GOOD))
    report = take(catalogue(line(price="3.99", units_in_stock="60")))
    assert report == {"rows": 1, "products_created": 0, "products_updated": 1, "listings": 1}
    assert Product.objects.get().price == Decimal("3.99")
    assert Listing.objects.get().units_in_stock == 60


def test_same_catalogue_twice_is_one_upload(take):
    take(catalogue(GOOD))
    take(catalogue(GOOD))
    assert (Upload.objects.count(), Product.objects.count(), Listing.objects.count()) == (1, 1, 1)


def test_all_or_nothing(take, storage):
    with pytest.raises(InvalidInput, match="price"):
        take(catalogue(GOOD, line(sku="S2", retailer_sku="502", price="price")))
    assert not Product.objects.exists()
    assert not Retailer.objects.exists()
    assert not Upload.objects.exists()
    assert not [path for path in storage.rglob("*") if path.is_file()]


def test_unknown_brand_takes_nothing(take):
    with pytest.raises(InvalidInput, match="'Pretzels'") as error:
        take(catalogue(GOOD, line(sku="S2", brand="Pretzels", retailer_sku="502")))
    assert error.value.where == "column brand"
    assert not Product.objects.exists()
    BrandFactory(slug="pretzels", name="Pretzels")
    assert take(catalogue(GOOD, line(sku="S2", brand="pretzels", retailer_sku="502")))["products_created"] == 2


def test_names_of_retailers_and_brands_without_case(take):
    RetailerFactory(slug="walmart", name="Walmart", network="walmart_connect")
    take(catalogue(line(retailer="WALMART", brand="CHIPS")))
    assert Listing.objects.get().retailer.network == "walmart_connect"


def test_new_retailer_without_an_address_is_refused(take):
    with pytest.raises(InvalidInput, match="ショップ") as error:
        take(catalogue(line(retailer="ショップ")))
    assert error.value.where == "row 2, retailer"
    assert not Product.objects.exists()


def test_viewer_may_not(take):
    with pytest.raises(NotAllowed):
        take(catalogue(GOOD), actor=person("victor", Role.VIEWER))
    assert not Upload.objects.exists()


@pytest.mark.parametrize("gtin", ["", "00850007120016", "10012345678902"])
def test_right_gtins(take, gtin):
    take(catalogue(line(gtin14=gtin)))
    assert Product.objects.get().gtin14 == gtin


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        ("gtin14", "00850007120017", "right check digit"),
        ("gtin14", "850007120016", "right check digit"),
        ("gtin14", "0085000712001X", "right check digit"),
        ("price", "3.499", "more than 2 decimals"),
        ("price", "-1", "at least 0"),
        ("price", "NaN", "at least 0"),
        ("price", "1e400", "more than"),
        ("margin", "25", "write 0.35 for 35 %"),
        ("units_in_stock", "2.5", "not a whole number"),
        ("units_in_stock", "3000000000", "more than 2147483647"),
        ("daily_unit_sales", "many", "not a number"),
        ("stock_as_of", "22/11/2026", "not a date"),
        ("sku", "", "sku is empty"),
        ("sku", "S" * 65, "65 characters, 64 fit"),
        ("product_name", "Sea\x00Salt", "cannot be printed"),
        ("retailer_sku", "", "own id of the product is empty"),
    ],
)
def test_wrong_cell_is_named(findings, column, text, words):
    cells = {"sku": "S2", "retailer_sku": "502"} | {column: text}
    ((where, detail),) = findings(catalogue(GOOD, line(**cells)))
    assert where == f"row 3, {column}"
    assert words in detail


def test_product_is_the_same_at_every_retailer(findings):
    ((where, detail),) = findings(catalogue(GOOD, line(retailer="Amazon", price="3.99")))
    assert (where, detail) == ("row 3, price", "price of S1 is another in row 2")


def test_listing_stands_once(findings):
    ((where, detail),) = findings(catalogue(GOOD, line(sku="S2", retailer="walmart")))
    assert (where, detail) == ("row 3, retailer_sku", "501 at walmart stands in row 2 already")


def test_every_finding_is_told(findings):
    assert len(findings(catalogue(*(line(sku="", retailer_sku=str(number)) for number in range(9))))) == 9


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"sku,brand\nS1,Chips\n", "lacks the columns product_name, retailer, retailer_sku"),
        (catalogue(), "no rows"),
        (catalogue(line(product_name="Crème")).decode().encode("cp1252"), "not a UTF-8 CSV file"),
        (catalogue(GOOD + ",more"), "more cells than columns"),
    ],
)
def test_wrong_file(tmp_path, content, words):
    path = tmp_path / "catalogue.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=words):
        read_catalogue(path)


def test_id_of_the_network(tmp_path):
    path = tmp_path / "catalogue.csv"
    path.write_text(
        "sku,brand,product_name,retailer,network,asin,walmart_item_id\n"
        "S1,Chips,Sea Salt,Amazon,amazon_ads,B0,501\nS1,Chips,Sea Salt,Walmart,walmart_connect,B0,501\n"
    )
    assert [row.retailer_sku for row in read_catalogue(path)] == ["B0", "501"]


# The command ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def upload(alice, storage, tmp_path):
    """`upload(content, *arguments)`: what `manage.py upload` prints."""

    def _upload(content: bytes, *arguments: str, name: str = "item.csv") -> str:
        path, out = tmp_path / name, StringIO()
        path.write_bytes(content)
        call_command("upload", str(path), "--tenant", "acme", "--as", alice.email, *arguments, stdout=out)
        return out.getvalue()

    return _upload


@pytest.mark.parametrize("account", ["wm-1", "Acme Walmart"])
def test_command_sends_a_report(upload, walmart, account):
    sent = json.loads(upload(walmart_csv(), "--account", account, "--json"))
    assert sent["job"] == str(Job.objects.get().pk)
    assert sent["state"] == "queued"
    assert selectors.stored_file(Upload.objects.get()).read_bytes() == walmart_csv()


def test_command_takes_a_catalogue(upload):
    BrandFactory(slug="chips", name="Chips")
    text = upload(catalogue(GOOD), "--kind", "catalogue")
    assert "'products_created': 1" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--account: A report needs the account"),
        (("--account", "nobody"), "0 accounts are called 'nobody'. Give the external id"),
        (("--account", "wm-1", "--contract", "nonesuch"), "no mapping contract 'nonesuch'"),
        (("--account", "wm-1", "--as", "eve@example.com"), "Nobody here has the address eve@example.com"),
        (("--account", "wm-1", "--tenant", "nowhere"), "no tenant 'nowhere'"),
    ],
)
def test_command_names_what_is_wrong(upload, walmart, arguments, words):
    with pytest.raises(CommandError) as error:
        upload(walmart_csv(), *arguments)
    assert words in str(error.value)
    assert not Upload.objects.exists()


def test_command_on_a_file_that_is_not_there(alice, walmart):
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("upload", "/nowhere.csv", "--tenant", "acme", "--as", alice.email, "--account", "wm-1")
