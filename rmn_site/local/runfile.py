"""Which supervisor runs on a data home.

A lock that the supervisor holds for life says whether one runs: unlike the existence of a process with some number, it
cannot be stale. A file beside it says which process that is and where it answers.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil

from rmn_site.local.locks import FileLock


@dataclass(frozen=True)
class Run:
    """A running supervisor. `address` is empty until the platform can be used."""

    pid: int
    mode: str
    address: str = ""


class RunFile:
    """The lock and the file of one data home."""

    def __init__(self, home: Path) -> None:
        self._lock = FileLock(home / "run.lock")
        self._file = home / "run.json"

    def claim(self, run: Run) -> bool:
        """Become the one supervisor. Return False if there is one."""
        # Whoever only looks holds the lock for an instant.
        if not self._lock.acquire(patience=0.5):
            return False
        self._write(run)
        return True

    def announce(self, run: Run, address: str) -> None:
        """Say where the claimed run answers."""
        self._write(replace(run, address=address))

    def release(self) -> None:
        self._file.unlink(missing_ok=True)
        self._lock.release()

    def current(self) -> Run | None:
        """The running supervisor, or None. Its process is really one: it holds the lock and runs this package."""
        if not self._lock.path.parent.is_dir():
            return None
        if self._lock.acquire():
            self._lock.release()
            return None
        try:
            run = Run(**json.loads(self._file.read_text()))
            command = psutil.Process(run.pid).cmdline()
        except (OSError, ValueError, TypeError, psutil.Error):
            return None
        return run if any("rmn_site.local" in part for part in command) else None

    def _write(self, run: Run) -> None:
        unfinished = self._file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(asdict(run)))
        unfinished.replace(self._file)
