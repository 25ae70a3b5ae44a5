"""Deleting a tenant takes everything that is its own and nothing else; listing shows what there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from tenants import selectors, services
from tenants.core.problems import InvalidInput
from tenants.models import Domain, Tenant
from tests.conftest import inside


@pytest.fixture
def cedar(db: None, storage: Path) -> Tenant:
    tenant = services.create_tenant(slug="cedar", name="Cedar")
    with inside(tenant):
        selectors.tenant_folder().mkdir(parents=True)
        (selectors.tenant_folder() / "upload.csv").write_text("a\n", encoding="utf-8")
        cache.set("figure", 1, 60)
    return tenant


def test_without_yes_nothing_happens(cedar: Tenant) -> None:
    with pytest.raises(CommandError, match="--yes"):
        call_command("delete_tenant", "cedar")
    assert Tenant.objects.filter(schema_name="cedar").exists()


def test_schema_files_cache_and_hosts_go(cedar: Tenant, acme: Tenant) -> None:
    cache.set("figure", 1, 60)  # acme's
    folder = selectors.folder_of("cedar")
    assert folder.exists()
    call_command("delete_tenant", "cedar", yes=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'cedar'")
        assert cursor.fetchone() is None
    assert not Domain.objects.filter(domain="cedar.localhost").exists()
    assert not folder.exists()
    assert not list(redis.Redis.from_url(django_settings.REDIS_URL).scan_iter("cedar:*"))
    with inside(acme):
        assert cache.get("figure") == 1


def test_the_platform_can_be_neither_deleted_nor_suspended(db: None) -> None:
    platform = Tenant.objects.get(schema_name="public")
    with pytest.raises(InvalidInput):
        services.delete_tenant(tenant=platform)
    with pytest.raises(InvalidInput):
        services.set_tenant_status(tenant=platform, status="suspended")
    with pytest.raises(CommandError, match="No tenant is called"):
        call_command("suspend_tenant", "public")


def test_list_tenants(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("list_tenants", json=True)
    rows = {row["slug"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["acme"] == {
        "slug": "acme", "name": "Acme Snacks", "status": "active",
        "domains": ["acme.localhost", "localhost"], "migrated": True,
    }  # fmt: skip
    call_command("list_tenants")
    assert "birch.localhost" in capsys.readouterr().out
