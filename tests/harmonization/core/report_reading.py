"""Sample reports read back by csv, openpyxl, json and pyarrow with Decimal alone, nothing of the product in between."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet

Rows = list[dict[str, Any]]


def read_rows(path: Path) -> Rows:
    """The rows of a file by header, cells as the format holds them. Headers lose their outer spaces."""
    if path.suffix == ".xlsx":
        header, *rows = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
        return [dict(zip([str(name or "").strip() for name in header], row, strict=False)) for row in rows]
    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path).to_pylist()
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    kind = path.name.removesuffix(".gz").rsplit(".", 1)[-1]
    text = content.decode("utf-8-sig")
    if kind in ("csv", "tsv"):
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if kind == "tsv" else ",")
        return [{name.strip(): value for name, value in row.items()} for row in reader]
    if kind == "ndjson":
        return [_flat(json.loads(line, parse_float=Decimal)) for line in text.splitlines()]
    whole = json.loads(text, parse_float=Decimal)
    documents = next(part for part in whole.values() if isinstance(part, list)) if isinstance(whole, dict) else whole
    return [_flat(document) for document in documents]


def _flat(document: dict[str, Any], before: str = "") -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in document.items():
        row |= _flat(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": value}
    return row


def amount(cell: Any) -> Decimal | None:
    """A cell as a decimal; a float as the shortest decimal that reads back as the same float."""
    if cell is None or cell == "":
        return None
    text = repr(cell) if isinstance(cell, float) else str(cell)
    return Decimal(re.sub(r"^[^\d-]+", "", text).replace(",", ""))


def figure_values(rows: Rows, truth: dict[str, Any]) -> list[Decimal | None]:
    """What a file says of one figure, row by row, in the unit of the schema."""
    if not truth["header"]:
        return [Decimal(1)] * len(rows)
    scale = Decimal("0.000001") if truth["unit"] == "0.000001" else Decimal(1)
    values: list[Decimal | None] = []
    for row in rows:
        counts = all(row[name] in wanted for name, wanted in (truth["only"] or {}).items())
        value = amount(row[truth["header"].strip()]) if counts else None
        values.append(None if value is None else value * scale)
    return values
