"""`manage.py experiments --tenant acme ACT`: experiments of one tenant, for its operators."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django_tenants.utils import tenant_context

from accounts import services as people
from accounts.models import Brand, User
from measurement import selectors, services
from measurement.core.words import count_of
from measurement.models import Experiment
from measurement.serializers import (
    ExperimentAnswerSerializer,
    ExperimentDetailSerializer,
    ExperimentSerializer,
    PanelSerializer,
    ReadingSerializer,
)
from tenants.core.problems import InvalidInput, NotFound, Problem
from tenants.selectors import find_tenant

#: A file that is too large is not read to its end.
_CHUNK = 1 << 20


class Command(BaseCommand):
    help = "List, show, create, design, register, start, read and cancel experiments of one tenant."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug or id")
        parser.add_argument("--as", dest="email", default="", help="e-mail of the person in whose name it is done")
        parser.add_argument("--brand", help="for create: slug; without one it is over all brands")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list", help="newest first").add_argument("--limit", type=int, default=20)
        create = acts.add_parser("create", help="a draft from a JSON object of its fields")
        create.add_argument("file", help="path of the object")
        for act, words in (
            ("show", "question, state and when it may be read"),
            ("design", "search for candidates here and now, without a worker"),
            ("start", "say that it runs"),
            ("analyse", "read it here and now, once it may be read"),
            ("reading", "what it said"),
            ("assignment", "who is treated, as CSV"),
        ):
            acts.add_parser(act, help=words).add_argument("label", help="EX-0001, or its id")
        data = acts.add_parser("data", help="keep a file as its data")
        data.add_argument("label", help="EX-0001, or its id")
        data.add_argument("file", help="CSV, or JSON of a user test")
        for part in ("date", "unit", "period", "treated", "outcome", "cost", "currency", "missing", "duplicates"):
            data.add_argument(f"--{part}", default="", help="column, or how such rows are read")
        choose = acts.add_parser("choose", help="take a candidate")
        choose.add_argument("label", help="EX-0001, or its id")
        choose.add_argument("choice", type=int, help="place among the candidates, from 0")
        register = acts.add_parser("register", help="hash the plan; it does not change any more")
        register.add_argument("label", help="EX-0001, or its id")
        register.add_argument("--retrospective", action="store_true", help="the test began before its plan")
        erase = acts.add_parser("erase", help="remove the data of one that was given up and never read")
        erase.add_argument("label", help="EX-0001, or its id")
        tidy = acts.add_parser("tidy", help="remove data that no experiment needs, as a job")
        tidy.add_argument("--days", type=int, help="how long such data are kept; RMN_HISTORY_DAYS by default")
        cancel = acts.add_parser("cancel", help="give it up")
        cancel.add_argument("label", help="EX-0001, or its id")
        cancel.add_argument("--reason", required=True)

    def handle(self, *args: Any, tenant: str, act: str, email: str, **options: Any) -> None:
        self.as_json, self.email = options["json"], email
        try:
            with tenant_context(find_tenant(key=tenant)):
                self.actor = User.objects.filter(email__iexact=email).first() if email else None
                with people.recorded_as(source="command experiments", user=self.actor):
                    getattr(self, f"_{act}")(**options)
        except Problem as problem:
            errors = "".join(f"\n  {one['where']}: {one['detail']}" for one in problem.errors[1:])
            raise CommandError(f"{problem}{errors}") from problem

    def _list(self, *, limit: int, **_: Any) -> None:
        rows = list(Experiment.objects.select_related("brand", "retailer")[:limit])
        if self.as_json:
            return self._write([ExperimentSerializer(one).data for one in rows])
        for one in rows:
            days = f"{one.start_date} to {one.end_date}" if one.start_date else "no dates yet"
            self.stdout.write(f"{one.label}  {one.state:<10}  {one.kind:<10}  {days:<24}  {one.name}")
        return None

    def _show(self, *, label: str, **_: Any) -> None:
        one = selectors.experiment_for_operator(reference=label)
        panel = selectors.latest_panel(one)
        told = selectors.readability(one, panel, on=selectors.today())
        if self.as_json:
            answer = {"experiment": one, "panel": panel, "readability": told}
            return self._write(ExperimentAnswerSerializer(answer).data)
        self._line(one)
        for candidate in one.design.get("candidates", ())[:10]:
            mde = "-" if candidate["mde"] is None else f"{candidate['mde']:.1%}"
            treated = ", ".join(candidate["treated"]) or "drawn"
            self.stdout.write(f"  {count_of(candidate['duration'], 'period')}, smallest lift {mde}: {treated}")
        for reason in told.reasons:
            self.stdout.write(f"  not readable: {reason}")
        return None

    def _create(self, *, file: str, brand: str | None, **_: Any) -> None:
        made = services.create_experiment(actor=self._person(), given=_fields(file), brand=_brand(brand))
        self._line(made)

    def _data(self, *, label: str, file: str, **options: Any) -> None:
        one = selectors.experiment_for_operator(reference=label)
        parts = ("date", "unit", "period", "treated", "outcome", "cost", "currency", "missing", "duplicates")
        columns = {part: options[part] for part in parts if options[part]}
        try:
            with Path(file).open("rb") as opened:
                made = services.add_panel(
                    actor=self.actor, experiment=one, chunks=iter(lambda: opened.read(_CHUNK), b""),
                    file_name=Path(file).name, columns=columns or None,
                )  # fmt: skip
        except OSError as error:
            raise InvalidInput(f"{file} cannot be read: {error.strerror}.", where="file") from error
        if self.as_json:
            return self._write(PanelSerializer(made).data)
        self.stdout.write(
            f"data {made.number}: {count_of(made.unit_count, 'unit')}, {count_of(made.period_count, 'period')}"
        )
        for note in made.notes:
            self.stdout.write(f"  note: {note}")
        return None

    def _design(self, *, label: str, **_: Any) -> None:
        one = selectors.experiment_for_operator(reference=label)
        services.design_experiment(experiment=one, tell=self._tell)
        self._show(label=label)

    def _choose(self, *, label: str, choice: int, **_: Any) -> None:
        one = selectors.experiment_for_operator(reference=label)
        self._line(services.choose_candidate(actor=self._person(), experiment=one, choice=choice))

    def _register(self, *, label: str, retrospective: bool, **_: Any) -> None:
        one = selectors.experiment_for_operator(reference=label)
        made = services.register_experiment(actor=self._person(), experiment=one, retrospective=retrospective)
        self._line(made)

    def _start(self, *, label: str, **_: Any) -> None:
        one = selectors.experiment_for_operator(reference=label)
        self._line(services.start_experiment(actor=self._person(), experiment=one))

    def _cancel(self, *, label: str, reason: str, **_: Any) -> None:
        one = selectors.experiment_for_operator(reference=label)
        self._line(services.cancel_experiment(actor=self._person(), experiment=one, reason=reason))

    def _erase(self, *, label: str, **_: Any) -> None:
        one = selectors.experiment_for_operator(reference=label)
        done = services.erase_panels(actor=self._person(), experiment=one)
        self.stdout.write(f"{count_of(done.files, 'file')} of {count_of(done.bytes, 'byte')} removed")
        if done.shared:
            self.stdout.write(f"{count_of(done.shared, 'file')} stayed: another experiment has the same")

    def _tidy(self, *, days: int | None, **_: Any) -> None:
        job = services.start_tidying(actor=self._person(), days=days)
        self.stdout.write(f"job {job.pk}: {job.title}")

    def _analyse(self, *, label: str, **_: Any) -> None:
        one = selectors.experiment_for_operator(reference=label)
        services.analyse_experiment(experiment=one, actor=self.actor, tell=self._tell)
        self._reading(label=label)

    def _reading(self, *, label: str, **_: Any) -> None:
        one = selectors.experiment_for_operator(reference=label)
        reading = selectors.latest_reading(one)
        if reading is None:
            raise NotFound(f"{one.label} has no reading.", fix="`analyse` reads it once it may be read.")
        if self.as_json:
            return self._write(ReadingSerializer(reading).data)
        lift, result = reading.result["lift"], reading.result
        self.stdout.write(f"{one.label} reading {reading.number}, {reading.method}, {reading.evidence}")
        self.stdout.write(f"  lift {lift['value']:+.2%} ({_end(lift['low'])} to {_end(lift['high'])})")
        self.stdout.write(f"  p {result['p_value']:.4g}, by {result['procedure']}")
        for warning in result["warnings"]:
            self.stdout.write(f"  note: {warning}")
        return None

    def _assignment(self, *, label: str, **_: Any) -> None:
        one = selectors.experiment_for_operator(reference=label)
        self.stdout.write(services.assignment_file(one), ending="")

    def _person(self) -> User:
        if self.actor is None:
            raise NotFound(
                f"Nobody here has the address {self.email!r}.", where="--as", fix="Give the e-mail of one who may."
            )
        return self.actor

    def _line(self, one: Experiment) -> None:
        if self.as_json:
            return self._write(ExperimentDetailSerializer(one).data)
        self.stdout.write(f"{one.label} {one.name}: {one.get_state_display()}")
        if one.plan_sha256:
            self.stdout.write(f"  plan {one.plan_sha256}")
        return None

    def _tell(self, stage: str, done: int, total: int) -> None:
        if total > 1 and (done == total or done % 25 == 0):
            self.stderr.write(f"{stage}: {done} of {total}")

    def _write(self, document: Any) -> None:
        self.stdout.write(json.dumps(document, cls=DjangoJSONEncoder, indent=2))


def _end(value: float | None) -> str:
    return "open" if value is None else f"{value:+.2%}"


def _fields(file: str) -> dict[str, Any]:
    try:
        document = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file} holds no JSON object.", where="file", fix="Write one JSON object.") from error
    if not isinstance(document, dict):
        raise InvalidInput(f"{file} holds no object.", where="file", fix="Write one JSON object.")
    return document


def _brand(slug: str | None) -> Brand | None:
    if slug is None:
        return None
    brand = Brand.objects.filter(slug=slug).first()
    if brand is None:
        raise NotFound(f"There is no brand {slug!r}.", where="--brand")
    return brand
