"""The command-line act of harmonising one file: from names and paths to a report, without a database."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harmonization.core.engine import harmonize_file
from harmonization.core.library import find_contract, shipped_contracts
from harmonization.core.load_context import LoadContext

AUTO = "auto"


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
