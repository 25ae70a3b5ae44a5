"""`manage.py demo_logins`: who can log in to the demo."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from demo import selectors
from demo.logins import TENANTS


class Command(BaseCommand):
    help = "Print the demo logins (demo mode only)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        found = [
            {"tenant": demo.name, "host": demo.hosts[0], **login}
            for demo in TENANTS
            for login in selectors.logins_of(slug=demo.slug)
        ]
        if options["json"]:
            self.stdout.write(json.dumps(found, indent=2))
            return
        for login in found:
            self.stdout.write(f"{login['tenant']:16} {login['email']:22} {login['password']:22} {login['role']}")
