"""Policy files: the rules of a network, of the law or of the tenant, with their source and the time they are in force.

Columns: `network`, `rule_id`, `scope`, `severity` (block, warn, info), `statement`; and where known `effective_from`,
`effective_to`, `min_cell_k`, `allowed_windows` (days, joined by |), `creative_limits` (name=value, joined by |) and
`source`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from harmonization.core.record_file import Findings, Record, as_date, as_decimal, missing_columns, read_records

REQUIRED: Final = ("network", "rule_id", "scope", "severity", "statement")
SEVERITIES: Final = ("block", "warn", "info")
MAX_ROWS: Final = 5_000
LONGEST: Final = {"network": 40, "rule_id": 80, "scope": 80, "statement": 2000, "source": 400}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """One rule. `parameters` are the limits that checks read: `allowed_windows`, and the creative limits by name."""

    row: int
    network: str
    rule_id: str
    scope: str
    severity: str
    statement: str
    effective_from: date | None
    effective_to: date | None
    min_cell_k: int | None
    parameters: dict[str, Any]
    source: str


def read_policies(path: Path) -> list[PolicyRow]:
    """Read a policy file.

    Raises:
        InvalidInput: with every finding (up to 50), each naming its row and column.
    """
    header, records = read_records(path, what="policy file", max_rows=MAX_ROWS)
    missing_columns(header, REQUIRED, what="policy file")
    findings, seen = Findings(), dict[tuple[str, str, date | None], int]()
    rows: list[PolicyRow] = []
    for record in records:
        problems = [*_problems(record)]
        for column, detail in problems:
            findings.add(record.row, column, detail)
        if not problems:
            row = _row(record)
            key = (row.network, row.rule_id, row.effective_from)
            if seen.setdefault(key, record.row) != record.row:
                findings.add(record.row, "rule_id", f"{row.rule_id} of that day stands in row {seen[key]} already")
            rows.append(row)
        if findings.is_full:
            break
    findings.raise_if_any()
    if not rows:
        findings.add(2, "row", "the policy file has no rows below its header")
        findings.raise_if_any()
    return rows


def _problems(record: Record) -> list[tuple[str, str]]:
    found = [("row", "there are more cells than columns")] if record.is_ragged else []
    found += [(column, f"{column} is empty") for column in REQUIRED if not record.get(column)]
    found += [
        (column, f"{column} has {len(record.get(column))} characters, {longest} fit")
        for column, longest in LONGEST.items()
        if len(record.get(column)) > longest
    ]
    if (network := record.get("network").lower()) and not _NAME.fullmatch(network):
        found.append(("network", f"{network!r} is not a name such as walmart_connect"))
    if (severity := record.get("severity").lower()) and severity not in SEVERITIES:
        found.append(("severity", f"{severity!r} is none of {', '.join(SEVERITIES)}"))
    for column in ("effective_from", "effective_to"):
        if (text := record.get(column)) and as_date(text) is None:
            found.append((column, f"{text!r} is not a date such as 2026-11-22"))
    first, last = as_date(record.get("effective_from")), as_date(record.get("effective_to"))
    if first and last and last < first:
        found.append(("effective_to", f"it ends on {last}, before it begins"))
    if (cell := record.get("min_cell_k")) and (not cell.isdecimal() or not 2 <= int(cell) <= 1_000_000):
        found.append(("min_cell_k", f"{cell!r} is not a whole number from 2 on"))
    windows = _parts(record.get("allowed_windows"))
    if any(not window.isdecimal() or not 1 <= int(window) <= 365 for window in windows):
        found.append(("allowed_windows", "windows are whole days from 1 to 365, joined by |"))
    if any("=" not in limit for limit in _parts(record.get("creative_limits"))):
        found.append(("creative_limits", "limits are name=value, joined by |"))
    return found


def _row(record: Record) -> PolicyRow:
    parameters: dict[str, Any] = {}
    if windows := _parts(record.get("allowed_windows")):
        parameters["allowed_windows"] = [int(window) for window in windows]
    for limit in _parts(record.get("creative_limits")):
        name, _, value = limit.partition("=")
        number = as_decimal(value.strip())
        parameters[name.strip()] = int(number) if number is not None and number == int(number) else value.strip()
    cell = record.get("min_cell_k")
    return PolicyRow(
        row=record.row,
        network=record.get("network").lower(),
        rule_id=record.get("rule_id"),
        scope=record.get("scope"),
        severity=record.get("severity").lower(),
        statement=record.get("statement"),
        effective_from=as_date(record.get("effective_from")),
        effective_to=as_date(record.get("effective_to")),
        min_cell_k=int(cell) if cell else None,
        parameters=parameters,
        source=record.get("source"),
    )


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()]
