"""Commands that read a file and answer, without a database or a server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tenants.core.problems import InvalidInput, Problem


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
