"""`manage.py use_in_planning EX-0001 --tenant acme --as alice@example.com`: what a reading taught, for plans."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_tenants.utils import tenant_context

from accounts import services as people
from accounts.models import User
from measurement import selectors, services
from measurement.core.words import ratio
from tenants.core.problems import NotFound, Problem
from tenants.selectors import find_tenant


class Command(BaseCommand):
    help = "Publish factors and curves from the newest reading of an experiment."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("experiment", help="label, EX-0001, or id")
        parser.add_argument("--tenant", required=True, help="slug or id")
        parser.add_argument("--preview", action="store_true", help="change nothing")
        parser.add_argument("--as", dest="email", required=True, help="e-mail address of the person who does it")

    def handle(self, *args: Any, tenant: str, email: str, **options: Any) -> None:
        try:
            with tenant_context(find_tenant(key=tenant)):
                person = User.objects.filter(email__iexact=email, is_active=True).first()
                if person is None:
                    raise NotFound(f"Nobody here has the address {email}.", where="--as", fix="Factors are somebody's.")
                with people.recorded_as(source="command use_in_planning", user=person):
                    self._use(person, options["experiment"], preview=options["preview"])
        except Problem as problem:
            raise CommandError(str(problem)) from problem

    def _use(self, person: User, label: str, *, preview: bool) -> None:
        experiment = selectors.experiment_named(user=person, reference=label)
        stored = selectors.reading_visible(user=person, experiment_id=experiment.pk)
        made = None if preview else services.use_in_planning(as_user=person, reading=stored)
        told = made.summary if made else services.preview_planning(as_user=person, reading=stored).as_dict()
        for one in told["transfers"]:
            cell = " ".join(part for part in (one["retailer"], one["placement"]) if part)
            self.stdout.write(f"{cell}: factor {ratio(one['before'])} to {ratio(one['after']['value'])}")
        if made is None:
            self.stdout.write("Nothing was changed.")
        else:
            curves = f" and {made.curve_version}" if made.curve_version else ""
            self.stdout.write(f"Factors version {made.factor_set.version}{curves} count from now on.")
