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
        parser.add_argument("--planned-users", type=int, help="of both groups at the end: an interval for any moment")
        parser.add_argument("--looks", help="planned shares of the final users, as 0.5,0.75,1; give --look too")
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
        if options["planned_users"] is not None:
            answer["always_valid"] = at_any_moment(reading, planned_users=options["planned_users"])
        if options["looks"] is not None or options["look"] is not None:
            answer["group_sequential"] = at_planned_look(
                reading, look=options["look"] or 0, fractions=_shares(options["looks"]), spending=options["spending"]
            )
        return answer


def _shares(text: str | None) -> list[float]:
    try:
        return [float(word) for word in (text or "").split(",")]
    except ValueError as error:
        raise InvalidInput(
            f"{text or 'nothing'!r} is no list of shares.", where="--looks", fix="Write it as 0.5,0.75,1."
        ) from error
