"""`manage.py power --test means --effect 0.5 [--json]`: users per group, power, or smallest effect; no database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from measurement.core import power
from measurement.management.without_database import FileCommand
from tenants.core.problems import InvalidInput

_SHARED = {"alpha": 0.05, "power": 0.8, "ratio": 1.0, "cluster_size": 1.0, "icc": 0.0}


class Command(FileCommand):
    help = "Sample size of a test with two groups; with --n its power, or, without an effect, the smallest detectable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--test", choices=("means", "proportions"), required=True)
        parser.add_argument("--effect", type=float, help="of means: difference, in standard deviations or as --sd")
        parser.add_argument("--sd", type=float, default=1.0, help="of means: standard deviation of single users")
        parser.add_argument("--rho", type=float, default=0.0, help="of means: correlation with a covariate from before")
        parser.add_argument("--p1", type=float, help="of proportions: share of the control")
        parser.add_argument("--p2", type=float, help="of proportions: share of the treatment")
        parser.add_argument("--variance", choices=("pooled", "unpooled"), default="pooled", help="of proportions")
        parser.add_argument("--n", type=float, help="users in the first group: ask for power, or the smallest effect")
        for name, value in _SHARED.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=value)
        super().add_arguments(parser)

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        deff = power.design_effect(cluster_size=options["cluster_size"], icc=options["icc"])
        shared = {"alpha": options["alpha"], "ratio": options["ratio"], "deff": deff}
        if options["test"] == "means":
            return self._means(options, {**shared, "sd": options["sd"], "rho": options["rho"]})
        return self._proportions(options, {**shared, "variance": options["variance"]})

    def _means(self, options: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        effect, n = options["effect"], options["n"]
        if n is not None and effect is not None:
            return _told("means", given, n, power=power.power_for_means(effect, n, **given), effect=effect)
        if n is not None:
            found = power.effect_for_means(n, power=options["power"], **given)
            return _told("means", given, n, power=options["power"], effect=found)
        if effect is None:
            raise InvalidInput("There is no effect.", where="--effect", fix="Give --effect, or --n for the smallest.")
        sized = power.size_for_means(effect, power=options["power"], **given).as_dict()
        return {**sized, "effect": effect, "sd": given["sd"], "rho": given["rho"]}

    def _proportions(self, options: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        p1, p2, n = options["p1"], options["p2"], options["n"]
        if p2 is None and p1 is not None and options["effect"] is not None:
            p2 = p1 + options["effect"]
        if p1 is None or (p2 is None and n is None):
            raise InvalidInput(
                "Two shares make an effect.", where="--p1, --p2", fix="Give both, or --p1 and --n for the smallest."
            )
        if n is not None and p2 is not None:
            told = power.power_for_proportions(p1, p2, n, **given)
            return _told("proportions", given, n, power=told, p1=p1, p2=p2)
        if n is not None:
            found = power.effect_for_proportions(p1, n, power=options["power"], **given)
            return _told("proportions", given, n, power=options["power"], p1=p1, p2=found, effect=found - p1)
        sized = power.size_for_proportions(p1, p2, power=options["power"], **given).as_dict()
        return {**sized, "p1": p1, "p2": p2, "variance": given["variance"]}


def _told(test: str, given: dict[str, Any], n: float, **found: float) -> dict[str, Any]:
    """The answer to a question that gives the number of users."""
    return {
        "test": test,
        "alpha": given["alpha"],
        "n_per_group": n,
        "ratio": given["ratio"],
        "design_effect": given["deff"],
        **found,
    }
