"""Locks that the kernel drops when their holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tenants.core.problems import Conflict


class FileLock:
    """One `flock` on one file, shared or exclusive. The descriptor is not inherited by child programs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def acquire(self, *, shared: bool = False, patience: float = 0.0) -> bool:
        """Take the lock, trying for `patience` seconds. Return whether it was taken."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    return False
                time.sleep(0.02)
            else:
                self._descriptor = descriptor
                return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()


@contextmanager
def exclusive(path: Path, *, patience: float) -> Iterator[None]:
    """Hold the lock for a block of code.

    Raises:
        Conflict: another process kept it for longer than `patience` seconds.
    """
    lock = FileLock(path)
    if not lock.acquire(patience=patience):
        raise Conflict(
            f"Another process has been starting or stopping the servers for more than {patience:.0f} s.",
            where=str(path),
            fix="Wait for it, or run `make stop` and try again.",
        )
    with lock:
        yield
