"""Which column of a file is what: as a person said, or as its header says without doubt."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Final

from tenants.core.problems import InvalidInput

#: Columns of a file of each format; the first ones must be there.
PARTS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "panel": (("date", "unit", "outcome"), ("cost", "currency")),
    "log": (("period", "treated", "outcome"), ("date",)),
}
#: How missing rows and repeated ones are to be read.
READING: Final[Mapping[str, tuple[str, ...]]] = {
    "missing": ("leave_out", "zero", "zero_inside", "refuse"),
    "duplicates": ("refuse", "sum"),
}
_USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "date": ("date", "day", "week"),
    "period": ("period", "slot", "hour"),
    "unit": ("unit", "geo", "location", "market", "dma", "state", "region", "sku", "retailer"),
    "outcome": ("outcome", "sales", "y", "revenue", "units", "orders", "response"),
    "cost": ("cost", "spend"),
    "currency": ("currency",),
    "treated": ("treated", "on", "treatment"),
}


def columns_of(content: bytes, layout: str, told: Mapping[str, str] | None) -> dict[str, str]:
    """Part -> column of the file, and how it is to be read; parts that the file lacks are left out.

    Args:
        content: the file. layout: a key of `PARTS`. told: what a person said; the rest is taken from the header.

    Raises:
        InvalidInput: an unknown part, a column that is not there, or one that must be named and is not.
    """
    needed, others = PARTS[layout]
    given = {part: str(name).strip() for part, name in (told or {}).items() if str(name or "").strip()}
    header = _header(content)
    by_name = {name.casefold(): name for name in header}
    found: dict[str, str] = {}
    for part, name in given.items():
        if part in READING and layout == "panel":
            if name not in READING[part]:
                raise InvalidInput(
                    f"{name!r} is no way to read {part} rows.",
                    where=f"columns.{part}",
                    fix=f"Use one of {', '.join(READING[part])}.",
                )
            found[part] = name
        elif part not in (*needed, *others):
            raise InvalidInput(
                f"There is no part {part!r} of a {layout}.",
                where=f"columns.{part}",
                fix=f"Name columns for {', '.join((*needed, *others))}.",
            )
        elif name.casefold() not in by_name:
            raise InvalidInput(
                f"There is no column {name!r}.",
                where=f"columns.{part}",
                fix=f"The columns are {', '.join(map(repr, header[:40]))}.",
            )
        else:
            found[part] = by_name[name.casefold()]
    for part in (*needed, *others):
        if part in found:
            continue
        # A column that was named for another part is not taken for one that may be absent.
        taken = set() if part in needed else {column for other, column in found.items() if other not in READING}
        usual = next((by_name[name] for name in _USUAL[part] if name in by_name and by_name[name] not in taken), None)
        if usual is not None:
            found[part] = usual
        elif part in needed:
            raise InvalidInput(
                f"Which column is the {part} is not clear.",
                where=f"columns.{part}",
                fix=f"Name one of {', '.join(map(repr, header[:40]))}.",
            )
    _refuse_two_parts(found)
    return found


def _refuse_two_parts(found: Mapping[str, str]) -> None:
    """One column cannot be two things: an outcome that is called cost is seen where costs are shown."""
    parts: dict[str, str] = {}
    for part, name in found.items():
        if part in READING:
            continue
        if name in parts:
            raise InvalidInput(
                f"{name!r} is {parts[name]} and {part} at once.",
                where=f"columns.{part}",
                fix="Name a column of its own for each.",
            )
        parts[name] = part


def _header(content: bytes) -> list[str]:
    try:
        line = content.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode()
    except UnicodeDecodeError as error:
        raise InvalidInput("The file is no UTF-8 text.", where="file", fix="Save it as CSV in UTF-8.") from error
    separator = max(",;\t|", key=line.count)
    try:
        if "\x00" in line:
            raise csv.Error("NUL")
        names = [name.strip() for name in next(csv.reader(io.StringIO(line), delimiter=separator), [])]
    except csv.Error as error:
        raise InvalidInput(
            "The first line of the file is no header.",
            where="line 1",
            fix="Save it as CSV, each row ended by a line feed, with short names of columns.",
        ) from error
    if len(names) < 2:
        raise InvalidInput(
            "The first line of the file is no header.", where="line 1", fix="Send a CSV with one row per unit and day."
        )
    return names
