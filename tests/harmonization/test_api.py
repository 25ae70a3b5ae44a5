"""Data over REST."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from structlog.testing import capture_logs

from accounts.core.permissions import Role
from harmonization.models import Account, Campaign, Load, Retailer, Upload
from jobs.draining import run_queued_jobs
from jobs.models import Job
from tests.conftest import api_of
from tests.factories import BrandFactory, ProductFactory, RetailerFactory, person
from tests.harmonization.conftest import walmart_csv, walmart_row

pytestmark = pytest.mark.usefixtures("storage", "fresh_cache")
UPLOADS, LOADS, MAPPINGS = "/api/v1/uploads/", "/api/v1/loads/", "/api/v1/mappings/"


def file(content: bytes, name: str = "item.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


@pytest.fixture
def post(api, walmart):
    """`post(content)`: upload a report of the Walmart account."""

    def _post(content: bytes, name: str = "item.csv", key: str | None = None, **fields: Any):
        headers = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
        data = {"file": file(content, name), "account": str(walmart.pk), **fields}
        return api.post(UPLOADS, data, format="multipart", **headers)

    return _post


def stored_files(storage: Path) -> list[Path]:
    return [path for path in storage.rglob("*") if path.is_file()]


def test_report_travels_to_a_load(api, post, walmart):
    answer = post(walmart_csv(walmart_row(spend="10.25")))
    assert answer.status_code == 201
    body = answer.json()
    assert body["upload"]["file_name"] == "item.csv"
    assert body["upload"]["account"] == str(walmart.pk)
    with capture_logs() as logs:
        run_queued_jobs()
    assert [line["job_id"] for line in logs if line["event"] == "job_ended"] == [body["job_id"]]
    job = api.get(f"/api/v1/jobs/{body['job_id']}/").json()
    assert job["state"] == "succeeded"
    load = api.get(f"{LOADS}{job['result']['load_id']}/").json()
    assert (load["status"], load["rows_in"], load["rows_out"]) == ("published", 1, 1)
    assert load["contract"] == "walmart_search_item v1"
    assert load["report"]["totals"] == [{"currency": "USD", "impressions": 1000, "clicks": 50, "spend": 10.25}]
    assert api.get(f"{UPLOADS}{body['upload']['id']}/").json() == body["upload"]


def test_gzip_is_read(api, post):
    job_id = post(gzip.compress(walmart_csv()), "item.csv.gz").json()["job_id"]
    run_queued_jobs()
    assert api.get(f"/api/v1/jobs/{job_id}/").json()["result"]["rows_out"] == 1


def test_same_key_same_file_is_one_job(post):
    first, again = post(walmart_csv(), key="monday"), post(walmart_csv(), key="monday")
    assert again.status_code == 201
    assert again.json() == first.json()
    assert (Upload.objects.count(), Job.objects.count()) == (1, 1)


def test_same_key_another_file_is_refused_and_not_kept(post, storage):
    post(walmart_csv(), key="monday")
    kept = stored_files(storage)
    answer = post(walmart_csv(walmart_row(spend="11.00")), key="monday")
    assert (answer.status_code, answer.json()["where"]) == (409, "Idempotency-Key")
    assert (Upload.objects.count(), Job.objects.count()) == (1, 1)
    assert stored_files(storage) == kept


def test_refused_repeat_leaves_the_file_of_the_first(post, walmart, storage):
    post(walmart_csv())
    assert post(walmart_csv(), contract="nonesuch").status_code == 404
    assert Upload.objects.count() == 1
    assert len(stored_files(storage)) == 1


@pytest.mark.parametrize(
    ("name", "content", "status", "code", "words"),
    [
        ("notes.docx", b"x", 400, "invalid-input", "not a file type"),
        ("item.csv", b"", 400, "invalid-input", "is empty"),
        ("item.csv", b"x" * 2000, 413, "too-large", "larger than 0 MiB"),
    ],
)
def test_unusable_file(post, settings, storage, name, content, status, code, words):
    settings.UPLOAD_MAX_BYTES = 1000
    answer = post(content, name)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (problem["type"], problem["where"]) == (f"urn:rmn:problem:{code}", "file")
    assert words in problem["detail"]
    assert problem["fix"]
    assert not Upload.objects.exists()
    assert not stored_files(storage)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"account": ""}, "account"),
        ({"account": "walmart"}, "account"),
        ({"kind": "invoice"}, "kind"),
        ({"contract": "../etc"}, "contract"),
    ],
)
def test_wrong_field_is_named(post, change, where):
    answer = post(walmart_csv(), **change)
    assert (answer.status_code, answer.json()["where"]) == (400, where)


def test_report_without_an_account(api):
    answer = api.post(UPLOADS, {"file": file(walmart_csv())}, format="multipart")
    assert (answer.status_code, answer.json()["where"]) == (400, "account")


def test_account_that_is_not_there(post):
    assert post(walmart_csv(), account=str(uuid4())).status_code == 404


def test_json_is_no_upload(api):
    assert api.post(UPLOADS, {"file": "x"}, format="json").status_code == 415


def test_catalogue_is_taken_before_the_answer(api):
    BrandFactory(slug="chips", name="Chips")
    text = b"sku,brand,product_name,retailer,retailer_sku\nS1,Chips,Sea Salt,Walmart,501\n"
    answer = api.post(UPLOADS, {"file": file(text, "c.csv"), "kind": "catalogue"}, format="multipart")
    assert answer.status_code == 201
    assert answer.json()["job_id"] is None
    assert answer.json()["catalogue"] == {"rows": 1, "products_created": 1, "products_updated": 0, "listings": 1}


def test_refused_catalogue_is_not_kept(api, storage):
    text = b"sku,brand,product_name,retailer,retailer_sku\nS1,Nobody,Sea Salt,Walmart,501\nS2,Nobody,,Walmart,502\n"
    answer = api.post(UPLOADS, {"file": file(text, "c.csv"), "kind": "catalogue"}, format="multipart")
    assert (answer.status_code, answer.json()["where"]) == (400, "row 3, product_name")
    assert answer.json()["errors"] == [{"row": 3, "where": "row 3, product_name", "detail": "product_name is empty"}]
    assert not Upload.objects.exists()
    assert not stored_files(storage)


def test_unreadable_report_fails_its_job_with_the_same_words(api, post):
    body = post(b"a,b\n1,2\n").json()
    run_queued_jobs()
    job = api.get(f"/api/v1/jobs/{body['job_id']}/").json()
    (load,) = api.get(LOADS).json()["results"]
    assert (job["state"], load["status"]) == ("failed", "failed")
    assert load["problem"]["detail"] == job["problem"]["detail"]
    assert job["problem"]["fix"]


def test_quarantine_shows_the_source_rows(api, post):
    post(walmart_csv(walmart_row(), walmart_row("2026-11-03", spend="-5.00"), walmart_row("2026-11-04", spend="-6.00")))
    run_queued_jobs()
    address = f"{LOADS}{Load.objects.get().pk}/quarantine/"
    body = api.get(address).json()
    assert body["rows_quarantined"] == 2
    assert [row["source_row"] for row in body["rows"]] == [3, 4]
    assert all(row["rule_ids"] == ["spend_not_negative"] for row in body["rows"])
    assert len(api.get(address, {"limit": 1}).json()["rows"]) == 1


@pytest.mark.parametrize("limit", ["0", "1001", "many"])
def test_quarantine_limit_is_checked(api, post, limit):
    post(walmart_csv())
    run_queued_jobs()
    answer = api.get(f"{LOADS}{Load.objects.get().pk}/quarantine/", {"limit": limit})
    assert (answer.status_code, answer.json()["where"]) == (400, "limit")


def test_harmonise_again_under_a_new_contract(api, post):
    body = post(walmart_csv()).json()
    address = f"{UPLOADS}{body['upload']['id']}/harmonize/"
    assert api.post(address, {}).json()["job_id"] == body["job_id"], "the same contracts are the same job"
    other = api.post(address, {"contract": "walmart_search_item"})
    assert other.status_code == 202
    assert other.json()["job_id"] != body["job_id"]
    assert api.post(address, {"contract": "nonesuch"}).status_code == 404


SHIPPED = len(list((Path(settings.BASE_DIR) / "config" / "mappings").glob("*.yaml")))


def test_lists_come_in_pages(api, post):
    for day in range(1, 4):
        post(walmart_csv(walmart_row(f"2026-11-0{day}")), f"day{day}.csv")
    first = api.get(UPLOADS, {"page_size": 2}).json()
    assert first["count"] == 3
    assert [row["file_name"] for row in first["results"]] == ["day3.csv", "day2.csv"]
    assert [row["file_name"] for row in api.get(first["next"]).json()["results"]] == ["day1.csv"]
    assert api.get(UPLOADS, {"page": 9}).status_code == 404


def test_queries_of_a_list_do_not_grow(api, walmart, django_assert_max_num_queries):
    api.get(MAPPINGS)
    for number in range(12):
        product = ProductFactory(brand=walmart.brand)
        product.listings.create(retailer=walmart.retailer, retailer_sku=f"5{number:02}")
        Campaign.objects.create(account=walmart, key=str(number), name=f"Campaign {number}")
        upload = Upload.objects.create(account=walmart, file_name=f"{number}.csv", sha256=f"{number:064}", size=1)
        Load.objects.create(upload=upload)
    for path, rows in (("uploads", 12), ("loads", 12), ("products", 12), ("accounts", 1), ("mappings", SHIPPED)):
        with django_assert_max_num_queries(16):  # half of them set the search path
            assert len(api.get(f"/api/v1/{path}/").json()["results"]) == rows


@pytest.mark.parametrize("path", [UPLOADS, LOADS])
def test_row_that_is_not_there(api, path):
    answer = api.get(f"{path}{uuid4()}/")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:rmn:problem:not-found")


def test_people_of_a_brand_see_their_brand(post, walmart):
    post(walmart_csv())
    run_queued_jobs()
    load = Load.objects.get()
    theirs = api_of(person("carol", Role.DATA_ENGINEER, brand=walmart.brand))
    others = api_of(person("dave", Role.DATA_ENGINEER, brand=BrandFactory(slug="pretzels")))
    for path, row in ((UPLOADS, load.upload), (LOADS, load)):
        assert theirs.get(f"{path}{row.pk}/").status_code == 200
        assert others.get(f"{path}{row.pk}/").status_code == 404
        assert others.get(path).json()["count"] == 0
    assert others.get(f"{LOADS}{load.pk}/quarantine/").status_code == 404
    assert others.post(f"{UPLOADS}{load.upload.pk}/harmonize/", {}).status_code == 404


def test_viewer_may_look_at_nothing_of_this(post):
    viewer = api_of(person("victor", Role.VIEWER))
    post(walmart_csv())
    assert viewer.get(UPLOADS).status_code == 403
    assert viewer.get(MAPPINGS).status_code == 403
    answer = viewer.post(UPLOADS, {"file": file(walmart_csv()), "account": str(Account.objects.get().pk)})
    assert answer.status_code == 415  # the client's default is JSON
    answer = viewer.post(
        UPLOADS, {"file": file(walmart_csv(walmart_row("2026-11-09"))), "account": str(Account.objects.get().pk)},
        format="multipart",
    )  # fmt: skip
    assert answer.status_code == 403
    assert Upload.objects.count() == 1


def shipped_text(name: str = "walmart_search_item") -> str:
    return (Path(settings.BASE_DIR) / "config" / "mappings" / f"{name}.yaml").read_text()


def test_shipped_mappings_are_listed(api):
    names = [row["name"] for row in api.get(MAPPINGS).json()["results"]]
    assert len(names) == SHIPPED
    assert {"amazon_sp_search_term", "criteo_performance", "walmart_search_item"} <= set(names)
    shown = api.get(f"{MAPPINGS}walmart_search_item/").json()
    assert shown["published"]["text"] == shipped_text()
    assert api.get(f"{MAPPINGS}nonesuch/").status_code == 404


def test_saved_mapping_is_in_force(api):
    api.get(MAPPINGS)
    text = shipped_text().replace("restatement_days: 14", "restatement_days: 21")
    answer = api.post(MAPPINGS, {"text": text, "note": "three weeks"})
    assert answer.status_code == 201
    assert (answer.json()["number"], answer.json()["note"]) == (2, "three weeks")
    assert api.get(f"{MAPPINGS}walmart_search_item/").json()["published"]["number"] == 2
    assert api.post(MAPPINGS, {"text": text}).json()["number"] == 2, "the same text is the same version"


def test_mapping_errors_name_their_lines(api):
    text = shipped_text().replace("target: spend", "target: spent").replace("restatement_days: 14", "restatement: 14")
    for path in (f"{MAPPINGS}check/", MAPPINGS):
        answer = api.post(path, {"text": text})
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:rmn:problem:invalid-contract")
        lines = text.splitlines()
        named = next(one for one in answer.json()["errors"] if one["path"].endswith("restatement"))
        assert lines[named["line"] - 1].startswith("restatement: 14")
    meaning = shipped_text().replace("target: spend,", "target: spent,")
    problem = api.post(f"{MAPPINGS}check/", {"text": meaning}).json()
    assert "spent" in meaning.splitlines()[problem["errors"][0]["line"] - 1]
    assert api.get(f"{MAPPINGS}walmart_search_item/").status_code == 404, "nothing was saved"


def test_check_saves_nothing(api):
    body = api.post(f"{MAPPINGS}check/", {"text": shipped_text()}).json()
    assert (body["name"], body["network"], body["report"]) == ("walmart_search_item", "walmart_connect", "search_item")
    assert body["fields"] > 15
    assert api.get(f"{MAPPINGS}walmart_search_item/").status_code == 404


def test_name_of_another_network_is_refused(api):
    api.get(MAPPINGS)
    answer = api.post(MAPPINGS, {"text": shipped_text().replace("network: walmart_connect", "network: criteo")})
    assert (answer.status_code, answer.json()["where"]) == (400, "network")


def test_analyst_may_check_and_not_save(api, alice):
    analyst = api_of(person("ann", Role.ANALYST))
    assert analyst.post(f"{MAPPINGS}check/", {"text": shipped_text()}).status_code == 200
    assert analyst.post(MAPPINGS, {"text": shipped_text()}).status_code == 403


def test_products_tell_their_stock_cover(api):
    walmart, amazon, target = (RetailerFactory(slug=slug) for slug in ("walmart", "amazon", "target"))
    product = ProductFactory(brand=BrandFactory(slug="chips"), sku="S1", price="3.49")
    product.listings.create(retailer=walmart, retailer_sku="501", units_in_stock=30, daily_unit_sales="12.00")
    product.listings.create(retailer=amazon, retailer_sku="B0", units_in_stock=0, daily_unit_sales=None)
    product.listings.create(retailer=target, retailer_sku="T", units_in_stock=5, daily_unit_sales="0.00")
    (row,) = api.get("/api/v1/products/").json()["results"]
    assert row["price"] == "3.49"
    cover = {listing["retailer"]: listing["stock_cover_days"] for listing in row["listings"]}
    assert cover == {"walmart": 2.5, "amazon": None, "target": None}


def test_accounts_and_retailers_are_added(api):
    made = api.post(
        "/api/v1/retailers/", {"slug": "harvest", "name": "Harvest Lane", "network": "criteo", "timezone": "UTC"}
    )
    assert made.status_code == 201
    account = {"retailer": made.json()["id"], "external_id": "42", "name": "Acme", "currency": "EUR"}
    answer = api.post("/api/v1/accounts/", account)
    assert (answer.status_code, answer.json()["currency"], answer.json()["brand"]) == (201, "EUR", None)
    again = api.post("/api/v1/accounts/", account)
    assert (again.status_code, again.json()["where"]) == (409, "external_id")


@pytest.mark.parametrize(
    ("path", "data", "where"),
    [
        ("retailers", {"slug": "mars", "name": "M", "network": "m", "timezone": "Mars/Olympus"}, "timezone"),
        ("accounts", {"retailer": str(uuid4()), "external_id": "1", "name": "A"}, "retailer"),
        ("accounts", {"retailer": str(uuid4()), "external_id": "1", "name": "A", "currency": "usd"}, "currency"),
    ],
)
def test_wrong_retailer_or_account(api, path, data, where):
    answer = api.post(f"/api/v1/{path}/", data)
    assert (answer.status_code, answer.json()["where"]) == (400, where)
    assert not Retailer.objects.exists()
    assert not Account.objects.exists()
