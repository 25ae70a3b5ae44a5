"""A scenario as the planner's tool takes it: a range, weeks, and one list of constraints over scopes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from optimization.core.problem import LEVELS, Path, path_text
from planning.core.paths import matches, read_scope, scope_pattern
from planning.core.reading import read_number
from tenants.core.problems import InvalidInput, Problem

_SCOPE: Final = f"^({scope_pattern()})?$"
#: Constraints of the whole, with the field of a scenario that holds each and what one unit of theirs is there.
_WHOLE: Final = {
    "min_roas": ("min_roas", Decimal(1)),
    "min_iroas": ("min_iroas", Decimal(1)),
    "max_cpa": ("max_cpa", Decimal(1)),
    "max_change_pct": ("max_change_fraction", Decimal("0.01")),
    "oos_threshold": ("stock_cover_threshold_days", Decimal(1)),
    "experiment_reserve": ("reserve_fraction", Decimal(1)),
}
#: Constraints of a node, with the list that holds each and their name there.
_OF_NODES: Final = {
    "cap": ("bounds", "max_spend"),
    "floor": ("bounds", "min_spend"),
    "share_cap": ("shares", "max_share"),
    "share_floor": ("shares", "min_share"),
    "ratio_cap": ("ratios", "max_ratio"),
    "ratio_floor": ("ratios", "min_ratio"),
    "margin": ("margins", "margin"),
}
_SECOND: Final = {"shares": "within", "ratios": "other"}
#: Of the fields of a week, what each is in the call.
_OF_WEEKS: Final = {"weekly_budgets": "budget", "season": "season"}
_MOST_PERCENT: Final = Decimal(9900)


class RangeIn(BaseModel):
    """Days, both inclusive."""

    model_config = ConfigDict(extra="forbid")

    start: date
    end: date


class WeekIn(BaseModel):
    """One week of the range."""

    model_config = ConfigDict(extra="forbid")

    budget: Decimal = Field(description="What is not spent rolls forward.")
    season: Decimal = Field(default=Decimal(1), description="Times as much as a usual week sells of the same money.")


class ConstraintIn(BaseModel):
    """One constraint."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal[
        "min_roas", "min_iroas", "max_cpa", "cap", "floor", "fixed", "share_cap", "share_floor", "ratio_cap",
        "ratio_floor", "margin", "max_change_pct", "oos_threshold", "experiment_reserve",
    ] = Field(
        description="cap, floor: money of a scope. fixed: a scope spends `value`, or without one what it spends now. "
        "share_*: fraction of what `of` spends; ratio_*: times what `of` spends. margin: fraction of sales, for "
        "profit. Of the whole: min_roas, min_iroas, max_cpa; max_change_pct: percent that a line may change; "
        "oos_threshold: days of stock a line needs; experiment_reserve: fraction held back."
    )  # fmt: skip
    scope: str = Field(
        default="",
        pattern=_SCOPE,
        description="Hierarchy path channel>RMN>placement>audience>SKU, e.g. 'channel=onsite search/rmn=Walmart'; "
        "levels above may be left out where the rest is unique. Empty: the whole.",
    )
    of: str = Field(default="", pattern=_SCOPE, description="For shares and ratios; a share without one is of all.")
    value: Decimal | None = None


