"""Reads the summary of a user test: a JSON object with two groups, of means or of shares."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from measurement.core.user_test import METHODS, Group, Method, group_of_shares, group_of_sums
from tenants.core.problems import InvalidInput

#: Names under which networks and tools tell the same thing.
_GROUPS: Final = {
    "control": ("control", "a", "baseline", "holdout"),
    "treatment": ("treatment", "treated", "b", "test", "exposed", "variant"),
}
_FIELDS: Final = {
    "n": ("n", "users", "count", "size"),
    "sum": ("sum", "total"),
    "sum_squares": ("sum_squares", "sum_of_squares", "ss", "sumsq"),
    "mean": ("mean", "average"),
    "sd": ("sd", "std", "stddev"),
    "variance": ("variance", "var"),
    "converted": ("converted", "conversions", "successes", "converters"),
}
_SETTINGS: Final = {"metric", "alpha", "method", "shares", "groups"}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSummary:
    """Both groups, and what the file says of the test; None where it says nothing."""

    control: Group
    treatment: Group
    metric: str
    alpha: float | None
    method: Method | None
    shares: dict[str, float] | None


def read_user_summary(content: bytes) -> UserSummary:
    """The summary in a JSON file.

    Each group holds `n` and either `sum` with `sum_squares`, or `mean` with `sd` or `variance`, or `converted`.

    Raises:
        InvalidInput: not such an object, a missing or unknown field, or numbers that no users can have.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:  # ValueError is also that of numbers with thousands of digits.
        raise InvalidInput(f"The file is not JSON: {error}.", where="file", fix="Give one JSON object.") from error
    if not isinstance(document, dict):
        raise InvalidInput(
            "The file holds no JSON object.", where="file", fix='Give {"control": ..., "treatment": ...}.'
        )
    groups = _groups(document)
    shares = document.get("shares")
    if shares is not None:
        if not isinstance(shares, dict):
            raise InvalidInput("The shares are no object.", where="shares", fix="Give a share for each group.")
        shares = {_arm(name): _number(value, f"shares: {name}") for name, value in shares.items()}
    alpha = document.get("alpha")
    return UserSummary(
        control=_group(groups["control"], "control"),
        treatment=_group(groups["treatment"], "treatment"),
        metric=str(document.get("metric", "mean")),
        alpha=None if alpha is None else _number(alpha, "alpha"),
        method=_method(document.get("method")),
        shares=shares,
    )


def _method(held: Any) -> Method | None:
    if held is not None and held not in METHODS:
        raise InvalidInput(f"{held!r} is no method.", where="method", fix=f"Use {' or '.join(METHODS)}.")
    return held  # type: ignore[no-any-return]


def _arm(name: str) -> str:
    for arm, names in _GROUPS.items():
        if name.strip().casefold() in names:
            return arm
    raise InvalidInput(
        f"{name!r} is no group of a test.", where="file", fix='Name the groups "control" and "treatment".'
    )


def _groups(document: Mapping[str, Any]) -> dict[str, Any]:
    """Groups by their arm, from the object itself, from `groups` by name, or from a list of two, control first."""
    held = document.get("groups")
    if isinstance(held, list):
        if len(held) != 2:
            raise InvalidInput(f"There are {len(held)} groups.", where="groups", fix="Give two, the control first.")
        return {"control": held[0], "treatment": held[1]}
    if held is not None and not isinstance(held, dict):
        raise InvalidInput("The groups are no object.", where="groups", fix="Name control and treatment.")
    named = held if held is not None else {key: one for key, one in document.items() if key not in _SETTINGS}
    found: dict[str, Any] = {}
    for name, group in named.items():
        arm = _arm(name)
        if arm in found:
            raise InvalidInput(f"Two groups are the {arm}.", where=name, fix="Name one control and one treatment.")
        found[arm] = group
    for arm in _GROUPS:
        if arm not in found:
            raise InvalidInput(f"There is no {arm} group.", where="file", fix="Give both groups.")
    return found


def _group(held: Any, arm: str) -> Group:
    if not isinstance(held, dict):
        raise InvalidInput("The group is no object.", where=arm, fix='Give {"n": ..., "sum": ..., "sum_squares": ...}.')
    values: dict[str, float] = {}
    for name, value in held.items():
        field = next((field for field, names in _FIELDS.items() if name.casefold() in names), None)
        if field is None:
            raise InvalidInput(
                f"{name!r} is not known.", where=arm, fix=f"Use {', '.join(_FIELDS)}; leave out anything else."
            )
        if field in values:
            raise InvalidInput(f"{field} is given twice.", where=arm, fix="Give it once.")
        values[field] = _number(value, f"{arm}: {name}")
    if "n" not in values or values["n"] != int(values["n"]):
        raise InvalidInput("The number of users is missing or no whole number.", where=f"{arm}: n", fix="Give n.")
    n = int(values.pop("n"))
    if set(values) == {"converted"}:
        return group_of_shares(n=n, converted=values["converted"], where=arm)
    if set(values) == {"sum", "sum_squares"}:
        return group_of_sums(n=n, total=values["sum"], squares=values["sum_squares"], where=arm)
    if set(values) in ({"mean", "sd"}, {"mean", "variance"}):
        spread = values["sd"] * values["sd"] if "sd" in values else values["variance"]
        if values.get("sd", 0.0) < 0.0 or spread < 0.0 or n < 2:
            raise InvalidInput(
                "A spread is negative, or there are fewer than two users.", where=arm, fix="Give sd or variance, and n."
            )
        return Group(n, values["mean"], spread)
    raise InvalidInput(
        f"n with {', '.join(sorted(values)) or 'nothing else'} does not make a group.",
        where=arm,
        fix="Give sum and sum_squares, or mean and sd or variance, or converted.",
    )


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidInput(f"{value!r} is no number.", where=where, fix="Give a number.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidInput(f"{number} is no finite number.", where=where, fix="Give a finite number.")
    return number
