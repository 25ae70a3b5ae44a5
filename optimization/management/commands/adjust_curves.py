"""`manage.py adjust_curves override|prior --tenant acme --as alice@example.com ...`: what a person knows of curves."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from optimization import services
from optimization.core.adjustments import KINDS
from optimization.management.arguments import add_person, add_scope, day, inside

_NUMBERS = {
    "a": "of an override: amplitude, money a week",
    "k": "of an override: scale, money a week",
    "exponent": "of an override: p of a power, n of hill",
    "roas": "of a prior: return of the usual weekly spend",
    "scale": "of a prior: k, money a week",
    "spread": "of a prior: one standard deviation, relative; 0.2 is within 20 %%",
}


class Command(BaseCommand):
    help = "Override the curve of a cell, or give a prior for the curves of a scope, with the reason."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=list(KINDS))
        add_scope(parser)
        add_person(parser)
        for name in ("retailer", "placement", "sku", "family"):
            parser.add_argument(f"--{name}", default="")
        for name, words in _NUMBERS.items():
            parser.add_argument(f"--{name}", type=float, help=words)
        parser.add_argument("--reason", required=True)
        parser.add_argument("--expires-on", type=day, help="first day on which it no longer counts")

    def handle(self, *args: Any, **options: Any) -> None:
        given = {
            name: options[name]
            for name in ("kind", "retailer", "placement", "sku", "family", *_NUMBERS, "reason", "expires_on")
        }
        with inside(options, "adjust_curves") as (brand, person):
            made = services.adjust_curves(actor=person, brand=brand, **given)
            self.stdout.write(f"{made} counts from now on, as {made.pk}.")
