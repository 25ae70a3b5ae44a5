"""Scopes as people and tools write them: `onsite search > Amazon`, `channel=onsite search/rmn=Amazon`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from optimization.core.problem import LEVELS, Path
from tenants.core.problems import InvalidInput

ARROW: Final = " > "
#: Stands for a slash inside a name while a scope is parted; nobody can type it.
_SLASH: Final = "\x00"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
#: A name in a scope: no control characters, and a slash only twice.
_NAME: Final = r"([^/\x00-\x1f\x7f]|//)+"


def scope_pattern(*more: str) -> str:
    """What a scope looks like, for the schema of a tool: one part or several.

    Args:
        more: levels beside those of the tree.
    """
    part = f"({'|'.join((*LEVELS, *more))})={_NAME}"
    return f"{part}(/{part})*"


def read_path(text: str) -> Path:
    """A path from the top, as pages write it; nothing is the whole tree."""
    return tuple(part.strip() for part in text.split(ARROW.strip()) if part.strip())


def parts_of(text: str) -> list[str]:
    """The level=name parts of a scope; a slash inside a name is written twice."""
    return [part.replace(_SLASH, "/") for part in text.replace("//", _SLASH).split("/")]


def read_scope(text: str, *, where: str = "scope") -> dict[str, str]:
    """Level -> name, from `level=name/level=name` with levels of the tree.

    Raises:
        InvalidInput: it is not written so.
    """
    found: dict[str, str] = {}
    for part in parts_of(text):
        level, sign, name = part.partition("=")
        level = level.strip().lower()
        if not sign or level not in LEVELS or not name.strip() or level in found or _CONTROL.search(part):
            raise InvalidInput(
                f"{text[:80]!r} is no scope.",
                where=where,
                fix=f"Write level=name parts with / between, // inside a name; levels: {', '.join(LEVELS)}.",
            )
        found[level] = name.strip()
    return found


def matches(scope: Mapping[str, str], path: Path) -> bool:
    """Whether a line lies in a scope; names count as equal whatever their case."""
    return all(path[LEVELS.index(level)].casefold() == name.casefold() for level, name in scope.items())


def scope_of_path(path: Path) -> dict[str, str]:
    """The scope of a node of the tree."""
    return dict(zip(LEVELS, path, strict=False))
