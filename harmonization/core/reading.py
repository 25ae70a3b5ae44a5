"""Opening an export with the reader for its kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harmonization.core.delimited import open_delimited
from harmonization.core.source_file import FileTooLarge, Limits, OpenedFile, sniff_kind
from harmonization.core.workbook import open_workbook


@contextmanager
def open_source(
    path: Path,
    *,
    encoding: str = "auto",
    delimiter: str = "auto",
    sheet: str | None = None,
    scratch: Path,
    limits: Limits,
) -> Iterator[OpenedFile]:
    """Open `path` for reading; `scratch` is a folder for a transcoded copy where one is needed.

    Raises:
        UnreadableFile, FileTooLarge: see the class; the message names the place and the next move.
    """
    size = path.stat().st_size if path.exists() else 0
    if size > limits.file_size:
        raise FileTooLarge(
            f"The file has {size:,} bytes; the limit is {limits.file_size:,}.",
            where=path.name,
            fix="Export a shorter period, or split the file by month.",
        )
    kind = sniff_kind(path)
    if kind == "xlsx":
        yield open_workbook(path, sheet=sheet, limits=limits)
    else:
        yield open_delimited(
            path, compressed=kind == "csv.gz", encoding=encoding, delimiter=delimiter, scratch=scratch, limits=limits
        )
