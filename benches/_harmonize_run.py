"""One measured step of `benches.harmonize` in a process of its own: `python -m benches._harmonize_run STEP FILE OUT`.

Prints one JSON object: CPU seconds (user and system) of the step with everything it imports, the most memory the
process held, and what the step counted.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def copy(file: Path, out: Path) -> dict[str, Any]:
    """The reference: Polars reads the CSV file and writes it as Parquet, and does nothing else."""
    import polars as pl

    pl.scan_csv(file).sink_parquet(out / "copy.parquet")
    return {}


def harmonize(file: Path, out: Path) -> dict[str, Any]:
    """The engine with the full rule set: good rows, quarantine, skipped rows, lineage, duplicates."""
    from benches._harmonize_export import CONTRACT
    from harmonization.core.contract import parse_contract
    from harmonization.core.engine import harmonize_file
    from harmonization.core.load_context import LoadContext
    from harmonization.core.source_file import Limits

    report = harmonize_file(
        file,
        parse_contract(CONTRACT),
        out_dir=out,
        context=LoadContext(load_id="0193a1b2-0000-7000-8000-00000000bench", account_id="bench"),
        limits=Limits(file_size=2 * file.stat().st_size),
    )
    total, sales = report.totals[0], report.attributed[0]
    return {
        "rows_in": report.rows_in,
        "rows_out": report.rows_out,
        "rows_quarantined": report.rows_quarantined,
        "rows_skipped": report.rows_skipped,
        "impressions": total.impressions,
        "clicks": total.clicks,
        "spend": str(total.spend),
        "sales": str(sales.value),
    }


def duckdb(file: Path, out: Path) -> dict[str, Any]:
    """The same work in SQL, as far as SQL goes: the same typing, rules, columns, quarantine and duplicates."""
    from benches._harmonize_sql import harmonize_in_sql

    return harmonize_in_sql(file, out)


STEPS: dict[str, Callable[[Path, Path], dict[str, Any]]] = {
    "copy": copy,
    "harmonize": harmonize,
    "duckdb": duckdb,
}


def peak_mib() -> float:
    """Most resident memory of this process alone; `ru_maxrss` would begin with that of the process that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def main() -> None:
    step, file, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    counted = STEPS[step](file, out)
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {"cpu_seconds": used.ru_utime + used.ru_stime, "peak_mib": peak_mib(), "counted": counted}
    written = [path for name in ("copy", "events", "good") if (path := out / f"{name}.parquet").exists()]
    if written:
        import polars as pl

        found |= {
            "columns_out": len(pl.read_parquet_schema(written[0])),
            "out_mib": round(written[0].stat().st_size / 2**20),
        }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
