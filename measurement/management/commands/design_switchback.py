"""`manage.py design_switchback --periods 12 --carryover 2 [--json]`: when to toss the coin; needs no database."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import CommandParser

from measurement.core.switchback_design import design_switchback, draw_assignment
from measurement.management.without_database import FileCommand, seed_of
from tenants.core.problems import InvalidInput


class Command(FileCommand):
    help = "Design of a switchback with the least worst-case risk, and with --seed an assignment drawn from it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--periods", type=int, required=True)
        parser.add_argument("--carryover", type=int, default=0, help="further periods in which an effect comes in")
        parser.add_argument("--seed", type=int, help="draw an assignment; the same seed draws the same")
        parser.add_argument("--first-day", help="of daily periods, as 2026-01-05: balance the draw over weekdays")
        super().add_arguments(parser)

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        design = design_switchback(periods=options["periods"], carryover=options["carryover"])
        found: dict[str, Any] = {
            "randomise_at": list(design.randomise_at),
            "risk": design.risk,
            "periods": design.periods,
            "carryover": design.carryover,
            "lengths": list(design.lengths),
            "burn_in": design.burn_in,
            "notes": list(design.notes),
        }
        weekdays = None if options["first_day"] is None else _weekdays(options["first_day"], design.periods)
        if weekdays is not None and options["seed"] is None:
            raise InvalidInput("Only a draw can be balanced.", where="--first-day", fix="Give --seed too.")
        if options["seed"] is not None:
            found["seed"] = seed_of(options)
            found["balanced_over_weekdays"] = weekdays is not None
            found["treated"] = draw_assignment(design, seed=options["seed"], labels=weekdays).tolist()
        return found


def _weekdays(first: str, periods: int) -> list[str]:
    try:
        day = dt.date.fromisoformat(first)
        return [str((day + dt.timedelta(days=step)).weekday()) for step in range(periods)]
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{first!r} is no day.", where="--first-day", fix="Write it as 2026-01-05.") from error
