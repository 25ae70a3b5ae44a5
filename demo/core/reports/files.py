"""Samples as files, in the forms that networks deliver, and what is true of them as JSON."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
from pathlib import Path
from typing import Any

import polars as pl

from demo.core.reports.facts import Row
from demo.core.reports.tables import Column, Form, Sample, shown
from demo.core.writers.console_workbook import write_workbook


def write_sample(sample: Sample, folder: Path) -> Path:
    """Write the file of a sample into `folder`; the same sample is the same bytes."""
    path = folder / sample.file_name
    if sample.form.kind == "xlsx":
        rows = ([_native(column, row) for column in sample.columns] for row in sample.rows)
        header = [column.header for column in sample.columns]
        write_workbook(path, sample.table.sheet, header, rows, claims_one_cell=True)
        return path
    if sample.form.kind == "parquet":
        _write_parquet(sample, path)
        return path
    content = _delimited(sample) if sample.form.kind in ("csv", "tsv") else _documents(sample)
    path.write_bytes(gzip.compress(content, mtime=0) if sample.form.packed == "gz" else content)
    return path


def sample_truth(sample: Sample) -> dict[str, Any]:
    """What is true of a sample's file, in values that JSON holds: each figure with its header, unit and total."""
    return {
        "file": sample.file_name,
        "contract": sample.table.contract,
        "network": sample.table.network,
        "currency": sample.form.currency,
        "file_names_currency": sample.table.knows_currency,
        "parameters": dict(sample.form.parameters),
        "rows": len(sample.rows),
        "rows_kept": sample.kept,
        "figures": [
            {
                "column": figure.meaning.column,
                "header": figure.header,
                "unit": str(figure.unit),
                "only": figure.meaning.only and {figure.meaning.only[0]: list(figure.meaning.only[1])},
                "total": str(figure.total),
                **(figure.meaning.attribution.qualifiers() if figure.meaning.attribution else {}),
            }
            for figure in sample.figures
        ],
    }


def _delimited(sample: Sample) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t" if sample.form.kind == "tsv" else ",")
    writer.writerow([column.header for column in sample.columns])
    for row in sample.rows:
        writer.writerow([_printed(column, row, sample.form) for column in sample.columns])
    return text.getvalue().encode("utf-8-sig" if sample.form.byte_order_mark else "utf-8")


def _documents(sample: Sample) -> bytes:
    rows = [{column.header: _plain(_native(column, row)) for column in sample.columns} for row in sample.rows]
    if sample.form.kind == "ndjson":
        return "".join(json.dumps(_nested(row), ensure_ascii=False) + "\n" for row in rows).encode()
    documents = [_nested(row) for row in rows]
    whole = {sample.form.records: documents, "total": len(documents)} if sample.form.records else documents
    return json.dumps(whole, ensure_ascii=False, indent=1).encode()


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    """`metrics.clicks` as `clicks` within `metrics`."""
    whole: dict[str, Any] = {}
    for header, value in row.items():
        *outer, name = header.split(".")
        place = whole
        for step in outer:
            place = place.setdefault(step, {})
        place[name] = value
    return whole


def _write_parquet(sample: Sample, path: Path) -> None:
    frame = pl.DataFrame(
        {column.header: [_native(column, row) for row in sample.rows] for column in sample.columns}, strict=False
    )
    frame.write_parquet(path, compression="snappy")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _native(column: Column, row: Row) -> Any:
    """A cell as a number, date or text."""
    if column.kind == "empty":
        return None
    if column.kind == "text":
        return shown(column, row)
    value = row[column.key]
    if value is None:
        return None
    if column.kind == "money":
        return value / 100
    if column.kind == "ratio":
        return round(value / row[column.over], 6) if row[column.over] else None
    return value


def _printed(column: Column, row: Row, form: Form) -> str:
    """A cell as text, in the style of the form."""
    value = _native(column, row)
    if value is None:
        return ""
    if column.kind == "date":
        return form.style.date(value)
    if column.kind == "money":
        return form.style.money(row[column.key])
    if column.kind == "ratio":
        return f"{100 * value:.2f}%" if form.style.percent else f"{value:.4f}"
    if column.kind == "count" and form.style.grouped:
        return f"{value:,}"
    if column.kind == "instant":
        return str(value.isoformat(sep=" "))
    return str(value)
