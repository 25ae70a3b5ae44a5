"""`manage.py import_curves FILE.parquet --tenant acme --brand chips --source "PyMC-Marketing, run 7" ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from optimization import services
from optimization.management.arguments import add_scope, day, inside


class Command(BaseCommand):
    help = "Make a curve version of posterior draws: a Parquet file in the format rmn-curve-draws/1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="Parquet, one row per cell and draw")
        add_scope(parser)
        parser.add_argument("--source", required=True, help="what fitted them")
        parser.add_argument("--data-start", type=day, required=True, help="first day of the data, as 2026-01-05")
        parser.add_argument("--data-end", type=day, required=True, help="last day of them")
        parser.add_argument("--currency", default="", help="ISO 4217 code; the tenant's without one")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        with path.open("rb") as file:
            content = file.read(services.LARGEST_IMPORT + 1)
        with inside(options, "import_curves") as (brand, _):
            made = services.import_curves(
                actor=None, brand=brand, content=content, source=options["source"], data_start=options["data_start"],
                data_end=options["data_end"], currency=options["currency"],
            )  # fmt: skip
            words = "made" if made.created else "made before; nothing changed"
            self.stdout.write(f"{made.version}, {len(made.version.curves)} cells: {words}.")
