"""`manage.py quality --tenant acme --as EMAIL`: findings about the data, as the page Data > Quality shows them."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_tenants.utils import schema_context

from accounts import services as people
from accounts.models import User
from harmonization.core.findings import SEVERITIES
from harmonization.models import DataFinding
from harmonization.quality import selectors
from harmonization.quality.serializers import FindingSerializer
from harmonization.services import check_account, require_check
from tenants.core.problems import NotFound, Problem
from tenants.selectors import current_tenant, tenant_by_key


class Command(BaseCommand):
    help = (
        "List what looks wrong with a tenant's data; with --check look again first. Exit status 1: something critical."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug or id")
        parser.add_argument("--as", dest="email", required=True, help="e-mail of the person who asks")
        parser.add_argument("--check", action="store_true", help="check every report and compare reports before")
        parser.add_argument("--state", choices=[*DataFinding.State.values, "all"], default="open")
        parser.add_argument("--severity", choices=SEVERITIES)
        parser.add_argument("--kind", help="such as level_shift")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_by_key(key=options["tenant"])
        if tenant is None or tenant.is_platform:
            raise CommandError(f"There is no tenant {options['tenant']!r}.")
        try:
            with schema_context(tenant.slug):
                found = self._found(options)
                lines = [dict(FindingSerializer(row).data) for row in found]
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        if options["json"]:
            self.stdout.write(json.dumps(lines, default=str, indent=2))
        else:
            for line in lines:
                money = ", ".join(f"{amount} {currency}" for currency, amount in line["money"].items())
                self.stdout.write(f"{line['severity']:9} {line['rows']:>10,} rows  {money or '-':>20}  {line['title']}")
            self.stdout.write(f"{len(lines)} findings")
        if any(line["severity"] == "critical" and line["state"] == "open" for line in lines):
            raise SystemExit(1)

    def _found(self, options: dict[str, Any]) -> list[DataFinding]:
        person = User.objects.filter(email__iexact=options["email"]).first()
        if person is None:
            raise NotFound(f"Nobody here has the address {options['email']}.", where="--as")
        people.require_somewhere(user=person, permission=selectors.VIEW)
        if options["check"]:
            with people.recorded_as(source="command quality", user=person):
                for account in require_check(actor=person):
                    check_account(account=account)
        filters = {name: options[name] or "" for name in ("state", "severity", "kind")}
        visible = selectors.findings_visible(user=person)
        return list(selectors.findings_matching(visible, filters=filters, currency=current_tenant().base_currency))
