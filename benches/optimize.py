"""What allocating a budget costs, beside other solvers on the same problems: `python -m benches.optimize`.

Problems of 1 k to 1 M cells on five levels with caps that bind, each without and with limits over all cells (a return,
a cost per acquisition, a reserve for experiments). Each step is a process of its own on one core; its CPU seconds
(user and system) count, so that other work on the machine does not. Another solver that has not ended after 120 CPU
seconds, or needs more than its memory, says so, and is not tried on more cells.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ONE_CORE = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
SIZES = [1_000, 10_000, 100_000, 1_000_000]
KINDS = ("plain", "limited")
PEERS = ("clarabel", "slsqp", "pymc_marketing")
LIMIT_SECONDS, LIMIT_MIB = 120, 8192
#: CPU seconds by (cells, kind).
TARGETS = {"100000 plain": 0.2, "100000 limited": 2.0, "1000000 plain": 2.0}
NAMES = {
    "rmn": "RMN",
    "clarabel": "CVXPY + Clarabel",
    "slsqp": "SciPy SLSQP",
    "pymc_marketing": "PyMC-Marketing",
}


def measure(sizes: list[int], seed: int, peers: tuple[str, ...], say: Callable[[str], None]) -> dict[str, Any]:
    """Every step's CPU seconds, memory, gap and violation, and the growth; `say` gets a line after each step."""
    rows: list[dict[str, Any]] = []
    given_up: dict[tuple[str, str], str] = {}
    for cells in sizes:
        for kind in KINDS:
            ours = _run("rmn", cells, seed, kind)
            rows.append({"solver": "rmn", "cells": cells, "kind": kind, **ours})
            say(_line(rows[-1]))
            for name in peers:
                if why := given_up.get((name, kind)):
                    found: dict[str, Any] = {"failed": f"not tried: {why}"}
                else:
                    found = _run(name, cells, seed, kind)
                    if "failed" in found:
                        given_up[name, kind] = f"{found['failed']} at {cells:,} cells"
                    else:
                        found["ratio"] = found["seconds"] / ours["seconds"]
                        found["behind"] = 1.0 - found["revenue"] / ours["revenue"]
                rows.append({"solver": name, "cells": cells, "kind": kind, **found})
                say(_line(rows[-1]))
    return {
        "seed": seed,
        "limit_seconds": LIMIT_SECONDS,
        "limit_mib": LIMIT_MIB,
        "rows": rows,
        "growth": _growth(rows),
        "targets": {name: {"target": most, "seconds": _seconds(rows, name)} for name, most in TARGETS.items()},
    }


def _run(solver: str, cells: int, seed: int, kind: str) -> dict[str, Any]:
    limits = [str(LIMIT_SECONDS if solver != "rmn" else 0), str(LIMIT_MIB)]
    done = subprocess.run(
        [sys.executable, "-m", "benches._optimize_run", solver, str(cells), str(seed), kind, *limits],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **ONE_CORE},
        cwd=Path(__file__).resolve().parent.parent,
    )
    if done.returncode == -signal.SIGPROF:
        return {"failed": f"did not finish in {LIMIT_SECONDS} s"}
    if done.returncode < 0 and solver != "rmn":
        name = signal.Signals(-done.returncode).name
        return {"failed": f"ended by {name} within {LIMIT_MIB:,} MiB"}
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _growth(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Exponent of the time over the cells, from the smallest size above 1 k to the largest; 1 is linear."""
    found = {}
    for kind in KINDS:
        ours = [(r["cells"], r["seconds"]) for r in rows if r["solver"] == "rmn" and r["kind"] == kind]
        ours = [one for one in ours if one[0] >= 10_000] or ours
        (few, short), (many, long) = ours[0], ours[-1]
        if many > few:
            found[kind] = math.log(long / short) / math.log(many / few)
    return found


def _seconds(rows: list[dict[str, Any]], name: str) -> float | None:
    wanted = [r["seconds"] for r in rows if r["solver"] == "rmn" and f"{r['cells']} {r['kind']}" == name]
    return wanted[0] if wanted else None


def _line(row: dict[str, Any]) -> str:
    head = f"{row['cells']:>9,} {row['kind']:<8} {NAMES[row['solver']]:<17}"
    if "failed" in row:
        return f"{head} {row['failed']}"
    line = f"{head} {row['seconds']:>9.4f} s  violation {row['violation']:>8.1e}  {row['peak_mib']:>6,} MiB"
    if row["solver"] == "rmn":
        return (
            f"{line}  gap {max(row['gap'], 0.0):.1e}  first time {row['first_seconds']:.4f} s  {row['bounds']} bounds"
        )
    return f"{line}  {row['ratio']:,.0f} times RMN's, revenue {-row['behind']:+.1e}"


def _print(results: dict[str, Any]) -> None:
    lines = [f"time grows as cells ^ {power:.2f} ({kind}, from 10 k)" for kind, power in results["growth"].items()]
    for name, one in results["targets"].items():
        if one["seconds"] is not None:
            kept = "kept" if one["seconds"] <= one["target"] else "MISSED"
            cells, kind = name.split()
            lines.append(f"target {int(cells):>9,} {kind:<8} {one['seconds']:.3f} s of {one['target']:g} s: {kept}")
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, nargs="+", default=SIZES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help="without the other solvers")
    parser.add_argument("--quick", action="store_true", help="1 k and 10 k cells, without the other solvers")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    sizes = [1_000, 10_000] if options.quick else options.cells
    out = sys.stderr if options.json else sys.stdout

    def say(line: str) -> None:
        out.write(line + "\n")
        out.flush()

    found = measure(sizes, options.seed, () if options.quick or options.alone else PEERS, say)
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        _print(found)


if __name__ == "__main__":
    main()
