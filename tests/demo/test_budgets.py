"""The demo's budgets."""

from __future__ import annotations

from datetime import date

import demo.services
from planning.models import Budget
from tests.optimization.conftest import chips, market, shelf  # noqa: F401 - fixtures


def test_each_retailer_has_one_for_the_month_the_data_end_in(market, alice):  # noqa: F811
    for _ in range(2):
        demo.services._set_budgets(alice, {"Amazon": 2800.0, "Walmart": 1400.0}, date(2026, 11, 8))
    told = {(one.retailer.name, int(one.amount), str(one.period_end)) for one in Budget.objects.all()}
    assert told == {("Amazon", 2550, "2026-11-30"), ("Walmart", 1500, "2026-11-30")}
