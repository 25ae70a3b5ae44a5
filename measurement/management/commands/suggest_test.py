"""`manage.py suggest_test --tenant acme --brand chips --reserve 20000`: which cell to test next."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_tenants.utils import tenant_context

from accounts.models import Brand, User
from measurement.core.next_test import USUAL_WEEKS
from measurement.next_test_api import NextTestsSerializer, words_of
from measurement.services import suggest_next_test
from tenants.core.problems import NotFound, Problem
from tenants.selectors import find_tenant


class Command(BaseCommand):
    help = "Rank the cells of a brand by what a test of each is worth for its cost."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug or id")
        parser.add_argument("--brand", default="", help="slug; none: all brands together")
        parser.add_argument("--as", dest="email", required=True, help="email of who asks")
        parser.add_argument("--reserve", default="", help="money for tests; none: any")
        parser.add_argument("--scenario", default="", help="SC-0001: the one whose reserve pays")
        parser.add_argument("--weeks", type=int, default=USUAL_WEEKS, help="that plans rest on the answer")
        parser.add_argument("--json", action="store_true", help="as the API answers")

    def handle(self, *args: Any, tenant: str, brand: str, email: str, reserve: str, **options: Any) -> None:
        try:
            money = Decimal(reserve) if reserve else None
        except InvalidOperation:
            raise CommandError(f"{reserve!r} is no amount of money.") from None
        try:
            with tenant_context(find_tenant(key=tenant)):
                user = User.objects.filter(email__iexact=email, is_active=True).first()
                held = Brand.objects.filter(slug=brand).first() if brand else None
                if user is None or (brand and held is None):
                    raise NotFound(
                        f"There is no {'brand ' + brand if user else 'person ' + email}.", fix="Use one that there is."
                    )
                found = suggest_next_test(
                    as_user=user, brand=held, reserve=money, scenario=options["scenario"], weeks=options["weeks"]
                )
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        if options["json"]:
            self.stdout.write(json.dumps(NextTestsSerializer(found).data, indent=2))
            return
        self.stdout.write(f"Test next: {words_of(found.best)}" if found.best else "No test is worth its cost.")
        for one in found.ranked:
            self.stdout.write(f"  {words_of(one)}{'' if one.affordable else ', beyond the reserve'}")
        for line in (*found.assumptions, *found.left_out):
            self.stdout.write(f"  note: {line}")
