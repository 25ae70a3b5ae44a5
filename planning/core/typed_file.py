"""Typed allocations as text: a table pasted from a spreadsheet, or the lines that this product exports."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from optimization.core.problem import LEVELS
from planning.core.paths import ARROW, read_path, read_scope, scope_of_path
from planning.core.reading import read_number
from planning.core.terms import MOST_MONEY
from planning.core.typed import Typed
from tenants.core.problems import InvalidInput

MOST_AMOUNTS: Final = 1000
_LARGEST: Final = 400_000
_LONGEST_CELL: Final = 10_000
#: Names of the columns, in any case; the first that a table has is read.
_AMOUNTS: Final = ("amount", "typed", "proposed", "spend", "budget")
_HEADERS: Final = {"channel": "channel", "retailer": "rmn", "rmn": "rmn", "placement": "placement",
                   "audience": "audience", "sku": "sku"}  # fmt: skip


def read_typed(given: Any) -> list[Typed]:
    """Amounts as the API takes them: [{"scope": "channel=.../rmn=...", "amount": 100}], or "path" for the scope.

    Raises:
        InvalidInput: lists everything that is wrong, with its place.
    """
    if not isinstance(given, Sequence) or isinstance(given, str | bytes) or not given:
        raise InvalidInput(
            "A list of amounts is expected.", where="allocation", fix='Write [{"scope": "rmn=Amazon", "amount": 100}].'
        )
    if len(given) > MOST_AMOUNTS:
        raise InvalidInput(
            f"{len(given)} amounts are too many.", where="allocation", fix=f"Give at most {MOST_AMOUNTS}; type nodes."
        )
    errors: list[dict[str, str]] = []
    found = [one for number, entry in enumerate(given) if (one := _entry(entry, f"allocation[{number}]", errors))]
    if errors:
        raise InvalidInput(errors[0]["detail"], where=errors[0]["where"], fix=errors[0]["fix"], errors=errors)
    return found


def read_table(text: str) -> list[dict[str, Any]]:
    """Rows of a pasted table as `read_typed` takes them.

    With a header: a column of amounts (amount, proposed, ...) and either `scope` or columns of levels, as in the files
    exported here. Without one: `scope, amount` rows, the scope as `onsite search > Amazon` or `rmn=Amazon`.

    Raises:
        InvalidInput: no amounts are found, or the text is too long.
    """
    if len(text) > _LARGEST:
        raise InvalidInput("The table is too long.", where="table", fix=f"Paste at most {_LARGEST:,} characters.")
    text = text.lstrip("\ufeff").replace("\x00", "")
    first = text.partition("\n")[0]
    mark = "\t" if "\t" in first else ";" if ";" in first else ","
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=mark))
        # The module's own limit belongs to the whole process, and other readers move it: this one is the same always.
        if any(len(cell) > _LONGEST_CELL for row in rows for cell in row):
            raise csv.Error(f"a cell holds more than {_LONGEST_CELL:,} characters")
    except csv.Error as problem:
        raise InvalidInput(
            f"The table cannot be read: {problem}.",
            where="table",
            fix="Close every quotation mark, and give each row a line of its own.",
        ) from None
    rows = [row for row in rows if any(cell.strip() for cell in row) and not row[0].startswith("#")]
    if not rows:
        raise InvalidInput("The table is empty.", where="table", fix="Paste rows of scope and amount.")
    names = [cell.strip().casefold() for cell in rows[0]]
    if (at := next((names.index(name) for name in _AMOUNTS if name in names), None)) is None:
        return [_plain(row, number, mark) for number, row in enumerate(rows, start=1)]
    levels = {_HEADERS[name]: place for place, name in enumerate(names) if name in _HEADERS}
    scope = names.index("scope") if "scope" in names else None
    kind = names.index("row") if "row" in names else None
    found = []
    for row in rows[1:]:
        padded = [*row, *[""] * (len(names) - len(row))]
        if kind is not None and padded[kind].strip() != "line":
            continue  # totals, the reserve and what is not spent are no lines
        told = {level: padded[place].strip() for level, place in levels.items() if padded[place].strip()}
        place = "/".join(f"{level}={name}" for level, name in told.items())
        where = padded[scope].strip() if scope is not None else ""
        found.append(_row(where or told or place, padded[at]))
    if not found:
        raise InvalidInput("The table has no rows of lines.", where="table", fix="Paste rows below the header.")
    return found


def _row(scope: Any, amount: str) -> dict[str, Any]:
    return {"scope": scope, "amount": amount.strip().removeprefix("'").lstrip("$€£ ")}


def _plain(row: list[str], number: int, mark: str) -> dict[str, Any]:
    if len(row) < 2:
        raise InvalidInput(
            f"Row {number} has no amount.", where="table", fix="Write a scope and an amount in each row, with a comma."
        )
    # An amount with thousands: "rmn=Amazon,1,200". Other marks, and empty cells at the end, are between columns.
    return _row(row[0].strip(), mark.join(cell.strip() for cell in row[1:]).rstrip(mark))


def _entry(entry: Any, where: str, errors: list[dict[str, str]]) -> Typed | None:
    def refuse(detail: str, fix: str) -> None:
        errors.append({"where": where, "detail": detail, "fix": fix})

    if not isinstance(entry, Mapping) or not {"scope", "path"} & set(entry) or "amount" not in entry:
        refuse("An amount is an object with a scope.", 'Write {"scope": "rmn=Amazon", "amount": 100}.')
        return None
    amount = read_number(entry["amount"], most=MOST_MONEY, places=2, required=True, refuse=refuse)
    try:
        scope = _scope(entry.get("path") or entry.get("scope"), where)
    except InvalidInput as problem:
        refuse(problem.detail, problem.fix)
        return None
    return None if amount is None else Typed(scope=scope, amount=Decimal(amount), where=where)


def _scope(given: Any, where: str) -> dict[str, str]:
    if isinstance(given, Mapping) and given and set(given) <= set(LEVELS):
        return {level: str(given[level]) for level in LEVELS if level in given}
    if isinstance(given, list | tuple) and 0 < len(given) <= len(LEVELS) and all(isinstance(one, str) for one in given):
        return scope_of_path(tuple(given))
    if isinstance(given, str) and "=" in given:
        return read_scope(given, where=where)
    if isinstance(given, str) and 0 < len(path := read_path(given)) <= len(LEVELS):
        return scope_of_path(path)
    raise InvalidInput(
        f"{str(given)[:80]!r} is no scope.", where=where, fix=f"Write rmn=Amazon or onsite search{ARROW}Amazon."
    )
