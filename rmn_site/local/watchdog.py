"""Ends what a killed process left behind.

A supervisor or a test run that is killed with SIGKILL can clean up nothing. Its watchdog, started before anything else
and in a session of its own, holds the reading end of a pipe whose only writing end is in the watched process: when
that process dies in whatever way, the kernel closes the pipe and the watchdog wakes up. (Linux's parent-death signal
would reach direct children only, not what they started, and other systems have none.)
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rmn_site.local import paths


class Watchdog:
    """The watched process's side; the other one is `keep_watch`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        # A bare descriptor: the pipe has to live as long as the process, not as long as this object.
        self._lifeline: int | None = None

    def start(self, *, marker: str = "", remove_home: bool = False) -> None:
        """Start watching this process. The data home must exist."""
        command = [sys.executable, "-m", "rmn_site.local.keep_watch", str(self._home), "--marker", marker]
        if remove_home:
            command.append("--remove-home")
        reading, self._lifeline = os.pipe()
        with (paths.logs_folder(self._home) / "watchdog.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=reading,
                stdout=log,
                stderr=log,
                cwd=paths.project_root(),
                start_new_session=True,
            )
        os.close(reading)

    def dismiss(self) -> None:
        """Let it go after an orderly stop, when little or nothing is left for it to do, and wait for its end."""
        if self._process is not None and self._lifeline is not None:
            os.close(self._lifeline)
            self._process.wait()
            self._process = self._lifeline = None
