"""Opening an export with the reader for its kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from harmonization.core.delimited import open_delimited
from harmonization.core.joined_tables import join_tables
from harmonization.core.json_source import open_json, open_ndjson
from harmonization.core.parquet_source import open_parquet
from harmonization.core.source_file import (
    FileTooLarge,
    Limits,
    OpenedFile,
    UnreadableFile,
    refuse_special,
    sniff_kind,
    storable,
)
from harmonization.core.unpacking import PACKINGS, unpack
from harmonization.core.workbook import open_workbook


@contextmanager
def open_source(
    path: Path,
    *,
    encoding: str = "auto",
    delimiter: str = "auto",
    sheet: str | None = None,
    records: str | None = None,
    scratch: Path,
    limits: Limits,
    plain_from: int | None = None,
) -> Iterator[OpenedFile]:
    """Open `path` for reading; `scratch` is an empty folder for unpacked and transcoded copies where they are needed.

    `records` is where in a JSON document the array of records is; None takes the one with most records. A CSV file of
    at least `plain_from` bytes that begins with plain lines is not looked through first.

    Raises:
        UnreadableFile, FileTooLarge: see the class; the message names the place and the next move.
    """
    refuse_special(path)
    size = path.stat().st_size
    if size > limits.file_size:
        raise FileTooLarge(
            f"The file has {size:,} bytes; the limit is {limits.file_size:,}.",
            where=path.name,
            fix="Export a shorter period, or split the file by month.",
        )

    def opened(file: Path, kind: str, folder: Path) -> OpenedFile:
        folder.mkdir(exist_ok=True)
        if kind == "xlsx":
            return open_workbook(file, sheet=sheet, limits=limits)
        if kind == "json":
            return open_json(file, records=records, scratch=folder, limits=limits)
        if kind == "ndjson":
            return open_ndjson(file, scratch=folder, limits=limits)
        if kind == "parquet":
            return open_parquet(file, scratch=folder, limits=limits)
        return open_delimited(
            file,
            compressed=False,
            encoding=encoding,
            delimiter=delimiter,
            scratch=folder,
            limits=limits,
            plain_from=plain_from,
        )

    kind = sniff_kind(path)
    if kind not in PACKINGS:
        yield _storable(opened(path, kind, scratch))
        return
    unpacked = unpack(path, scratch, limits)
    tables: list[tuple[str, OpenedFile]] = []
    for number, file in enumerate(unpacked.files):
        tables.append((file.name, opened(file, sniff_kind(file), scratch / f"table {number}")))
    if not tables:
        raise UnreadableFile("The archive is empty.", where=path.name, fix="Pack the export again.")
    yield _storable(join_tables(tables, path.name, left=unpacked.left))


def _storable(opened: OpenedFile) -> OpenedFile:
    """Headers and warnings are shown and stored as they are, so they must be texts that can be."""
    rows = tuple(tuple(map(storable, row)) for row in opened.head.rows)
    others = tuple(map(_storable, opened.others))
    warnings = tuple(map(storable, opened.warnings))
    return replace(opened, head=replace(opened.head, rows=rows), warnings=warnings, others=others)
