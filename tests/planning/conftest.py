from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.core.permissions import Role
from accounts.models import Brand, User
from optimization import services as optimization
from planning import services
from planning.models import Scenario
from tests import factories
from tests.harmonization.conftest import load, send, walmart  # noqa: F401 - fixtures
from tests.optimization.conftest import chips, market, shelf  # noqa: F401 - fixtures
from tests.optimization.market import Market

#: Four weeks right after the data end.
ASKED: dict[str, Any] = {
    "name": "Rest of the quarter",
    "horizon_start": "2026-11-09",
    "horizon_end": "2026-12-06",
    "total_budget": "4200.00",
}


#: The same as the planner's tool takes it.
CALL: dict[str, Any] = {
    "brand": "chips",
    "name": "Rest of the quarter",
    "range": {"start": "2026-11-09", "end": "2026-12-06"},
    "total_budget": "4200.00",
    "currency": "USD",
    "objective": "sales",
    "mode": "fixed_budget",
}


@pytest.fixture(autouse=True)
def _no_cache(fresh_cache: None) -> None:
    """Current spend is kept under the version of the data, which starts anew in every test."""


@pytest.fixture
def fitted(market: Market, chips: Brand) -> Market:  # noqa: F811
    """The market with its curves."""
    optimization.fit_curves(brand=chips)
    return market


@pytest.fixture
def draft(fitted: Market, chips: Brand, alice: User) -> Callable[..., Scenario]:  # noqa: F811
    """`draft(total_budget=...)`: a scenario of chips."""

    def _draft(**changes: Any) -> Scenario:
        return services.create_scenario(actor=alice, given=ASKED | changes, brand=chips)

    return _draft


@pytest.fixture
def solved(draft: Callable[..., Scenario], alice: User) -> Callable[..., Scenario]:
    """`solved(total_budget=...)`: a scenario with its answer."""

    def _solved(**changes: Any) -> Scenario:
        return services.answer_scenario(scenario=draft(**changes), actor=alice)

    return _solved


@pytest.fixture
def carol(fitted: Market, chips: Brand) -> User:  # noqa: F811
    """Viewer of chips."""
    return factories.person("carol", Role.VIEWER, brand=chips)


@pytest.fixture
def dave(fitted: Market) -> User:
    """Planner of another brand."""
    return factories.person("dave", Role.PLANNER, brand=factories.BrandFactory(slug="nuts"))
