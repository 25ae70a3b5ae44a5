import gzip
import io
import zipfile

import pytest
import zstandard

from accounts.core.permissions import Role
from harmonization import selectors, services
from harmonization.models import Upload
from harmonization.services.uploads import clean_file_name
from jobs.models import Job
from tenants.core.problems import InvalidInput, NotAllowed, NotFound, QuotaExceeded, TooLarge
from tests.factories import BrandFactory, person
from tests.harmonization.conftest import walmart_csv


def test_kept_under_its_hash(send, walmart):
    upload = send(walmart_csv(), walmart).upload
    assert selectors.stored_file(upload).read_bytes() == walmart_csv()
    assert upload.size == len(walmart_csv())


def test_same_file_twice_is_one_upload_and_one_job(send, walmart):
    first, second = send(walmart_csv(), walmart), send(walmart_csv(), walmart, "renamed.csv")
    assert first.upload == second.upload
    assert first.job == second.job
    assert Job.objects.count() == 1


@pytest.mark.parametrize("name", ["../../etc/passwd.csv", "..\\..\\boot.csv", "/abs/olute.csv", "a/b\x00/c\n.csv"])
def test_name_never_becomes_a_path(send, walmart, storage, name):
    upload = send(walmart_csv(), walmart, name).upload
    assert "/" not in upload.file_name
    assert ".." not in upload.file_name
    assert storage in selectors.stored_file(upload).resolve().parents


@pytest.mark.parametrize("name", ["売上" * 90 + ".csv", "売上" * 90 + ".2026.csv", "Q3." + "x" * 240 + ".csv"])
def test_a_long_name_fits_the_file_system(load, walmart, name):
    assert load(walmart_csv(), walmart, name)["rows_out"] == 1


def test_a_long_name_before_gz_is_no_suffix(send, walmart):
    upload = send(gzip.compress(walmart_csv()), walmart, "weekly." + "報" * 60 + ".gz").upload
    assert selectors.stored_file(upload).name == f"{upload.sha256}.gz"


@pytest.mark.parametrize("name", ["item.csv.zst", "item.csv.gz", "item.zip"])
def test_packed_uploads_are_read(load, walmart, name):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("item.csv", walmart_csv())
    packed = {"zst": zstandard.compress(walmart_csv()), "gz": gzip.compress(walmart_csv()), "zip": sink.getvalue()}
    assert load(packed[name.rpartition(".")[2]], walmart, name)["rows_out"] == 1


def test_nameless_file():
    assert clean_file_name("///") == "unnamed"


def test_empty_file(send, walmart, storage):
    with pytest.raises(InvalidInput, match="is empty"):
        send(b"", walmart)
    assert not Upload.objects.exists()
    assert not list(storage.rglob("*.part"))


def test_wrong_type(send, walmart):
    with pytest.raises(InvalidInput, match=r"'notes\.docx' is not a file type"):
        send(b"hello", walmart, "notes.docx")


def test_over_the_limit_keeps_nothing(send, walmart, settings, storage):
    settings.UPLOAD_MAX_BYTES = 10
    with pytest.raises(TooLarge, match="larger than"):
        send(walmart_csv(), walmart)
    assert not Upload.objects.exists()
    assert not [path for path in storage.rglob("*") if path.is_file()]


def test_full_storage(send, walmart, acme):
    send(walmart_csv(), walmart)
    acme.storage_quota_mb = 0
    with pytest.raises(QuotaExceeded, match="0 MiB"):
        send(walmart_csv() + b"\n", walmart)


def test_report_needs_an_account(send):
    with pytest.raises(InvalidInput, match="account"):
        send(walmart_csv(), None)


def test_viewer_may_not_upload(send, walmart):
    viewer = person("victor", Role.VIEWER)
    with pytest.raises(NotAllowed):
        send(walmart_csv(), walmart, actor=viewer)


def test_engineer_of_another_brand_does_not_know_the_account(send, walmart):
    engineer = person("eve", Role.DATA_ENGINEER, brand=BrandFactory(slug="pretzels"))
    with pytest.raises(NotFound):
        send(walmart_csv(), walmart, actor=engineer)
    assert not selectors.accounts_visible(user=engineer).exists()


def test_unknown_contract(send, walmart):
    with pytest.raises(NotFound, match="nonesuch"):
        send(walmart_csv(), walmart, contract="nonesuch")


def test_only_keep(send, walmart):
    assert send(walmart_csv(), walmart, contract="none").job is None


def test_catalogue_is_no_report(send, alice, walmart):
    BrandFactory(slug="chips", name="Chips")
    text = b"sku,brand,product_name,retailer,retailer_sku\nS1,Chips,Sea Salt,Walmart,501\n"
    upload = send(text, None, "catalogue.csv", kind="catalogue").upload
    with pytest.raises(InvalidInput, match="catalogue"):
        services.start_load(actor=alice, upload=upload)
