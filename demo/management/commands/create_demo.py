"""`manage.py create_demo`: the demo tenants, through the whole pipeline."""

import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo import services
from demo.logins import TENANTS, tenant_named
from tenants.core.problems import Problem


class Command(BaseCommand):
    help = "Create the demo tenants with sample exports, loads, curves and a scenario. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", action="append", choices=[demo.slug for demo in TENANTS], help="only this one")
        parser.add_argument("--inline", action="store_true", help="run the jobs in this process, without workers")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()

        def say(text: str) -> None:
            self.stdout.write(f"{time.monotonic() - started:6.1f} s  {text}")
            self.stdout.flush()

        run_jobs = _run_queued if options["inline"] else None
        chosen = [tenant_named(slug) for slug in options["tenant"]] if options["tenant"] else TENANTS
        try:
            for demo in chosen:
                assert demo is not None, "argparse checked the choice"
                services.create_demo_tenant(demo=demo, say=say, run_jobs=run_jobs)
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        say("The demo is ready.")


def _run_queued() -> None:
    call_command("run_jobs", once=True, verbosity=0)
