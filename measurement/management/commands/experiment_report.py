"""`manage.py experiment_report EX-0001 --tenant acme --output report.pdf`: what it said."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_tenants.utils import tenant_context

from measurement import selectors
from measurement.core.readout import headline, key_figures
from measurement.reports import told_by, write_report
from tenants.core.problems import NotFound, Problem
from tenants.selectors import find_tenant


class Command(BaseCommand):
    help = "Write the newest reading of an experiment as CSV or PDF, by the name of the file; without one, tell it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("experiment", help="label, EX-0001, or id")
        parser.add_argument("--tenant", required=True, help="slug or id")
        parser.add_argument("--output", type=Path, help="file to write, ending in .csv or .pdf")

    def handle(self, *args: Any, experiment: str, tenant: str, **options: Any) -> None:
        output: Path | None = options["output"]
        try:
            with tenant_context(find_tenant(key=tenant)):
                found = selectors.experiment_for_operator(reference=experiment)
                stored = selectors.latest_reading(found)
                if stored is None:
                    raise NotFound(f"{found.label} has not been read.", fix="It is read once its data are in.")
                stored.experiment = found
                told = told_by(stored)
                if output is not None:
                    output.write_bytes(write_report(told, output.suffix.removeprefix(".").lower()).content)
        except (Problem, OSError) as problem:
            raise CommandError(str(problem)) from problem
        if output is not None:
            self.stdout.write(f"{found.label}, reading {stored.number}: {output}")
            return
        self.stdout.write(headline(told.reading, told.facts))
        for one in key_figures(told.reading, told.facts):
            self.stdout.write(f"  {one.label}: {one.value} {one.interval}".rstrip() + f" ({one.verdict})")
        for warning in told.reading.warnings:
            self.stdout.write(f"  note: {warning}")
