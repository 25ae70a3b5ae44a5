"""What reading and designing a geo test costs, beside others on the same work: `python -m benches.measurement`.

A test on two geos of forty over 105 days with 59 placebo pairs, by synthetic control (of sales as they are, beside
pysyncon, and indexed) and by synthetic DiD (beside synthdid-py); the default reading with all its placebos and the
methods beside it; and the search among 200 markets. Every step is a process of its own on one core; its CPU seconds
count, so that other work on the machine does not. A peer does no more than its estimates; the product's reading also
has p-value, intervals and paths.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

ONE_CORE: Final = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
STEPS: Final = ("sc", "sc_indexed", "sdid", "default", "market_search", "pysyncon", "synthdid-py")
#: CPU seconds.
TARGETS: Final = {"sc": 0.5, "sc_indexed": 0.5, "market_search": 60.0}
#: Peer -> the step of the product that does the same.
BESIDE: Final = {"pysyncon": "sc", "synthdid-py": "sdid"}


def measure(seed: int, steps: tuple[str, ...], say: Callable[[str], None]) -> dict[str, Any]:
    """Every step's seconds and, for a peer, how many times the product's; `say` gets a line after each."""
    found: dict[str, Any] = {"seed": seed, "steps": {}, "targets": TARGETS}
    for step in steps:
        done = subprocess.run(
            [sys.executable, "-m", "benches._measurement_run", step, str(seed)],
            cwd=Path(__file__).resolve().parent.parent, env={**os.environ, **ONE_CORE},
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        one = json.loads(done.stdout.splitlines()[-1])
        ours = found["steps"].get(BESIDE.get(step, ""))
        if ours is not None and "failed" not in one:
            one["ratio"] = round(one["seconds"] / ours["seconds"], 1)
            one["apart"] = abs(one["att"] / ours["att"] - 1.0)
        if step in TARGETS:
            one["kept"] = one["seconds"] <= TARGETS[step]
        found["steps"][step] = one
        say(_line(step, one))
    return found


def _line(step: str, one: dict[str, Any]) -> str:
    if "failed" in one:
        return f"{step:<14} {one['failed']}"
    line = f"{step:<14} {one['seconds']:>9.3f} s  first time {one['first_seconds']:>8.3f} s  {one['peak_mib']:>5} MiB"
    if "ratio" in one:
        line += f"  {one['ratio']:,.0f} times RMN's {BESIDE[step]}, effect apart by {one['apart']:.1e}"
    if step in TARGETS:
        line += f"  target {TARGETS[step]:g} s: {'kept' if one['kept'] else 'MISSED'}"
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    out = sys.stderr if options.json else sys.stdout

    def say(line: str) -> None:
        out.write(line + "\n")
        out.flush()

    steps = tuple(step for step in STEPS if not (options.alone and step in BESIDE))
    found = measure(options.seed, steps, say)
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
