"""Commands that read a file and answer, without a database or a server."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser

from tenants.core.problems import InvalidInput, Problem

#: How names of units are told, in the words of a help text.
NAMES: Final = "comma between them; may be repeated, and a name with a comma stands in double quotes"


class FileCommand(BaseCommand):
    """Prints what `answer` returns: JSON with --json, else one line per figure. A Problem goes to stderr, status 2."""

    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        """The figures, in the order in which they are told."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = self.answer(options)
        except Problem as problem:
            self.stderr.write(json.dumps(problem.as_dict()))
            sys.exit(2)
        if options["json"]:
            self.stdout.write(json.dumps(found, allow_nan=False))
            return
        for name, value in found.items():
            for words in value if name in ("warnings", "notes") else [value]:
                self.stdout.write(f"{name.replace('_', ' '):22} {_text(words)}")


def read_file(name: str) -> bytes:
    """Content of a file, or of stdin for `-`.

    Raises:
        InvalidInput: it cannot be read.
    """
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"The file cannot be read: {error.strerror}.", where=name, fix="Give the path of a file."
        ) from error


def unit_names(given: Sequence[str] | None) -> list[str]:
    """Names told by an option that may be repeated, commas between them; one with a comma stands in double quotes.

    Raises:
        InvalidInput: line breaks between them.
    """
    try:
        rows = list(csv.reader(given or [], skipinitialspace=True))
    except csv.Error as error:
        raise InvalidInput(
            f"The names cannot be read: {error}.", where="names", fix='Write "york, north",bath.'
        ) from error
    return [name.strip() for row in rows for name in row if name.strip()]


def seed_of(options: dict[str, Any]) -> int:
    """The seed asked for.

    Raises:
        InvalidInput: it is below zero.
    """
    seed = int(options["seed"])
    if seed < 0:
        raise InvalidInput(f"The seed is {seed}.", where="--seed", fix="Give a whole number from 0 on.")
    return seed


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(one)}" for name, one in value.items())
    return str(value)
