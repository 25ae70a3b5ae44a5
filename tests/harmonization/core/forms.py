"""One small report in every form that is read, and a contract that reads each."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import zstandard

from harmonization.core.contract import Contract
from harmonization.core.engine import harmonize_file
from harmonization.core.library import find_contract
from harmonization.core.report import HarmonizeReport
from tests.harmonization.core.exports import SEARCH_TERM, csv_bytes, search_term_row

FORMATS = ["csv", "xlsx", "json", "ndjson", "parquet"]
HEADERS = [header.strip() for header in SEARCH_TERM]


def search_terms(**source: Any) -> Contract:
    """The search-term contract, reading every format."""
    contract = find_contract("amazon_sp_search_term")
    return contract.model_copy(update={"source": contract.source.model_copy(update={"formats": FORMATS} | source)})


def record(term: str, **cells: str) -> dict[str, str]:
    return dict(zip(HEADERS, search_term_row(term, **cells), strict=True))


def as_json(records: Sequence[Mapping[str, Any]]) -> bytes:
    return json.dumps(records).encode()


def as_ndjson(records: Sequence[Mapping[str, Any]]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


def as_parquet(records: Sequence[Mapping[str, Any]], **form: Any) -> bytes:
    sink = io.BytesIO()
    pl.DataFrame(records).write_parquet(sink, **form)
    return sink.getvalue()


def as_zip(members: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return sink.getvalue()


def as_csv(*terms: str) -> bytes:
    return csv_bytes([SEARCH_TERM, *(search_term_row(term) for term in terms)])


def as_gz(content: bytes) -> bytes:
    return gzip.compress(content)


def as_zst(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


def harmonised(
    tmp_path: Path, name: str, content: bytes, contract: Contract | None = None
) -> tuple[HarmonizeReport, pl.DataFrame, pl.DataFrame]:
    """The report, the good rows and the quarantined ones of a file of `content`; every row is accounted for."""
    path = tmp_path / name
    path.write_bytes(content)
    report = harmonize_file(path, contract or search_terms(), out_dir=tmp_path / "out")
    ways = [pl.read_parquet(tmp_path / "out" / f"{way}.parquet") for way in ("events", "quarantine", "skipped")]
    rows = pl.concat([way["source_row"] for way in ways])
    assert report.rows_in == len(rows) == rows.n_unique()
    return report, ways[0], ways[1]
