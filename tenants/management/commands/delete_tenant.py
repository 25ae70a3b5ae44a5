"""`manage.py delete_tenant SLUG --yes`: the schema, the files and the cache entries of a tenant are gone for good."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants import selectors, services
from tenants.core.problems import Problem


class Command(BaseCommand):
    help = "Delete a tenant with its schema, files and cache entries. Only a backup brings it back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="slug of the tenant")
        parser.add_argument("--yes", action="store_true", help="really do it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant = selectors.find_tenant(key=options["slug"])
            if not options["yes"]:
                raise CommandError(
                    f"This deletes {tenant.name} ({tenant.slug}): schema, files in {selectors.folder_of(tenant.slug)}, "
                    "cache entries. Make a backup, then repeat the command with --yes."
                )
            services.delete_tenant(tenant=tenant)
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{options['slug']} is deleted.")
