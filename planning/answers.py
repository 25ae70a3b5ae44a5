"""What a stored answer says: the lines of a solved scenario, its currency and the colours of its retailers."""

from __future__ import annotations

from decimal import Decimal

from harmonization.models import Retailer
from metrics.core.notices import network_tone
from optimization import selectors as optimization
from optimization.core.instance import parse_problem
from optimization.core.problem import LEVELS
from planning.core.amounts import amount_text
from planning.core.cautious import untested
from planning.core.reach import unreachable_words
from planning.core.result import Result, read_result
from planning.core.terms import CENT, ScenarioTerms
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


def notes_of(scenario: Scenario) -> list[str]:
    """What a reader must know before the figures of an answer; none where there is no answer."""
    solve = scenario.solve
    if solve is None or scenario.status != Scenario.Status.SOLVED:
        return []
    problem, solution = parse_problem(solve.problem), solve.solution
    notes = [unreachable_words(problem, float(solution["total_spend"]))]
    unmeasured = {cell.id for cell in problem.cells if cell.incrementality_low == untested()}
    if unmeasured and terms_of(scenario).is_cautious:
        money = sum(line["proposed"] for line in solution["lines"] if line["cell"] in unmeasured)
        amount = amount_text(Decimal(repr(money)).quantize(CENT), currency_of(scenario))
        lines = f"{len(unmeasured)} of {len(problem.cells)} lines"
        notes.append(
            f"The least incremental ROAS counts {lines} at {untested():.2f}, for nothing measured them: they get "
            f"{amount} of the money."
        )
    return [words for words in notes if words]


def incremental_of(scenario: Scenario) -> float | None:
    """Incremental sales of the proposal, money: by the factors it was solved with where it asks for them, else by those
    of its curves, where lines that none speaks of count as reported; None where no line has a factor."""
    solve, version = scenario.solve, scenario.curve_version
    if solve is None:
        return None
    if terms_of(scenario).asks_incrementality:
        factors = {cell["id"]: float(cell.get("incrementality", 1.0)) for cell in solve.problem["cells"]}
    else:
        factors = {
            f"{one['retailer']}|{one['placement']}|{one['sku']}": max(float(one["incrementality"]["mean"]), 0.0)
            for one in (version.curves if version else ())
            if "incrementality" in one
        }
    if not factors:
        return None
    lines = solve.solution["lines"]
    return float(sum(line["revenue_proposed"] * factors.get(line["cell"], 1.0) for line in lines))


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
