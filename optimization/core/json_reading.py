"""Reading values of a JSON document strictly: what is not as expected is refused, with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optimization.core.parts import LEVELS, InvalidProblem, Path


def as_object(item: Any, place: str) -> Mapping[str, Any]:
    """An object; raises InvalidProblem."""
    if not isinstance(item, dict):
        raise InvalidProblem(f"An object is expected, not {type(item).__name__}.", where=place, fix="Give an object.")
    return item


def as_list(item: Any, place: str) -> list[Any]:
    """A list; raises InvalidProblem."""
    if not isinstance(item, list):
        raise InvalidProblem(f"A list is expected, not {type(item).__name__}.", where=place, fix="Give a list.")
    return item


def as_number(item: Any, place: str) -> float:
    """A number, not a truth value; raises InvalidProblem."""
    if isinstance(item, bool) or not isinstance(item, int | float):
        raise InvalidProblem(f"A number is expected, not {item!r}.", where=place, fix="Give a number.")
    try:
        return float(item)
    except OverflowError as error:
        raise InvalidProblem("The number is too large.", where=place, fix="Give a finite amount.") from error


def as_prefix(item: Any, place: str) -> Path:
    """The first levels of a path, none for the total; raises InvalidProblem."""
    parts: Sequence[Any] = as_list(item, f"{place} path")
    if len(parts) > len(LEVELS) or not all(isinstance(part, str) and part for part in parts):
        raise InvalidProblem(
            f"The path is {item!r}.", where=place, fix=f"Give the first levels of {', '.join(LEVELS)} as a list."
        )
    return tuple(parts)


def check_keys(given: Mapping[str, Any], known: set[str], place: str) -> None:
    """Refuse unknown keys: a misspelt one would otherwise be ignored.

    Raises:
        InvalidProblem: names the first unknown key and the known ones.
    """
    unknown = sorted(set(given) - known)
    if unknown:
        raise InvalidProblem(
            f"The key {unknown[0]!r} is not known here.",
            where=place,
            fix=f"Known keys: {', '.join(sorted(known))}.",
        )
