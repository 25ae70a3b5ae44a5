"""`manage.py harmonize FILE`: one export to canonical rows and a report. Needs no database and no server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from harmonization.core.harmonize_run import AUTO, as_table, run
from tenants.core.problems import InvalidInput, Problem


class Command(BaseCommand):
    help = "Harmonise a retailer's export by a mapping contract and report what came out."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", type=Path, help="CSV, XLSX, JSON, NDJSON or Parquet export, plain or as gz, zst or zip"
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
        try:
            report = run(
                options["file"],
                contract=options["contract"],
                out_dir=options["out"],
                account=options["account"],
                currency=options["currency"],
                parameters=dict(_pair(text) for text in options["parameter"]),
            )
        except Problem as problem:
            text = json.dumps(problem.as_dict(), ensure_ascii=False) if options["json"] else str(problem)
            self.stderr.write(text)
            sys.exit(2)
        self.stdout.write(json.dumps(report, ensure_ascii=False, indent=2) if options["json"] else as_table(report))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"{text!r} is no NAME=VALUE.", where="--parameter", fix="Write e.g. click_window=14D.")
    return name, value
