"""`manage.py analyze_ab SUMMARY.json [--json]`: a user test from the sums of its two groups; needs no database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from measurement.core.user_looks import at_any_moment, at_planned_look
from measurement.core.user_test import METHODS, analyze_users
from measurement.core.user_test_file import read_user_summary
from measurement.management.without_database import FileCommand, read_file
from tenants.core.problems import InvalidInput


class Command(FileCommand):
    help = "Relative lift and difference of a user A/B test from summary statistics, with the check of group sizes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="JSON summary, or - for stdin")
        parser.add_argument("--alpha", type=float, help="two-sided; that of the file, or 0.05")
        parser.add_argument("--method", choices=METHODS, help="interval of the lift; that of the file, or delta")
        parser.add_argument("--planned-users", type=int, help="of both groups at the end: interval for any moment")
        parser.add_argument(
            "--looks",
            help="shares of the planned users at which looks are made, as 0.5,0.75,1; give --look, and --planned-users "
            "where this look does not stand exactly at its share",
        )
        parser.add_argument("--look", type=int, help="number of this look among the planned ones, from 1")
        parser.add_argument("--spending", choices=("obrien_fleming", "pocock"), default="obrien_fleming")
        super().add_arguments(parser)

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        found = read_user_summary(read_file(options["file"]))
        alpha = options["alpha"] if options["alpha"] is not None else found.alpha
        reading = analyze_users(
            found.control,
            found.treatment,
            alpha=0.05 if alpha is None else alpha,
            method=options["method"] or found.method or "delta",
            shares=found.shares,
            metric=found.metric,
        )
        answer = reading.as_dict()
        planned = options["planned_users"]
        looking = options["looks"] is not None or options["look"] is not None
        # A last look may have more users than were planned; an interval for any moment cannot be tuned to fewer.
        if planned is not None and not (looking and planned < found.control.n + found.treatment.n):
            answer["always_valid"] = at_any_moment(reading, planned_users=planned)
        if looking:
            answer["group_sequential"] = at_planned_look(
                reading, look=options["look"] or 0, fractions=_shares(options["looks"]), planned_users=planned,
                spending=options["spending"],
            )  # fmt: skip
        return answer


def _shares(text: str | None) -> list[float]:
    try:
        return [float(word) for word in (text or "").split(",")]
    except ValueError as error:
        raise InvalidInput(
            f"{text or 'nothing'!r} is no list of shares.", where="--looks", fix="Write it as 0.5,0.75,1."
        ) from error
