"""`manage.py scenarios --tenant acme ACT`: scenarios of one tenant, for its operators."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django_tenants.utils import tenant_context

from accounts.models import Brand, User
from planning import services
from planning.core.comparison import LEAST, MOST
from planning.core.typed_file import read_table
from planning.models import Scenario
from planning.serializers import ScenarioDetailSerializer, ScenarioSerializer
from planning.what_if_serializers import ComparisonSerializer, ExplanationSerializer, SimulationSerializer
from tenants.core.problems import InvalidInput, NotFound, Problem
from tenants.selectors import find_tenant


class Command(BaseCommand):
    help = "List, show, create, solve, compare and simulate scenarios of one tenant."

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
        explain = acts.add_parser("explain", help="what binds, what a little more of it earns, what was turned down")
        explain.add_argument("label", help="SC-0001, or its id")
        compare = acts.add_parser("compare", help="two to five side by side")
        compare.add_argument("labels", nargs="+", help="SC-0001, or ids")
        compare.add_argument("--per-week", action="store_true", help="money per week of each horizon")
        simulate = acts.add_parser("simulate", help="what a typed allocation would do, without optimising")
        simulate.add_argument("label", help="SC-0001, or its id")
        simulate.add_argument("file", help="CSV of scope and amount, or a JSON list; - for standard input")
        simulate.add_argument("--rest", default="current", help="lines nothing is typed for: current, proposed or zero")
        simulate.add_argument("--split", default="as_now", help="how an amount of a node is split: as_now or best")
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

    def _explain(self, *, label: str, **_: Any) -> None:
        told = services.explain_scenario(scenario=_scenario(label))
        if self.as_json:
            return self._write(ExplanationSerializer(told).data)
        for one in told.binding:
            earned = _figure(one.gain if one.gain is not None else one.first_order)
            self.stdout.write(f"{one.price.words:<60}{one.price.price:>12.4g} a unit, 1 % more earns {earned}")
        for other in told.alternatives:
            self.stdout.write(f"{other.name:<60}{other.worth:>16,.2f}, {other.below:,.2f} below the answer")
        return None

    def _compare(self, *, labels: list[str], per_week: bool, **_: Any) -> None:
        scenarios = list({one.pk: one for one in map(_scenario, labels)}.values())
        if not LEAST <= len(scenarios) <= MOST:
            raise InvalidInput(f"{len(scenarios)} scenarios are given.", where="labels", fix="Give two to five.")
        found = services.compare_answers(scenarios=scenarios, per_week=per_week)
        if self.as_json:
            return self._write(ComparisonSerializer(found).data)
        for words in found.cautions:
            self.stdout.write(f"note: {words}")
        self.stdout.write(" " * 60 + "".join(f"{one.label:>16}" for one in found.candidates))
        for row in found.totals:
            shown = "".join(f"{_figure(value):>16}" for value in row.values)
            self.stdout.write(f"{row.label:<60}{shown}")
        for line in found.lines:
            self.stdout.write(f"{line.label:<60}" + "".join(f"{_figure(amount):>16}" for amount in line.amounts))
        return None

    def _simulate(self, *, label: str, file: str, rest: str, split: str, **_: Any) -> None:
        text = _text(file)
        amounts = _json(text) if text.lstrip().startswith(("[", "{")) else read_table(text)
        told = services.simulate_allocation(
            actor=None, scenario=_scenario(label), allocation=amounts, rest=rest, split=split
        )  # fmt: skip
        if self.as_json:
            return self._write(SimulationSerializer(told).data)
        low, high = told.outlook["sales_proposed"]
        whole, best = told.whole, told.same_money
        self.stdout.write(f"spend {whole.typed:,.2f}, now {whole.now:,.2f}")
        self.stdout.write(f"expected sales {whole.sales:,.2f} ({low:,.2f} to {high:,.2f}), now {whole.sales_now:,.2f}")
        self.stdout.write(f"best with the same money {_figure(best.sales)} {best.why}".rstrip())
        for broken in told.broken:
            self.stdout.write(f"breaks: {broken.words} {_figure(broken.allowed)}, has {_figure(broken.found)}")
        for one in told.effects(2):
            self.stdout.write(f"{' > '.join(one.path):<60}{one.now:>16,.2f}{one.typed:>16,.2f}{one.gain:>+16,.2f}")
        for note in told.notes:
            self.stdout.write(f"note: {note}")
        return None

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
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _figure(value: Any) -> str:
    return "-" if value is None else value if isinstance(value, str) else f"{value:,.2f}"


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "it is no text"
        raise InvalidInput(f"{file} cannot be read: {told}.", where="file") from error


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"The file is not JSON: {error}.", where="file", fix="Write one JSON object.") from error


def _fields(file: str) -> dict[str, Any]:
    document = _json(_text(file))
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
