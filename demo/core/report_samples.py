"""A sample export for every shipped contract, in every form that its network is known to write, with its truth.

These are small and apart from the demonstration company: they exist to hold each contract to a truth that was fixed
before anything was formatted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from demo.core.reports import amazon_console, amazon_v3, criteo, google, instacart, meta, microsoft, vtex, walmart
from demo.core.reports.files import sample_truth, write_sample
from demo.core.reports.tables import Sample, Table, make_sample

_MODULES: Final = (amazon_console, amazon_v3, walmart, criteo, instacart, vtex, google, microsoft, meta)
TABLES: Final[tuple[Table, ...]] = tuple(table for module in _MODULES for table in module.TABLES)
NETWORKS: Final = tuple(dict.fromkeys(table.network for table in TABLES))
TRUTH_FORMAT: Final = "rmn-report-truth/1"
TRUTH_FILE: Final = "truth.json"


def make_samples(*, seed: int, networks: Sequence[str] | None = None) -> list[Sample]:
    """Every form of every report, its figures fixed; of `networks` where some are named."""
    return [
        make_sample(table, form, seed)
        for table in TABLES
        if networks is None or table.network in networks
        for form in table.forms
    ]


def write_report_samples(out_dir: Path, *, seed: int, networks: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Write the samples and `truth.json` into `out_dir`, which is made. Returns the truth of each file."""
    out_dir.mkdir(parents=True, exist_ok=True)
    truths = []
    for sample in make_samples(seed=seed, networks=networks):
        write_sample(sample, out_dir)
        truths.append(sample_truth(sample))
    document = {"format": TRUTH_FORMAT, "seed": seed, "files": truths}
    (out_dir / TRUTH_FILE).write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return truths
