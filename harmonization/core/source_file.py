"""What an opened export is: its kind, its first rows, and its rows as text cells.

Files come from anywhere, so everything that could exhaust memory or be misread in silence is settled before a row is
parsed: the content's kind against the extension, sizes (also of what an archive would expand to), encoding, line
lengths, the header row. Readers give every cell as text and every row its number in the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from tenants.core.problems import InvalidInput, TooLarge

ZIP_MAGIC: Final = b"PK\x03\x04"
GZIP_MAGIC: Final = b"\x1f\x8b"
OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0"
PDF_MAGIC: Final = b"%PDF"
HEAD_ROWS: Final = 50
SOURCE_ROW: Final = "source_row"
#: Why a row does not have as many cells as there are headers; null where it does.
RAGGED: Final = "ragged"


def raw_name(position: int) -> str:
    """The name that a reader gives to the file's column at `position`."""
    return f"raw_{position}"


class UnreadableFile(InvalidInput):
    """The file is not what its name says, is damaged, or holds no rows."""

    code = "unreadable-file"
    title = "The file cannot be read"


class FileTooLarge(TooLarge):
    """The file, or what it expands to, is larger than allowed."""

    code = "file-too-large"
    title = "The file is too large"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is read, in bytes unless named otherwise."""

    file_size: int = 4 * 1024**3
    line: int = 1024**2
    expanded_size: int = 1024**3
    expansion_ratio: int = 200
    columns: int = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """The first rows of a file, as text cells."""

    rows: tuple[tuple[str, ...], ...]
    kind: str
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    sheets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file ready to harmonise.

    `rows` makes, for the header row's number (from 1) and its width, the lazy frame `raw_0..raw_n`, `source_row`,
    `ragged`.
    """

    head: Head
    rows: Callable[[int, int], pl.LazyFrame]
    warnings: tuple[str, ...] = field(default=())


def sniff_kind(path: Path) -> str:
    """`csv`, `csv.gz` or `xlsx`, by content; the extension must agree.

    Raises:
        UnreadableFile: empty, of another kind, or named as one kind and being another.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise UnreadableFile(
            f"The file cannot be opened: {error.strerror}.", where=path.name, fix="Check the path."
        ) from error
    if not start.strip():
        raise UnreadableFile("The file is empty.", where=path.name, fix="Export the report again.")
    names = {"csv": ".csv, .tsv or .txt", "csv.gz": ".csv.gz", "xlsx": ".xlsx"}
    suffix = path.name.lower()
    for magic, what, fix in (
        (OLE_MAGIC, "an Excel 97-2003 workbook or an encrypted one", "Save it as .xlsx without a password."),
        (PDF_MAGIC, "a PDF document", "Export the report as CSV or XLSX."),
        (b"\x89PNG", "an image", "Export the report as CSV or XLSX."),
        (b"PAR1", "a Parquet file", "Export the report as CSV or XLSX."),
    ):
        if start.startswith(magic):
            raise UnreadableFile(f"The file is {what}.", where=path.name, fix=fix)
    if start.startswith(ZIP_MAGIC):
        kind = "xlsx"
    elif start.startswith(GZIP_MAGIC):
        kind = "csv.gz"
    elif suffix.endswith((".xlsx", ".xlsm")):
        raise UnreadableFile(
            "The file is named as an Excel workbook and is none.",
            where=path.name,
            fix="Download it again, or rename it to .csv if it is text.",
        )
    else:
        kind = "csv"
    wrong_name = (kind == "xlsx" and suffix.endswith((".csv", ".tsv", ".txt", ".gz"))) or (
        kind == "csv.gz" and not suffix.endswith(".gz")
    )
    if wrong_name:
        raise UnreadableFile(
            f"The content is that of {names[kind]}, the name says otherwise.",
            where=path.name,
            fix=f"Rename the file to {names[kind]} if that is what it is.",
        )
    return kind
