"""What arrives malformed, oversized or under a false name, and what answers give away."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.utils.html import escape
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from accounts.models import ApiToken, User
from harmonization.core.library import shipped_contracts
from harmonization.models import Account, Load, Upload
from jobs.draining import run_queued_jobs
from jobs.models import Job
from tenants.models import Tenant
from tests.conftest import api_of, browser_of, inside
from tests.factories import PASSWORD, AccountFactory, BrandFactory, RetailerFactory
from tests.harmonization.conftest import WALMART_HEADER, walmart_csv, walmart_row

PROBLEM = "application/problem+json"
ME, UPLOADS, CHECK = "/api/v1/me", "/api/v1/uploads/", "/api/v1/mappings/check/"


@pytest.fixture(autouse=True)
def _fresh(fresh_cache: None) -> None:
    """Rate limits of earlier tests are gone."""


# Whose host -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_X_FORWARDED_HOST": "birch.localhost"},
        {"HTTP_FORWARDED": "host=birch.localhost"},
        {"HTTP_X_ORIGINAL_HOST": "birch.localhost"},
        {"HTTP_X_HOST": "birch.localhost"},
        {"HTTP_X_FORWARDED_SERVER": "birch.localhost"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_no_header_but_host_names_the_host(api: APIClient, headers: dict[str, str]) -> None:
    assert api.get(ME, **headers).json()["tenant"]["slug"] == "acme"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("acme.localhost:8000", 200), ("ACME.localhost", 200), ("acme.localhost.", 200),
        ("acme.localhost@birch.localhost", 404),
        ("birch.localhost", 401), ("acme.localhost/birch.localhost", 404), ("acme.localhost birch.localhost", 404),
        ("", 404), ("birch.localhost.evil.example", 404), ("xn--acme.localhost", 404), ("127.0.0.1", 404),
    ],
)  # fmt: skip
def test_hosts_that_almost_are_one(api: APIClient, host: str, status: int) -> None:
    api.credentials(**{**api._credentials, "HTTP_HOST": host})
    answer = api.get(ME)
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["tenant"]["slug"] == "acme"
    else:
        assert answer["Content-Type"] == PROBLEM


def test_a_link_in_an_answer_is_of_the_tenants_own_host(api: APIClient, alice: User) -> None:
    answer = api.post(f"/api/v1/users/{alice.pk}/password-link/", HTTP_X_FORWARDED_HOST="evil.example")
    assert answer.json()["password_link"].startswith("http://acme.localhost/")


# How much, how often --------------------------------------------------------------------------------------------------


def announced(client: Client, path: str, length: int, content_type: str) -> Any:
    """Announce a body of a length and send none of it."""

    class Untouched(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            pytest.fail("the body was read")

    stream: Any = Untouched()
    return client.generic(
        "POST", path, b"", content_type=content_type, CONTENT_LENGTH=str(length), **{"wsgi.input": stream}
    )


FORM, JSON = "multipart/form-data; boundary=x", "application/json"
MIB = 1024 * 1024


@pytest.mark.parametrize("path", [UPLOADS, CHECK, "/api/v1/brands/", "/data/uploads/", "/accounts/login/"])
@pytest.mark.parametrize("content_type", [FORM, JSON, "application/x-www-form-urlencoded", ""])
def test_too_large_a_body_is_refused_before_it_is_read(
    alice: User, settings: Any, path: str, content_type: str
) -> None:
    settings.UPLOAD_MAX_BYTES = 6 * MIB
    client = api_of(alice) if path.startswith("/api/") else browser_of(alice)
    limit = 7 * MIB if content_type == FORM else 5 * MIB
    answer = announced(client, path, limit + 1, content_type)
    assert answer.status_code == 413
    if path.startswith("/api/"):
        assert (answer["Content-Type"], answer.json()["code"]) == (PROBLEM, "too-large")
        assert "MiB" in answer.json()["detail"]
    else:
        assert "MiB" in answer.content.decode()
    assert "Content-Security-Policy" in answer


def test_a_stranger_announces_in_vain_too(acme: Tenant) -> None:
    assert announced(api_of(None), UPLOADS, 10**12, FORM).status_code == 413


def test_a_body_at_the_limit_is_read(api: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    body = b'{"name": "' + b"x" * 88 + b'"}'
    assert len(body) == 100
    assert api.generic("POST", "/api/v1/brands/", body, content_type=JSON).status_code == 201
    assert api.generic("POST", "/api/v1/brands/", body + b" ", content_type=JSON).status_code == 413


def test_a_burst_is_refused_and_the_other_tenant_is_served(alice: User, bob: User, birch: Tenant) -> None:
    Tenant.objects.filter(schema_name="acme").update(api_rate_per_minute=4)
    client = api_of(alice)
    with inside(birch):
        other = api_of(bob, "birch.localhost")
    answers = [client.get(ME) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert (answers[-1]["Content-Type"], 1 <= int(answers[-1]["Retry-After"]) <= 60) == (PROBLEM, True)
    assert [other.get(ME).status_code for _ in range(5)] == [200] * 5


# What answers and logs give away --------------------------------------------------------------------------------------


def test_no_secret_in_answers_or_logs(alice: User, capfd: Any, caplog: Any) -> None:
    token, text = ApiToken.objects.create(user=alice, name="laptop")
    foreign = "rmn_" + "ab" * 32
    api = APIClient(HTTP_HOST="acme.localhost")
    with capture_logs() as lines:
        bodies = []
        for sent in (text, foreign, f"{text}x"):
            api.credentials(HTTP_AUTHORIZATION=f"Token {sent}", HTTP_HOST="acme.localhost")
            paths = (ME, f"/api/v1/users/{token.public_id}/", "/api/v1/nowhere/", "/api/v1/history/")
            bodies += [api.get(path).content.decode() for path in paths]
            bodies.append(api.post("/api/v1/brands/", {"name": {"not": "text"}}).content.decode())
        pages = Client(HTTP_HOST="acme.localhost")
        for password in (PASSWORD, "wrong horse"):
            answer = pages.post("/accounts/login/", {"login": alice.email, "password": password})
            bodies.append(answer.content.decode())
    out = capfd.readouterr()
    said = "\n".join([*bodies, *(str(line) for line in lines), caplog.text, out.out, out.err])
    assert lines or caplog.text
    for secret in (text, foreign, text.removeprefix("rmn_"), token.digest, PASSWORD, "wrong horse", alice.password):
        assert secret not in said


def test_a_failure_nobody_foresaw_tells_nothing(alice: User, monkeypatch: Any) -> None:
    def fails(**_: Any) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr("accounts.selectors.brands_for", fails)
    api = api_of(alice)
    api.raise_request_exception = False
    answer = api.get("/api/v1/brands/")
    assert (answer.status_code, answer["Content-Type"]) == (500, PROBLEM)
    assert "secret of the inside" not in answer.content.decode()
    assert answer.json()["request_id"]


@pytest.mark.parametrize(
    ("method", "path", "body", "content_type", "status"),
    [
        ("GET", "/api/v1/nowhere/", b"", JSON, 404),
        ("GET", "/api/v1/brands/?page=0", b"", JSON, 404),
        ("GET", "/api/v1/jobs/?state=odd", b"", JSON, 400),
        ("PUT", "/api/v1/brands/", b"{}", JSON, 405),
        ("POST", "/api/v1/brands/", b"{", JSON, 400),
        ("POST", "/api/v1/brands/", b"<a/>", "application/xml", 415),
        ("POST", "/api/v1/uploads/", b"{}", JSON, 415),
        ("POST", "/api/v1/uploads/", b"", "multipart/form-data", 400),
        ("GET", "/api/v1/metrics/query/?metrics=spend&start=x&end=y", b"", JSON, 400),
    ],
)
def test_every_error_is_a_document(
    api: APIClient, method: str, path: str, body: bytes, content_type: str, status: int
) -> None:
    answer = api.generic(method, path, body, content_type=content_type)
    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM)
    document = answer.json()
    assert {"type", "title", "status", "detail", "instance"} <= set(document)
    assert document["status"] == status


# Who sends it ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_a_session_changes_nothing_without_its_csrf_token(alice: User, method: str) -> None:
    brand = BrandFactory(slug="crisps", name="Crisps")
    client = APIClient(HTTP_HOST="acme.localhost", enforce_csrf_checks=True)
    client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    path = "/api/v1/brands/" if method == "post" else f"/api/v1/brands/{brand.pk}/"
    answer = getattr(client, method)(path, {"name": "Taken over"})
    assert (answer.status_code, answer["Content-Type"]) == (403, PROBLEM)
    brand.refresh_from_db()
    assert brand.name == "Crisps"


# Files ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def account(alice: User, storage: Path) -> Account:
    return AccountFactory(
        brand=BrandFactory(slug="chips"),
        retailer=RetailerFactory(slug="walmart", network="walmart_connect"),
        external_id="wm-1",
    )


@pytest.fixture
def upload(api: APIClient, account: Account) -> Callable[..., Any]:
    """`upload(content, name)`: the answer of the API."""

    def _upload(content: bytes, name: str) -> Any:
        file = io.BytesIO(content)
        file.name = name
        return api.post(UPLOADS, {"file": file, "account": str(account.pk)}, format="multipart")

    return _upload


def workbook(rows: list[str]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row.split(","))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (300 * MIB))
    return out.getvalue()


BROKEN = {
    "zip bomb": (bomb, "report.xlsx"),
    "truncated workbook": (lambda: workbook([WALMART_HEADER, walmart_row()])[:-2000], "report.xlsx"),
    "a workbook in name": (lambda: b"not a zip at all", "report.xlsx"),
    "wrong encoding": (lambda: walmart_csv().decode().encode("cp500"), "report.csv"),
    "unknown columns": (lambda: b"colour,mood\nred,good\n", "report.csv"),
    "a climbing name": (lambda: b"colour,mood\nred,bad\n", "../../../../etc/passwd.csv"),
    "only a header": (lambda: f"{WALMART_HEADER}\n".encode(), "report.csv"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_ends_in_a_failed_job_that_says_why_everywhere(
    api: APIClient, browser: Client, upload: Callable[..., Any], storage: Path, kind: str
) -> None:
    make, name = BROKEN[kind]
    started = time.monotonic()
    answer = upload(make(), name)
    assert answer.status_code == 201, answer.content
    run_queued_jobs(tenant="acme")
    assert time.monotonic() - started < 20
    job = Job.objects.get(pk=answer.json()["job_id"])
    assert job.state == "failed"
    told = api.get(f"/api/v1/jobs/{job.pk}/").json()["problem"]
    assert told["detail"]
    assert told["fix"]
    page = browser.get(f"/jobs/{job.pk}/").content.decode()
    assert escape(told["detail"]) in page
    assert escape(told["fix"]) in page
    load = Load.objects.get(job_id=job.pk)
    assert (load.status, load.problem["detail"]) == ("failed", told["detail"])
    kept = [path for path in storage.rglob("*") if path.is_file()]
    assert [path.parts[-3] for path in kept] == ["uploads"], "nothing half-done is left"
    assert all(path.resolve().is_relative_to(storage.resolve() / "tenants" / "acme") for path in kept)
    assert "/" not in Upload.objects.get().file_name
    assert ".." not in Upload.objects.get().file_name


def test_the_same_file_whole_is_published(upload: Callable[..., Any]) -> None:
    """What makes the failures above mean something."""
    answer = upload(workbook([WALMART_HEADER, walmart_row()]), "report.xlsx")
    run_queued_jobs(tenant="acme")
    assert Job.objects.get(pk=answer.json()["job_id"]).state == "succeeded"


# Texts that cost ------------------------------------------------------------------------------------------------------


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    answer = call()
    return answer, time.perf_counter() - started


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*{'a' if n == 0 else f'b{n - 1}'}, *a]\n" for n in range(40)),
        "name: !!python/object/apply:os.system ['true']\n",
        "a: " + "[" * 5000 + "]" * 5000,
        "a: &a\n  b: *a\n",
    ],
    ids=["aliases", "tag", "depth", "recursion"],
)
def test_a_yaml_bomb_is_refused_within_a_second(api: APIClient, text: str) -> None:
    answer, seconds = timed(lambda: api.post(CHECK, {"text": text}))
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    assert "line 1" in answer.json()["where"]
    assert seconds < 1


def test_a_catastrophic_pattern_in_a_rule_is_bounded(
    api: APIClient, upload: Callable[..., Any], account: Account
) -> None:
    shipped = shipped_contracts()["walmart_search_item"].text
    rule = '  - {id: slow, kind: regex, column: campaign_name, pattern: "^(a+)+$"}\n'
    evil = shipped.replace("name: walmart_search_item", "name: slow_report").replace(
        "  - {id: impressions_not_negative", f"{rule}  - {{id: impressions_not_negative"
    )
    assert rule in evil
    assert api.post("/api/v1/mappings/", {"text": evil}).status_code == 201
    content = walmart_csv(walmart_row().replace("Chips search", "a" * 5000 + "!"))
    file = io.BytesIO(content)
    file.name = "slow.csv"
    answer = api.post(
        UPLOADS, {"file": file, "account": str(account.pk), "contract": "slow_report"}, format="multipart"
    )
    _, seconds = timed(lambda: run_queued_jobs(tenant="acme"))
    job = Job.objects.get(pk=answer.json()["job_id"])
    assert job.is_final
    assert job.result is None or job.result["rows_quarantined"] == 1
    assert seconds < 10
