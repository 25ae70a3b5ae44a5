"""`manage.py analyze_switchback LOG.csv --period day --treated on --outcome sales --carryover 2 [--json]`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from measurement.core.switchback import ESTIMATORS, SwitchbackEstimate, analyze_switchback
from measurement.core.switchback_log import read_switchback_log
from measurement.management.without_database import FileCommand, read_file, seed_of
from tenants.core.problems import InvalidInput


class Command(FileCommand):
    help = "Effect of a switchback from its log, with randomisation p and interval; needs no database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="CSV with one row per period, or - for stdin")
        for name, words in (
            ("period", "whole numbers or days"),
            ("treated", "0 or 1"),
            ("outcome", "numbers"),
        ):
            parser.add_argument(f"--{name}", required=True, help=f"name of the column: {words}")
        parser.add_argument("--carryover", type=int, default=0, help="further periods in which an effect comes in")
        parser.add_argument("--randomise-at", help="points of the design, as 1,5,7,9; without it the optimal ones")
        parser.add_argument("--balanced", action="store_true", help="the assignment was balanced over weekdays")
        parser.add_argument("--estimator", choices=ESTIMATORS, default="auto")
        parser.add_argument("--alpha", type=float, default=0.05)
        parser.add_argument("--seed", type=int, default=1)
        super().add_arguments(parser)

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        log = read_switchback_log(
            read_file(options["file"]),
            period=options["period"],
            treated=options["treated"],
            outcome=options["outcome"],
        )
        if options["balanced"] and log.weekdays is None:
            raise InvalidInput(
                "Numbers have no weekdays.", where=f'column "{options["period"]}"', fix="Write the periods as days."
            )
        reading = analyze_switchback(
            log.treated,
            log.outcome,
            carryover=options["carryover"],
            randomise_at=_points(options["randomise_at"]),
            labels=log.weekdays if options["balanced"] else None,
            estimator=options["estimator"],
            alpha=options["alpha"],
            seed=seed_of(options),
        )
        chosen, means = reading.chosen, reading.block_means
        lift = reading.lift
        return {
            **_told(chosen),
            "estimator": reading.estimator,
            "alpha": reading.alpha,
            "baseline": reading.baseline,
            "lift": None if lift is None else {"value": lift.value, "ci": [lift.low, lift.high]},
            "horvitz_thompson": _told(reading.horvitz_thompson),
            "burn_in": None if reading.burn_in is None else _told(reading.burn_in),
            "block_means": {
                "blocks": means.blocks,
                "effect": None if means.effect is None else means.effect.value,
                "p_value": means.p_value,
                "ci": None if means.effect is None else [means.effect.low, means.effect.high],
                "refused": means.refused,
            },
            "periods": len(log.periods),
            "windows_treated": reading.windows[0],
            "windows_untreated": reading.windows[1],
            "randomise_at": list(reading.design.randomise_at),
            "risk": reading.design.risk,
            "warnings": [*log.notes, *reading.warnings],
        }


def _told(found: SwitchbackEstimate) -> dict[str, Any]:
    effect = found.effect
    return {
        "effect": effect.value,
        "p_value": found.p_value,
        "ci": [effect.low, effect.high],
        "procedure": found.procedure,
    }


def _points(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(word) for word in text.split(",")]
    except ValueError as error:
        raise InvalidInput(
            f"{text!r} is no list of whole numbers.", where="--randomise-at", fix="Write it as 1,5,7,9."
        ) from error
