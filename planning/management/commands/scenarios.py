"""`manage.py scenarios --tenant acme list|show|create|solve`: scenarios of one tenant, for its operators."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django_tenants.utils import tenant_context

from accounts.models import Brand, User
from planning import services
from planning.models import Scenario
from planning.serializers import ScenarioDetailSerializer, ScenarioSerializer
from tenants.core.problems import InvalidInput, NotFound, Problem
from tenants.selectors import find_tenant


class Command(BaseCommand):
    help = "List, show, create and solve scenarios of one tenant."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug or id")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
        parser.add_argument(
            "--as", dest="email", default="", help="for create: e-mail of the person whose scenario it is"
        )
        parser.add_argument("--brand", help="for create: slug; without one it is over all brands")
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list", help="newest first").add_argument("--limit", type=int, default=20)
        acts.add_parser("show", help="question and answer").add_argument("label", help="SC-0001, or its id")
        solve = acts.add_parser("solve", help="solve it here and now, without a worker")
        solve.add_argument("label", help="SC-0001, or its id")
        create = acts.add_parser("create", help="a draft from a JSON object of its fields")
        create.add_argument("file", help="path, or - for standard input")

    def handle(self, *args: Any, tenant: str, act: str, **options: Any) -> None:
        self.as_json = options["json"]
        try:
            with tenant_context(find_tenant(key=tenant)):
                getattr(self, f"_{act}")(**options)
        except Problem as problem:
            errors = "".join(f"\n  {one['where']}: {one['detail']} {one['fix']}" for one in problem.errors[1:])
            raise CommandError(f"{problem}{errors}") from problem

    def _list(self, *, limit: int, **_: Any) -> None:
        scenarios = list(Scenario.objects.select_related("brand")[:limit])
        if self.as_json:
            return self._write([ScenarioSerializer(one).data for one in scenarios])
        for one in scenarios:
            self.stdout.write(f"{one.label}  {one.status:<10}  {one.total_budget:>16,.2f}  {one.name}")
        return None

    def _show(self, *, label: str, **_: Any) -> None:
        self._tell(_scenario(label))

    def _create(self, *, file: str, email: str, brand: str | None, **_: Any) -> None:
        actor = User.objects.filter(email__iexact=email).first()
        if actor is None:
            raise NotFound(
                f"Nobody here has the address {email!r}.", where="--as", fix="Give the e-mail of one who may plan."
            )
        self._tell(services.create_scenario(actor=actor, given=_fields(file), brand=_brand(brand)))

    def _solve(self, *, label: str, **_: Any) -> None:
        scenario = _scenario(label)
        self._tell(services.answer_scenario(scenario=scenario, job_id=scenario.job_id))

    def _tell(self, scenario: Scenario) -> None:
        if self.as_json:
            return self._write(ScenarioDetailSerializer(scenario).data)
        self.stdout.write(f"{scenario.label} {scenario.name}: {scenario.status}")
        self.stdout.write(f"  {scenario.horizon_start} to {scenario.horizon_end}, {scenario.total_budget:,.2f}")
        if scenario.outlook:
            now, then = scenario.outlook["expected_now"], scenario.outlook["expected_proposed"]
            self.stdout.write(f"  expected sales {now:,.2f} now, {then:,.2f} proposed")
        for line in scenario.solve.solution.get("lines", ()) if scenario.solve else ():
            self.stdout.write(f"  {line['cell']:<60} {line['now']:>14,.2f} {line['proposed']:>14,.2f}")
        for way in scenario.relaxations:
            self.stdout.write(f"  {way['text']}: {way['move']}")
        return None

    def _write(self, document: Any) -> None:
        self.stdout.write(json.dumps(document, cls=DjangoJSONEncoder, indent=2))


def _scenario(label: str) -> Scenario:
    scenarios = Scenario.objects.select_related("brand", "solve", "curve_version")
    number = label.upper().removeprefix("SC-")
    found = scenarios.filter(number=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    found = found or next((one for one in scenarios.filter(pk=label)), None) if _is_id(label) else found
    if found is None:
        raise NotFound(f"There is no scenario {label!r}.", fix="`manage.py scenarios --tenant ... list` shows them.")
    return found


def _is_id(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4 and all(part.isalnum() for part in text.split("-"))


def _fields(file: str) -> dict[str, Any]:
    try:
        document = json.loads(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.", where="file") from error
    except ValueError as error:
        raise InvalidInput(f"The file is not JSON: {error}.", where="file", fix="Write one JSON object.") from error
    if not isinstance(document, dict):
        raise InvalidInput("The file holds no object.", where="file", fix="Write one JSON object.")
    return document


def _brand(slug: str | None) -> Brand | None:
    if slug is None:
        return None
    brand = Brand.objects.filter(slug=slug).first()
    if brand is None:
        raise NotFound(f"There is no brand {slug!r}.", where="--brand")
    return brand
