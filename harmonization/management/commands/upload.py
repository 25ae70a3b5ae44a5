"""`manage.py upload FILE --tenant acme --account ID`: send a file as the page and the API do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_tenants.utils import schema_context

from accounts import services as people
from accounts.models import User
from harmonization import services
from harmonization.core.load_context import parse_answers
from harmonization.models import Account, Upload
from harmonization.services.uploads import NEEDS_ACCOUNT, OF_THE_TENANT
from jobs import services as jobs
from tenants.core.problems import InvalidInput, NotFound, Problem
from tenants.selectors import tenant_by_key


class Command(BaseCommand):
    help = "Upload a report, or any other kind of file, and with --wait follow the job to its end."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--tenant", required=True, help="slug or id")
        parser.add_argument("--account", help="external id or name of the account that a report, or audiences, are of")
        parser.add_argument("--as", dest="email", required=True, help="e-mail of the person in whose name it is sent")
        parser.add_argument("--kind", choices=Upload.Kind.values, default=Upload.Kind.REPORT)
        parser.add_argument("--contract", default="auto", help="mapping contract, or auto")
        parser.add_argument("--parameters", default="", help="answers to the mapping's: click_window=14D, ...")
        parser.add_argument("--wait", action="store_true", help="until the job has ended (workers must be up)")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_by_key(key=options["tenant"])
        if tenant is None or tenant.is_platform:
            raise CommandError(f"There is no tenant {options['tenant']!r}.")
        try:
            with schema_context(tenant.slug):
                outcome = self._send(options)
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        if options["json"]:
            self.stdout.write(json.dumps(outcome, default=str, indent=2))
            return
        for name, value in outcome.items():
            self.stdout.write(f"{name:10} {value}")

    def _send(self, options: dict[str, Any]) -> dict[str, Any]:
        actor = User.objects.filter(email__iexact=options["email"]).first()
        if actor is None:
            raise NotFound(f"Nobody here has the address {options['email']}.", where="--as")
        path: Path = options["file"]
        try:
            file = path.open("rb")
        except OSError as error:
            raise InvalidInput(f"{path} cannot be read: {error.strerror}.", where="file") from error
        with file, people.recorded_as(source="command upload", user=actor):
            taken = services.take_file(
                actor=actor,
                chunks=iter(lambda: file.read(1 << 20), b""),
                file_name=path.name,
                account=self._account(options),
                kind=options["kind"],
                contract=options["contract"],
                parameters=parse_answers(options["parameters"]),
            )
        outcome: dict[str, Any] = {"upload": str(taken.upload.pk), "sha256": taken.upload.sha256}
        if taken.imported is not None:
            outcome[taken.upload.kind] = taken.imported
        if taken.job is not None:
            job = jobs.wait_for_job(job_id=taken.job.pk) if options["wait"] else taken.job
            outcome |= {"job": str(job.pk), "state": job.state, "result": job.result, "problem": job.problem}
        return outcome

    def _account(self, options: dict[str, Any]) -> Account | None:
        if options["kind"] in OF_THE_TENANT:
            return None
        key = options["account"]
        if not key:
            raise InvalidInput(NEEDS_ACCOUNT[options["kind"]], where="--account")
        found = Account.objects.filter(external_id=key) | Account.objects.filter(name=key)
        if len(found) != 1:
            raise InvalidInput(
                f"{len(found)} accounts are called {key!r}.", where="--account", fix="Give the external id of one."
            )
        return found[0]
