"""`manage.py vacuum_events --tenant acme --as dana@acme.example`: delete event files of versions out of reach."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.models import User
from harmonization import services
from harmonization.management.tenant_command import TenantCommand, job_outcome


class Command(TenantCommand):
    help = "Delete files of the event table that no version within the retention needs, as a job."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--days", type=int, help="how far back events stay readable; RMN_HISTORY_DAYS by default")
        parser.add_argument("--wait", action="store_true", help="until the job has ended (workers must be up)")

    def act(self, *, actor: User, **options: Any) -> dict[str, Any]:
        return job_outcome(services.start_vacuum(actor=actor, days=options["days"]), wait=options["wait"])
