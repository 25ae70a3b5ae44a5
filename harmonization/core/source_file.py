"""What an opened export is: its kind, its first rows, and its rows as text cells.

Files come from anywhere, so everything that could exhaust memory or be misread in silence is settled before a row is
parsed: the content's kind against the extension, sizes (also of what an archive would expand to), encoding, line
lengths, the header row. Readers give every cell as text and every row its number in the file.
"""

from __future__ import annotations

import codecs
import json
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from tenants.core.problems import InvalidInput, TooLarge

ZIP_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
PARQUET_MAGIC: Final = b"PAR1"
_AS_TABLE: Final = "Export the report as CSV or XLSX."
#: Kinds of file that people send and that are never read, with what to send instead.
_FOREIGN: Final = (
    (b"\xd0\xcf\x11\xe0", "an Excel 97-2003 workbook or an encrypted one", "Save it as .xlsx without a password."),
    (b"%PDF", "a PDF document", _AS_TABLE),
    (b"\x89PNG", "an image", _AS_TABLE),
    (b"PARE", "a Parquet file with an encrypted footer", "Write it without encryption."),
    (b"ARROW1", "an Arrow file", "Write it as Parquet."),
    (b"ORC", "an ORC file", "Write it as Parquet."),
    (b"Obj\x01", "an Avro file", "Write it as Parquet or NDJSON."),
    (b"Rar!", "a RAR archive", "Pack it as .zip."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Pack it as .zip."),
    (b"BZh", "a bzip2 archive", "Pack it as .gz or .zip."),
    (b"\xfd7zXZ", "an xz archive", "Pack it as .gz or .zip."),
)
#: Suffixes of each kind; the first is the usual one.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "csv": (".csv", ".tsv", ".txt"),
    "xlsx": (".xlsx", ".xlsm"),
    "ndjson": (".ndjson", ".jsonl"),
    "json": (".json",),
    "parquet": (".parquet", ".pq"),
    "gz": (".gz",),
    "zst": (".zst",),
    "zip": (".zip",),
}
#: For doors that see a name before there is a content to look at.
SUFFIXES: Final = tuple(suffix for suffixes in _NAMES.values() for suffix in suffixes)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_TEXT_OF_JSON: Final = frozenset({"json", "ndjson"})
#: How far the end of the first record is looked for.
_LONGEST_RECORD: Final = 2 * 1024**2
#: An object or an array of objects; `[Date],[Spend]` is the header of a CSV file.
_JSON_START: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*[\"}]|\[\s*[\[{\]])")
HEAD_ROWS: Final = 50
SOURCE_ROW: Final = "source_row"
#: Why a row does not have as many cells as there are headers, or cannot be cut into cells at all; null where it does.
RAGGED: Final = "ragged"


def raw_name(position: int) -> str:
    """The name that a reader gives to the file's column at `position`."""
    return f"raw_{position}"


def storable(text: str) -> str:
    """`text` without what databases and files do not take: NUL and lone surrogates become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


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

    @property
    def names_its_columns(self) -> bool:
        """Whether the format itself names the columns: then the first row is their names, wherever records begin."""
        return self.kind in ("json", "ndjson", "parquet")


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file ready to harmonise.

    `rows` makes, for the header row's number (from 1) and its width, the lazy frame `raw_0..raw_n`, `source_row`,
    `ragged`. `others` are further tables of the same file, of which a contract may fit one better: sheets. `batches`
    gives the same rows in one quick pass over a file that seems plain, and stops where it is not.
    """

    head: Head
    rows: Callable[[int, int], pl.LazyFrame]
    warnings: tuple[str, ...] = field(default=())
    others: tuple[OpenedFile, ...] = field(default=())
    batches: Callable[[int, int], Iterator[Any]] | None = None


def refuse_special(path: Path) -> None:
    """Refuse what is no file to read: a folder, a pipe, a device, a path that is not there.

    A pipe would be waited for, and a device such as /dev/zero never ends; so this is asked before anything is opened.

    Raises:
        UnreadableFile: with what it is instead.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableFile(
            f"The file cannot be opened: {reason}.", where=path.name or str(path), fix="Check the path."
        ) from error
    if stat.S_ISREG(mode):
        return
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"))
    what = next((name for test, name in kinds if test(mode)), "a device")
    raise UnreadableFile(
        f"This is {what}, not a file.", where=path.name or str(path), fix="Give the path of one exported file."
    )


def sniff_kind(path: Path, *, named: bool = True) -> str:
    """`csv`, `xlsx`, `json`, `ndjson`, `parquet`, or a packing (`gz`, `zst`, `zip`), told by the content.

    With `named` the file's suffix must not speak of another kind: a wrong name is a wrong file as often as not.

    Raises:
        UnreadableFile: no file, empty, of a kind that is not read, or named as one kind and being another.
    """
    refuse_special(path)
    try:
        with path.open("rb") as file:
            start = file.read(64 * 1024)
    except OSError as error:
        raise UnreadableFile(
            f"The file cannot be opened: {error.strerror}.", where=path.name, fix="Check the path."
        ) from error
    if not start.strip(codecs.BOM_UTF8 + b" \t\r\n"):
        raise UnreadableFile("The file is empty.", where=path.name, fix="Export the report again.")
    for magic, what, fix in _FOREIGN:
        if start.startswith(magic):
            raise UnreadableFile(f"The file is {what}.", where=path.name, fix=fix)
    kind = _kind(path, start)
    if named:
        _agree(path.name, kind)
    return kind


def _kind(path: Path, start: bytes) -> str:
    if start.startswith(ZIP_MAGIC):
        return "xlsx" if _is_workbook(path) else "zip"
    for magic, kind in ((GZIP_MAGIC, "gz"), (ZSTD_MAGIC, "zst"), (PARQUET_MAGIC, "parquet")):
        if start.startswith(magic):
            return kind
    if not _JSON_START.match(start):
        return "csv"
    return "ndjson" if _has_lines(path, start) else "json"


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith("xl/workbook.") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        # Damaged: its reader will say so, and the name is all that tells which reader that is.
        return path.name.lower().endswith(_NAMES["xlsx"])


def _has_lines(path: Path, start: bytes) -> bool:
    """Whether a text of JSON is one value a line: its name says so, or its first line is whole and another follows."""
    if path.name.lower().endswith(_NAMES["ndjson"]):
        return True
    if b"\n" not in start.strip():
        with path.open("rb") as file:
            start = file.read(_LONGEST_RECORD)
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    line, newline, rest = text.partition(b"\n")
    if not newline or not rest.lstrip().startswith((b"{", b"[")) or not line.rstrip().endswith((b"}", b"]")):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _agree(name: str, kind: str) -> None:
    suffix = name.lower()
    said = next((each for each, suffixes in _NAMES.items() if suffix.endswith(suffixes)), None)
    if said is None or said == kind or {said, kind} <= _TEXT_OF_JSON:
        return
    if suffix.endswith(".txt") and kind in ("json", "ndjson"):
        return
    if said == "xlsx":
        packed = kind == "zip"
        raise UnreadableFile(
            "The file is a zip archive but no Excel workbook."
            if packed
            else "The file is named as an Excel workbook and is none.",
            where=name,
            fix="Rename it to .zip if it holds an export."
            if packed
            else "Download it again, or rename it to .csv if it is text.",
        )
    right = " or ".join(_NAMES[kind])
    raise UnreadableFile(
        f"The content is that of {right}, the name says otherwise.",
        where=name,
        fix=f"Rename the file to {right} if that is what it is.",
    )
