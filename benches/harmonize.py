"""What harmonising costs over copying: `python -m benches.harmonize [--rows 10000000] [--large 40000000] [--json]`.

All in one run, each step a process of its own on one core, CPU seconds (user and system) and peak memory of that
process: Polars copying the CSV file to Parquet and nothing else; the engine with the full rule set on the same file;
the engine on the file with bad rows and repeats; DuckDB doing the same work on both, its rows and sums checked equal;
the engine on four times the rows. Repetitions alternate, and the least of each counts: other work on the machine only
ever adds.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benches._harmonize_export import HEADERS, write_export

ONE_CORE = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
AGREED = ("rows_in", "rows_out", "rows_quarantined", "rows_skipped", "impressions", "clicks", "spend", "sales")
TARGETS = {
    "ratio_full_rules": 0.50,
    "ratio_bad_rows": 0.40,
    "events_per_cpu_minute": 25_000_000,
    "peak_mib": 700,
}


def measure(rows: int, large: int, repeats: int, folder: Path, *, with_duckdb: bool) -> dict[str, Any]:
    """Every step's CPU seconds, peak memory and counts, and the ratios."""
    clean, bad = folder / "clean.csv", folder / "bad.csv"
    write_export(clean, rows)
    write_export(bad, rows, bad=True)
    runs = [("copy", clean), ("harmonize", clean), ("harmonize", bad)]
    taken: dict[tuple[str, Path], list[dict[str, Any]]] = {run: [] for run in runs}
    for _ in range(repeats):
        for step, file in runs:
            taken[step, file].append(_run(step, file, folder))
    least = {run: _least(found) for run, found in taken.items()}
    copy, full, spoilt = (least[run] for run in runs)
    results: dict[str, Any] = {
        "rows": rows,
        "columns_in": len(HEADERS),
        "columns_out": full["columns_out"],
        "csv_mib": round(clean.stat().st_size / 1024**2),
        "repeats": repeats,
        "copy": copy,
        "harmonize_full_rules": full,
        "harmonize_bad_rows": spoilt,
        "ratio_full_rules": round(copy["cpu_seconds"] / full["cpu_seconds"], 3),
        "ratio_bad_rows": round(copy["cpu_seconds"] / spoilt["cpu_seconds"], 3),
        "events_per_cpu_minute": round(rows / full["cpu_seconds"] * 60),
        "targets": TARGETS,
    }
    if with_duckdb:
        for name, file, ours in (("full_rules", clean, full), ("bad_rows", bad, spoilt)):
            theirs = _run("duckdb", file, folder)
            results[f"duckdb_{name}"] = theirs
            results[f"duckdb_{name}_agrees"] = all(
                float(theirs["counted"][key]) == float(ours["counted"][key]) for key in AGREED
            )
    clean.unlink()
    bad.unlink()
    if large:
        many = folder / "large.csv"
        write_export(many, large, bad=True)
        results["large"] = {"rows": large, **_run("harmonize", many, folder)}
    return results


def _run(step: str, file: Path, folder: Path) -> dict[str, Any]:
    """One step in a process of its own, its output thrown away."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        done = subprocess.run(
            [sys.executable, "-m", "benches._harmonize_run", step, str(file), out],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, **ONE_CORE},
            cwd=Path(__file__).resolve().parent.parent,
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found["cpu_seconds"] = round(found["cpu_seconds"], 2)
    found["peak_mib"] = round(found["peak_mib"])
    return found


def _least(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The repetition with the least CPU time; of memory, the most that any needed."""
    best = min(found, key=lambda one: float(one["cpu_seconds"]))
    return {**best, "peak_mib": max(one["peak_mib"] for one in found)}


def _print(results: dict[str, Any]) -> None:
    lines = [f"{results['rows']:,} rows, {results['columns_in']} columns, {results['csv_mib']:,} MiB of CSV, one core"]
    named = {
        "copy": "Polars, CSV to Parquet, nothing else",
        "harmonize_full_rules": "harmonise, full rule set",
        "harmonize_bad_rows": "harmonise, bad rows and repeats",
        "duckdb_full_rules": "DuckDB, full rule set",
        "duckdb_bad_rows": "DuckDB, bad rows and repeats",
    }
    for key, name in named.items():
        if key in results:
            lines.append(f"{name:<40} {results[key]['cpu_seconds']:>8.2f} CPU s  {results[key]['peak_mib']:>6} MiB")
    if "large" in results:
        large = results["large"]
        name = f"harmonise, {large['rows']:,} rows"
        lines.append(f"{name:<40} {large['cpu_seconds']:>8.2f} CPU s  {large['peak_mib']:>6} MiB")
    lines += [
        f"ratio to the copy, full rule set        {results['ratio_full_rules']:>8.3f}  (target 0.50)",
        f"ratio to the copy, bad rows and repeats {results['ratio_bad_rows']:>8.3f}  (target 0.40)",
        f"events per CPU-minute             {results['events_per_cpu_minute']:>14,}  (target 25,000,000)",
    ]
    lines += [
        f"DuckDB agrees ({name}): {results[f'duckdb_{name}_agrees']}"
        for name in ("full_rules", "bad_rows")
        if f"duckdb_{name}" in results
    ]
    if "duckdb_full_rules" not in results:
        lines.append("DuckDB is not installed: python -m pip install -r benches/requirements.txt")
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--large", type=int, default=40_000_000, help="rows of the last step; 0 leaves it out")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows once, without the last step")
    parser.add_argument("--folder", type=Path, help="where the exports are written (13 GiB with the last step)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    rows, large, repeats = (
        (options.rows // 10, 0, 1) if options.quick else (options.rows, options.large, options.repeats)
    )
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        found = measure(rows, large, repeats, Path(folder), with_duckdb=importlib.util.find_spec("duckdb") is not None)
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        _print(found)


if __name__ == "__main__":
    main()
