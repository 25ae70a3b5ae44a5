"""Many mutants, each made from its number alone, judged in a process of their own with bounded memory.

A crash of the process, or memory that runs out, is one more way to be wrong: it is named with the mutant, and the
campaign goes on behind it.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harmonization.core.contract import Contract
from tests.harmonization.core.fuzz.corpus import all_contracts, contract_of, exports, in_form, packed
from tests.harmonization.core.fuzz.judge import Verdict, WrongError, judge
from tests.harmonization.core.fuzz.mutators import BY_KIND

ROOT = Path(__file__).resolve().parents[4]
MEMORY_MB = 4096
_SLOW_SECONDS = 20
_AUTO = 0.05
_PACKED = 0.15


@dataclass(frozen=True, slots=True)
class Mutant:
    """A file made wrong. `how` is the seed file and the mutators in their order."""

    name: str
    content: bytes
    contract: Contract | list[Contract]
    how: str


def make_mutant(seed: int, number: int) -> Mutant:
    """The mutant of this number; the same every time, as long as the sample exports are."""
    chance = random.Random(f"{seed}/{number}")
    export = chance.choice(exports())
    if export.kind == "csv" and (form := chance.choice(("csv",) * 5 + ("json", "ndjson", "parquet"))) != "csv":
        export = in_form(export, form)
    name, content, steps = export.name, export.content, []
    packing = chance.choice(("gz", "zst", "zip")) if chance.random() < _PACKED else None
    # Of a packed file either what is inside is wrong, or the archive.
    kind = packing if packing and chance.random() < 0.5 else export.kind
    if packing and kind == packing:
        name, content = packed(name, content, packing)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3))):
        mutate = chance.choice(BY_KIND[kind])
        content = mutate(content, chance)
        steps.append(mutate.__name__)
    if packing and kind != packing:
        name, content = packed(name, content, packing)
    auto = chance.random() < _AUTO
    contract = list(all_contracts().values()) if auto else contract_of(export.contract)
    return Mutant(name, content, contract, f"{name}: {', '.join(steps)}")


def judge_mutant(seed: int, number: int) -> Verdict:
    """Raises WrongError, with the mutant's number and how it was made."""
    mutant = make_mutant(seed, number)
    began = time.process_time()
    try:
        verdict = judge(mutant.name, mutant.content, mutant.contract)
    except WrongError as error:
        raise WrongError(f"mutant {seed}/{number} ({mutant.how}): {error}") from error
    if (seconds := time.process_time() - began) > _SLOW_SECONDS:
        raise WrongError(f"mutant {seed}/{number} ({mutant.how}): {seconds:.0f} s of processor time")
    return verdict


def run_fuzz(seed: int, count: int, *, first: int = 0, memory_mb: int = MEMORY_MB) -> dict[str, Any]:
    """Judge the mutants `first` to `first + count - 1` of `seed`.

    Returns:
        `mutants`, how many ended in each way (`ended`), `rows` read and `rows_quarantined`, `peak_rss_mb`, and `wrong`:
        a sentence for each mutant of which something became that must not. None wrong is what is claimed.
    """
    ended: Counter[str] = Counter()
    figures = {"rows": 0, "rows_quarantined": 0, "peak_rss_mb": 0}
    wrong: list[str] = []
    done, end = first, first + count
    while done < end:
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log.ndjson"
            command = [sys.executable, "-m", __spec__.name if __spec__ else __name__, str(seed), str(done), str(end)]
            process = subprocess.run(
                [*command, str(memory_mb), str(log)],
                cwd=ROOT,
                env=os.environ | {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "RUST_BACKTRACE": "0"},
                capture_output=True,
                text=True,
                check=False,
            )
            lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        for line in lines:
            done = line["number"] + 1
            figures["peak_rss_mb"] = max(figures["peak_rss_mb"], line["peak_rss_mb"])
            if "wrong" in line:
                wrong.append(line["wrong"])
            else:
                ended[line["code"]] += 1
                figures["rows"] += line["rows"]
                figures["rows_quarantined"] += line["quarantined"]
        if done < end:
            wrong.append(
                f"mutant {seed}/{done} ({make_mutant(seed, done).how}): the process ended with {process.returncode}: "
                f"{process.stderr.strip()[-400:]}"
            )
            done += 1
    return {
        "seed": seed,
        "first": first,
        "mutants": count,
        "ended": dict(ended.most_common()),
        **figures,
        "wrong": wrong,
    }


def _child(seed: int, first: int, end: int, memory_mb: int, log: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb * 1024**2, memory_mb * 1024**2))
    with log.open("w", buffering=1) as file:
        for number in range(first, end):
            found: dict[str, Any] = {"number": number}
            try:
                verdict = judge_mutant(seed, number)
                found |= {"code": verdict.code, "rows": verdict.rows, "quarantined": verdict.quarantined}
            except WrongError as error:
                found["wrong"] = str(error)[:1000]
            found["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            file.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    _seed, _first, _end, _memory = map(int, sys.argv[1:5])
    _child(_seed, _first, _end, _memory, Path(sys.argv[5]))
