"""`manage.py lineage --tenant acme --as dana@acme.example`: source rows behind a figure, or the cells of one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.models import User
from harmonization import selectors as data
from harmonization.core.lineage_filters import FILTERS
from harmonization.loads.lineage import lineage, lineage_asker, row_origin
from harmonization.management.tenant_command import TenantCommand
from tenants.core.problems import InvalidInput


class Command(TenantCommand):
    help = "Show the rows of files that a figure is the sum of; with --load and --row, what the cells of a row became."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--start", type=date.fromisoformat, help="first day")
        parser.add_argument("--end", type=date.fromisoformat, help="last day")
        parser.add_argument(
            "--as-of", type=datetime.fromisoformat, help="rows in force at that instant, UTC by default"
        )
        parser.add_argument(
            "--filter", action="append", default=[], metavar="NAME=VALUE", help=f"one of {', '.join(FILTERS)}"
        )
        parser.add_argument("--limit", type=int, default=20)
        parser.add_argument("--load", type=UUID)
        parser.add_argument("--row", type=int)

    def act(self, *, actor: User, **options: Any) -> dict[str, Any]:
        if options["load"] and options["row"]:
            origin = row_origin(data.load_visible(user=actor, load_id=options["load"]), options["row"])
            return {
                "file": origin.load.upload.file_name, "row": origin.source_row, "state": origin.state,
                "rules": ", ".join(origin.rules), "cells": [asdict(cell) for cell in origin.cells],
                "from_elsewhere": dict(origin.derived),
            }  # fmt: skip
        lineage_asker(actor)
        as_of = options["as_of"]
        if as_of is not None and timezone.is_naive(as_of):
            as_of = timezone.make_aware(as_of)
        filters: dict[str, list[str]] = {}
        for pair in options["filter"]:
            name, equals, value = pair.partition("=")
            if not equals:
                raise InvalidInput(f"{pair!r} is no NAME=VALUE.", where="--filter", fix="Write e.g. campaign=9001.")
            filters.setdefault(name, []).append(value)
        found = lineage(
            user=actor, start=options["start"], end=options["end"], as_of=as_of, filters=filters, limit=options["limit"]
        )
        return {
            "count": found.count, "files": found.files, "spend": {code: str(one) for code, one in found.spend.items()},
            "rows": [asdict(row) for row in found.rows],
        }  # fmt: skip
