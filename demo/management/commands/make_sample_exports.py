"""`manage.py make_sample_exports`: the sample exports and their truth, without a database."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo.core.bulk import DEFAULT_ROWS, write_bulk_walmart
from demo.core.exports import DEFAULT_SEED, DEFAULT_UNTIL, write_sample_exports
from demo.core.profiles import NETWORKS, PROFILES
from demo.core.report_samples import NETWORKS as SAMPLED
from demo.core.report_samples import write_report_samples
from tenants.core.problems import Problem

REPORTS = "reports"


class Command(BaseCommand):
    help = "Write sample exports of retail media networks, with truth.json: what is true of each file."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out", type=Path, help="folder to write into; it is made if it does not exist")
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
        parser.add_argument("--until", type=_date, default=DEFAULT_UNTIL, help="last day of data, YYYY-MM-DD")
        parser.add_argument("--profile", choices=sorted(PROFILES), default="acme")
        parser.add_argument("--scale", type=float, default=1.0, help="factor on the number of products")
        parser.add_argument(
            "--network", action="append", choices=SAMPLED, help="write only this network; may be repeated"
        )
        parser.add_argument(
            "--rows",
            type=int,
            nargs="?",
            const=DEFAULT_ROWS,
            help=f"instead write one Walmart file of so many rows ({DEFAULT_ROWS} if no number is given)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        try:
            summary = _write_bulk(options) if options["rows"] is not None else _write_set(options)
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        except OSError as error:
            raise CommandError(f"{options['out']}: {error.strerror}. Name a folder that can be written to.") from error
        summary["seconds"] = round(time.perf_counter() - started, 2)
        if options["json"]:
            self.stdout.write(json.dumps(summary, ensure_ascii=False))
            return
        for file in summary["files"]:
            apart = "  (for tests, not in the total)" if file["variant"] else ""
            self.stdout.write(f"{file['rows']:>9,}  {file['file']}{apart}")
        self.stdout.write(f"{summary['rows']:>9,}  rows in {summary['seconds']} s; truth in {summary['truth']}")


def _write_set(options: dict[str, Any]) -> dict[str, Any]:
    """The year of a demonstration company, and beside it a small sample of every report that has a contract."""
    wanted = options["network"]
    manifest = write_sample_exports(
        options["out"],
        seed=options["seed"],
        until=options["until"],
        profile=options["profile"],
        scale=options["scale"],
        networks=None if wanted is None else [network for network in NETWORKS if network in wanted],
    )
    samples = write_report_samples(options["out"] / REPORTS, seed=options["seed"], networks=wanted)
    return {
        "out": str(manifest.out_dir),
        "profile": manifest.profile,
        "rows": manifest.rows,
        "truth": str(manifest.truth_path),
        "files": [
            {"file": file.name, "contract": file.contract, "rows": file.rows, "variant": file.variant}
            for file in manifest.files
        ]
        + [
            {"file": f"{REPORTS}/{one['file']}", "contract": one["contract"], "rows": one["rows"], "variant": True}
            for one in samples
        ],
    }


def _write_bulk(options: dict[str, Any]) -> dict[str, Any]:
    out: Path = options["out"]
    out.mkdir(parents=True, exist_ok=True)
    name = f"walmart_search_item_{options['rows']}_rows.csv"
    bulk = write_bulk_walmart(
        out / name, rows=options["rows"], seed=options["seed"], until=options["until"], profile=options["profile"]
    )
    truth_path = out / f"{bulk.path.stem}.truth.json"
    truth_path.write_text(json.dumps({"file": name} | bulk.truth, indent=1) + "\n", encoding="utf-8")
    return {
        "out": str(out),
        "profile": options["profile"],
        "rows": bulk.rows,
        "truth": str(truth_path),
        "files": [{"file": name, "contract": bulk.truth["contract"], "rows": bulk.rows, "variant": False}],
    }


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is not a date; write it as YYYY-MM-DD.') from None
