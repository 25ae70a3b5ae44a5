"""The command-line act of harmonising one file: from names and paths to a report, without a database."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from harmonization.core.engine import harmonize_file, harmonize_files
from harmonization.core.library import find_contract, shipped_contracts
from harmonization.core.load_context import LoadContext
from harmonization.core.report import exact
from harmonization.core.source_file import UnreadableFile

AUTO = "auto"
_ROWS = ("rows_in", "rows_out", "rows_quarantined", "rows_skipped")


def run(
    file: Path,
    *,
    contract: str = AUTO,
    out_dir: Path | None = None,
    account: str | None = None,
    currency: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Harmonise `file` by a contract's name, the path of one, or the shipped one that fits (`auto`).

    Returns the report as JSON-able values, with `seconds` (wall clock) and `peak_rss_mb` of this process.

    Raises:
        Problem: what is wrong with the file, the contract or a parameter.
    """
    started = time.perf_counter()
    chosen = list(shipped_contracts().values()) if contract == AUTO else find_contract(contract)
    context = LoadContext(account_id=account, currency=currency, parameters=dict(parameters or {}))
    report = harmonize_file(file, chosen, out_dir=out_dir, context=context)
    return report.as_dict() | {"seconds": round(time.perf_counter() - started, 3), "peak_rss_mb": _peak_rss_mb()}


def run_several(
    files: Sequence[Path],
    *,
    contract: str = AUTO,
    out_dir: Path | None = None,
    account: str | None = None,
    currency: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Harmonise the files of one report as `run` does one; `files` may hold patterns such as `november-*.csv`.

    Returns sums over the files and, as `files`, the report of each. What repeats a row of an earlier file is skipped.

    Raises:
        Problem: what is wrong with a file, the contract or a parameter; then nothing is left of any.
    """
    started = time.perf_counter()
    chosen = list(shipped_contracts().values()) if contract == AUTO else find_contract(contract)
    context = LoadContext(account_id=account, currency=currency, parameters=dict(parameters or {}))
    reports = harmonize_files(_expanded(files), chosen, out_dir=out_dir, context=context)
    totals: dict[str | None, list[Any]] = {}
    for total in (total for report in reports for total in report.totals):
        sums = totals.setdefault(total.currency, [0, 0, Decimal(0)])
        sums[:] = [sums[0] + total.impressions, sums[1] + total.clicks, sums[2] + total.spend]
    return {
        **{key: sum(getattr(report, key) for report in reports) for key in _ROWS},
        "totals": [
            {"currency": code, "impressions": shown, "clicks": clicks, "spend": exact(spend)}
            for code, (shown, clicks, spend) in sorted(totals.items(), key=lambda item: item[0] or "")
        ],
        "files": [report.as_dict() for report in reports],
        "seconds": round(time.perf_counter() - started, 3),
        "peak_rss_mb": _peak_rss_mb(),
    }


def _expanded(files: Sequence[Path]) -> list[Path]:
    """Patterns as the files they mean, in the order of their names; a name that is a file is no pattern."""
    found: list[Path] = []
    for path in files:
        if path.exists() or not any(sign in path.name for sign in "*?["):
            found.append(path)
            continue
        matching = sorted(each for each in path.parent.glob(path.name) if each.is_file())
        if not matching:
            raise UnreadableFile("No file matches.", where=str(path), fix="Check the pattern and the folder.")
        found += matching
    return found


def as_tables(document: Mapping[str, Any]) -> str:
    """The report of several files for a terminal: a line for each, and their sums."""
    lines = [_counts(file["file_name"], file) for file in document["files"]]
    lines.append(_counts(f"{len(document['files'])} files", document))
    lines += [_total(total) for total in document["totals"]]
    lines.append(f"{document['seconds']} s, peak {document['peak_rss_mb']} MB")
    return "\n".join(lines)


def _counts(name: str, counted: Mapping[str, Any]) -> str:
    return (
        f"{name}\nrows   in {counted['rows_in']:>12,}   out {counted['rows_out']:>12,}   "
        f"quarantined {counted['rows_quarantined']:>9,}   skipped {counted['rows_skipped']:>9,}"
    )


def _total(total: Mapping[str, Any]) -> str:
    return (
        f"{total['currency'] or '---':<6} spend {total['spend']:>15}   impressions {total['impressions']:>13,}   "
        f"clicks {total['clicks']:>11,}"
    )


def _peak_rss_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return round(peak / unit, 1)


def as_table(document: Mapping[str, Any]) -> str:
    """The report for a terminal."""
    lines = [
        f"{document['file_name']}: {document['contract']} v{document['contract_version']}, "
        f"{document['period_start']} to {document['period_end']}",
        f"rows   in {document['rows_in']:>12,}   out {document['rows_out']:>12,}   "
        f"quarantined {document['rows_quarantined']:>9,}   skipped {document['rows_skipped']:>9,}",
    ]
    lines += [
        f"{total['currency'] or '---':<6} spend {total['spend']:>15}   impressions {total['impressions']:>13,}   "
        f"clicks {total['clicks']:>11,}"
        for total in document["totals"]
    ]
    for column, total in zip(document["attribution_columns"], document["attributed"], strict=True):
        mark = "*" if column["is_default"] else " "
        lines.append(f"     {mark} {column['label']:<52} {total['value']:>15}")
    for rule in document["quarantine"]:
        first = rule["examples"][0]
        lines.append(f"quarantine  {rule['rule']:<28} {rule['rows']:>9,} rows, first at row {first['source_row']}")
    for reason, rows in document["skipped_by_reason"].items():
        lines.append(f"skipped     {reason:<28} {rows:>9,} rows")
    lines += [f"warning     {warning['detail']}" for warning in document["warnings"]]
    lines.append(f"{document['seconds']} s, peak {document['peak_rss_mb']} MB")
    return "\n".join(lines)
