"""CSV files, as found in the wild.

A file in which every record is one line with as many cells as there are headers is read by Polars as it lies. Any
other (another encoding, quotes inside bare cells, records over several lines, rows too short or too long) is first
rewritten beside it as a clean table by the csv module, which reads leniently, with a note on each row that does not
fit the header. So no row is lost and none is shifted in silence.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, Final

import polars as pl

from harmonization.core.line_blocks import PlainBlock, is_plain, plain_batches
from harmonization.core.mixed_text import REPLACEMENT, mend
from harmonization.core.source_file import (
    HEAD_ROWS,
    RAGGED,
    SOURCE_ROW,
    FileTooLarge,
    Head,
    Limits,
    OpenedFile,
    UnreadableFile,
    raw_name,
)

_CHUNK: Final = 4 * 1024**2
_DELIMITERS: Final = (",", ";", "\t", "|")
_LINE: Final = "line"
_NO_SIGN: Final = b"\x01"


@dataclass(frozen=True, slots=True)
class _Scan:
    """What one pass over the bytes tells."""

    encoding: str
    quotes: bool
    lines: int
    bare_returns: bool
    odd: bool


class _NotUtf8Error(ValueError):
    """The file is not UTF-8 throughout."""


def open_delimited(
    path: Path,
    *,
    compressed: bool,
    encoding: str,
    delimiter: str,
    scratch: Path,
    limits: Limits,
    plain_from: int | None = None,
) -> OpenedFile:
    """Open a CSV file, plain or gzipped.

    One of at least `plain_from` bytes that begins with plain lines is taken to be plain throughout, without a look.

    Raises:
        UnreadableFile: no text, or text in another encoding than declared (names the byte).
        FileTooLarge: a line or the expanded archive is over its limit.
    """
    name = path.name
    if compressed:
        path = _expand(path, scratch, limits)
    with path.open("rb") as file:
        start = file.read(64 * 1024)
    settled, _ = _encoding(start, encoding, name)
    if plain_from is not None and path.stat().st_size >= plain_from and settled == "utf-8":
        begin = start[: start.rfind(b"\n") + 1]
        if begin and is_plain(begin):
            return _plain(path, encoding, delimiter, scratch, limits)
    warnings, found, holes = [], settled, False
    try:
        scan = _scan(path, name, settled, limits)
    except _NotUtf8Error:
        mended = scratch / "mended.csv"
        repair = mend(path, mended, name, limits)
        path, found, holes = mended, repair.encoding, repair.unreadable_lines > 0
        warnings.append(repair.warning)
        scan = _scan(path, name, "utf-8", limits)
    with _records(path, scan.encoding, delimiter="\n", limits=limits) as lines:
        first_lines = [line[0] for line in islice(lines, HEAD_ROWS) if line]
    chosen = _delimiter(first_lines) if delimiter == "auto" else delimiter
    with _records(path, scan.encoding, delimiter=chosen, limits=limits) as records:
        try:
            rows = tuple(tuple(record[: limits.columns + 1]) for record in islice(records, HEAD_ROWS))
        except csv.Error as error:
            raise _long_cell(name, 1, limits) from error
    head = Head(rows=rows, kind="csv", encoding=found, delimiter=chosen)

    def frame(header_row: int, width: int) -> pl.LazyFrame:
        if width > limits.columns:
            raise FileTooLarge(
                f"The file has more than {limits.columns:,} columns.",
                where=f"{name}, row {header_row}",
                fix="Export fewer columns, or set source.delimiter of the contract.",
            )
        one_line_records = (
            scan.encoding == "utf-8"
            and not scan.bare_returns
            and not scan.odd
            and not holes
            and not any("\n" in cell or "\r" in cell for row in rows[:header_row] for cell in row)
        )
        if one_line_records and _is_regular(path, chosen, header_row, width, quotes=scan.quotes):
            return _as_it_lies(path, chosen, header_row, width)
        clean = scratch / "clean.csv"
        _rewrite(path, clean, scan.encoding, chosen, header_row, width, limits, name, holes=holes)
        return _rewritten(clean, header_row, width)

    return OpenedFile(head, frame, tuple(warnings))


def _plain(path: Path, encoding: str, delimiter: str, scratch: Path, limits: Limits) -> OpenedFile:
    """A file of plain lines, its rows cut as they are read."""

    def careful(sign: str = delimiter) -> OpenedFile:
        return open_delimited(path, compressed=False, encoding=encoding, delimiter=sign, scratch=scratch, limits=limits)

    with path.open("rb") as file:
        start = file.read(_CHUNK)
    text = start[: start.rfind(b"\n") + 1].decode("utf-8-sig", errors="replace")
    lines = list(islice(StringIO(text, newline=""), HEAD_ROWS))
    if len(lines) < HEAD_ROWS and path.stat().st_size > _CHUNK:
        # Few lines in so many bytes: whoever looks at every line says which of them is too long.
        return careful()
    told = [line.rstrip("\r\n") for line in lines]
    chosen = _delimiter([line for line in told if line]) if delimiter == "auto" else delimiter
    try:
        rows = tuple(tuple(record[: limits.columns + 1]) for record in csv.reader(lines, delimiter=chosen))
    except csv.Error:
        return careful()

    def looked_at(header_row: int, width: int) -> pl.LazyFrame:
        return careful(chosen).rows(header_row, width)

    def batches(header_row: int, width: int) -> Iterator[PlainBlock]:
        return plain_batches(path, chosen, header_row, width, limits)

    head = Head(rows=rows, kind="csv", encoding="utf-8", delimiter=chosen)
    return OpenedFile(head, looked_at, batches=batches)


def _expand(path: Path, scratch: Path, limits: Limits) -> Path:
    target = scratch / "expanded.csv"
    allowed = min(limits.expanded_size, max(path.stat().st_size * limits.expansion_ratio, _CHUNK))
    written = 0
    try:
        with gzip.open(path, "rb") as source, target.open("wb") as sink:
            while chunk := source.read(_CHUNK):
                written += len(chunk)
                if written > allowed:
                    raise FileTooLarge(
                        f"The archive expands to more than {allowed:,} bytes.",
                        where=path.name,
                        fix="Upload the export uncompressed, in parts if it is large.",
                    )
                sink.write(chunk)
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise UnreadableFile(
            f"The archive is damaged: {error}.", where=path.name, fix="Download the export again."
        ) from error
    return target


def _encoding(start: bytes, declared: str, name: str) -> tuple[str, bool]:
    """The encoding to try, and whether it is a guess."""
    marks = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
    for mark, encoding in marks:
        if start.startswith(mark):
            if declared not in ("auto", encoding):
                raise UnreadableFile(
                    f"The file is {encoding}, the contract says {declared}.",
                    where=f"{name}, byte 0",
                    fix="Set source.encoding to auto.",
                )
            return encoding, False
    if declared != "auto":
        return declared, False
    sample = start[:4096]
    if sample.count(0) > len(sample) // 4:
        evens, odds = sample[0::2].count(0), sample[1::2].count(0)
        if evens == 0 or odds == 0:
            return ("utf-16-le" if odds else "utf-16-be"), True
    if b"\0" in sample:
        position = sample.index(b"\0")
        raise UnreadableFile(
            "The file holds binary data, not text.",
            where=f"{name}, byte {position}",
            fix="Export the report as CSV or XLSX.",
        )
    return "utf-8", True


def _scan(path: Path, name: str, encoding: str, limits: Limits) -> _Scan:
    """Validate the encoding over the whole file; fall back from UTF-8 to Windows-1252 where nothing was declared."""
    decoder = codecs.getincrementaldecoder(encoding)()
    quotes = bare_returns = odd = False
    lines = offset = unbroken = 0
    with path.open("rb") as file:
        ended = False
        while not ended:
            chunk = file.read(_CHUNK)
            ended = not chunk
            try:
                decoder.decode(chunk, final=ended)
            except UnicodeDecodeError as error:
                if encoding == "utf-8":
                    raise _NotUtf8Error from error
                raise UnreadableFile(
                    f"The text is neither UTF-8 nor {encoding}.",
                    where=f"{name}, byte {offset + error.start}",
                    fix="Save the file as UTF-8.",
                ) from error
            end = b"\n" if b"\n" in chunk else b"\r"
            newline = chunk.find(end)
            unbroken += len(chunk) if newline < 0 else newline
            if unbroken > limits.line:
                raise FileTooLarge(
                    f"A line is longer than {limits.line:,} bytes.",
                    where=f"{name}, line {lines + 1}",
                    fix="Check that the file is a table with one record a line, and export it again.",
                )
            if newline >= 0:
                unbroken = len(chunk) - chunk.rfind(end) - 1
            lines += chunk.count(b"\n")
            quotes = quotes or b'"' in chunk
            # NUL is to be told; the other is what `_is_regular` takes for a sign that no line has.
            odd = odd or b"\0" in chunk or _NO_SIGN in chunk
            bare_returns = bare_returns or chunk.count(b"\r") > chunk.count(b"\r\n") + chunk.endswith(b"\r")
            offset += len(chunk)
    return _Scan(encoding, quotes, lines, bare_returns, odd)


def _delimiter(lines: list[str]) -> str:
    """The sign that cuts one of the lines into most cells with words in them, as it does the headers.

    Cells of any kind only decide between equals: where the comma is the decimal sign, there may be more commas in a row
    than there are semicolons.
    """

    def cells(sign: str) -> tuple[int, int]:
        words = (sum(any(map(str.isalpha, cell)) for cell in line.split(sign)) for line in lines)
        return max(words, default=0), max((line.count(sign) for line in lines), default=0)

    return max(_DELIMITERS, key=cells)


@contextmanager
def _records(path: Path, encoding: str, *, delimiter: str, limits: Limits) -> Iterator[Iterator[list[str]]]:
    with _text(path, encoding) as file:
        if delimiter == "\n":
            yield ([line.rstrip("\r\n")] for line in file)
        else:
            # The module has one limit for the whole process: whoever reads beside this gets back what it had.
            before = csv.field_size_limit(limits.line)
            try:
                yield csv.reader(file, delimiter=delimiter)
            finally:
                csv.field_size_limit(before)


@contextmanager
def _text(path: Path, encoding: str) -> Iterator[IO[str]]:
    with path.open("rb") as binary:
        yield TextIOWrapper(binary, encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")


def _schema(width: int) -> dict[str, pl.DataType]:
    return {raw_name(position): pl.String() for position in range(width)}


def _is_regular(path: Path, delimiter: str, header_row: int, width: int, *, quotes: bool) -> bool:
    """Whether each line after the header is one record of `width` well-formed cells, or blank."""
    sign = re.escape(delimiter)
    cell = rf'(?:"(?:[^"]|"")*"|[^"{sign}]*)' if quotes else rf"[^{sign}]*"
    record = rf"^(?:{cell}(?:{sign}{cell}){{{width - 1}}}|\s*)\r?$"
    lines = pl.scan_csv(
        path,
        has_header=False,
        skip_lines=header_row,
        separator=_NO_SIGN.decode(),
        quote_char=None,
        schema={_LINE: pl.String()},
        empty_string_is_null=False,
        raise_if_empty=False,
    )
    return bool(lines.select(pl.col(_LINE).str.contains(record).all()).collect(engine="streaming").item())


def _as_it_lies(path: Path, delimiter: str, header_row: int, width: int) -> pl.LazyFrame:
    rows = pl.scan_csv(
        path,
        has_header=False,
        skip_lines=header_row,
        separator=delimiter,
        schema=_schema(width),
        row_index_name=SOURCE_ROW,
        row_index_offset=header_row + 1,
        missing_columns="insert",
        raise_if_empty=False,
    )
    return rows.with_columns(pl.col(SOURCE_ROW).cast(pl.Int64), pl.lit(None, dtype=pl.String).alias(RAGGED))


def _rewrite(
    path: Path,
    clean: Path,
    encoding: str,
    delimiter: str,
    header_row: int,
    width: int,
    limits: Limits,
    name: str,
    *,
    holes: bool,
) -> None:
    with (
        _records(path, encoding, delimiter=delimiter, limits=limits) as records,
        clean.open("w", encoding="utf-8", newline="") as file,
    ):
        sink = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        number = 0
        try:
            for number, record in enumerate(records, start=1):
                if number <= header_row:
                    continue
                sink.writerow((_misfit(record, width) or _hole(record, holes=holes), *_fitted(record, width)))
        except csv.Error as error:
            raise _long_cell(name, number, limits) from error


def _long_cell(name: str, after: int, limits: Limits) -> FileTooLarge:
    return FileTooLarge(
        f"A cell is longer than {limits.line:,} characters; a quote may be unclosed.",
        where=f"{name}, after row {after}",
        fix="Close the quote, or export the report again.",
    )


def _fitted(record: list[str], width: int) -> list[str]:
    return [cell.replace("\0", REPLACEMENT) for cell in (record + [""] * (width - len(record)))[:width]]


def _hole(record: list[str], *, holes: bool) -> str:
    """What of the record could not be read as text; databases take no NUL."""
    for position, cell in enumerate(record, start=1):
        if "\0" in cell:
            return f"a NUL character in cell {position}"
        if holes and REPLACEMENT in cell:
            return f"bytes in cell {position} that are no text"
    return ""


def _misfit(record: list[str], width: int) -> str:
    if len(record) < width and record:
        lines = sum(cell.count("\n") for cell in record)
        return f"only {len(record)} of {width} cells" + (
            f" in {lines + 1:,} lines: is a quote unclosed?" if lines else ""
        )
    beyond = [cell for cell in record[width:] if cell.strip()]
    if beyond:
        return f"more than {width} cells: {', '.join(beyond)[:200]}".replace("\0", REPLACEMENT)
    return ""


def _rewritten(clean: Path, header_row: int, width: int) -> pl.LazyFrame:
    rows = pl.scan_csv(
        clean,
        has_header=False,
        schema={RAGGED: pl.String(), **_schema(width)},
        row_index_name=SOURCE_ROW,
        row_index_offset=header_row + 1,
        raise_if_empty=False,
    )
    text = pl.col(RAGGED)
    return rows.with_columns(pl.col(SOURCE_ROW).cast(pl.Int64), pl.when(text != "").then(text).alias(RAGGED))
