"""Records of JSON as rows of text cells.

Numbers keep the text that the file has: `201.10` stays `201.10`, and no amount passes through a binary fraction. An
object in a record becomes columns whose names are joined by dots (`metrics.clicks`). A list stays one cell of JSON
text, but a list of actions, as Meta writes them (`[{"action_type": "purchase", "value": "3", "7d_click": "2"}]`),
becomes a column for each figure of each action (`actions.purchase.7d_click`): rows stay rows, so no spend is counted
once for each action, and a contract names the figure as it names any column.
"""

from __future__ import annotations

import json
from typing import Any, Final

from harmonization.core.source_file import storable

#: The key that says what an entry of a list of actions counts.
ACTION_LABEL: Final = "action_type"


class BadRecord(ValueError):  # noqa: N818  a row of the file, never a failure of the program
    """A record that is no row; the text says why."""


class Number(str):
    """A number as the file spells it."""

    __slots__ = ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise BadRecord(f"the key {twice!r} stands twice")
    return made


_PLAIN: Final = json.JSONDecoder(object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=str)
_MARKED: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Number, parse_int=Number, parse_constant=Number
)


def decode(text: str, at: int) -> tuple[Any, int]:
    """The JSON value that begins at `at`, numbers as the text they are written in, and where it ends.

    Only within lists, which are spelled again, it matters that a number was none in quotes; marking them costs a third.

    Raises:
        BadRecord: an object has a key twice.
        ValueError, RecursionError: no JSON, or nested beyond all use.
    """
    value, end = _PLAIN.raw_decode(text, at)
    return _MARKED.raw_decode(text, at) if text.find("[", at, end) >= 0 else (value, end)


def spell(value: Any) -> str:
    """JSON text of a decoded value, numbers as they were written."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {spell(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(spell(item) for item in value) + "]"
    if isinstance(value, Number):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def flatten(record: Any) -> dict[str, str | None]:
    """Column name to cell text of one decoded record; null and what a record leaves out are empty cells.

    Raises:
        BadRecord: it is no object, two of its keys come to the same column, or it lists an action twice.
    """
    if not isinstance(record, dict):
        raise BadRecord(f"a record is an object, this is {spell(record)[:80]}")
    cells: dict[str, str | None] = {}
    try:
        _flatten("", record, cells)
    except RecursionError:
        raise BadRecord("it is nested too deeply") from None
    return cells


def _flatten(prefix: str, record: dict[str, Any], cells: dict[str, str | None]) -> None:
    # Exact types and no calls for the usual cell: this runs once for every value of the file.
    for key, value in record.items():
        name = prefix + key
        kind = type(value)
        if kind is str or kind is Number or value is None:
            text = value
        elif kind is dict:
            _flatten(f"{name}.", value, cells)
            continue
        elif kind is list:
            if _is_actions(value):
                _actions(name, value, cells)
                continue
            text = spell(value)
        else:
            text = "true" if value else "false"
        if name in cells:
            raise BadRecord(f"two keys come to the column {name!r}")
        cells[name] = text


def _actions(name: str, entries: list[dict[str, Any]], cells: dict[str, str | None]) -> None:
    for entry in entries:
        label = entry[ACTION_LABEL]
        figures = {key: value for key, value in entry.items() if key != ACTION_LABEL}
        _flatten(f"{name}.{label}.", figures, cells)


def _is_actions(entries: list[Any]) -> bool:
    return bool(entries) and all(
        isinstance(entry, dict) and isinstance(entry.get(ACTION_LABEL), str) for entry in entries
    )


def unprintable(cells: dict[str, str | None]) -> str | None:
    """Why a row cannot be kept as text, after replacing what no file can hold; None where it can.

    JSON can spell lone surrogates and NUL; the first have no encoding, the second ends text in databases.
    """
    first = None
    for name, text in cells.items():
        if text is not None and (kept := storable(text)) != text:
            cells[name] = kept
            first = first or f"{storable(name)} holds a NUL character or half of one of two parts"
    return first
