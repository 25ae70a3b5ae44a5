"""`manage.py learning --tenant acme list|show|start|run|accept|skip|status|replay|log`: learning programmes."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django_tenants.utils import tenant_context

from accounts.models import User
from optimization.learning_models import LearningProgramme, LearningWeek
from optimization.learning_serializers import ProgrammeSerializer, WeekDetailSerializer
from optimization.models import Solve
from optimization.selectors.learning_history import log_of, newest_week
from optimization.services import learning as services
from tenants.core.problems import NotFound, Problem
from tenants.selectors import find_tenant


class Command(BaseCommand):
    help = "Start learning programmes of one tenant, run them here and now, decide their weeks and check their logs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug or id")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list", help="newest first")
        start = acts.add_parser("start", help="from a solved problem")
        start.add_argument("solve", help="id of the solve")
        start.add_argument("--name", required=True)
        start.add_argument("--first-week", required=True, type=date.fromisoformat, help="a Monday")
        start.add_argument("--weeks", type=float, help="that the solved problem is of; a scenario's says it itself")
        start.add_argument("--budget", type=_amount, help="of a week; without it the problem's by its weeks")
        start.add_argument("--temperature", type=float)
        start.add_argument("--reserve", type=float, help="fraction")
        start.add_argument("--forgetting", type=float, help="fraction a week")
        run = _of_programme(acts, "run", "take in new figures and propose a week, without a worker")
        run.add_argument("--week", type=date.fromisoformat, help="Monday; without one the coming week")
        for name, words in (("accept", "accept a proposed week"), ("skip", "skip a proposed week")):
            decide = _of_programme(acts, name, words)
            decide.add_argument("week", type=date.fromisoformat, help="its Monday")
            decide.add_argument("--as", dest="email", required=True, help="e-mail of the person who decides")
        status = _of_programme(acts, "status", "pause, resume or end it")
        status.add_argument("status", choices=LearningProgramme.Status.values)
        _of_programme(acts, "show", "its newest proposal")
        _of_programme(acts, "replay", "decide all weeks again from the log")
        _of_programme(acts, "log", "the log as JSON lines")

    def handle(self, *args: Any, tenant: str, act: str, **options: Any) -> None:
        self.as_json = options["json"]
        try:
            with tenant_context(find_tenant(key=tenant)):
                getattr(self, f"_{act}")(**options)
        except Problem as problem:
            raise CommandError(str(problem)) from problem

    def _list(self, **_: Any) -> None:
        rows = list(LearningProgramme.objects.select_related("brand"))
        if self.as_json:
            return self._write([ProgrammeSerializer(one).data for one in rows])
        for one in rows:
            self.stdout.write(f"{one.label}  {one.status:<7} {one.weekly_budget:>14,.2f}  {one.name}")
        return None

    def _start(
        self, *, solve: str, name: str, first_week: date, weeks: float | None, budget: Decimal | None, **of: Any
    ) -> None:
        key = _uuid(solve)
        row = Solve.objects.filter(pk=key).first() if key else None
        if row is None:
            raise NotFound(
                f"There is no solve {solve!r}.", where="solve", fix="Take the id from the scenario or the API."
            )
        settings = {key: of[key] for key in services.SETTABLE if of[key] is not None}
        programme = services.start_programme(
            actor=None, solve=row, name=name, first_week=first_week, problem_weeks=weeks, weekly_budget=budget,
            settings=settings,
        )  # fmt: skip
        self._tell(programme)

    def _run(self, *, label: str, week: date | None, **_: Any) -> None:
        programme = _programme(label)
        seen = services.observe_weeks(programme=programme)
        made = services.propose_week(programme=programme, week=week)
        if not self.as_json:
            taken = f"{len(seen)} observation{'' if len(seen) == 1 else 's'} taken in"
            self.stdout.write(f"{taken}; the week of {made.week.monday} is {made.week.status}.")
        self._tell_week(made.week)

    def _accept(self, **options: Any) -> None:
        self._decide(accept=True, **options)

    def _skip(self, **options: Any) -> None:
        self._decide(accept=False, **options)

    def _decide(self, *, accept: bool, label: str, week: date, email: str, **_: Any) -> None:
        actor = User.objects.filter(email__iexact=email).first()
        if actor is None:
            raise NotFound(
                f"Nobody here has the address {email!r}.", where="--as", fix="Give that of one who may accept."
            )
        found = _programme(label).weeks.select_related("programme", "programme__brand").filter(monday=week).first()
        if found is None:
            raise NotFound(f"The week of {week} is not proposed.", where="week", fix="Run the programme first.")
        self._tell_week(services.decide_week(actor=actor, week=found, accept=accept))

    def _status(self, *, label: str, status: str, **_: Any) -> None:
        self._tell(services.set_programme_status(actor=None, programme=_programme(label), status=status))

    def _show(self, *, label: str, **_: Any) -> None:
        week = newest_week(_programme(label))
        if week is None:
            raise NotFound("No week is proposed yet.", fix="Run the programme.")
        self._tell_week(week)

    def _replay(self, *, label: str, **_: Any) -> None:
        found = services.check_replay(programme=_programme(label))
        if self.as_json:
            self._write(asdict(found))
        elif found.equal:
            self.stdout.write(f"{found.weeks} week{'' if found.weeks == 1 else 's'} decided again as they were.")
        if not found.equal:
            raise CommandError(found.detail)

    def _log(self, *, label: str, **_: Any) -> None:
        for line in log_of(_programme(label)).to_lines():
            self.stdout.write(line)

    def _tell(self, programme: LearningProgramme) -> None:
        if self.as_json:
            return self._write(ProgrammeSerializer(programme).data)
        self.stdout.write(f"{programme.label} {programme.name}: {programme.status}, from {programme.first_week}")
        return None

    def _tell_week(self, week: LearningWeek) -> None:
        if self.as_json:
            return self._write(WeekDetailSerializer(week).data)
        self.stdout.write(f"week of {week.monday}: {week.status}, {week.summary['spend']}")
        for line in week.lines:
            factor = f"{line['factor']:.2f} ({line['factor_low']:.2f} to {line['factor_high']:.2f})"
            mark = "probe" if line["probed"] else ""
            self.stdout.write(f"  {line['cell']:<56} {line['proposed']:>14}  {factor:<24} {mark}")
        return None

    def _write(self, document: Any) -> None:
        self.stdout.write(json.dumps(document, cls=DjangoJSONEncoder, indent=2))


def _amount(text: str) -> Decimal:
    """An amount, for argparse."""
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ArgumentTypeError(f"{text!r} is no amount; write 1200.50") from error


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _of_programme(acts: Any, name: str, words: str) -> ArgumentParser:
    parser: ArgumentParser = acts.add_parser(name, help=words)
    parser.add_argument("label", help="LP-0001")
    return parser


def _programme(label: str) -> LearningProgramme:
    number = label.upper().removeprefix("LP-")
    rows = LearningProgramme.objects.select_related("brand", "solve", "solve__curve_version")
    found = rows.filter(number=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    if found is None:
        raise NotFound(f"There is no programme {label!r}.", fix="`manage.py learning --tenant ... list` shows them.")
    return found
