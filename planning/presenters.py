"""A scenario in words and pictures: what its pages show of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from harmonization.models import Retailer
from jobs.models import Job
from metrics.core.notices import network_tone
from optimization import selectors as optimization
from optimization.core.problem import LEVELS
from optimization.core.stored_curves import StoredCurve
from planning.core.aim_words import Key, aim_words, key_of
from planning.core.charts import dumbbell, over_asked, over_keys, response, rest_words, sankey
from planning.core.relaxations import WayOut
from planning.core.result import Result, ResultLine, read_result
from planning.core.terms import ScenarioTerms
from planning.models import Scenario
from planning.selectors import terms_of
from planning.services import STAGES, Feasibility
from tenants.selectors import current_tenant

# status: (tone, icon) of its chip
CHIPS = {
    "draft": ("dashed", "edit"),
    "solving": ("info", "refresh"),
    "solved": ("good", "shield-check"),
    "infeasible": ("bad", "circle-x"),
    "failed": ("bad", "alert-triangle"),
}
SORTS = {
    "line": lambda line: (line.label.lower(),),
    "now": lambda line: (line.now,),
    "proposed": lambda line: (line.proposed,),
    "change": lambda line: (line.change,),
    "marginal": lambda line: (line.marginal if line.marginal is not None else -1.0,),
}


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
    """Currency of its money: that of the curves it was solved with, before that the tenant's."""
    version = scenario.curve_version
    return str(version.settings["currency"]) if version else current_tenant().base_currency


def horizon_words(terms: ScenarioTerms) -> str:
    """23 Nov – 31 Dec 2026."""
    start, end = terms.horizon_start, terms.horizon_end
    year = f" {start:%Y}" if start.year != end.year else ""
    return f"{start:%-d %b}{year} – {end:%-d %b %Y}"


def solved_context(scenario: Scenario, *, line: str, sort: str) -> dict[str, Any]:
    """What the page of a solved scenario shows.

    Args:
        line: cell whose response curve is shown; the one that changes most where it names none.
        sort: column of the lines, `-` before it for descending.
    """
    terms, currency, result = terms_of(scenario), currency_of(scenario), result_of(scenario)
    tones = retailer_tones()
    cells = [one for one in result.lines if one.cell]
    chosen = next((one for one in cells if one.cell == line), cells[0])
    curve = _curve(scenario, chosen)
    horizon = horizon_words(terms)
    return {
        "terms": terms,
        "currency": currency,
        "horizon": horizon,
        "result": result,
        "lines": _sorted(result, sort),
        "rises": sum(one.change > 0 for one in cells),
        "falls": sum(one.change < 0 for one in cells),
        "changed": sum(one.change != 0 for one in cells),
        "moved_share": float(result.moved / result.now) if result.now else None,
        # Where the money differs by more than a hundredth, "now" is not what the allocation is to be judged by.
        "other_money": result.now > 0 and abs(result.allocated / result.now - 1) > Decimal("0.01"),
        "dumbbell": dumbbell(result, currency),
        "rest": rest_words(result, currency),
        "sankey": sankey(result, tones, currency),
        "chosen": chosen,
        "options": [(one.cell, one.label, one.product, one.cell == chosen.cell) for one in cells],
        "curve": curve,
        "response": response(curve, terms.weeks, chosen, currency=currency, horizon=horizon) if curve else None,
        "constraints": list(constraint_words(terms, currency)),
    }


def _curve(scenario: Scenario, line: ResultLine) -> StoredCurve | None:
    # As they were when it was solved: overrides made since do not change an old answer.
    held = optimization.curves_of_solve(scenario.solve) if scenario.solve else None
    stored = (StoredCurve.of(one) for one in held.records) if held else iter(())
    return next((one for one in stored if one.key.id == line.cell), None)


def _sorted(result: Result, sort: str) -> list[ResultLine]:
    key = SORTS.get(sort.removeprefix("-"))
    if key is None:
        return list(result.lines)
    cells = sorted((one for one in result.lines if one.cell), key=key, reverse=sort.startswith("-"))
    return [*cells, *(one for one in result.lines if not one.cell)]


