"""What a Celery worker process does besides its tasks: reap, and give jobs back when it is told to end."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_ready, worker_shutdown, worker_shutting_down

from jobs import supervisor
from jobs.reaper import Reaper

_reapers: list[Reaper] = []


@worker_ready.connect  # type: ignore[untyped-decorator]
def _begin_reaping(**_: Any) -> None:
    reaper = Reaper()
    _reapers.append(reaper)
    reaper.start()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop_children(**_: Any) -> None:
    # Runs inside the signal's handler: no more than raising a flag, which every supervisor looks at.
    supervisor.stopping.set()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def _end_reaping(**_: Any) -> None:
    for reaper in _reapers:
        reaper.stop()
