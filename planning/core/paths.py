"""Scopes as people and tools write them: `onsite search > Amazon`, `channel=onsite search/rmn=Amazon`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from optimization.core.problem import LEVELS, Path
from tenants.core.problems import InvalidInput

ARROW: Final = " > "


def read_path(text: str) -> Path:
    """A path from the top, as pages write it; nothing is the whole tree."""
    return tuple(part.strip() for part in text.split(ARROW.strip()) if part.strip())


def read_scope(text: str, *, where: str = "scope") -> dict[str, str]:
    """Level -> name, from `level=name/level=name` with levels of the tree.

    Raises:
        InvalidInput: it is not written so.
    """
    found: dict[str, str] = {}
    for part in text.split("/"):
        level, sign, name = part.partition("=")
        level = level.strip().lower()
        if not sign or level not in LEVELS or not name.strip() or level in found:
            raise InvalidInput(
                f"{text[:80]!r} is no scope.",
                where=where,
                fix=f"Write level=name parts with / between them; levels: {', '.join(LEVELS)}.",
            )
        found[level] = name.strip()
    return found


def matches(scope: Mapping[str, str], path: Path) -> bool:
    """Whether a line lies in a scope; names count as equal whatever their case."""
    return all(path[LEVELS.index(level)].casefold() == name.casefold() for level, name in scope.items())


def scope_of_path(path: Path) -> dict[str, str]:
    """The scope of a node of the tree."""
    return dict(zip(LEVELS, path, strict=False))
