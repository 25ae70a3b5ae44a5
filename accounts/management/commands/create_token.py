"""`manage.py create_token --tenant acme --email EMAIL --name NAME`: an API token of a person, shown this once."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_tenants.utils import schema_context

from accounts import services
from accounts.models import ApiToken, User
from tenants.core.problems import Problem
from tenants.selectors import tenant_by_key


class Command(BaseCommand):
    help = "Create an API token of a person and print it: it is kept nowhere and cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug or id")
        parser.add_argument("--email", required=True, help="whose token it is: it may do what they may")
        parser.add_argument("--name", required=True, help="what will use it")
        parser.add_argument("--days", type=int, default=90, help="after which it expires, 1 to 366")
        parser.add_argument("--replace", action="store_true", help="revoke the person's token of that name first")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_by_key(key=options["tenant"])
        if tenant is None or tenant.is_platform:
            raise CommandError(f"There is no tenant {options['tenant']!r}.")
        with schema_context(tenant.slug):
            person = User.objects.filter(email__iexact=options["email"], is_active=True).first()
            if person is None:
                raise CommandError(f"Nobody at {tenant.name} can log in as {options['email']}.")
            try:
                with services.recorded_as(source="command create_token", user=person):
                    if options["replace"]:
                        for old in ApiToken.objects.filter(user=person, name=options["name"].strip()):
                            services.revoke_token(actor=person, token_id=old.public_id)
                    token, text = services.create_token(actor=person, name=options["name"], days=options["days"])
            except Problem as problem:
                raise CommandError(str(problem)) from problem
        if options["json"]:
            shown = {"token": text, "name": token.name, "person": person.email, "expires": token.expiry}
            self.stdout.write(json.dumps(shown, default=str, indent=2))
            return
        self.stdout.write(text)
