"""`manage.py revoke_adjustment ID --tenant acme --as alice@example.com --reason ...`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser

from optimization import services
from optimization.management.arguments import add_person, inside
from tenants.core.problems import NotAuthenticated


class Command(BaseCommand):
    help = "Take an override of a curve, or a prior, back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=UUID)
        parser.add_argument("--tenant", required=True, help="slug or id")
        add_person(parser)
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        with inside(options, "revoke_adjustment") as (_, person):
            if person is None:
                raise NotAuthenticated("Somebody has to take it back.", fix="Give --as.")
            held = services.revoke_adjustment(actor=person, adjustment_id=options["id"], reason=options["reason"])
            self.stdout.write(f"{held} is revoked.")
