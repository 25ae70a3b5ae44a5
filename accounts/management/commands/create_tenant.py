"""`manage.py create_tenant SLUG --name NAME --owner-email EMAIL`: a tenant and its first owner, both or neither."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from tenants.core.problems import InvalidInput, Problem


class Command(BaseCommand):
    help = "Create a tenant with its schema, host names and first owner."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="schema name and value of X-Tenant-ID: lower-case letters, digits and _")
        parser.add_argument("--name", required=True, help="as people see it")
        parser.add_argument("--owner-email", required=True, help="the first owner logs in with it")
        parser.add_argument("--owner-name", default="")
        parser.add_argument(
            "--owner-password-file",
            help="file with the owner's password, - for standard input; without one the owner resets it by e-mail",
        )
        parser.add_argument(
            "--domain", action="append", default=[], help="host name, repeatable; by default <slug>.<RMN_BASE_DOMAIN>"
        )
        parser.add_argument("--currency", default="USD", help="ISO 4217 code of the tenant's base currency")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant, owner = services.open_tenant(
                slug=options["slug"],
                name=options["name"],
                owner_email=options["owner_email"],
                owner_name=options["owner_name"],
                owner_password=password_in(options["owner_password_file"]),
                domains=options["domain"],
                base_currency=options["currency"],
            )
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        made = {
            "id": str(tenant.pk),
            "slug": tenant.slug,
            "name": tenant.name,
            "domains": [domain.domain for domain in tenant.domains.order_by("-is_primary", "domain")],
            "owner": owner.email,
        }
        if options["json"]:
            self.stdout.write(json.dumps(made, indent=2))
            return
        self.stdout.write(f"{made['name']} is open at {', '.join(made['domains'])}; its owner is {made['owner']}.")


def password_in(path: str | None) -> str | None:
    """The first line of a file, or of standard input for `-`: a password on the command line shows in process lists.

    Raises:
        InvalidInput: the file cannot be read, or its first line is empty.
    """
    if path is None:
        return None
    try:
        text = sys.stdin.readline() if path == "-" else Path(path).read_text(encoding="utf-8").partition("\n")[0]
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", where="password file") from error
    password = text.rstrip("\r\n")
    if not password:
        raise InvalidInput(f"{path} holds no password.", where="password file", fix="Write it into the first line.")
    return password
