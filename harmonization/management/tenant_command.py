"""What commands on a tenant's data have in common: in which tenant, in whose name, and how the answer is printed."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_tenants.utils import tenant_context

from accounts import services as people
from accounts.models import User
from jobs import services as jobs
from jobs.models import Job
from tenants.core.problems import NotFound, Problem
from tenants.selectors import find_tenant


class TenantCommand(BaseCommand):
    """A command in one tenant, with the rights of one person there."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug or id")
        parser.add_argument("--as", dest="email", required=True, help="e-mail of the person in whose name it is done")
        parser.add_argument("--json", action="store_true")

    def act(self, *, actor: User, **options: Any) -> dict[str, Any]:
        """Do it; a value that is a list of mappings is printed as lines."""
        raise NotImplementedError

    def handle(self, *args: Any, tenant: str, email: str, **options: Any) -> None:
        try:
            with tenant_context(find_tenant(key=tenant)):
                actor = User.objects.filter(email__iexact=email).first()
                if actor is None:
                    raise NotFound(f"Nobody here has the address {email}.", where="--as")
                name = type(self).__module__.rsplit(".", 1)[-1]
                with people.recorded_as(source=f"command {name}", user=actor):
                    outcome = self.act(actor=actor, **options)
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        if options["json"]:
            self.stdout.write(json.dumps(outcome, default=str, indent=2, ensure_ascii=False))
            return
        for name, value in outcome.items():
            if isinstance(value, list):
                self.stdout.write(f"{name}: {len(value)}")
                for row in value:
                    line = (
                        "  ".join(f"{key}={part}" for key, part in row.items()) if isinstance(row, dict) else str(row)
                    )
                    self.stdout.write(f"  {line}")
            else:
                self.stdout.write(f"{name:12} {value}")


def job_outcome(job: Job, *, wait: bool) -> dict[str, Any]:
    """The job as a command tells it, with `wait` after it has ended."""
    if wait:
        job = jobs.wait_for_job(job_id=job.pk)
    return {"job": str(job.pk), "state": job.state, "result": job.result, "problem": job.problem}
