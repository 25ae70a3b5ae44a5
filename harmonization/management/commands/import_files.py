"""`manage.py import_files --tenant acme --as dana@acme.example list|run`: watched places, and looking there now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts import services as authority
from accounts.models import User
from harmonization import services
from harmonization.loads.imports import imports_visible
from harmonization.management.tenant_command import TenantCommand, job_outcome
from tenants.core.problems import NotFound


class Command(TenantCommand):
    help = "List watched places, or look for files at one or all of them now."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        acts = parser.add_subparsers(dest="act_name", required=True)
        acts.add_parser("list", help="places with what was taken from each")
        run = acts.add_parser("run", help="look for files now, as jobs")
        run.add_argument("--name", help="of one place; all by default")
        run.add_argument("--wait", action="store_true", help="until the jobs have ended (workers must be up)")

    def act(self, *, actor: User, **options: Any) -> dict[str, Any]:
        authority.require_somewhere(user=actor, permission="uploads.view")
        sources: Any = imports_visible(user=actor)
        if options["act_name"] == "list":
            return {"places": [
                {"name": one.name, "location": one.location, "account": one.account.name, "taken": one.taken,
                 "refused": one.refused, "arriving": one.arriving, "looked_at": one.looked_at, "problem": one.problem}
                for one in sources
            ]}  # fmt: skip
        if options["name"] and not (sources := sources.filter(name=options["name"])):
            raise NotFound(f"No place is called {options['name']!r}.", where="--name")
        started = [services.start_import(actor=actor, source=source) for source in sources]
        return {"jobs": [job_outcome(job, wait=options["wait"]) for job in started]}
