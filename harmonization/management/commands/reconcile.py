"""`manage.py reconcile --tenant acme --as EMAIL`: compare the reports of each account over the days both cover."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_tenants.utils import schema_context

from accounts import services as people
from accounts.models import User
from harmonization.quality import selectors
from harmonization.quality.serializers import ReconciliationSerializer
from harmonization.services import check_account, require_check
from tenants.core.problems import NotFound, Problem
from tenants.selectors import tenant_by_key


class Command(BaseCommand):
    help = "Compare the reports of each account. Exit status 1: a difference that nothing explains."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug or id")
        parser.add_argument("--as", dest="email", required=True, help="e-mail of the person who asks")
        parser.add_argument("--account", help="external id or name; all accounts unless given")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_by_key(key=options["tenant"])
        if tenant is None or tenant.is_platform:
            raise CommandError(f"There is no tenant {options['tenant']!r}.")
        try:
            with schema_context(tenant.slug):
                lines = self._compared(options)
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        if options["json"]:
            self.stdout.write(json.dumps(lines, default=str, indent=2))
        else:
            for line in lines:
                pair = f"{line['report_a']} / {line['report_b']}"
                self.stdout.write(
                    f"{line['verdict']:14} {line['account_name']:24} {pair:40} {line['metric']:12} "
                    f"{line['total_a']:>22} {line['total_b']:>22}  {line['detail']}"
                )
            self.stdout.write(f"{len(lines)} comparisons")
        if any(line["verdict"] == "flagged" for line in lines):
            raise SystemExit(1)

    def _compared(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        person = User.objects.filter(email__iexact=options["email"]).first()
        if person is None:
            raise NotFound(f"Nobody here has the address {options['email']}.", where="--as")
        chosen = [
            account
            for account in require_check(actor=person)
            if options["account"] in (None, account.external_id, account.name)
        ]
        if not chosen:
            raise NotFound(f"No account with figures is called {options['account']!r}.", where="--account")
        with people.recorded_as(source="command reconcile", user=person):
            for account in chosen:
                check_account(account=account)
        rows = selectors.reconciliations_visible(user=person).filter(account__in=chosen)
        return [dict(ReconciliationSerializer(row).data) | {"account_name": row.account.name} for row in rows]
