"""`manage.py set_factor 0.6 --standard-error 0.1 --reason ... --tenant acme --as alice@example.com`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from optimization import services
from optimization.management.arguments import add_person, add_scope, day, inside
from tenants.core.problems import NotAuthenticated


class Command(BaseCommand):
    help = "Say which share of attributed sales the ads caused, with the reason. Files of factors: publish_factors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("mean", type=float, help="0.6: the ads caused 60 %% of what is attributed to them")
        parser.add_argument("--standard-error", type=float, required=True)
        parser.add_argument("--reason", required=True)
        add_scope(parser)
        add_person(parser)
        parser.add_argument("--retailer", default="", help="name or slug; any without one")
        parser.add_argument("--placement", default="", help="canonical; any without one")
        parser.add_argument("--valid-from", type=day)
        parser.add_argument("--valid-to", type=day)

    def handle(self, *args: Any, **options: Any) -> None:
        given = {
            name: options[name]
            for name in ("mean", "standard_error", "reason", "retailer", "placement", "valid_from", "valid_to")
        }
        with inside(options, "set_factor") as (brand, person):
            if person is None:
                raise NotAuthenticated("A judgement is somebody's.", fix="Give --as.")
            made = services.set_factor(actor=person, brand=brand, **given)
            self.stdout.write(f"Version {made.version} counts from now on.")
