"""A learning programme on the small market, and the weeks that follow its proposals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from accounts.models import User
from harmonization.models import Product
from optimization import services
from optimization.core.problem import BudgetProblem, Cell
from optimization.core.stored_curves import StoredCurve
from optimization.learning_models import LearningProgramme, LearningWeek
from optimization.models import Solve
from optimization.services.learning import start_programme
from tests.metrics.conftest import days
from tests.metrics.frames import HEADLINES
from tests.optimization.market import LAST, NETWORKS, TRUTH, Market

#: The Monday after the reports of the market end.
START = LAST + timedelta(days=1)
BUDGET = 1100.0
#: What the lines sell beside what their curves say.
BESIDE = (1.5, 0.6, 1.2, 0.8, 1.4)


def solved(market: Market, inputs: Mapping[str, Any] | None = None, **terms: Any) -> Solve:
    """A week's budget, solved on fitted curves."""
    version = services.fit_curves(brand=market.brand).version
    curves = [StoredCurve.of(one) for one in version.curves]
    cells = [Cell(one.key.id, one.key.path, one.curve()) for one in curves]
    problem = BudgetProblem.of(cells, BUDGET, **terms)
    return services.solve_problem(problem=problem, brand=market.brand, curve_version=version, inputs=inputs)


def started(market: Market, actor: User | None = None, **changes: Any) -> LearningProgramme:
    """A programme from the week after the reports."""
    given: dict[str, Any] = {
        "solve": solved(market),
        "name": "Chips, weekly",
        "first_week": START,
        "problem_weeks": 1.0,
    }
    given |= changes
    return start_programme(actor=actor, **given)


def publish_week(
    market: Market, week: LearningWeek, *, restatement_days: int = 0, times: float = 1.0, seed: int = 5
) -> None:
    """Reports of a week that was spent as proposed, with 20 % noise in the sales."""
    spend = {line["cell"]: float(line["proposed"]) for line in week.lines}
    rng = np.random.default_rng([seed, week.number])
    for slug, network in NETWORKS.items():
        rows: list[dict[str, Any]] = []
        for number, ((name, placement, sku), (a, k, _)) in enumerate(TRUTH.items()):
            noise = float(np.exp(rng.normal(-0.02, 0.2)))
            if name != slug:
                continue
            code = Product.objects.get(listings__retailer_sku=sku).sku
            account = market.accounts[slug]
            money = spend[f"{account.retailer.name}|{placement}|{code}"]
            sales = a * float(np.log1p(money / k)) * BESIDE[number] * noise * times
            sold = {"spend": Decimal(f"{money / 7:.4f}"), HEADLINES[network]["sales"]: Decimal(f"{sales / 7:.4f}")}
            rows += days(week.monday, week.monday + timedelta(days=6), placement=placement, sku_id=sku, **sold)
        market.shelf.publish(market.accounts[slug], "advertised_product", rows=rows, restatement_days=restatement_days)


def monday(number: int) -> date:
    """First day of a week of the programme."""
    return START + timedelta(days=7 * number)
