"""Which tenant a request belongs to."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import ApiToken, User
from tenants import selectors, services
from tenants.models import Domain, Tenant
from tests.conftest import api_of

ME = "/api/v1/me"


@pytest.fixture
def token(alice: User) -> str:
    return ApiToken.objects.create(user=alice, name="routing")[1]


def ask(path: str = ME, host: str = "acme.localhost", **headers: str) -> Any:
    return Client().get(path, headers={"host": host, **headers})


def test_a_host_opens_its_tenant(token: str) -> None:
    answer = ask(authorization=f"Token {token}")
    assert answer.status_code == 200
    assert answer.json()["tenant"]["slug"] == "acme"


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "ACME.localhost", "acme.localhost."])
def test_ports_case_and_the_final_dot_do_not_matter(token: str, host: str) -> None:
    assert ask(host=host, authorization=f"Token {token}").json()["tenant"]["slug"] == "acme"


def test_a_numeric_host_is_a_row_like_any_other(token: str, acme: Tenant) -> None:
    assert ask(host="127.0.0.1", authorization=f"Token {token}").status_code == 404
    connection.set_schema_to_public()
    services.add_domain(tenant=acme, host="127.0.0.1")
    assert ask(host="127.0.0.1:8123", authorization=f"Token {token}").json()["tenant"]["slug"] == "acme"


def test_an_unknown_host_is_a_page_or_a_document(db: None) -> None:
    page = ask("/", host="nobody.localhost")
    assert page.status_code == 404
    assert b"No tenant lives at nobody.localhost" in page.content
    document = ask(host="nobody.localhost")
    assert document.status_code == 404
    assert document["Content-Type"] == "application/problem+json"
    assert document.json()["where"] == "Host"
    assert "'none'" in page["Content-Security-Policy"]


def test_a_host_outside_allowed_hosts_says_nothing_about_itself(db: None) -> None:
    answer = ask(host="evil.example")
    assert answer.status_code == 404
    assert "evil" not in answer.content.decode()


def test_header_and_host_that_agree(token: str, acme: Tenant) -> None:
    for name in ("acme", str(acme.pk)):
        assert ask(authorization=f"Token {token}", **{"x-tenant-id": name}).status_code == 200


@pytest.mark.parametrize("named", ["birch", "public", "nobody", "x'; drop schema acme"])
def test_header_and_host_that_disagree_are_400(token: str, named: str) -> None:
    answer = ask(authorization=f"Token {token}", **{"x-tenant-id": named})
    assert answer.status_code == 400
    assert answer.json()["where"] == "X-Tenant-ID"


def test_the_header_alone_works_on_the_platforms_host(token: str) -> None:
    answer = ask(host="platform.localhost", authorization=f"Token {token}", **{"x-tenant-id": "acme"})
    assert answer.json()["tenant"]["slug"] == "acme"


def test_on_the_platforms_host_the_api_wants_a_tenant(token: str) -> None:
    unnamed = ask(host="platform.localhost", authorization=f"Token {token}")
    assert (unnamed.status_code, unnamed.json()["where"]) == (400, "X-Tenant-ID")
    unknown = ask(host="platform.localhost", authorization=f"Token {token}", **{"x-tenant-id": "nobody"})
    assert unknown.status_code == 404


def test_the_header_means_nothing_to_pages(alice: User) -> None:
    answer = ask("/settings/users/", **{"x-tenant-id": "birch"})
    assert answer.status_code == 302  # to the login, and not 400


def test_a_token_of_another_tenant_is_401(token: str, birch: Tenant) -> None:
    for host, header in (("birch.localhost", {}), ("platform.localhost", {"x-tenant-id": "birch"})):
        answer = ask(host=host, authorization=f"Token {token}", **header)
        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["WWW-Authenticate"].startswith("Token")


def test_a_session_of_another_tenant_is_nobody(browser: Client, birch: Tenant) -> None:
    assert browser.get("/settings/tokens/").status_code == 200
    answer = browser.get("/settings/tokens/", headers={"host": "birch.localhost"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("header", ["x-forwarded-host", "forwarded", "x-host", "x-original-host"])
def test_forwarded_hosts_are_not_believed(token: str, birch: Tenant, header: str) -> None:
    value = "host=birch.localhost" if header == "forwarded" else "birch.localhost"
    answer = ask(authorization=f"Token {token}", **{header: value})
    assert answer.json()["tenant"]["slug"] == "acme"


def test_a_suspended_tenant_refuses_everybody(api: APIClient, acme: Tenant) -> None:
    call_command("suspend_tenant", "acme")
    refused = api.get(ME)
    assert (refused.status_code, refused.json()["code"]) == (403, "tenant-suspended")
    assert ask("/").status_code == 403
    call_command("suspend_tenant", "acme", undo=True)
    assert api.get(ME).status_code == 200


def test_a_tenant_lacking_a_table_is_not_routed(api: APIClient, acme: Tenant) -> None:
    selectors.forget_routable("acme")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE acme.accounts_brand RENAME TO elsewhere")
    try:
        answer = api.get("/api/v1/brands/")
    finally:
        selectors.forget_routable("acme")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


@pytest.mark.parametrize("host", ["10.1.2.3:8000", "evil.example", "acme.localhost", "nobody.localhost"])
def test_health_answers_under_any_host(db: None, host: str) -> None:
    assert ask("/health", host=host).json() == {"status": "ok"}
    ready = ask("/health/ready", host=host)
    assert (ready.status_code, ready.json()["checks"]) == (200, {"database": True, "queue": True})
    assert ask("/metrics", host=host).status_code == 200


def test_metrics_with_a_token(db: None, settings: Any) -> None:
    settings.METRICS_TOKEN = "scrape"
    assert ask("/metrics").status_code == 401
    assert ask("/metrics", authorization="Bearer wrong").status_code == 401
    assert ask("/metrics", authorization="Bearer scrape").status_code == 200


def test_metrics_carry_the_tenant(api: APIClient) -> None:
    api.get(ME)
    assert 'rmn_http_requests_total{method="GET",status="200",tenant="acme"}' in ask("/metrics").content.decode()


def test_code_outside_a_tenant_fails(db: None) -> None:
    connection.set_schema_to_public()
    for read in (selectors.current_schema, selectors.current_tenant, selectors.tenant_folder):
        with pytest.raises(RuntimeError, match="needs a tenant"):
            read()


def test_a_domain_row_opens_one_tenant_only(acme: Tenant, birch: Tenant) -> None:
    connection.set_schema_to_public()
    with pytest.raises(services.Conflict):
        services.add_domain(tenant=birch, host="acme.localhost")
    assert Domain.objects.get(domain="acme.localhost").tenant == acme


def test_the_same_email_is_another_person_in_another_tenant(alice: User, birch: Tenant) -> None:
    connection.set_tenant(birch)
    assert not User.objects.filter(pk=alice.pk).exists()
    assert api_of(None, "birch.localhost").get(ME).status_code == 401
