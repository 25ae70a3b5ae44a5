"""`manage.py pacing --tenant acme`: budgets of one tenant against spend, for its operators."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django_tenants.utils import tenant_context

from planning import services
from planning.pacing_api import ForecastSerializer
from tenants.core.problems import Problem
from tenants.selectors import find_tenant


class Command(BaseCommand):
    help = "Projected spend of each budget at the end of its period, and the day it is used up."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug or id")
        parser.add_argument("--as-of", type=date.fromisoformat, help="as if it were that day, YYYY-MM-DD")
        parser.add_argument("--scope", default="", help="brand=chips/rmn=Amazon: only budgets of these")
        parser.add_argument("--every", action="store_true", help="also periods that do not hold the day")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, tenant: str, **options: Any) -> None:
        try:
            with tenant_context(find_tenant(key=tenant)):
                told = services.forecast_pacing(
                    user=None, as_of=options["as_of"], scope=options["scope"], every=options["every"]
                )
                document = ForecastSerializer(told).data if options["json"] else None
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        if document is not None:
            self.stdout.write(json.dumps(document, cls=DjangoJSONEncoder, indent=2))
            return
        for one in told.budgets:
            found = one.pace
            heading = "" if found.projected is None else f", heading for {found.projected:,.2f}"
            cap = f", used up on {found.cap_day}" if found.cap_day else ""
            self.stdout.write(f"{one.budget}: {found.status}, {found.spent:,.2f} of {found.amount:,.2f}{heading}{cap}")
            for note in found.notes:
                self.stdout.write(f"  note: {note}")
        if told.left_out:
            self.stdout.write(f"note: {told.left_out_words}")
