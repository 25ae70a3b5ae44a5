from __future__ import annotations

from pathlib import Path

import pytest

from accounts.models import Brand
from tenants.models import Tenant
from tests import factories
from tests.metrics.conftest import Shelf
from tests.optimization.market import Market, open_market


@pytest.fixture
def shelf(acme: Tenant, storage: Path) -> Shelf:
    return Shelf(storage / "staged")


@pytest.fixture
def chips(acme: Tenant) -> Brand:
    return factories.BrandFactory(slug="chips")


@pytest.fixture
def market(shelf: Shelf, chips: Brand) -> Market:
    """Ten weeks of chips."""
    return open_market(shelf, chips)
