"""Only schemas that are behind are migrated, and the platform is prepared as often as one likes."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django_tenants.signals import schema_pre_migration

from accounts.models import User
from tenants import schemas, selectors
from tenants.models import PUBLIC_SCHEMA, Domain, Tenant


@pytest.fixture
def migrated(real_database: str) -> Any:
    """The schemas that a migration visited."""
    seen: list[str] = []

    def note(schema_name: str, **_: Any) -> None:
        seen.append(schema_name)

    schema_pre_migration.connect(note)
    yield seen
    schema_pre_migration.disconnect(note)


def put_behind(schema: str) -> None:
    """Take the last migration of an app back, in one schema."""
    call_command("migrate_schemas", "mfa", "0002", schema_name=schema, tenant=True, interactive=False, verbosity=0)


def test_nothing_behind_visits_no_tenant(migrated: list[str]) -> None:
    call_command("migrate_schemas", tenant=True, interactive=False, verbosity=0)
    assert migrated == []


def test_only_the_schema_behind_is_visited(migrated: list[str]) -> None:
    put_behind("birch")
    assert schemas.schemas_behind(["acme", "birch"]) == ["birch"]
    migrated.clear()
    call_command("migrate_schemas", tenant=True, interactive=False, verbosity=0)
    assert migrated == ["birch"]
    assert schemas.schemas_behind(["acme", "birch"]) == []


def test_public_is_migrated_always(migrated: list[str]) -> None:
    call_command("migrate_schemas", interactive=False, verbosity=0)
    assert migrated == [PUBLIC_SCHEMA]


def test_names_are_compared_not_counts(db: None, acme: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET name = 'another' WHERE app = 'mfa' AND name LIKE '0003%%'")
    assert schemas.schemas_behind(["acme", "birch"]) == ["acme"]


def test_a_schema_without_records_is_behind(db: None) -> None:
    assert schemas.schemas_behind(["nowhere", "acme"]) == ["nowhere"]
    assert schemas.schemas_behind([]) == []


def test_one_query_however_many_schemas(db: None, django_assert_num_queries: Any) -> None:
    schemas.tenant_migrations()
    with django_assert_num_queries(3):  # the search path; which schemas keep records; what the records say
        schemas.schemas_behind(["acme", "birch"])


def test_prepare_platform_twice(real_database: str, settings: Any, tmp_path: Any) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    secret = tmp_path / "password"
    secret.write_text("correct horse battery staple", encoding="utf-8")
    put_behind("birch")
    for _ in range(2):
        call_command("prepare_platform", operator_email="op@example.com", operator_password_file=str(secret))
    assert schemas.schemas_behind(selectors.tenant_schemas()) == []
    assert Domain.objects.get(domain="platform.localhost").tenant.is_platform
    operator = User.objects.get(email="op@example.com")
    assert operator.is_superuser
    assert operator.check_password("correct horse battery staple")
