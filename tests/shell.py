"""`manage.py` as a person calls it: in a process of its own, with what a shell has in its environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Servers where nothing answers: what needs none must not ask them.
NOWHERE = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
_OF_THE_TEST = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL"}


def shell_environment(servers: Mapping[str, str] = NOWHERE) -> dict[str, str]:
    """The environment without what pytest put into it, and with these servers; none at all for an empty mapping."""
    return {key: value for key, value in os.environ.items() if key not in _OF_THE_TEST} | dict(servers)


def manage(*arguments: str, servers: Mapping[str, str] = NOWHERE) -> subprocess.CompletedProcess[str]:
    """`manage.py arguments`, run to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=shell_environment(servers),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
