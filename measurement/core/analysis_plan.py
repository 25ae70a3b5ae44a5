"""The analysis plan: what will be measured, of whom, when and how, fixed and hashed before the first day of the test.

A plan is canonical JSON (keys sorted, no blanks, Unicode in form C, numbers as Python writes them), so that equal plans
have equal bytes and one SHA-256. Whoever kept the hash can see later that nothing was changed after the data were in.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from measurement.core.assignment import Assignment, InvalidDesign
from measurement.core.design_kinds import kind_of
from measurement.core.terms import OVER_UNITS
from tenants.core.problems import Conflict

FORMAT: Final = "rmn-analysis-plan/1"
#: Methods that a plan may name: those of all analyses, and the choice by design.
METHODS: Final = (*OVER_UNITS, "ancova", "cuped", "switchback", "ab")


class InvalidPlan(InvalidDesign):
    """The plan leaves open what it has to fix."""

    code = "invalid-plan"
    title = "The analysis plan is not complete"


class PlanChanged(Conflict):
    """The plan is not the one that was registered."""

    code = "plan-changed"
    title = "The analysis plan was changed after it was registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """What is tested: `primary` decides, others are told beside it.

    Attributes:
        name: in words. outcome: the figure tested. effect: the smallest lift of interest, a fraction.
        primary: exactly one of a plan's hypotheses per cell is.
    """

    name: str
    outcome: str
    effect: float
    primary: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisPlan:
    """What the analysis is held to.

    Attributes:
        kind: of test, see `design_kinds`. outcome: the figure measured, with its source. currency: of it, or empty.
        history_from: first day whose data are used. start, end: first and last day of the test. cooldown: days after
            `end` that count.
        treated, control, excluded: units. pairs: (treated, control). cells: unit -> cell, where there are several.
        method: of the analysis. alpha: two-sided. seed: of draws. placebos: that are drawn.
        randomised: whether the treated units were drawn. admissible: sets that could have been drawn, if not all.
        exclusion_rules: what may be left out of the data, and when; nothing else is.
        hypotheses: at least one.
        looks: days on which the result may be read before the end, with a procedure that allows it; empty for none.
    """

    kind: str
    outcome: str
    currency: str = ""
    history_from: dt.date
    start: dt.date
    end: dt.date
    cooldown: int = 0
    treated: tuple[str, ...]
    control: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    cells: Mapping[str, str] = field(default_factory=dict)
    method: str = "auto"
    alpha: float = 0.05
    seed: int = 1
    placebos: int = 400
    randomised: bool = False
    admissible: tuple[tuple[str, ...], ...] = ()
    exclusion_rules: tuple[str, ...] = ()
    hypotheses: tuple[Hypothesis, ...]
    looks: tuple[dt.date, ...] = ()

    def __post_init__(self) -> None:
        kind_of(self.kind)
        rules = (
            (bool(self.outcome.strip()), "outcome", "no outcome is named", "Name the figure and where it comes from."),
            (self.history_from < self.start <= self.end, "start", "the dates are not in order",
             "Let the history begin before the start, and the end not before it."),
            (self.cooldown >= 0, "cooldown", "the cool-down is negative", "Give 0 or more days."),
            (bool(self.treated) and bool(self.control), "units", "an arm is empty", "Assign units to both arms."),
            (self.method in METHODS, "method", f"there is no method {self.method!r}", f"Use {', '.join(METHODS)}."),
            (0.0 < self.alpha < 0.5, "alpha", "alpha is out of range", "Give a two-sided level such as 0.05."),
            (self.placebos >= 1, "placebos", "no placebos are drawn", "Give at least 1."),
            (any(one.primary for one in self.hypotheses), "hypotheses", "no hypothesis is primary", "Name the one."),
            (all(math.isfinite(one.effect) and one.effect > -1.0 for one in self.hypotheses), "hypotheses",
             "an effect is out of range", "Give fractions above -1."),
            (all(self.start <= look < self.end for look in self.looks), "looks",
             "a look is not inside the test", "Give days of the test before its end."),
        )  # fmt: skip
        for holds, where, detail, fix in rules:
            if not holds:
                raise InvalidPlan(f"In the plan {detail}.", where=where, fix=fix)
        arms = [unit.casefold() for unit in (*self.treated, *self.control, *self.excluded)]
        if len(set(arms)) < len(arms):
            twice = next(unit for unit in arms if arms.count(unit) > 1)
            raise InvalidPlan(f"{twice!r} has two places in the plan.", where="units", fix="Give each unit one.")


def plan_units(assignment: Assignment) -> dict[str, Any]:
    """The arguments of a plan that come from an assignment: units, pairs, cells."""
    return {
        "treated": assignment.of("treated"),
        "control": assignment.of("control"),
        "excluded": assignment.of("excluded"),
        "pairs": assignment.pairs,
        "cells": {row.unit: row.cell for row in assignment.rows if row.cell},
    }


def canonical_json(plan: AnalysisPlan) -> str:
    """The plan as canonical JSON: one text for one plan, whatever the order in which its units were given."""
    document = {
        "format": FORMAT,
        **{name: getattr(plan, name) for name in plan.__slots__},
        "hypotheses": [{name: getattr(one, name) for name in one.__slots__} for one in plan.hypotheses],
    }
    for name in ("treated", "control", "excluded", "looks", "exclusion_rules"):
        document[name] = sorted(document[name])
    document["pairs"] = sorted(plan.pairs)
    document["admissible"] = sorted(sorted(one) for one in plan.admissible)
    document["cells"] = dict(plan.cells)
    return json.dumps(_plain(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def plan_sha256(canonical: str) -> str:
    """SHA-256 of a canonical plan, 64 hexadecimal digits."""
    return hashlib.sha256(canonical.encode()).hexdigest()


def read_plan(text: str) -> AnalysisPlan:
    """The plan in a JSON text, canonical or not.

    Raises:
        InvalidPlan: no JSON, another format, or a member that is missing, unknown or of another type.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InvalidPlan("The plan is no JSON.", fix="Give the plan as it was registered.") from error
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise InvalidPlan(f"The plan is not of the format {FORMAT}.", where="format", fix=f"Give {FORMAT!r}.")
    unknown = sorted(set(document) - set(AnalysisPlan.__slots__))
    if unknown:
        raise InvalidPlan(f"A plan has no {unknown[0]!r}.", where=unknown[0], fix="Take it out.")
    try:
        for name in ("history_from", "start", "end"):
            document[name] = dt.date.fromisoformat(document[name])
        document["looks"] = tuple(dt.date.fromisoformat(day) for day in document.get("looks", ()))
        document["hypotheses"] = tuple(Hypothesis(**one) for one in document["hypotheses"])
        for name in ("treated", "control", "excluded", "exclusion_rules"):
            document[name] = tuple(map(str, document.get(name, ())))
        for name in ("pairs", "admissible"):
            document[name] = tuple(tuple(map(str, one)) for one in document.get(name, ()))
        return AnalysisPlan(**document)
    except (TypeError, KeyError, AttributeError) as error:
        raise InvalidPlan(
            f"A member of the plan is missing or wrong: {error}.", fix="Compare it with a plan."
        ) from error
    except ValueError as error:
        raise InvalidPlan(f"A date of the plan is none: {error}.", fix="Write dates as 2026-09-14.") from error


def verify_plan(text: str, sha256: str) -> AnalysisPlan:
    """The plan, if it is the one that was hashed.

    Raises:
        PlanChanged: its hash is another. InvalidPlan: it is no plan.
    """
    plan = read_plan(text)
    found = plan_sha256(canonical_json(plan))
    if found != sha256.strip().lower():
        raise PlanChanged(
            f"The plan's SHA-256 is {found}, registered was {sha256.strip().lower()}.",
            where="plan",
            fix="Analyse by the plan that was registered, or report the change as one.",
        )
    return plan


def plan_changes(registered: AnalysisPlan, other: AnalysisPlan) -> dict[str, tuple[Any, Any]]:
    """What differs between two plans: member -> (registered, other), as they stand in the canonical text."""
    before, after = (json.loads(canonical_json(plan)) for plan in (registered, other))
    return {name: (before[name], after[name]) for name in sorted(before) if before[name] != after[name]}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_plain(key): _plain(one) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [_plain(one) for one in value]
    return value
