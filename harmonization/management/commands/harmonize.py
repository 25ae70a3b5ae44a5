"""`manage.py harmonize FILE`: one export to canonical rows and a report. Needs no database and no server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from harmonization.core.harmonize_run import AUTO, as_table, as_tables, run, run_several
from tenants.core.problems import InvalidInput, Problem


class Command(BaseCommand):
    help = "Harmonise a retailer's export by a mapping contract and report what came out."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "files",
            type=Path,
            nargs="+",
            metavar="file",
            help="CSV, XLSX, JSON, NDJSON or Parquet export, plain or as gz, zst or zip; several, or a pattern in "
            "quotes such as 'november-*.csv', are the files of one report",
        )
        parser.add_argument("--contract", default=AUTO, help="auto, a shipped contract's name, or a YAML file")
        parser.add_argument("--out", type=Path, help="folder for events.parquet, quarantine.parquet, skipped.parquet")
        parser.add_argument("--account", help="account id, where the export does not carry it")
        parser.add_argument("--currency", help="ISO 4217 code, where the export does not carry it")
        parser.add_argument(
            "--parameter", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the contract"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        files = options["files"]
        alone = len(files) == 1 and (files[0].exists() or not any(sign in files[0].name for sign in "*?["))
        known = {
            "contract": options["contract"],
            "out_dir": options["out"],
            "account": options["account"],
            "currency": options["currency"],
        }
        try:
            parameters = dict(_pair(text) for text in options["parameter"])
            report = (
                run(files[0], parameters=parameters, **known)
                if alone
                else run_several(files, parameters=parameters, **known)
            )
        except Problem as problem:
            text = json.dumps(problem.as_dict(), ensure_ascii=False) if options["json"] else str(problem)
            self.stderr.write(text)
            sys.exit(2)
        table = as_table if alone else as_tables
        self.stdout.write(json.dumps(report, ensure_ascii=False, indent=2) if options["json"] else table(report))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"{text!r} is no NAME=VALUE.", where="--parameter", fix="Write e.g. click_window=14D.")
    return name, value
