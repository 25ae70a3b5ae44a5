"""`manage.py design_geo PANEL.csv ...`: which markets to treat, how long, what is then seen; no database."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from measurement.core.assignment import InvalidDesign
from measurement.core.assignment_file import write_assignment
from measurement.core.design import assignment_of, design_geo
from measurement.core.design_command import designs_text
from measurement.core.design_kinds import KINDS
from measurement.core.geography import read_crosswalk, touching
from measurement.core.placebo import PLACEBOS
from measurement.core.reading_panels import read_panel
from measurement.core.words import count_of
from measurement.management.without_database import NAMES, seed_of, unit_names
from tenants.core.problems import Problem


class Command(BaseCommand):
    """Prints the designs on stdout and progress on stderr; what cannot be designed goes to stderr, exit status 2."""

    help = "Search for markets to treat in a geo test, from a CSV file of their history."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("panel", help="CSV file with one row per unit and period, before the test")
        parser.add_argument("--date", required=True, help="column of dates, or of whole numbers of periods")
        parser.add_argument("--geo", required=True, help="column of units")
        parser.add_argument("--outcome", required=True, help="column of the outcome")
        parser.add_argument("--cost", help="column of spend")
        parser.add_argument("--currency", help="column of currency codes; one code is allowed")
        parser.add_argument("--missing", choices=["leave_out", "zero", "zero_inside", "refuse"], default="leave_out")
        parser.add_argument("--duplicates", choices=["refuse", "sum"], default="refuse")
        parser.add_argument("--duration", required=True, help="periods of the test, comma between them")
        parser.add_argument("--effect", default="0,0.05,0.1", help="lifts whose power is told, comma between them")
        parser.add_argument("--treated-counts", help="how many markets to treat, comma between them")
        parser.add_argument("--include", action="append", help=f"markets that are treated in any case, {NAMES}")
        parser.add_argument("--exclude", action="append", help=f"markets that are treated in no case, {NAMES}")
        parser.add_argument("--kind", choices=list(KINDS), default="holdback")
        parser.add_argument("--alpha", type=float, default=0.05, help="two-sided level")
        parser.add_argument("--power", type=float, default=0.8, help="that the MDE is told for")
        parser.add_argument("--windows", type=int, default=10, help="A/A tests in the past, 7 or more")
        parser.add_argument("--treated-share", default="0,1", help="least and most share of volume that is treated")
        parser.add_argument("--holdout-share", default="0,1", help="least and most share without the advertising")
        parser.add_argument("--apart", action="store_true", help="no two neighbouring markets are treated")
        parser.add_argument("--buffer", action="store_true", help="neighbours of treated markets are no controls")
        parser.add_argument("--crosswalk", help="CSV of unit and region; without it units are named as states")
        parser.add_argument("--change", type=float, help="spend of the test over today's, as a fraction")
        parser.add_argument("--cost-per-incremental", type=float, help="money for one more unit of the outcome")
        parser.add_argument("--budget", type=float, help="most that a test may cost")
        parser.add_argument("--keep", type=int, default=30, help="sets of each size that are judged")
        parser.add_argument("--placebos", type=int, default=PLACEBOS, help="that the analysis will draw")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--top", type=int, default=20, help="candidates to print")
        parser.add_argument("--assignment", help="write the first candidate's assignment to this CSV file")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(self._answer(options))
        except Problem as problem:
            self.stderr.write(json.dumps(problem.as_dict()))
            sys.exit(2)

    def _answer(self, options: dict[str, Any]) -> str:
        include = unit_names(options["include"])
        panel = read_panel(
            options["panel"], date=options["date"], unit=options["geo"], outcome=options["outcome"],
            cost=options["cost"], currency=options["currency"], missing=options["missing"],
            duplicates=options["duplicates"], required=include,
        )  # fmt: skip
        near = options["apart"] or options["buffer"]
        regions = read_crosswalk(_bytes(options["crosswalk"])) if options["crosswalk"] else None
        neighbours = touching(panel.units, regions) if near else frozenset()
        if near and not neighbours:
            raise InvalidDesign(
                "No two markets are known to be neighbours.", where="--crosswalk",
                fix="Name the markets as states, or give a crosswalk to states or regions.",
            )  # fmt: skip
        designs = design_geo(
            panel,
            durations=[int(one) for one in _numbers(options["duration"], "--duration", whole=True)],
            effects=_numbers(options["effect"], "--effect"),
            treated_counts=_counts(options["treated_counts"]),
            include=include, exclude=unit_names(options["exclude"]), kind=options["kind"], alpha=options["alpha"],
            power=options["power"], windows=options["windows"],
            treated_share=_range(options["treated_share"], "--treated-share"),
            holdout_share=_range(options["holdout_share"], "--holdout-share"),
            neighbours=neighbours, apart=options["apart"], buffered=options["buffer"], change=options["change"],
            cost_per_incremental=options["cost_per_incremental"], budget=options["budget"], keep=options["keep"],
            placebos=options["placebos"], seed=seed_of(options), progress=self._progress,
        )  # fmt: skip
        if options["assignment"]:
            chosen = assignment_of(panel, designs.candidates[0], neighbours=neighbours, buffered=options["buffer"])
            Path(options["assignment"]).write_bytes(write_assignment(chosen))
        return designs_text(designs, as_json=options["json"], top=options["top"])

    def _progress(self, done: int, all_of_them: int) -> None:
        # Lines of progress are for people who wait; a file of errors holds errors.
        if self.stderr.isatty():
            self.stderr.write(
                f"\r{done} of {count_of(all_of_them, 'window')}", ending="\n" if done == all_of_them else ""
            )


def _numbers(text: str, option: str, *, whole: bool = False) -> list[float]:
    try:
        return [int(one) if whole else float(one) for one in text.split(",") if one.strip()]
    except ValueError as error:
        raise InvalidDesign(
            f"{text!r} is no list of numbers.", where=option, fix="Give numbers with a comma between them."
        ) from error


def _counts(text: str | None) -> list[int] | None:
    return None if text is None else [int(one) for one in _numbers(text, "--treated-counts", whole=True)]


def _range(text: str, option: str) -> tuple[float, float]:
    numbers = _numbers(text, option)
    if len(numbers) != 2:
        raise InvalidDesign(f"{text!r} is no range.", where=option, fix="Give least and most, as in 0.1,0.4.")
    return numbers[0], numbers[1]


def _bytes(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise InvalidDesign(f"The file cannot be read: {error.strerror}.", where=name, fix="Give its path.") from error
