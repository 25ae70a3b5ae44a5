"""`manage.py list_tenants`: every tenant with its status, host names and whether its schema is up to date."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tenants import selectors
from tenants.models import Tenant


class Command(BaseCommand):
    help = "List tenants with status, host names and whether their schema lacks a migration."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        behind = set(selectors.schemas_behind())
        rows: list[dict[str, Any]] = [
            {
                "slug": tenant.slug,
                "name": tenant.name,
                "status": tenant.status,
                "domains": sorted(domain.domain for domain in tenant.domains.all()),
                "migrated": tenant.is_platform or tenant.slug not in behind,
            }
            for tenant in Tenant.objects.prefetch_related("domains").order_by("schema_name")
        ]
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for row in rows:
            state = row["status"] if row["migrated"] else f"{row['status']}, behind: run migrate_schemas"
            self.stdout.write(f"{row['slug']:<24} {state:<12} {', '.join(row['domains'])}  ({row['name']})")
