"""The process in which a handler runs: `python -m jobs.child`, started by `jobs.supervisor`.

A fresh interpreter, for Polars must not be forked. The claim arrives as the first line of standard input. A later line
`cancel` asks it to stop; the end of input means that the worker is gone, and so the process ends at once.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
from typing import TextIO
from uuid import UUID

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rmn_site.settings_child")

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run one claimed job; 0 when its ending was written down."""
    _die_with_parent()
    told = json.loads(sys.stdin.readline())
    asked = threading.Event()
    threading.Thread(target=_listen, args=(sys.stdin, asked), name="control", daemon=True).start()

    import django

    django.setup()

    from jobs.dispatch.leases import Claim
    from jobs.execution import execute

    execute(claim=Claim(**{**told, "job_id": UUID(told["job_id"])}), cancelled=asked.is_set)
    return 0


def _die_with_parent() -> None:
    """On Linux the kernel ends this process with the worker, even inside a long call that holds the interpreter."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _listen(control: TextIO, asked: threading.Event) -> None:
    for line in control:
        if line.strip() == "cancel":
            asked.set()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
