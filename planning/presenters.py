"""A scenario in words and pictures: what its pages show of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from jobs.models import Job
from optimization import selectors as optimization
from optimization.core.stored_curves import StoredCurve
from optimization.models import CurveVersion
from planning.answers import currency_of, horizon_words, notes_of, result_of, retailer_tones
from planning.core.aim_words import Key, aim_words, key_of, objective_words
from planning.core.charts import dumbbell, over_asked, over_keys, response, rest_words, sankey
from planning.core.relaxations import WayOut
from planning.core.result import Result, ResultLine
from planning.core.terms import ScenarioTerms
from planning.models import Scenario
from planning.selectors import terms_of
from planning.services import STAGES, Explanation, Feasibility, explain_scenario, tighter_roas

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


BINDING_SORTS = {
    "constraint": lambda one: one.price.words.lower(),
    "price": lambda one: one.price.price,
    "held": lambda one: one.price.lines,
    "earns": lambda one: one.gain if one.gain is not None else -1.0,
}


def solved_context(
    scenario: Scenario, *, line: str, sort: str, constraint: str = "", binding_sort: str = ""
) -> dict[str, Any]:
    """What the page of a solved scenario shows.

    Args:
        line: cell whose response curve is shown; the one that changes most where it names none.
        sort: column of the lines, `-` before it for descending.
        constraint: key of a constraint; only lines that it holds are shown in the table.
        binding_sort: column of the binding constraints, likewise.
    """
    terms, currency, result = terms_of(scenario), currency_of(scenario), result_of(scenario)
    tones = retailer_tones()
    cells = [one for one in result.lines if one.cell]
    chosen = next((one for one in cells if one.cell == line), cells[0])
    curve = _curve(scenario, chosen)
    horizon = horizon_words(terms)
    told = explain_scenario(scenario=scenario)
    shown = [one for one in _sorted(result, sort) if not constraint or one.constraint == constraint]
    by = BINDING_SORTS.get(binding_sort.removeprefix("-"))
    binding = sorted(told.binding, key=by, reverse=binding_sort.startswith("-")) if by else told.binding
    return {
        "notes": notes_of(scenario),
        "newer_curves": _newer_curves(scenario),
        "binding": binding,
        "alternatives": told.alternatives,
        "tighter": tighter_roas(scenario),
        "held_by": _held_by(result, told),
        "constraint": constraint,
        "shown_now": sum((one.now for one in shown), Decimal(0)),
        "shown_proposed": sum((one.proposed for one in shown), Decimal(0)),
        "terms": terms,
        "currency": currency,
        "horizon": horizon,
        "result": result,
        # What is maximised may be less: what it earns above a target, or in the worst cases.
        "incremental": scenario.solve.solution.get("earned") if scenario.solve else None,
        # Only where sales alone are weighed, in one period, do free lines meet at one return.
        "one_marginal": terms.objective == "sales"
        and not (terms.weekly_budgets or terms.min_iroas or terms.max_cpa or terms.shares or terms.ratios)
        and not (terms.fair_fraction or terms.tail_fraction),
        "lines": shown,
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
        "response": response(
            curve, terms.weeks, chosen, currency=currency, horizon=horizon, by_week=bool(terms.weekly_budgets)
        )
        if curve
        else None,
        "constraints": list(constraint_words(terms, currency)),
    }


def _newer_curves(scenario: Scenario) -> CurveVersion | None:
    """Curves that came after those of the answer, such as those under the factors of a test; None where none did."""
    newest, used = optimization.latest_curves(brand=scenario.brand), scenario.curve_version
    return newest if newest is not None and used is not None and newest.number > used.number else None


def _held_by(result: Result, told: Explanation) -> list[tuple[str, str, int]]:
    """(key, words, lines) of every constraint that some line names as what holds it."""
    words = {one.price.key: one.price.words for one in told.binding}
    count: dict[str, int] = {}
    for line in result.lines:
        if line.constraint:
            count[line.constraint] = count.get(line.constraint, 0) + 1
            words.setdefault(line.constraint, line.binding or "the budget")
    return [(key, words[key], lines) for key, lines in sorted(count.items(), key=lambda one: (-one[1], one[0]))]


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
    in_conflict = {way.key for way in ways}
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
        "best_is_bound": solution.get("best_attainable_is_bound", False),
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
        if (price := solve.solution.get("budget_shadow_price")) is not None:
            notes.append(("One more unit of budget", f"{price:,.4f} of {objective_words(terms)}"))
    if "gain" in outlook:
        low, high = outlook["gain"]
        notes.append(("Gain, 80 % interval", f"{low:,.2f} to {high:,.2f}, {outlook['draws']} draws"))
    return [*notes, *(("Constraint", words) for _, words in constraint_words(terms, currency_of(scenario)))]
