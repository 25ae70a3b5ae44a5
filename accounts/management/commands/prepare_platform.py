"""`manage.py prepare_platform`: everything between an empty database and a platform that can take tenants.

Safe to repeat: it runs before every start, and after an upgrade it migrates the schemas that are behind.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.management.commands.create_tenant import password_in
from tenants import selectors
from tenants import services as tenant_services
from tenants.core.problems import Problem


class Command(BaseCommand):
    help = "Migrate what is behind, make the platform's row and hosts, collect static files, build the schema template."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--operator-email", help="the first platform operator, made if absent")
        parser.add_argument("--operator-password-file", help="file with that operator's password, - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
        behind = selectors.schemas_behind()
        if behind:
            self.stdout.write(f"Migrating {len(behind)} tenant schemas")
            call_command("migrate_schemas", tenant=True, interactive=False, verbosity=0)
        try:
            tenant_services.ensure_platform(domains=[f"platform.{settings.BASE_DOMAIN}"])
            tenant_services.prepare_template()
            if options["operator_email"]:
                password = password_in(options["operator_password_file"])
                if password is None:
                    raise CommandError("--operator-email needs --operator-password-file.")
                services.seed_operator(email=options["operator_email"], password=password)
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns at every start where it is missing
        if settings.CONFIG.env == "production":
            call_command("collectstatic", interactive=False, verbosity=0)
        self.stdout.write("The platform is ready.")
