"""`manage.py optimize FILE.json [--json]`: solve a budget problem from a file; needs no database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from optimization.core.command import answer_file, problem_text
from optimization.core.problem import InvalidProblem
from tenants.core.problems import Problem


class Command(BaseCommand):
    """Prints the answer on stdout; an invalid problem goes to stderr as JSON with exit status 2."""

    help = "Solve a budget problem (rmn-budget-instance/1) from a file, or from stdin with -."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="path of the problem, or - for stdin")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(answer_file(_read(options["file"]), as_json=options["json"]))
        except Problem as problem:
            self.stderr.write(problem_text(problem))
            sys.exit(2)


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise InvalidProblem(
            f"The file cannot be read: {error.strerror}.", where=name, fix="Give the path of a problem file."
        ) from error
