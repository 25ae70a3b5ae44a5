"""The constraints that bind in an answer, each with what one more unit of it is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from optimization.core.problem import Path, path_text
from planning.core.amounts import short_money

#: Kinds of a line's reason that are a bound of the line itself: together they are one constraint.
_OWN: Final = ("own_cap", "own_floor")
_LIMITS: Final = {
    "min_roas": "ROAS of at least",
    "min_iroas": "Incremental ROAS of at least",
    "min_roi": "Return of at least",
    "max_cpa": "Cost per acquisition of at most",
}
_KINDS: Final = {"max_spend": "node_cap", "min_spend": "node_floor"}


@dataclass(frozen=True, kw_only=True)
class Price:
    """A binding constraint.

    Attributes:
        key: what `ResultLine.constraint` of the lines it holds says.
        field: budget, max_spend, min_spend, min_roas, max_cpa or own.
        path: the node it is a bound of, or the scope.
        name: the constraint without its value, the same in every scenario that has it; `words` says the value too.
        asked: its value; None where it has none of its own, as the bounds of single lines.
        price: objective gained by one more unit of it, money per money; for a limit on return or cost per money that it
            would let through. The largest of them for the bounds of single lines.
        lines: how many lines name it as what binds.
    """

    key: str
    field: str
    path: Path
    name: str
    words: str
    asked: float | None
    price: float
    lines: int


def constraint_key(kind: str, path: Sequence[str]) -> str:
    """What tells a constraint from others, for an address; empty where a line is held by nothing."""
    if kind in ("saturated", ""):
        return ""
    if kind in _OWN:
        return "own"
    where = "" if kind in ("budget", "experiment_reserve", "out_of_stock", "min_spend_if_active") else "/".join(path)
    return f"{kind}:{where}" if where else kind


def binding_prices(problem: Mapping[str, Any], solution: Mapping[str, Any], currency: str) -> list[Price]:
    """What binds in a stored solution, the dearest first.

    Args:
        problem: as `rmn-budget-instance/1`.
        solution: as of `optimization.services`.
    """
    held: dict[str, int] = {}
    own: list[float] = []
    for line in solution.get("lines", ()):
        reason = line["reason"]
        key = constraint_key(reason["kind"], reason["path"])
        held[key] = held.get(key, 0) + 1
        if key == "own":
            own.append(float(reason["price"]))
    found = list(_stated(problem, solution, currency, held))
    if own:
        found.append(
            Price(key="own", field="own", path=(), name="Bounds of single lines", words="Bounds of single lines",
                  asked=None, price=max(own), lines=held["own"])
        )  # fmt: skip
    return sorted(found, key=lambda one: (-one.price, one.words))


def _stated(
    problem: Mapping[str, Any], solution: Mapping[str, Any], currency: str, held: Mapping[str, int]
) -> Iterator[Price]:
    if (price := float(solution.get("budget_shadow_price") or 0.0)) > 0.0:
        total = float(problem["total_budget"])
        yield Price(
            key="budget", field="budget", path=(), name="Total budget",
            words=f"Total budget of {short_money(total, currency)}", asked=total, price=price,
            lines=held.get("budget", 0),
        )  # fmt: skip
    asked = {tuple(_names(one["path"])): one for one in problem.get("node_bounds", ())}
    for one in solution.get("node_shadow_prices", ()):
        path, kind = tuple(one["path"]), one["kind"]
        value = asked.get(path, {}).get(kind)
        key = constraint_key(_KINDS[kind], path)
        word = "at most" if kind == "max_spend" else "at least"
        amount = f" {short_money(float(value), currency)}" if value is not None else ""
        yield Price(
            key=key, field=kind, path=path, name=f"{path_text(path)} {word}", words=f"{path_text(path)} {word}{amount}",
            asked=None if value is None else float(value), price=float(one["value"]), lines=held.get(key, 0),
        )  # fmt: skip
    limits = problem.get("global_constraints", ())
    for kind, price in solution.get("multipliers", {}).items():
        if not price or float(price) <= 0.0:
            continue
        of_kind = [one for one in limits if one["kind"] == kind]
        value = float(of_kind[0]["value"]) if len(of_kind) == 1 else None
        name = _LIMITS.get(kind, kind)
        yield Price(
            key=kind, field=kind, path=(), name=name, words=f"{name} {value:g}" if value is not None else name,
            asked=value, price=float(price),
            lines=sum(count for key, count in held.items() if key.split(":")[0] == kind),
        )  # fmt: skip

    shares = {one["name"]: one for one in problem.get("constraints", ())}
    for name, price in solution.get("constraint_prices", {}).items():
        # A constraint that does not bind keeps a trace of a price from the general path.
        if name not in shares or float(price) <= 1e-7:
            continue
        one = shares[name]
        path = tuple(one.get("scope", ()))
        key = constraint_key("linear", path)
        yield Price(
            key=key, field="linear", path=path, name=name, words=name, asked=float(one["value"]), price=float(price),
            lines=held.get(key, 0),
        )  # fmt: skip


def _names(path: Any) -> Sequence[str]:
    """A path as the format writes it: names by level, or a list."""
    return list(path.values()) if isinstance(path, Mapping) else list(path)