def infeasible_context(scenario: Scenario) -> dict[str, Any]:
    """What the page of an infeasible scenario shows."""
    terms, currency = terms_of(scenario), currency_of(scenario)
    stored = scenario.relaxations
    ways = [WayOut.of(one) for one in stored]
    solution: Mapping[str, Any] = scenario.solve.solution if scenario.solve else {}
    choices = [
        {
            "index": at,
            "way": way,
            "text": way.words(currency),
            "move": way.move_words(currency),
            "sales": one["sales"],
            "spend": one["spend"],
            "roas": one["sales"] / one["spend"] if one["sales"] and one["spend"] else None,
        }
        for at, (way, one) in enumerate(zip(ways, stored, strict=True))
    ]
    choices.sort(key=lambda choice: -(choice["sales"] or 0.0))
    in_conflict = {(way.field, way.path, way.limit) for way in ways}
    elsewhere = {
        key_of(member, terms)
        for conflict in solution.get("further_conflicts", ())
        for member in conflict["minimal_conflict"]
    }
    every = list(constraint_words(terms, currency))
    tones = retailer_tones()
    return {
        "terms": terms,
        "currency": currency,
        "horizon": horizon_words(terms),
        "choices": choices,
        "shortfall": solution.get("shortfall"),
        "best_attainable": solution.get("best_attainable"),
        "further": len(solution.get("further_conflicts", ())),
        "over": over_asked(ways, terms.available, tones, currency),
        "over_keys": over_keys(ways, tones),
        "constraints": [(words, key in in_conflict, key in elsewhere) for key, words in every],
        "others": sum(key not in in_conflict for key, _ in every),
    }


def feasibility_context(found: Feasibility, currency: str) -> dict[str, Any]:
    """What the builder says of a question that is not solved yet."""
    return {
        "feasibility": found,
        "ways": [(way.words(currency), way.move_words(currency)) for way in found.conflict],
    }


def constraint_words(terms: ScenarioTerms, currency: str) -> Iterator[tuple[Key, str]]:
    """Every constraint of a scenario with what identifies it."""
    yield (
        ("total_budget", (), ""),
        WayOut(field="total_budget", asked=terms.total_budget, needed=None, restores=False).words(currency),
    )
    if terms.reserve_fraction:
        yield ("reserve_fraction", (), ""), f"Experiment reserve of {terms.reserve_fraction:.2%}"
    if terms.min_roas is not None:
        yield ("min_roas", (), ""), f"ROAS of at least {terms.min_roas.normalize():f}"
    if terms.max_change_fraction is not None:
        yield ("max_change_fraction", (), ""), f"No line changes by more than {terms.max_change_fraction:.2%}"
    if terms.stock_cover_threshold_days:
        days = terms.stock_cover_threshold_days
        yield ("stock", (), ""), f"No spend where stock lasts less than {days} day{'' if days == 1 else 's'}"
    for bound in terms.bounds:
        for limit, value in (("min_spend", bound.min_spend), ("max_spend", bound.max_spend)):
            if value is not None:
                way = WayOut(field="bounds", asked=value, needed=None, restores=False, path=bound.path, limit=limit)
                yield ("bounds", bound.path, limit), way.words(currency)
    yield from aim_words(terms, currency)


def stages_of(job: Job) -> list[dict[str, str]]:
    """The stages of the job that solves it, those to come included."""
    progress = getattr(job, "progress", None)
    states = {stage["name"]: stage["status"] for stage in progress.stages} if progress else {}
    shown = {"done": "done", "running": "now", "stopped": "failed"}
    return [{"label": name, "state": shown.get(states.get(name, ""), ""), "note": ""} for name in STAGES]


def export_notes(scenario: Scenario) -> list[tuple[str, str]]:
    """What a reader of the file must know."""
    terms, solve, outlook = terms_of(scenario), scenario.solve, scenario.outlook
    notes = [
        ("Scenario", f"{scenario.label} {scenario.name}"),
        ("Horizon", horizon_words(terms)),
        ("Currency", currency_of(scenario)),
        ("Now", f"spend of {scenario.current_start} to {scenario.current_end}, over as many days as the horizon"),
        ("Curves", str(scenario.curve_version or "")),
        ("Sales", "expected attributed sales, as reported by each network; not incremental sales"),
    ]
    if solve is not None:
        notes.append(
            ("Certificate", f"within {max(solve.gap or 0.0, 0.0):.1e} of the best possible, by {solve.engine}")
        )
    if "gain" in outlook:
        low, high = outlook["gain"]
        notes.append(("Gain, 80 % interval", f"{low:,.2f} to {high:,.2f}, {outlook['draws']} draws"))
    return [*notes, *(("Constraint", words) for _, words in constraint_words(terms, currency_of(scenario)))]
