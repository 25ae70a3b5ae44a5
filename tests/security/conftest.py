"""A world of two tenants with one of everything in each, made once; every request to it is undone."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from rest_framework.views import APIView

from tenants.models import Tenant
from tests.database import copied_database, use_database
from tests.security.objects import Things, make_everything
from tests.security.state import Watch


@dataclass
class World:
    """acme is whoever should see nothing of birch; birch is where requests are sent."""

    acme: Things
    birch: Things
    watch: Watch


@pytest.fixture(scope="session")
def full_tenants(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[str, World]]:
    """Both tenants, full, in a database of their own, whose name comes with them."""
    usual, usual_root = connection.settings_dict["NAME"], settings.STORAGE_ROOT
    storage = Path(tempfile.mkdtemp(prefix="rmn-security-"))
    with django_db_blocker.unblock(), copied_database("rmn_security") as name:
        use_database(name)
        settings.STORAGE_ROOT = storage
        try:
            made = World(_filled("acme"), _filled("birch"), Watch(storage))
        finally:
            settings.STORAGE_ROOT = usual_root
            use_database(usual)
        try:
            yield name, made
        finally:
            shutil.rmtree(storage, ignore_errors=True)


@pytest.fixture(scope="module")
def world(full_tenants: tuple[str, World], django_db_blocker: Any) -> Iterator[World]:
    """Both tenants, where requests find them. Rates are another test's matter: thousands a minute are sent here."""
    name, made = full_tenants
    usual = connection.settings_dict["NAME"]
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        use_database(name)
        patch.setattr(settings, "STORAGE_ROOT", made.watch.storage)
        patch.setattr(APIView, "throttle_classes", [])
        cache.clear()
        try:
            yield made
        finally:
            use_database(usual)


def _filled(slug: str) -> Things:
    connection.set_tenant(Tenant.objects.get(schema_name=slug))
    try:
        return make_everything(slug)
    finally:
        connection.set_schema_to_public()
