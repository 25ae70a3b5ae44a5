"""`manage.py fit_curves --tenant acme --brand chips`: fit response curves here and now, without a worker."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_tenants.utils import tenant_context

from accounts.models import Brand
from optimization import services
from tenants.core.problems import NotFound, Problem
from tenants.selectors import find_tenant


class Command(BaseCommand):
    help = "Fit the response curves of a brand, or of all brands, from the published reports."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug or id")
        parser.add_argument("--brand", help="slug; without one the curves of all brands are fitted together")
        parser.add_argument("--weeks", type=int, default=services.USUAL_WEEKS)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with tenant_context(find_tenant(key=options["tenant"])):
                fitted = services.fit_curves(brand=_brand(options["brand"]), weeks=options["weeks"])
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        version = fitted.version
        outcome = {
            "curve_version": str(version.pk),
            "number": version.number,
            "made_now": fitted.created,
            "window": [str(version.data_start), str(version.data_end)],
            **version.diagnostics,
        }
        if options["json"]:
            self.stdout.write(json.dumps(outcome, indent=2))
            return
        for name, value in outcome.items():
            self.stdout.write(f"{name.replace('_', ' '):22} {value}")


def _brand(slug: str | None) -> Brand | None:
    if slug is None:
        return None
    brand = Brand.objects.filter(slug=slug).first()
    if brand is None:
        known = ", ".join(Brand.objects.values_list("slug", flat=True)) or "none"
        raise NotFound(f"There is no brand {slug!r}.", where="--brand", fix=f"Use one of: {known}.")
    return brand
