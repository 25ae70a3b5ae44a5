"""`manage.py suspend_tenant SLUG`: nobody gets in, nothing is lost; `--undo` opens it again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants import selectors, services
from tenants.core.problems import Problem
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Suspend a tenant: its pages and API refuse everybody, its data stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="slug or id of the tenant")
        parser.add_argument("--undo", action="store_true", help="reactivate it")

    def handle(self, *args: Any, **options: Any) -> None:
        status = Tenant.Status.ACTIVE if options["undo"] else Tenant.Status.SUSPENDED
        try:
            tenant = services.set_tenant_status(tenant=selectors.find_tenant(key=options["slug"]), status=status)
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{tenant.slug} is {tenant.status}.")
