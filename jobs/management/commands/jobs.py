"""`manage.py jobs --tenant acme list|show|cancel|retry|run-queued`: jobs of one tenant, for its operators."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django_tenants.utils import tenant_context

from jobs import services
from jobs.core.states import State
from jobs.draining import run_queued_jobs
from jobs.models import Job
from jobs.presentation import as_text, look_at
from tenants.core.problems import NotFound, Problem
from tenants.selectors import find_tenant


class Command(BaseCommand):
    help = "List, show, cancel, retry and run jobs of one tenant."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug or id")
        acts = parser.add_subparsers(dest="act", required=True)
        listing = acts.add_parser("list", help="newest first")
        listing.add_argument("--state", choices=[state.value for state in State])
        listing.add_argument("--limit", type=int, default=20)
        for act, words in (("show", "state, progress and log"), ("cancel", "stop it"), ("retry", "let it run again")):
            acts.add_parser(act, help=words).add_argument("id", type=UUID)
        acts.add_parser("run-queued", help="run what waits in this process, without Celery")

    def handle(self, *args: Any, tenant: str, act: str, **options: Any) -> None:
        try:
            with tenant_context(find_tenant(key=tenant)):
                getattr(self, f"_{act.replace('-', '_')}")(tenant=tenant, **options)
        except Problem as problem:
            raise CommandError(str(problem)) from problem

    def _list(self, *, state: str | None, limit: int, **_: Any) -> None:
        jobs = Job.objects.filter(state=state) if state else Job.objects.all()
        for job in jobs.select_related("progress")[:limit]:
            look = look_at(job)
            done = f"{look.fraction:.0%}" if look.fraction is not None else ""
            self.stdout.write(f"{job.pk}  {job.state:<9}  {done:>4}  {job.created_at:%Y-%m-%d %H:%M:%S}  {job.title}")

    def _show(self, *, id: UUID, **_: Any) -> None:  # noqa: A002 - the name of the argument
        job = _job(id)
        self.stdout.write(f"{job.title} ({job.kind}): {job.state}, attempt {job.attempt} of {job.max_attempts}")
        for stage in look_at(job).stages:
            self.stdout.write(f"  {stage['label']}: {stage['note']}")
        for name, value in (("problem", job.problem), ("result", job.result)):
            if value:
                self.stdout.write(f"{name}: {json.dumps(value, cls=DjangoJSONEncoder, indent=2)}")
        for line in job.log_lines.all():
            self.stdout.write(f"{line.time:%H:%M:%S}  {as_text(line)}")

    def _cancel(self, *, id: UUID, **_: Any) -> None:  # noqa: A002 - the name of the argument
        job = services.cancel_job(job_id=_job(id).pk, actor=None)
        self.stdout.write("cancelled" if job.is_final else "asked to stop")

    def _retry(self, *, id: UUID, **_: Any) -> None:  # noqa: A002 - the name of the argument
        services.retry_job(job_id=_job(id).pk, actor=None)
        self.stdout.write("waiting to run again")

    def _run_queued(self, *, tenant: str, **_: Any) -> None:
        self.stdout.write(f"{run_queued_jobs(tenant=find_tenant(key=tenant).slug)} attempts ran")


def _job(job_id: UUID) -> Job:
    job = Job.objects.select_related("progress").filter(pk=job_id).first()
    if job is None:
        raise NotFound(
            f"There is no job {job_id} in this tenant.", where="id", fix="`jobs --tenant ... list` shows them."
        )
    return job
