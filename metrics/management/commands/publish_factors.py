"""`manage.py publish_factors FILE.csv`: incrementality factors from a file, in the name of a person of the tenant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_tenants.utils import tenant_context

from accounts import services as people
from accounts.models import User
from metrics import services
from tenants.core.problems import Problem
from tenants.selectors import find_tenant


class Command(BaseCommand):
    help = "Publish incrementality factors of a CSV file. A published set cannot be changed; a later one counts first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help=f"CSV with the columns {', '.join(services.FACTOR_COLUMNS)}")
        parser.add_argument("--tenant", required=True, help="slug or id of the tenant")
        parser.add_argument("--as", dest="email", required=True, help="e-mail address of the person who publishes")
        parser.add_argument("--source", required=True, help="the experiment, study or decision they come from")
        parser.add_argument("--note", default="")
        parser.add_argument("--brand", default="", help="id of the brand they are for; all brands without it")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        with path.open("rb") as file:
            text = file.read(services.LARGEST_FACTOR_FILE + 1).decode("utf-8", "replace")
        try:
            with tenant_context(find_tenant(key=options["tenant"])):
                actor = User.objects.filter(email__iexact=options["email"], is_active=True).first()
                if actor is None:
                    raise CommandError(f"Nobody here has the address {options['email']}.")
                with people.recorded_as(source="command publish_factors", user=actor):
                    published = services.publish_factors(
                        actor=actor,
                        brand=services.brand_to_publish_for(actor=actor, brand=options["brand"]),
                        source=options["source"],
                        note=options["note"],
                        factors=services.read_factor_file(text),
                    )
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        words = "published" if published.created else "published before; nothing changed"
        self.stdout.write(f"Version {published.factor_set.version}: {words}.")
