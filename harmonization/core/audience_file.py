"""Audience files: what an account's campaigns can address, with how small a group may be reported.

Columns: `audience_id`, `name`, `type` (retailer_1p, lookalike, contextual, crm); and where known `size_bucket`,
`min_cell`, `ntb` (all, new, existing), `consent_basis`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harmonization.core.record_file import Findings, missing_columns, read_records

REQUIRED: Final = ("audience_id", "name", "type")
KINDS: Final = ("retailer_1p", "lookalike", "contextual", "crm")
NTB: Final = ("all", "new", "existing")
MAX_ROWS: Final = 20_000
DEFAULT_MIN_CELL: Final = 50
LONGEST: Final = {"audience_id": 80, "name": 160, "size_bucket": 32, "consent_basis": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceRow:
    """One audience."""

    external_id: str
    name: str
    kind: str
    size_bucket: str
    min_cell: int
    ntb: str
    consent_basis: str


def read_audiences(path: Path) -> list[AudienceRow]:
    """Read an audience file.

    Raises:
        InvalidInput: with every finding (up to 50), each naming its row and column.
    """
    header, records = read_records(path, what="audience file", max_rows=MAX_ROWS)
    missing_columns(header, REQUIRED, what="audience file")
    findings, seen = Findings(), dict[str, int]()
    rows: list[AudienceRow] = []
    for record in records:
        before = len(rows)
        wrong = False

        def note(column: str, detail: str, row: int = record.row) -> None:
            nonlocal wrong
            wrong = True
            findings.add(row, column, detail)

        if record.is_ragged:
            note("row", "there are more cells than columns")
        for column in REQUIRED:
            if not record.get(column):
                note(column, f"{column} is empty")
        for column, longest in LONGEST.items():
            if len(record.get(column)) > longest:
                note(column, f"{column} has {len(record.get(column))} characters, {longest} fit")
        kind, ntb = record.get("type").lower(), record.get("ntb").lower() or "all"
        if kind and kind not in KINDS:
            note("type", f"{kind!r} is none of {', '.join(KINDS)}")
        if ntb not in NTB:
            note("ntb", f"{ntb!r} is none of {', '.join(NTB)}")
        cell = record.get("min_cell") or str(DEFAULT_MIN_CELL)
        if not cell.isdecimal() or not 2 <= int(cell) <= 1_000_000:
            note("min_cell", f"{cell!r} is not a whole number from 2 on")
        key = record.get("audience_id")
        if key and seen.setdefault(key, record.row) != record.row:
            note("audience_id", f"{key} stands in row {seen[key]} already")
        if not wrong:
            rows.append(
                AudienceRow(
                    external_id=key,
                    name=record.get("name"),
                    kind=kind,
                    size_bucket=record.get("size_bucket"),
                    min_cell=int(cell),
                    ntb=ntb,
                    consent_basis=record.get("consent_basis"),
                )
            )
        if findings.is_full and len(rows) == before:
            break
    findings.raise_if_any()
    if not rows:
        findings.add(2, "row", "the audience file has no rows below its header")
        findings.raise_if_any()
    return rows
