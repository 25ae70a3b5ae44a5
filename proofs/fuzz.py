"""Files made wrong in ten thousand ways end in a named problem or in rows that are all accounted for.

The mutants are those of the tests, many more of them: each is made of its number alone, so a run that was stopped goes
on where it was, and one that is wrong can be made again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

from proofs.registry import Cases, Proof

_AT_ONCE = 250


def prove(cases: Cases) -> Mapping[str, Any]:
    """Figures over all mutants.

    Raises:
        AssertionError: something became of a mutant that must not; each is named.
    """
    # Only here: `python -m proofs --list` needs no tests and no engine.
    from tests.harmonization.core.fuzz.campaign import run_fuzz

    count = cases.options["mutants"]
    ended: Counter[str] = Counter()
    figures = {"mutants": 0, "rows": 0, "rows_quarantined": 0, "peak_rss_mb": 0}
    for first in range(0, count, _AT_ONCE):
        run = partial(_without_wrong, run_fuzz, cases.seed, min(_AT_ONCE, count - first), first)
        found = cases.case(f"{first}", run)
        ended.update(found["ended"])
        for name in ("mutants", "rows", "rows_quarantined"):
            figures[name] += found[name]
        figures["peak_rss_mb"] = max(figures["peak_rss_mb"], found["peak_rss_mb"])
        cases.say(f"{figures['mutants']:,} of {count:,} mutants, {figures['rows']:,} rows")
    return {**figures, "wrong": 0, "ended": dict(ended.most_common())}


def _without_wrong(run_fuzz: Any, seed: int, count: int, first: int) -> dict[str, Any]:
    found: dict[str, Any] = run_fuzz(seed, count, first=first)
    assert not found["wrong"], "\n".join(found["wrong"])
    return found


PROOF = Proof(
    name="fuzz",
    title="Whatever is wrong with a file, it ends in a named problem or in rows that are all accounted for.",
    covers=(
        "proofs/fuzz.py",
        "harmonization/core/*.py",
        "config/mappings/*.yaml",
        "demo/core/report_samples.py",
        "demo/core/reports/*.py",
        "tests/harmonization/core/fuzz/*.py",
    ),
    run=prove,
    options={"mutants": 10_000},
)
