"""What is mutated: each shipped contract's sample export, in the form that it has and in every other that is read."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl
import zstandard

from demo.core.report_samples import write_report_samples
from harmonization.core.contract import Contract
from harmonization.core.library import shipped_contracts

FORMATS = ["csv", "xlsx", "json", "ndjson", "parquet"]
_ROWS = 12


@dataclass(frozen=True, slots=True)
class Export:
    """A file that `contract` reads; `kind` is that of the content."""

    name: str
    kind: str
    content: bytes
    contract: str


@lru_cache(maxsize=1)
def exports() -> tuple[Export, ...]:
    """The sample exports, unpacked, with their first rows; the same every time."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for truth in write_report_samples(Path(folder), seed=11):
            path = Path(folder) / str(truth["file"])
            content, name = path.read_bytes(), path.name
            if name.endswith(".gz"):
                content, name = gzip.decompress(content), name.removesuffix(".gz")
            kind = {"tsv": "csv", "jsonl": "ndjson"}.get(name.rpartition(".")[2], name.rpartition(".")[2])
            if kind in ("csv", "ndjson"):
                content = b"".join(content.splitlines(keepends=True)[: _ROWS + 1])
            made.append(Export(name, kind, content, str(truth["contract"])))
    return tuple(sorted(made, key=lambda export: export.name))


@lru_cache(maxsize=1)
def all_contracts() -> dict[str, Contract]:
    """The shipped contracts; reading them takes seconds."""
    return shipped_contracts()


@lru_cache(maxsize=128)
def contract_of(name: str) -> Contract:
    """The shipped contract, reading every format."""
    contract = all_contracts()[name]
    return contract.model_copy(update={"source": contract.source.model_copy(update={"formats": FORMATS})})


def in_form(export: Export, kind: str) -> Export:
    """A CSV export as the same records in another form."""
    records = list(csv.DictReader(io.StringIO(export.content.decode("utf-8-sig"))))
    if kind == "json":
        content = json.dumps(records).encode()
    elif kind == "ndjson":
        content = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    else:
        sink = io.BytesIO()
        pl.DataFrame(records, infer_schema_length=None).write_parquet(sink, compression="snappy")
        content = sink.getvalue()
    return Export(f"{export.name.rpartition('.')[0]}.{kind}", kind, content, export.contract)


def packed(name: str, content: bytes, kind: str) -> tuple[str, bytes]:
    """Name and content of a file in an archive; a zip holds it twice."""
    if kind == "gz":
        return f"{name}.gz", gzip.compress(content, mtime=0)
    if kind == "zst":
        return f"{name}.zst", zstandard.compress(content)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in (name, f"more-{name}"):
            archive.writestr(zipfile.ZipInfo(member), content)
    return f"{name.rpartition('.')[0]}.zip", sink.getvalue()
