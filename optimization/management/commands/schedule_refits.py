"""`manage.py schedule_refits --tenant acme --brand chips --as alice@example.com [--off]`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from jobs.core.schedules import Timing
from optimization import services
from optimization.management.arguments import add_person, add_scope, inside
from tenants.core.problems import NotAuthenticated


class Command(BaseCommand):
    help = "Have curves fitted anew every week, or no more. Without new data no new version is made."

    def add_arguments(self, parser: CommandParser) -> None:
        add_scope(parser)
        add_person(parser)
        parser.add_argument("--crontab", default=services.WEEKLY, help="minute, hour, day, month, weekday, in UTC")
        parser.add_argument("--weeks", type=int, default=services.USUAL_WEEKS)
        parser.add_argument("--off", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        with inside(options, "schedule_refits") as (brand, person):
            if person is None:
                raise NotAuthenticated("A schedule runs in somebody's name.", fix="Give --as.")
            schedule = services.schedule_refits(
                actor=person, brand=brand, on=not options["off"], timing=Timing(crontab=options["crontab"]),
                weeks=options["weeks"],
            )  # fmt: skip
            if schedule is None:
                self.stdout.write("There was no schedule.")
            else:
                self.stdout.write(f"{schedule.title}: {schedule.timing}, {'on' if schedule.enabled else 'off'}.")
