"""The terms of a problem in the file format: objective, mode, held nodes, shares and ratios, periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optimization.core.json_reading import as_list, as_number, as_object, as_prefix, check_keys
from optimization.core.linear import at_most, fair_part, fair_parts, ratio_of, share_of
from optimization.core.modes import Held
from optimization.core.parts import (
    LEVELS,
    Aim,
    Cell,
    GlobalConstraint,
    GlobalKind,
    InvalidProblem,
    LinearConstraint,
    Path,
    Periods,
    TailObjective,
)

MODES = ("fixed_budget", "target_roi", "target_marginal_roi", "incremental_only")
_MOST_PERIODS = 104


@dataclass(frozen=True)
class Mode:
    """What the budget is: all to be spent, a ceiling under a target of return, or extra money."""

    kind: str = "fixed_budget"
    target: float = 0.0

    @property
    def has_target(self) -> bool:
        return self.kind in ("target_roi", "target_marginal_roi")

    @property
    def keeps_current(self) -> bool:
        return self.kind == "incremental_only"

    @property
    def hurdle(self) -> float:
        """Least return of the last unit."""
        return self.target if self.kind == "target_marginal_roi" else 0.0

    def among(self, limits: Sequence[GlobalConstraint]) -> list[GlobalConstraint]:
        """The limits with the target over all among them; of it and a least return over all the stricter counts."""
        if self.kind != "target_roi":
            return list(limits)
        own = next((one for one in limits if one.kind is GlobalKind.MIN_ROI and one.scope == ()), None)
        if own is None:
            return [*limits, GlobalConstraint(GlobalKind.MIN_ROI, self.target)]
        return [replace(one, value=max(one.value, self.target)) if one is own else one for one in limits]


def read_mode(item: Any) -> Mode:
    """`mode`; none is a fixed budget.

    Raises:
        InvalidProblem: an unknown kind, or a target that is missing or not wanted.
    """
    if item is None:
        return Mode()
    given = as_object(item, "mode")
    check_keys(given, {"kind", "target"}, "mode")
    kind, target = given.get("kind"), given.get("target")
    if kind not in MODES:
        raise InvalidProblem(
            f"The mode {kind!r} is not known.", where="mode kind", fix=f"Use one of {', '.join(MODES)}."
        )
    wants = kind in ("target_roi", "target_marginal_roi")
    if wants and target is None:
        raise InvalidProblem(
            f"The mode {kind} has no target.", where="mode target", fix="Give the return that is asked for, as 2.5."
        )
    if not wants and target is not None:
        raise InvalidProblem(
            f"The mode {kind} takes no target.", where="mode target", fix="Leave it out, or use a target mode."
        )
    value = as_number(target, "mode target") if wants else 0.0
    if wants and not value > 0.0:
        raise InvalidProblem(f"The target is {value:g}.", where="mode target", fix="Give a number above zero.")
    return Mode(kind, value)


def read_objective(top: Mapping[str, Any]) -> tuple[Aim, TailObjective | None]:
    """`objective`, with `scenarios` where it is cvar, whose tail is `of` revenue unless told; none is revenue."""
    if top.get("objective") is None:
        return Aim.REVENUE, None
    given = as_object(top["objective"], "objective")
    check_keys(given, {"kind", "tail_fraction", "of"}, "objective")
    kind, of = given.get("kind"), given.get("of")
    if kind in tuple(Aim):
        if of is not None or given.get("tail_fraction") is not None:
            raise InvalidProblem(
                f"The objective {kind} has no tail.",
                where="objective",
                fix=f'For its worst scenarios write {{"kind": "cvar", "of": "{kind}", "tail_fraction": 0.1}}.',
            )
        return Aim(kind), None
    if kind != "cvar":
        raise InvalidProblem(
            f"The objective {kind!r} is not known.",
            where="objective",
            fix="Use revenue, incremental, profit or cvar.",
        )
    if of is not None and of not in tuple(Aim):
        raise InvalidProblem(
            f"There is no tail of {of!r}.",
            where="objective of",
            fix=f"Use one of {', '.join(Aim)}; revenue if left out.",
        )
    rows = as_list(top.get("scenarios"), "scenarios")
    try:
        scenarios = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidProblem(
            "The scenarios are not a table of numbers.", where="scenarios", fix="Give equally long rows of numbers."
        ) from error
    return Aim(of or Aim.REVENUE), TailObjective(
        as_number(given.get("tail_fraction"), "objective tail_fraction"), scenarios
    )


def read_fixed(item: Any) -> list[Held]:
    """`fixed`: nodes whose spend stays."""
    found = []
    for number, entry in enumerate(as_list(item, "fixed")):
        place = f"fixed[{number}]"
        given = as_object(entry, place)
        check_keys(given, {"path", "spend"}, place)
        spend = given.get("spend")
        found.append(
            Held(as_prefix(given.get("path"), place), None if spend is None else as_number(spend, f"{place} spend"))
        )
    return found


def read_periods(item: Any) -> Periods | None:
    """`periods`: a budget and a season for each.

    Raises:
        InvalidProblem: not as many seasons as budgets, or an amount that is none.
    """
    if item is None:
        return None
    given = as_object(item, "periods")
    check_keys(given, {"budgets", "season"}, "periods")
    budgets = [
        as_number(one, f"periods budgets[{at}]")
        for at, one in enumerate(as_list(given.get("budgets"), "periods budgets"))
    ]
    if not 1 <= len(budgets) <= _MOST_PERIODS:
        raise InvalidProblem(
            f"There are {len(budgets)} periods.", where="periods budgets", fix=f"Give 1 to {_MOST_PERIODS} budgets."
        )
    season = [
        as_number(one, f"periods season[{at}]")
        for at, one in enumerate(as_list(given.get("season", [1.0] * len(budgets)), "periods season"))
    ]
    if len(season) != len(budgets):
        raise InvalidProblem(
            f"There are {len(season)} seasonal indices for {len(budgets)} budgets.",
            where="periods season",
            fix="Give one for each period, or leave season out.",
        )
    for label, values in (("budgets", budgets), ("season", season)):
        for at, value in enumerate(values):
            if not (np.isfinite(value) and value >= 0.0):
                raise InvalidProblem(
                    f"It is {value:g}.", where=f"periods {label}[{at}]", fix="Give zero or a positive number."
                )
    return Periods(tuple(budgets), tuple(season))


CONSTRAINT_KEYS = {
    "max_share": {"scope", "within", "value"},
    "min_share": {"scope", "within", "value"},
    "max_ratio": {"scope", "other", "value"},
    "min_ratio": {"scope", "other", "value"},
    "min_part": {"level", "within", "value", "of", "scope", "part"},
    "linear": {"terms", "value"},
}


def read_linear(item: Any, cells: Sequence[Cell], current: Mapping[str, float] | None) -> list[LinearConstraint]:
    """`constraints`: shares, ratios, fair parts and linear limits.

    Raises:
        InvalidProblem: an unknown kind or key, or a part of a current spend that is not told.
    """
    found: list[LinearConstraint] = []
    for number, entry in enumerate(as_list(item, "constraints")):
        place = f"constraints[{number}]"
        given = as_object(entry, place)
        kind = given.get("kind")
        if kind not in CONSTRAINT_KEYS:
            raise InvalidProblem(
                f"The kind {kind!r} is not known.", where=place, fix=f"Use one of {', '.join(CONSTRAINT_KEYS)}."
            )
        check_keys(given, CONSTRAINT_KEYS[kind] | {"kind", "name"}, place)
        value = as_number(given.get("value"), f"{place} value")
        name = given.get("name", "")
        if not isinstance(name, str):
            raise InvalidProblem(f"The name is {name!r}.", where=place, fix="Give a text.")
        found += _linear(kind, given, value, name, place, cells, current)
    return found


def _linear(
    kind: str,
    given: Mapping[str, Any],
    value: float,
    name: str,
    place: str,
    cells: Sequence[Cell],
    current: Mapping[str, float] | None,
) -> list[LinearConstraint]:
    if kind == "linear":
        terms = []
        for at, entry in enumerate(as_list(given.get("terms"), f"{place} terms")):
            term = as_object(entry, f"{place} terms[{at}]")
            check_keys(term, {"scope", "coef"}, f"{place} terms[{at}]")
            coef = as_number(term.get("coef"), f"{place} terms[{at}] coef")
            terms.append((as_prefix(term.get("scope"), f"{place} terms[{at}]"), coef))
        return [at_most(terms, value, name=name or f"linear limit {place}")]
    within = as_prefix(given.get("within", []), f"{place} within")
    if kind == "min_part" and "scope" in given:
        if surplus := sorted({"level", "of"} & set(given)):
            raise InvalidProblem(
                f"The part is that of one scope, so {surplus[0]!r} says nothing.",
                where=place,
                fix="Give scope and part for one node, or level and of for all of a level.",
            )
        node, part = as_prefix(given["scope"], f"{place} scope"), as_number(given.get("part"), f"{place} part")
        if not 0.0 <= part <= 1.0:
            raise InvalidProblem(
                f"The part is {part:g}, but a part lies between 0 and 1.",
                where=f"{place} part",
                fix="Give it as a fraction: 0.25 for a quarter.",
            )
        return [fair_part(node, within, value, part, name=name)]
    if kind == "min_part":
        if "part" in given:
            raise InvalidProblem(
                "A part is given, but not whose.", where=place, fix="Name the scope, or leave part out for equal parts."
            )
        level = given.get("level")
        if level not in LEVELS:
            raise InvalidProblem(f"The level is {level!r}.", where=place, fix=f"Use one of {', '.join(LEVELS)}.")
        of = given.get("of", "equal")
        if of not in ("equal", "current"):
            raise InvalidProblem(f"The part is one of {of!r}.", where=f"{place} of", fix="Use equal or current.")
        if of == "current" and current is None:
            raise InvalidProblem(
                "The part is one of the current spend, which is not told.",
                where=f"{place} of",
                fix="Give current, the spend by cell id, or use equal.",
            )
        kept = current if of == "current" else None
        return fair_parts(cells, LEVELS.index(level) + 1, within, value, kept, name=name)
    scope: Path = as_prefix(given.get("scope"), f"{place} scope")
    if kind in ("max_share", "min_share"):
        return [share_of(scope, within, value, least=kind == "min_share", name=name)]
    other = as_prefix(given.get("other"), f"{place} other")
    return [ratio_of(scope, other, value, least=kind == "min_ratio", name=name)]
