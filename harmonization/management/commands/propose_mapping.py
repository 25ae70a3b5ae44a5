"""`manage.py propose_mapping FILE`: a proposed contract for an export that none knows. No database, no server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from harmonization.core.library import shipped_contracts
from harmonization.core.matching.minilm import packaged_embedder
from harmonization.core.matching.proposal import ProposedColumn
from harmonization.core.matching.propose import propose
from tenants.core.problems import Problem


class Command(BaseCommand):
    help = "Propose a mapping contract for a retailer's export: a target, or none, for each column, and why."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the export; its rows may be missing, its headers not")
        parser.add_argument(
            "--without",
            default="",
            metavar="NETWORK,...",
            help="networks whose contracts, words and examples to ignore",
        )
        parser.add_argument("--json", action="store_true", help="print the proposal as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        without = [name.strip().casefold() for name in options["without"].split(",") if name.strip()]
        try:
            proposal = propose(
                options["file"],
                shipped_contracts().values(),
                without=without,
                embedder=packaged_embedder(settings.DATA_HOME / "models"),
            )
        except Problem as problem:
            text = json.dumps(problem.as_dict(), ensure_ascii=False) if options["json"] else str(problem)
            self.stderr.write(text)
            sys.exit(2)
        if options["json"]:
            self.stdout.write(json.dumps(proposal.as_dict(), ensure_ascii=False, indent=2))
            return
        for column in proposal.columns:
            self.stdout.write(_line(column))
        for decision in proposal.decisions:
            self.stdout.write(f"decide   {decision}")
        for note in proposal.notes:
            self.stdout.write(f"note     {note}")
        self.stdout.write(f"\n{proposal.contract_yaml}")


def _line(column: ProposedColumn) -> str:
    outcome = column.attribution
    said = ""
    if outcome is not None:
        windows = [
            f"{days} d {kind}" for kind, days in (("click", outcome.click_days), ("view", outcome.view_days)) if days
        ]
        said = " " + ", ".join([*(windows or ["window unknown"]), outcome.match, outcome.channel, outcome.ntb])
    return f"{column.confidence:5.2f}  {column.source[:40]:<40}  {(column.target or '-') + said:<44}  {column.reason}"
