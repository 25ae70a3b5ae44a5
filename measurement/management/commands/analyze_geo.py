"""`manage.py analyze_geo PANEL.csv ...`: analyse a test on markets from a file; needs no database."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from measurement.core.geo import METHODS, analyze_geo
from measurement.core.geo_command import reading_text
from measurement.core.placebo import PLACEBOS
from measurement.core.reading_assignments import read_assignment, read_pairs
from measurement.core.reading_panels import read_panel
from measurement.management.without_database import NAMES, seed_of, unit_names
from tenants.core.problems import Problem


class Command(BaseCommand):
    """Prints the reading on stdout; what cannot be analysed goes to stderr as JSON with exit status 2."""

    help = "Analyse a geo test (or a SKU holdout) from a CSV file with one row per unit and period."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("panel", help="CSV file with one row per unit and period")
        parser.add_argument("--date", required=True, help="column of dates, or of whole numbers of periods")
        parser.add_argument("--geo", required=True, help="column of units")
        parser.add_argument("--outcome", required=True, help="column of the outcome")
        parser.add_argument("--cost", help="column of spend, for iROAS")
        parser.add_argument("--currency", help="column of currency codes; one code is allowed")
        parser.add_argument("--treated", action="append", help=f"treated units, {NAMES}")
        parser.add_argument("--assignment", help="CSV file of geo and group, instead of --treated")
        parser.add_argument("--start", required=True, help="first period of the test: its number from 1, or a date")
        parser.add_argument("--end", help="last period of the test; the end of the data where not given")
        parser.add_argument("--cooldown", type=int, default=0, help="periods after the end that count to the test")
        parser.add_argument("--method", choices=METHODS, default="auto")
        parser.add_argument("--alpha", type=float, default=0.05, help="two-sided level")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--placebos", type=int, default=PLACEBOS, help="sets drawn for placebo in space")
        parser.add_argument("--exclude", action="append", help=f"units that take no part, {NAMES}")
        parser.add_argument(
            "--missing", choices=["leave_out", "zero", "zero_inside", "refuse"],
            help="what becomes of units that lack periods; with --assignment those between a unit's first and last row "
            "count as zero where not given, and a unit that begins late or ends early is refused",
        )  # fmt: skip
        parser.add_argument("--duplicates", choices=["refuse", "sum"], default="refuse")
        parser.add_argument(
            "--no-unit-effects",
            action="store_true",
            help="synthetic control on plain outcomes, as first published (auto takes sc)",
        )
        parser.add_argument(
            "--randomised",
            action="store_true",
            help="the treated units were drawn at random: evidence of an experiment",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(_answer(options))
        except Problem as problem:
            self.stderr.write(json.dumps(problem.as_dict()))
            sys.exit(2)


def _answer(options: dict[str, Any]) -> str:
    assignment = read_assignment(options["assignment"]) if options["assignment"] else None
    pairs = read_pairs(options["assignment"]) if options["assignment"] else []
    treated = None if options["treated"] is None else unit_names(options["treated"])
    excluded = unit_names(options["exclude"])
    barred = {name.casefold() for name in excluded}
    held = treated or [
        name
        for name, group in (assignment or {}).items()
        if group in ("treated", "control") and name.casefold() not in barred
    ]
    panel = read_panel(
        options["panel"], date=options["date"], unit=options["geo"], outcome=options["outcome"], cost=options["cost"],
        currency=options["currency"], duplicates=options["duplicates"], required=held,
        # A ledger of an assigned test has no row where nothing was sold; group sums need every unit. Days that lack at
        # an end of its rows are late data far more often than a market without sales.
        missing=options["missing"] or ("zero_inside" if assignment else "leave_out"),
    )  # fmt: skip
    reading = analyze_geo(
        panel, treated=treated, assignment=assignment, pairs=pairs or None, start=options["start"], end=options["end"],
        cooldown=options["cooldown"], method=options["method"], alpha=options["alpha"], seed=seed_of(options),
        placebos=options["placebos"], exclude=excluded,
        unit_effects=not options["no_unit_effects"], randomised=options["randomised"],
    )  # fmt: skip
    return reading_text(reading, as_json=options["json"])
