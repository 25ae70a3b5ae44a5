"""Quarantine as a file for spreadsheets."""

from __future__ import annotations

from harmonization.core.table_file import FileKind, TableFile, write_table
from harmonization.loads.selectors import MOST_ROWS, quarantine_of
from harmonization.models import Load


def quarantine_file(load: Load, kind: FileKind, *, rule: str = "") -> TableFile:
    """The rows that a load kept back, with the rules they broke and their cells as they came."""
    count, rows = quarantine_of(load, rule=rule, limit=MOST_ROWS)
    headers = list(dict.fromkeys(header for row in rows for header in row.raw))
    notes = [f"{load.upload.file_name}, read by {load.contract_version}: {count:,} rows in quarantine"]
    if rule:
        notes.append(f"Only rows that broke {rule}")
    if count > len(rows):
        notes.append(f"The first {len(rows):,} of them; the API gives the rest")
    return write_table(
        kind,
        name=f"quarantine-{load.pk}",
        header=["Row of the file", "Rules broken", "Columns to blame", *headers],
        rows=(
            [
                row.source_row,
                ", ".join(row.rules),
                ", ".join(sorted({one["column"] for one in row.findings if one["column"]})),
                *(row.raw.get(header) for header in headers),
            ]
            for row in rows
        ),
        notes=notes,
    )
