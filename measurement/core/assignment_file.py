"""An assignment as a CSV file, to hand to a network and to read back; names that a spreadsheet would run stay text."""

from __future__ import annotations

import csv
import io
from typing import Final

from measurement.core.assignment import GROUPS, Assigned, Assignment, InvalidDesign
from metrics.core.export import neutralised

COLUMNS: Final = ("unit", "group", "cell", "pair", "stratum", "why")


class InvalidAssignmentFile(InvalidDesign):
    """The file is no assignment."""

    code = "invalid-assignment"
    title = "The assignment cannot be used"


def write_assignment(assignment: Assignment) -> bytes:
    """One row per unit, UTF-8 with the mark that spreadsheets know it by."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in assignment.rows:
        cells = (row.unit, row.group, row.cell, row.pair, row.stratum, row.why)
        writer.writerow([_shielded(cell) for cell in cells])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def read_assignment_file(content: bytes) -> Assignment:
    """The assignment in a file as `write_assignment` writes it; only `unit` and `group` must be there.

    Raises:
        InvalidAssignmentFile: no such columns, a group that is none, an empty or repeated unit, or no rows.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidAssignmentFile("The file is not UTF-8.", fix="Save it as CSV UTF-8.") from error
    reader = csv.reader(io.StringIO(text))
    header = [name.strip().casefold() for name in next(reader, [])]
    lacking = [name for name in COLUMNS[:2] if name not in header]
    if lacking:
        raise InvalidAssignmentFile(
            f"There is no column {lacking[0]!r}.", where="line 1", fix=f"Name the columns {', '.join(COLUMNS)}."
        )
    rows: list[Assigned] = []
    first: dict[str, int] = {}
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        line = f"line {reader.line_num}"
        told = {
            name: _unshielded(cells[header.index(name)].strip()) if header.index(name) < len(cells) else ""
            for name in COLUMNS
            if name in header
        }
        if not told["unit"]:
            raise InvalidAssignmentFile("The unit has no name.", where=line, fix="Name it, or delete the row.")
        group = told["group"].casefold()
        if group not in GROUPS:
            raise InvalidAssignmentFile(
                f"{told['group']!r} is no group.", where=line, fix=f"Write one of {', '.join(GROUPS)}."
            )
        earlier = first.setdefault(told["unit"].casefold(), reader.line_num)
        if earlier != reader.line_num:
            raise InvalidAssignmentFile(
                f"{told['unit']!r} was assigned in line {earlier} already.", where=line, fix="Keep one row."
            )
        rows.append(Assigned(**(told | {"group": group})))  # type: ignore[arg-type]
    if not rows:
        raise InvalidAssignmentFile("The file assigns no unit.", fix="Give one row for each unit.")
    return Assignment(rows=tuple(rows))


def _shielded(text: str) -> str:
    """Text that no spreadsheet runs; an apostrophe that is there gets one more, to come back whole."""
    return f"'{text}" if text.startswith("'") else neutralised(text)


def _unshielded(text: str) -> str:
    """Text as it was before `_shielded`."""
    bare = text.removeprefix("'")
    return bare if text != bare and _shielded(bare) == text else text
