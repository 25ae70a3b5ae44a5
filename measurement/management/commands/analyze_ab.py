"""`manage.py analyze_ab SUMMARY.json [--json]`: a user test from the sums of its two groups; needs no database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from measurement.core.user_test import METHODS, analyze_users
from measurement.core.user_test_file import read_user_summary
from measurement.management.without_database import FileCommand, read_file


class Command(FileCommand):
    help = "Relative lift and difference of a user A/B test from summary statistics, with the check of group sizes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="JSON summary, or - for stdin")
        parser.add_argument("--alpha", type=float, help="two-sided; that of the file, or 0.05")
        parser.add_argument("--method", choices=METHODS, help="interval of the lift; that of the file, or delta")
        super().add_arguments(parser)

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        found = read_user_summary(read_file(options["file"]))
        alpha = options["alpha"] if options["alpha"] is not None else found.alpha
        return analyze_users(
            found.control,
            found.treatment,
            alpha=0.05 if alpha is None else alpha,
            method=options["method"] or found.method or "delta",
            shares=found.shares,
            metric=found.metric,
        ).as_dict()
