import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from rmn_site.local import paths
from rmn_site.local.testing import temporary_home

PROJECT = paths.project_root()


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty data home; whatever works in it at the end of the test is a failure of the test."""
    folder = temporary_home()
    folder.chmod(0o711)
    yield folder
    left = processes_in(folder)
    for process in left:
        process.kill()
    shutil.rmtree(folder, ignore_errors=True)
    assert not left, f"left behind: {left}"


def processes_in(folder: Path) -> list[psutil.Process]:
    """Processes that work below `folder` or have it on their command line, zombies aside."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if str(folder) in process.cwd() or any(str(folder) in part for part in process.cmdline()):
                found.append(process)
    return found


def wait_until(condition: Callable[[], object], *, timeout: float = 20.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"still not after {timeout} s: {condition}"
        time.sleep(0.05)


def python(code: str, *arguments: str, **options: object) -> subprocess.Popen[str]:
    """A Python process in the project that runs `code`."""
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-c", code, *arguments], cwd=PROJECT, text=True, **options
    )
