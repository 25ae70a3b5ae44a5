"""Shared fixtures: two tenants (acme, birch) and a small cast. alice owns acme, bob owns birch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from accounts.core.permissions import Role
from accounts.models import ApiToken, User
from tenants.models import Tenant
from tests import factories
from tests.database import copied_database, ensure_template, use_database


def _own_cache() -> None:
    """Counters of rates are a process's own: the tenants of all of them have the same names."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw").removeprefix("gw")
    location = str(settings.CACHES["default"]["LOCATION"])
    if worker and "?" not in location:
        settings.CACHES["default"]["LOCATION"] = f"{location}?db={1 + int(worker) % 15}"


_own_cache()


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """A copy of the migrated template for this process, instead of migrating anew."""
    with django_db_blocker.unblock():
        ensure_template()
        with copied_database("rmn_test") as name:
            use_database(name)
            yield


@pytest.fixture(autouse=True)
def _public_again(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test inherits the tenant of the one before."""
    yield
    if "db" in request.fixturenames or "real_database" in request.fixturenames:
        connection.set_schema_to_public()


@pytest.fixture
def real_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A database of the test's own whose commits are real, for tests with other processes; yields its URL."""
    usual = connection.settings_dict["NAME"]
    with django_db_blocker.unblock(), copied_database("rmn_real") as name:
        use_database(name)
        try:
            base, _, query = os.environ["DATABASE_URL"].partition("?")
            url = f"{base.rpartition('/')[0]}/{name}"
            yield f"{url}?{query}" if query else url
        finally:
            use_database(usual)


@pytest.fixture
def storage(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """A storage root of the test's own."""
    settings.STORAGE_ROOT = tmp_path / "storage"
    yield settings.STORAGE_ROOT
    shutil.rmtree(settings.STORAGE_ROOT, ignore_errors=True)


@pytest.fixture
def fresh_cache() -> None:
    """No throttle counters of earlier tests."""
    cache.clear()


@pytest.fixture
def acme(db: None) -> Tenant:
    """The tenant acme, active."""
    tenant = Tenant.objects.get(schema_name="acme")
    connection.set_tenant(tenant)
    return tenant


@pytest.fixture
def birch(db: None) -> Tenant:
    """The other tenant; not active unless entered with `inside`."""
    return Tenant.objects.get(schema_name="birch")


@contextmanager
def inside(tenant: Tenant) -> Iterator[None]:
    """Run a block as another tenant and come back."""
    before = connection.tenant
    connection.set_tenant(tenant)
    try:
        yield
    finally:
        connection.set_tenant(before)


@pytest.fixture
def alice(acme: Tenant) -> User:
    """Owner of acme."""
    return factories.person("alice", Role.OWNER)


@pytest.fixture
def bob(acme: Tenant, birch: Tenant) -> User:
    """Owner of birch; nobody in acme."""
    with inside(birch):
        return factories.person("bob", Role.OWNER)


def browser_of(user: User | None, host: str = "acme.localhost") -> Client:
    """A client of the pages, logged in in the tenant that is active."""
    client = Client(HTTP_HOST=host, raise_request_exception=True)
    if user is not None:
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def api_of(user: User | None, host: str = "acme.localhost") -> APIClient:
    """A client of the API with a token of the user."""
    client = APIClient(HTTP_HOST=host)
    if user is not None:
        _, token = ApiToken.objects.create(user=user, name=f"test {ApiToken.objects.count()}")
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}", HTTP_HOST=host)
    return client


@pytest.fixture
def api(alice: User) -> APIClient:
    """alice's API client."""
    return api_of(alice)


@pytest.fixture
def browser(alice: User) -> Client:
    """alice's pages."""
    return browser_of(alice)


@pytest.fixture
def login() -> Callable[..., Client]:
    """`login(user, host)`: a client of the pages."""
    return browser_of


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium."""
    named = os.environ.get("RMN_CHROMIUM")
    found = named or next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if not found:
        pytest.skip("no Chromium was found: install one, or name it in RMN_CHROMIUM")
    return found
