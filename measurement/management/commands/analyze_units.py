"""`manage.py analyze_units UNITS.csv ...`: a randomised test from one row per unit, by regression or by its draw."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from measurement.core.unit_outcomes import METHODS, analyze_units, read_unit_outcomes
from measurement.management.without_database import FileCommand, read_file, seed_of


class Command(FileCommand):
    help = "Effect on users, stores or markets drawn singly or in groups, covariates taken out; needs no database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="CSV with one row per unit, or - for stdin")
        parser.add_argument("--outcome", required=True, help="column of the outcome")
        parser.add_argument("--treated", required=True, help="column of the arm: treated or control, 1 or 0")
        parser.add_argument(
            "--covariate", action="append", default=[], help="column known before the draw; may be repeated"
        )
        parser.add_argument("--cluster", help="column of the groups of units that were drawn together")
        parser.add_argument("--stratum", help="column of the strata within which units or groups were drawn")
        parser.add_argument("--method", choices=METHODS, default="auto")
        parser.add_argument("--errors", choices=("hc2", "hc3"), default="hc2", help="of the regression")
        parser.add_argument("--treated-share", type=float, help="of the draw, to check the sizes of the arms against")
        parser.add_argument("--alpha", type=float, default=0.05, help="two-sided level")
        parser.add_argument("--seed", type=int, default=1)
        super().add_arguments(parser)

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        units = read_unit_outcomes(
            read_file(options["file"]), outcome=options["outcome"], treated=options["treated"],
            covariates=options["covariate"], cluster=options["cluster"], stratum=options["stratum"],
        )  # fmt: skip
        reading = analyze_units(
            units, method=options["method"], errors=options["errors"], alpha=options["alpha"], seed=seed_of(options),
            treated_share=options["treated_share"],
        )  # fmt: skip
        return reading.as_dict()
