"""What is mutated: the sample export of every shipped contract, in the forms that it has and in every other that is
read."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl
import zstandard

from demo.core.report_samples import write_report_samples
from harmonization.core.contract import Contract
from harmonization.core.library import shipped_contracts

_ROWS = 12


@dataclass(frozen=True, slots=True)
class Seed:
    """A file that a contract reads. `kind` is that of its outermost form."""

    name: str
    kind: str
    content: bytes
    contract: Contract


@lru_cache(maxsize=1)
def seeds() -> tuple[Seed, ...]:
    """The corpus, the same every time."""
    with tempfile.TemporaryDirectory() as folder:
        truths = write_report_samples(Path(folder), seed=11)
        made = [
            seed
            for truth in sorted(truths, key=lambda each: str(each["file"]))
            for seed in _forms(Path(folder) / truth["file"], _any_format(str(truth["contract"])))
        ]
    return tuple({seed.name: seed for seed in made}.values())


@lru_cache(maxsize=128)
def _any_format(name: str) -> Contract:
    contract = shipped_contracts()[name]
    formats = ["csv", "xlsx", "json", "ndjson", "parquet"]
    return contract.model_copy(update={"source": contract.source.model_copy(update={"formats": formats})})


def _forms(path: Path, contract: Contract) -> Iterator[Seed]:
    content, name = path.read_bytes(), path.name
    kind = path.suffix[1:].replace("tsv", "csv").replace("jsonl", "ndjson")
    stem = name.removesuffix(path.suffix)
    if kind != "csv":
        yield Seed(name, kind, content, contract)
        return
    content = b"".join(content.splitlines(keepends=True)[: _ROWS + 1])
    yield Seed(name, "csv", content, contract)
    yield Seed(f"{name}.gz", "gz", gzip.compress(content, mtime=0), contract)
    yield Seed(f"{name}.zst", "zst", zstandard.compress(content), contract)
    yield Seed(f"{stem}.zip", "zip", _zip({name: content, f"more-{name}": content}), contract)
    records = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    yield Seed(f"{stem}.json", "json", json.dumps(records).encode(), contract)
    lines = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    yield Seed(f"{stem}.ndjson", "ndjson", lines, contract)
    sink = io.BytesIO()
    pl.DataFrame(records, infer_schema_length=None).write_parquet(sink, compression="snappy")
    yield Seed(f"{stem}.parquet", "parquet", sink.getvalue(), contract)


def _zip(members: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return sink.getvalue()
