"""Pages of data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.core.permissions import Role
from harmonization.models import Campaign, ContractVersion, Load, MappingContract, Upload
from jobs.draining import run_queued_jobs
from jobs.models import Job
from tests.conftest import browser_of
from tests.factories import BrandFactory, ProductFactory, RetailerFactory, person
from tests.harmonization.conftest import walmart_csv, walmart_row

pytestmark = pytest.mark.usefixtures("storage", "fresh_cache")
UPLOADS, MAPPINGS, CATALOGUE = "/data/uploads/", "/data/mappings/", "/data/catalogue/"
WALMART = f"{MAPPINGS}walmart_search_item/"


def text_of(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


@pytest.fixture
def post(browser: Client, walmart):
    """`post(content)`: send the form with a report of the Walmart account."""

    def _post(content: bytes, name: str = "item.csv", **fields: str):
        data = {"kind": "report", "account": str(walmart.pk), "contract": "auto"} | fields
        return browser.post(UPLOADS, {**data, "file": SimpleUploadedFile(name, content)})

    return _post


@pytest.fixture
def loaded(post):
    """`loaded(content)`: a report sent and its job run; the upload."""

    def _loaded(content: bytes) -> Upload:
        post(content)
        run_queued_jobs()
        return Upload.objects.latest("created_at")

    return _loaded


def test_pages_keep_the_strict_policy(browser, loaded):
    upload = loaded(walmart_csv(walmart_row(), walmart_row("2026-11-03", spend="-5.00")))
    for address in (UPLOADS, f"{UPLOADS}{upload.pk}/", MAPPINGS, WALMART, CATALOGUE):
        page = browser.get(address)
        assert page.status_code == 200
        assert "unsafe" not in page["Content-Security-Policy"]
        for inline in ("<style", "style=", "onclick=", "<script>", "javascript:"):
            assert inline not in page.content.decode(), f"{inline} in {address}"


def test_empty_pages_say_the_next_move(browser):
    assert "No files yet" in text_of(browser.get(UPLOADS))
    assert "No products yet" in text_of(browser.get(CATALOGUE))


def test_sent_report_opens_its_job(post):
    answer = post(walmart_csv())
    assert (answer.status_code, answer.url) == (302, f"/jobs/{Job.objects.get().pk}/")


@pytest.mark.parametrize(
    ("fields", "name", "words"),
    [
        ({"account": ""}, "account", "Choose the account that the report is of."),
        ({"kind": "invoice"}, "kind", "invoice is not one of the available choices"),
        ({"contract": "nonesuch"}, "contract", "nonesuch is not one of the available choices"),
    ],
)
def test_wrong_field_is_marked(post, fields, name, words):
    page = post(walmart_csv(), **fields)
    html = page.content.decode()
    error = re.search(rf'id="id_{name}_error".*?</div></div>', html, re.DOTALL)
    assert error is not None
    assert words in error[0]
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "status", "words"),
    [
        ("notes.docx", b"x", 400, "is not a file type that is read here"),
        ("item.csv", b"", 400, "is empty"),
        ("item.csv", b"x" * 2000, 413, "The file is larger than"),
    ],
)
def test_unusable_file_is_told_beside_the_field_and_not_kept(post, settings, name, content, status, words):
    settings.UPLOAD_MAX_BYTES = 1000
    page = post(content, name)
    assert page.status_code == status
    error = re.search(r'id="id_file_error".*?</div></div>', page.content.decode(), re.DOTALL)
    assert words in error[0]
    assert "Nothing of this file was kept." in text_of(page)
    assert not Upload.objects.exists()


def test_file_is_needed(browser, walmart):
    page = browser.post(UPLOADS, {"kind": "report", "account": str(walmart.pk), "contract": "auto"})
    assert 'id="id_file_error"' in page.content.decode()


def test_refused_catalogue_is_told_and_not_kept(post):
    page = post(b"sku,brand,product_name,retailer,retailer_sku\nS1,Nobody,Sea Salt,Walmart,501\n", kind="catalogue")
    assert page.status_code == 400
    assert "There is no brand 'Nobody' in this tenant." in page.content.decode().replace("&#x27;", "'")
    assert "Add the brand in the settings" in text_of(page)
    assert not Upload.objects.exists()


def test_catalogue_opens_the_catalogue(post, browser):
    BrandFactory(slug="chips", name="Chips")
    text = b"sku,brand,product_name,retailer,retailer_sku\nS1,Chips,Sea Salt,Walmart,501\n"
    answer = post(text, "c.csv", kind="catalogue", account="")
    assert (answer.status_code, answer.url) == (302, CATALOGUE)
    assert "1 rows, 1 products created, 0 products updated, 1 listings." in text_of(browser.get(CATALOGUE))


def test_who_may_not_send_sees_no_form(walmart):
    analyst = browser_of(person("ann", Role.ANALYST))
    assert 'type="file"' not in analyst.get(UPLOADS).content.decode()
    sent = {"file": SimpleUploadedFile("item.csv", walmart_csv()), "kind": "report", "account": str(walmart.pk)}
    assert analyst.post(UPLOADS, sent).status_code == 403
    assert analyst.post(UPLOADS, {}).status_code == 403
    assert not Upload.objects.exists()
    assert browser_of(person("victor", Role.VIEWER)).get(UPLOADS).status_code == 403


def test_file_name_is_escaped(post, browser):
    post(walmart_csv(), "<b>bold.csv")
    assert "&lt;b&gt;bold.csv" in browser.get(UPLOADS).content.decode()


def test_published_load(browser, loaded):
    upload = loaded(walmart_csv(walmart_row(spend="10.25"), walmart_row("2026-11-03", spend="4.50")))
    text = text_of(browser.get(f"{UPLOADS}{upload.pk}/"))
    for shown in (
        "published",
        "walmart_search_item v1",
        "14.75",
        "headline",
        "Every row satisfied every rule.",
        "adSpend",
    ):
        assert shown in text
    row = text_of(browser.get(UPLOADS))
    assert "2 Nov 2026 to 3 Nov 2026" in row


def test_partial_load_shows_the_rule_and_the_row(browser, loaded):
    upload = loaded(walmart_csv(walmart_row(), walmart_row("2026-11-03", spend="-5.00")))
    text = text_of(browser.get(f"{UPLOADS}{upload.pk}/"))
    for shown in ("partial", "spend_not_negative", "row 3", "-5.00"):
        assert shown in text
    assert "partial" in text_of(browser.get(UPLOADS))


def test_failed_load_shows_what_the_job_shows(browser, loaded):
    upload = loaded(b"a,b\n1,2\n")
    problem = Load.objects.get().problem
    for address in (f"{UPLOADS}{upload.pk}/", f"/jobs/{Job.objects.get().pk}/"):
        html = browser.get(address).content.decode().replace("&#x27;", "'").replace("&quot;", '"')
        assert problem["detail"] in html
        assert problem["fix"] in html
    assert "What was loaded before stays as it is." in text_of(browser.get(f"{UPLOADS}{upload.pk}/"))


def test_waiting_upload_says_so(browser, post):
    post(walmart_csv())
    assert "It has not been harmonised yet" in text_of(browser.get(f"{UPLOADS}{Upload.objects.get().pk}/"))


def test_harmonise_again(browser, loaded):
    upload = loaded(walmart_csv())
    answer = browser.post(f"{UPLOADS}{upload.pk}/harmonize/")
    assert (answer.status_code, answer.url) == (302, f"/jobs/{Job.objects.get().pk}/")
    assert browser.get(f"{UPLOADS}{upload.pk}/harmonize/").status_code == 405


def test_upload_of_another_brand_is_not_there(loaded):
    upload = loaded(walmart_csv())
    dave = browser_of(person("dave", Role.DATA_ENGINEER, brand=BrandFactory(slug="pretzels")))
    assert dave.get(f"{UPLOADS}{upload.pk}/").status_code == 404
    assert "item.csv" not in dave.get(UPLOADS).content.decode()


def shipped_text() -> str:
    return (Path(settings.BASE_DIR) / "config" / "mappings" / "walmart_search_item.yaml").read_text()


def test_mappings_are_listed(browser):
    text = text_of(browser.get(MAPPINGS))
    for shown in ("Walmart Connect Sponsored Search item report", "criteo_performance", "clicked only", "1 of 1"):
        assert shown in text


def test_mapping_shows_columns_and_text(browser):
    browser.get(MAPPINGS)
    page = browser.get(WALMART)
    assert "attributedSales{days}days" in text_of(page)
    assert "schema_version: rmis/1" in page.content.decode()
    assert browser.get(f"{MAPPINGS}nonesuch/").status_code == 404


def test_check_shows_the_difference_and_saves_nothing(browser):
    browser.get(MAPPINGS)
    text = shipped_text().replace("restatement_days: 14", "restatement_days: 21")
    # A browser sends line ends as CR LF.
    page = browser.post(WALMART, {"text": text.replace("\n", "\r\n"), "act": "check"})
    assert "The contract is valid" in text_of(page)
    changes = re.findall(r'<span class="([pm])">(.*?)</span>', page.content.decode())
    assert changes == [("m", "restatement_days: 14"), ("p", "restatement_days: 21")]
    assert ContractVersion.objects.filter(contract__name="walmart_search_item").count() == 1


def test_save_publishes_a_version(browser):
    browser.get(MAPPINGS)
    text = shipped_text().replace("restatement_days: 14", "restatement_days: 21")
    answer = browser.post(WALMART, {"text": text, "note": "three weeks", "act": "save"})
    assert (answer.status_code, answer.url) == (302, WALMART)
    published = MappingContract.objects.get(name="walmart_search_item").published
    assert (published.number, published.note, published.text) == (2, "three weeks", text)
    shown = text_of(browser.get(WALMART))
    assert "walmart_search_item v2 is published." in shown
    assert "three weeks" in shown


def test_wrong_contract_names_its_line_and_keeps_what_was_typed(browser):
    browser.get(MAPPINGS)
    text = shipped_text().replace("target: spend,", "target: spent,")
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "target: spent," in row)
    page = browser.post(WALMART, {"text": text, "act": "save"})
    assert page.status_code == 400
    shown = text_of(page)
    assert f"line {line}" in shown
    assert "The published version stays in force." in shown
    assert "target: spent," in shown
    assert ContractVersion.objects.filter(contract__name="walmart_search_item").count() == 1


def test_analyst_reads_and_does_not_save(browser):
    browser.get(MAPPINGS)
    analyst = browser_of(person("ann", Role.ANALYST))
    assert "Save and publish" not in text_of(analyst.get(WALMART))
    assert analyst.post(WALMART, {"text": shipped_text() + "# more\n", "act": "save"}).status_code == 403
    assert ContractVersion.objects.filter(contract__name="walmart_search_item").count() == 1


@pytest.mark.parametrize("wanted", ["s1", "SEA SALT", "0085000712", "b0chips", " S1 "])
def test_catalogue_is_searched(browser, wanted):
    chips = BrandFactory(slug="chips")
    found = ProductFactory(brand=chips, sku="S1", name="Sea Salt", gtin14="00850007120016")
    found.listings.create(retailer=RetailerFactory(), retailer_sku="B0CHIPS")
    found.listings.create(retailer=RetailerFactory(slug="walmart"), retailer_sku="501")
    ProductFactory(brand=chips, sku="T2", name="Paprika")
    page = browser.get(CATALOGUE, {"q": wanted})
    assert [product.sku for product in page.context["page"]] == ["S1"]


def test_catalogue_without_a_match(browser):
    ProductFactory(sku="S1")
    assert "Nothing found" in text_of(browser.get(CATALOGUE, {"q": "<none>"}))


def test_stock_cover_as_people_read_it(browser):
    product = ProductFactory(brand=BrandFactory(slug="chips"), sku="S1")
    for slug, units, sales in (("walmart", 30, "2.00"), ("amazon", 0, "5.00"), ("target", None, None)):
        product.listings.create(
            retailer=RetailerFactory(slug=slug), retailer_sku=slug, units_in_stock=units, daily_unit_sales=sales
        )
    text = text_of(browser.get(CATALOGUE))
    for shown in ("15 days", "out of stock", "not told"):
        assert shown in text


def test_catalogue_of_another_brand_is_not_shown(alice):
    ProductFactory(brand=BrandFactory(slug="chips"), sku="S1")
    dave = browser_of(person("dave", Role.VIEWER, brand=BrandFactory(slug="pretzels")))
    assert "S1" not in text_of(dave.get(CATALOGUE))


def test_queries_of_lists_do_not_grow(browser, walmart, django_assert_max_num_queries):
    browser.get(MAPPINGS)
    for number in range(25):
        product = ProductFactory(brand=walmart.brand)
        product.listings.create(retailer=walmart.retailer, retailer_sku=f"5{number:02}")
        Campaign.objects.create(account=walmart, key=str(number), name=f"Campaign {number}")
        upload = Upload.objects.create(account=walmart, file_name=f"{number}.csv", sha256=f"{number:064}", size=1)
        Load.objects.create(upload=upload)
    for address in (UPLOADS, MAPPINGS, CATALOGUE):
        with django_assert_max_num_queries(50):  # half of them set the search path
            assert browser.get(address).status_code == 200