@dataclass
class Given:
    """Fields of a scenario, with the constraint that each came from.

    Attributes:
        fields: as `planning.core.terms.read_terms` takes them.
        places: where in the fields -> where in the call.
        kinds: where in the fields -> kind of the constraint that filled it.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def in_words_of_the_call(self, problem: Problem) -> InvalidInput:
        """What is wrong, at the place in the call where it was said."""
        errors = [
            dict(one) | {"where": self._place(str(one.get("where", "")))}
            for one in problem.errors or [problem.as_dict()]
        ]
        first = errors[0]
        return InvalidInput(first["detail"], where=first["where"], fix=first.get("fix", ""), errors=errors)

    def _place(self, where: str) -> str:
        if where in self.places:
            return self.places[where]
        entry, bracket, rest = where.partition("]")
        name, _, number = entry.partition("[")
        if name in _OF_WEEKS:
            return f"weeks[{number}].{_OF_WEEKS[name]}"
        if not bracket or f"{entry}]" not in self.places:
            return where
        # Nodes of an entry are the scope and `of` of the constraint that it came from.
        rest = {".path": ".scope", ".within": ".of", ".other": ".of"}.get(rest, rest)
        return f"{self.places[f'{entry}]']}{rest}"


def read_constraints(constraints: list[ConstraintIn], known: Collection[Path]) -> Given:
    """The fields of a scenario that a list of constraints fills.

    Args:
        known: every node of the tree.

    Raises:
        InvalidInput: a scope is no node, is not unique, or does not go with the kind; lists every finding.
    """
    given, errors = Given(), []
    rows: dict[tuple[str, Path, Path], dict[str, Any]] = {}
    for number, one in enumerate(constraints):
        where = f"constraints[{number}]"
        try:
            _take(one, where, known, given, rows)
        except InvalidInput as refused:
            errors.append(refused.as_dict() | {"where": f"{where}.{refused.where}" if refused.where else where})
    if errors:
        raise InvalidInput(errors[0]["detail"], where=errors[0]["where"], fix=errors[0]["fix"], errors=errors)
    return given


def _take(
    one: ConstraintIn,
    where: str,
    known: Collection[Path],
    given: Given,
    rows: dict[tuple[str, Path, Path], dict[str, Any]],
) -> None:
    if one.of and one.kind in (*_WHOLE, "cap", "floor", "fixed", "margin"):
        raise InvalidInput(f"The kind {one.kind} takes no `of`.", where="of", fix="Leave it out.")
    if one.value is None and one.kind != "fixed":
        raise InvalidInput(f"The kind {one.kind} has no value.", where="value", fix="Give a number.")
    if one.kind in _WHOLE:
        if one.scope:
            raise InvalidInput(
                f"{one.kind} holds over the whole of a scenario.", where="scope",
                fix="Leave scope out, or make a scenario of that brand alone.",
            )  # fmt: skip
        if one.kind == "max_change_pct":
            read_number(one.value, most=_MOST_PERCENT, places=2, refuse=_refuse_value)
        name, unit = _WHOLE[one.kind]
        if name in given.fields:
            raise InvalidInput(f"{one.kind} is given twice.", fix="Keep the stricter one.")
        given.fields[name] = (one.value or Decimal(0)) * unit
        given.places[name] = where
        return
    path = _node(one.scope, "scope", known)
    if one.kind == "fixed" and one.value is None:
        entries = given.fields.setdefault("fixed", [])
        given.places[f"fixed[{len(entries)}]"] = where
        entries.append(list(path))
        return
    listed, limit = _OF_NODES.get(one.kind, ("bounds", ""))
    second = _SECOND.get(listed)
    if listed == "ratios" and not one.of:
        raise InvalidInput(f"The kind {one.kind} has no second node.", where="of", fix="Name it in `of`, as a scope.")
    other = _node(one.of, "of", known) if one.of else ()
    entries = given.fields.setdefault(listed, [])
    row = rows.get((listed, path, other))
    if row is None:
        row = {"path": list(path)}
        if second:
            row[second] = list(other)
        rows[listed, path, other] = row
        given.places[f"{listed}[{len(entries)}]"] = where
        entries.append(row)
    entry = f"{listed}[{next(at for at, held in enumerate(entries) if held is row)}]"
    for name in (limit,) if limit else ("min_spend", "max_spend"):
        place = f"{entry}.{name}"
        if name in row:
            first = given.places[place].removesuffix(".value")
            raise InvalidInput(
                f"{path_text(path)} is limited twice: by {one.kind} here and by {given.kinds[place]} at {first}.",
                fix="Keep the stricter one." if given.kinds[place] == one.kind else "Keep one of both.",
            )
        row[name] = one.value
        given.places[place] = f"{where}.value"
        given.kinds[place] = one.kind


def _refuse_value(detail: str, fix: str) -> None:
    raise InvalidInput(detail, where="value", fix=fix)


def _node(scope: str, where: str, known: Collection[Path]) -> Path:
    """The one node that a scope names."""
    if not scope:
        raise InvalidInput("This constraint is of a node.", where=where, fix=f"Name it by some of {', '.join(LEVELS)}.")
    levels = read_scope(scope, where=where)
    depth = max(LEVELS.index(level) for level in levels) + 1
    found = [path for path in known if len(path) == depth and matches(levels, path)]
    if not found:
        fix = "Choose a node from the tree of the curves: list_response_curves." if known else "Fit curves first."
        raise InvalidInput(f"No line lies under {scope}.", where=where, fix=fix)
    if len(found) > 1:
        some = "; ".join(path_text(path) for path in sorted(found)[:3])
        raise InvalidInput(
            f"{scope} are {len(found)} nodes: {some}.", where=where, fix="Name the levels above too, one node each."
        )
    return found[0]


def fields_of(given: Mapping[str, Any], weeks: list[WeekIn]) -> dict[str, Any]:
    """The weeks as the fields of a scenario; a season that says nothing is left out."""
    fields: dict[str, Any] = {"weekly_budgets": [one.budget for one in weeks]}
    if any(one.season != 1 for one in weeks):
        fields["season"] = [one.season for one in weeks]
    return dict(given) | fields
