"""What a stored answer says: the lines of a solved scenario, its currency and the colours of its retailers."""

from __future__ import annotations

from decimal import Decimal

from harmonization.models import Retailer
from metrics.core.notices import network_tone
from optimization import selectors as optimization
from optimization.core.problem import LEVELS
from planning.core.result import Result, read_result
from planning.core.terms import ScenarioTerms
from planning.models import Scenario
from planning.selectors import terms_of
from tenants.selectors import current_tenant


def retailer_tones() -> dict[str, str]:
    """Colour of each retailer, by its name: that of its network."""
    return {retailer.name: network_tone(retailer.network) for retailer in Retailer.objects.all()}


def result_of(scenario: Scenario) -> Result:
    """The answer of a solved scenario."""
    solve = scenario.solve
    if solve is None:
        raise AssertionError("a solved scenario has a solve")
    return read_result(
        terms_of(scenario),
        solve.solution,
        paths={cell["id"]: tuple(cell["path"][level] for level in LEVELS) for cell in solve.problem["cells"]},
        current={name: Decimal(amount) for name, amount in scenario.current_spend.items()},
        elsewhere=scenario.current_elsewhere,
        gains=scenario.outlook.get("gain_of_lines", {}),
        products=optimization.product_names(brand=scenario.brand),
        tones=retailer_tones(),
    )


def currency_of(scenario: Scenario) -> str:
    """Currency of its money: that of the curves it was solved with, before that of the newest, without any the
    tenant's."""
    version = scenario.curve_version or optimization.latest_curves(brand=scenario.brand)
    return str(version.settings["currency"]) if version else current_tenant().base_currency


def horizon_words(terms: ScenarioTerms) -> str:
    """23 Nov – 31 Dec 2026."""
    start, end = terms.horizon_start, terms.horizon_end
    year = f" {start:%Y}" if start.year != end.year else ""
    return f"{start:%-d %b}{year} – {end:%-d %b %Y}"
