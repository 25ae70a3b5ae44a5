"""What may become of a file, whatever it is: a named problem, or rows of which every one is accounted for."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from harmonization.core.contract import Contract
from harmonization.core.delimited import open_delimited
from harmonization.core.engine import EVENTS, QUARANTINE, SKIPPED, harmonize_file
from harmonization.core.report import HarmonizeReport
from harmonization.core.source_file import Limits
from tenants.core.problems import Problem

#: Small, so that what grows with a file's size is found with small files.
LIMITS = Limits(file_size=64 * 1024**2, expanded_size=32 * 1024**2)


class WrongError(AssertionError):
    """Something that must not become of any file."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` of the problem, or `read` with its rows."""

    code: str
    rows: int = 0
    quarantined: int = 0


def judge(name: str, content: bytes, contract: Contract | list[Contract]) -> Verdict:
    """Harmonise a file and hold it to what is promised of any.

    Raises:
        WrongError: with what is wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / name, Path(folder) / "out"
        path.write_bytes(content)
        try:
            with redirect_stderr(io.StringIO()):
                report = harmonize_file(path, contract, out_dir=out, limits=LIMITS)
        except Problem as problem:
            return _named(problem)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            raise WrongError(f"{type(error).__name__}: {error}") from error
        _all_rows(report, out)
        _all_records(report, content)
        _storable(report.as_dict(), "the report")
        return Verdict("read", report.rows_in, report.rows_quarantined)


def _named(problem: Problem) -> Verdict:
    if not (problem.detail and problem.where and problem.fix):
        raise WrongError(f"a problem without place or fix: {problem.as_dict()}")
    _storable(problem.as_dict(), "the problem")
    return Verdict(problem.code)


def _storable(told: Mapping[str, Any], what: str) -> None:
    """It is kept as JSON with its load."""
    text = json.dumps(told, ensure_ascii=False)
    if "\\u0000" in text or "\0" in text:
        raise WrongError(f"{what} holds a NUL, which no database takes")
    text.encode()


def _all_rows(report: HarmonizeReport, out: Path) -> None:
    counts = {EVENTS: report.rows_out, QUARANTINE: report.rows_quarantined, SKIPPED: report.rows_skipped}
    seen = []
    for file, told in counts.items():
        rows = pl.read_parquet(out / file, columns=["source_row"])["source_row"]
        if rows.len() != told:
            raise WrongError(f"{file} has {rows.len()} rows, the report says {told}")
        seen.append(rows)
    rows = pl.concat(seen)
    if report.rows_in != rows.len() or rows.n_unique() != rows.len() or rows.null_count():
        raise WrongError(f"{report.rows_in} rows in, {rows.len()} accounted for, {rows.n_unique()} of them once")


def _all_records(report: HarmonizeReport, content: bytes) -> None:
    """Rows in are the records that the csv module, or json, finds in the file."""
    if report.file_name.endswith((".gz", ".zst", ".zip")):
        return
    if report.file_kind == "csv":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "again.csv"
            path.write_bytes(content)
            opened = open_delimited(
                path, compressed=False, encoding="auto", delimiter="auto", scratch=Path(folder), limits=LIMITS
            )
        found = _csv_records(content, str(opened.head.delimiter), report.encoding or "") - report.header_row
    elif report.file_kind == "ndjson":
        found = content.removeprefix(b"\xef\xbb\xbf").count(b"\n") + (not content.endswith(b"\n"))
    elif report.file_kind == "json":
        try:
            value = json.loads(content.decode("utf-8-sig"))
        except ValueError:
            return
        if not isinstance(value, list):
            return
        found = len(value)
    else:
        return
    if found != report.rows_in:
        raise WrongError(f"{report.rows_in} rows in, {found} records in the file")


def _csv_records(content: bytes, delimiter: str, encoding: str) -> int:
    try:
        text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError:
        # Of mixed encodings: no byte above 127 separates or quotes anything, in any of them.
        text = content.decode("latin-1")
    # The module has one limit for the whole process: whoever comes after this finds what was there before.
    before = csv.field_size_limit(2 * 1024**2)
    try:
        return sum(1 for _ in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter))
    finally:
        csv.field_size_limit(before)
