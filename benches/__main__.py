"""`python -m benches [NAME ...] [--keep]`: run the benchmarks, each a process of its own.

With `--keep` the results are written to docs/benchmarks/NAME.json, with the machine they were measured on. Figures are
ratios against a stated reference of the same run: seconds of one machine say little about another.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
KEPT = FOLDER.parent / "docs" / "benchmarks"
#: Minutes of one core, or gigabytes of disk: run by their own target, or by name.
LONG = {"harmonize", "learning", "optimize"}
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benches", description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[*NAMES, []], help=f"some of {', '.join(NAMES)}; the short ones by default"
    )
    parser.add_argument("--keep", action="store_true", help="write the results to docs/benchmarks/")
    # What is not known here is an option of the benchmark itself, such as --quick.
    options, further = parser.parse_known_args()
    failed = 0
    for name in options.names or [name for name in NAMES if name not in LONG]:
        sys.stdout.write(f"== {name}\n")
        sys.stdout.flush()
        command = [sys.executable, "-m", f"benches.{name}", *further]
        if not options.keep:
            failed += subprocess.run(command, cwd=FOLDER.parent, check=False).returncode != 0
            continue
        done = subprocess.run([*command, "--json"], cwd=FOLDER.parent, check=False, capture_output=True, text=True)
        sys.stderr.write(done.stderr)
        if done.returncode:
            failed += 1
            continue
        _keep(name, json.loads(done.stdout))
    return 1 if failed else 0


def _keep(name: str, results: object) -> None:
    machine = {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()}
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{name}.json"
    path.write_text(json.dumps({"machine": machine, "results": results}, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"kept in {path.relative_to(FOLDER.parent)}\n")


if __name__ == "__main__":
    sys.exit(main())
