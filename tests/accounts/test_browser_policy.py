"""In a real browser: no page breaks its own content security policy, and none has a script error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts import services
from accounts.core.permissions import Role
from tenants.models import Tenant
from tests.factories import PASSWORD, person

pytestmark = pytest.mark.browser

OWN = [
    "/settings/users/",
    "/settings/brands/",
    "/settings/tokens/",
    "/settings/history/",
    "/accounts/2fa/",
    "/api/v1/docs",
]
TENANT_ADMIN = [
    "/admin/", "/admin/accounts/user/", "/admin/accounts/rolegrant/add/", "/admin/accounts/brand/add/",
    "/admin/accounts/apitoken/", "/admin/accounts/userevent/",
]  # fmt: skip
PLATFORM_ADMIN = [
    "/admin/", "/admin/tenants/tenant/", "/admin/tenants/tenant/add/", "/admin/tenants/domain/add/",
    "/admin/django_celery_beat/periodictask/add/", "/admin/django_celery_beat/crontabschedule/add/",
]  # fmt: skip


@pytest.fixture
def server(real_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveServer]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in this thread
    connection.set_tenant(Tenant.objects.get(schema_name="acme"))
    person("alice", Role.OWNER)
    services.seed_operator(email="op@example.com", password=PASSWORD)
    connection.set_schema_to_public()
    server = LiveServer("127.0.0.1")
    yield server
    server.stop()


@pytest.fixture
def page(chromium: str, tmp_path: Any) -> Iterator[Page]:
    with sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            str(tmp_path / "profile"),
            executable_path=chromium,
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield context.new_page()
        context.close()


@pytest.mark.parametrize(
    ("host", "email", "paths"),
    [("acme", "alice@example.com", OWN + TENANT_ADMIN), ("platform", "op@example.com", PLATFORM_ADMIN)],
    ids=["tenant", "platform"],
)
def test_no_page_breaks_its_policy(server: LiveServer, page: Page, host: str, email: str, paths: list[str]) -> None:
    faults: list[str] = []
    page.on("console", lambda message: faults.append(f"{page.url} {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(f"{page.url} {error}"))
    base = f"http://{host}.localhost:{server.thread.port}"
    page.goto(f"{base}/accounts/login/?next={paths[0]}")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{base}{paths[0]}")
    for path in paths:
        answer = page.goto(f"{base}{path}", wait_until="networkidle")
        assert answer is not None
        assert answer.status == 200, path
    assert faults == []
    if "/api/v1/docs" in paths:
        page.goto(f"{base}/api/v1/docs")
        # The page draws only what is on the screen once there are more than some hundred operations.
        brands = page.get_by_text("/api/v1/brands/").first
        for _ in range(40):
            if brands.is_visible():
                break
            page.mouse.wheel(0, 400)
            page.wait_for_timeout(250)
        brands.wait_for()
