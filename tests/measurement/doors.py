"""The experiment commands as a script calls them: arguments in, one JSON object out."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

_FOLDER = os.environ.get("RMN_REFERENCE_DATA")
FOLDER = Path(_FOLDER) / "measurement" if _FOLDER else None
needs_reference = pytest.mark.skipif(FOLDER is None, reason="RMN_REFERENCE_DATA is not set: see docs/reference-data.md")


def reference(name: str) -> str:
    """Path of a public data set of `measurement`."""
    assert FOLDER is not None
    return str(FOLDER / name)


def printed(command: str, *arguments: object) -> dict[str, Any]:
    """The JSON object that a command prints with `--json`."""
    out = io.StringIO()
    call_command(command, *map(str, arguments), "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert isinstance(found, dict)
    return found


def analyzed(file: str, *arguments: object) -> dict[str, Any]:
    """`analyze_geo` on a public panel."""
    return printed("analyze_geo", reference(file), *arguments)
