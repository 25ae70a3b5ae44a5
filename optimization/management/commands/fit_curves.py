"""`manage.py fit_curves --tenant acme --brand chips`: fit response curves here and now, without a worker."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from optimization import services
from optimization.management.arguments import add_scope, inside


class Command(BaseCommand):
    help = "Fit the response curves of a brand, or of all brands, from the published reports."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_scope(parser)
        parser.add_argument("--weeks", type=int, default=services.USUAL_WEEKS)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        with inside(options, "fit_curves") as (brand, _):
            fitted = services.fit_curves(brand=brand, weeks=options["weeks"])
        version = fitted.version
        outcome = {
            "curve_version": str(version.pk),
            "number": version.number,
            "made_now": fitted.created,
            "window": [str(version.data_start), str(version.data_end)],
            **version.diagnostics,
        }
        if options["json"]:
            self.stdout.write(json.dumps(outcome, indent=2))
            return
        for name, value in outcome.items():
            self.stdout.write(f"{name.replace('_', ' '):22} {value}")
