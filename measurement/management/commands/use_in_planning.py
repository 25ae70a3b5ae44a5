"""`manage.py use_in_planning EX-0001 --tenant acme --as alice@example.com`: what a reading taught, for plans."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from measurement import selectors, services
from measurement.core.words import ratio
from optimization.management.arguments import add_person, inside
from tenants.core.problems import NotAuthenticated


class Command(BaseCommand):
    help = "Publish factors and curves from the newest reading of an experiment."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("experiment", help="label, EX-0001, or id")
        parser.add_argument("--tenant", required=True, help="slug or id")
        parser.add_argument("--preview", action="store_true", help="change nothing")
        add_person(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with inside(options, "use_in_planning") as (_, person):
            if person is None:
                raise NotAuthenticated("Factors are published by somebody.", fix="Give --as.")
            experiment = selectors.experiment_named(user=person, reference=options["experiment"])
            stored = selectors.reading_visible(user=person, experiment_id=experiment.pk)
            made = None if options["preview"] else services.use_in_planning(as_user=person, reading=stored)
            told = made.summary if made else services.preview_planning(as_user=person, reading=stored).as_dict()
            for one in told["transfers"]:
                cell = " ".join(part for part in (one["retailer"], one["placement"]) if part)
                self.stdout.write(f"{cell}: factor {ratio(one['before'])} to {ratio(one['after']['value'])}")
            if made is None:
                self.stdout.write("Nothing was changed.")
            else:
                curves = f" and {made.curve_version}" if made.curve_version else ""
                self.stdout.write(f"Factors version {made.factor_set.version}{curves} count from now on.")
