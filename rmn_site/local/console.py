"""Lines for the person at the terminal, who may close it at any time."""

from __future__ import annotations

import os
import sys


def say(text: str = "", *, end: str = "\n") -> None:
    """Print at once; once the terminal or the pipe is gone, print into the void instead of failing the caller."""
    try:
        sys.stdout.write(text + end)
        sys.stdout.flush()
    except (OSError, ValueError):
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - open until the process ends
