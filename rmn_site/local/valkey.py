"""The embedded Valkey: cache and message broker, reached through a socket in its own 0700 folder.

Nothing in it is the truth of anything (jobs live in PostgreSQL), so it keeps no file: a start is always empty.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from pathlib import Path

import psutil

from rmn_site.local import paths
from rmn_site.local.binaries import valkey_program
from rmn_site.local.processes import wait_for_end
from tenants.core.problems import Unavailable

START_TIMEOUT = 20  # seconds
STOP_TIMEOUT = 10


class Valkey:
    """Start, stop and look at the Valkey server of one data home. Callers serialise starts and stops."""

    name = "Valkey"

    def __init__(self, home: Path) -> None:
        self.data = paths.valkey_data(home)
        self.socket = paths.valkey_socket(home)
        self.log = paths.logs_folder(home) / "valkey.log"
        self._home = home

    @property
    def url(self) -> str:
        return paths.embedded_redis_url(self._home)

    def pid(self) -> int | None:
        """The process id of the running server, or None: the pid file counts only if that process works here."""
        try:
            pid = int((self.data / "valkey.pid").read_text())
            process = psutil.Process(pid)
            alive = process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == self.data.resolve()
        except (OSError, ValueError, psutil.Error):
            return None
        return pid if alive else None

    def answers(self) -> bool:
        """Whether the server replies to a PING."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(1.0)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def start(self) -> bool:
        """Start the server. Return False if it was running already.

        Raises:
            Unavailable: it did not come up; the message ends with its log.
        """
        if self.pid() is not None and self.answers():
            return False
        self.data.mkdir(mode=0o700, exist_ok=True)
        for stale in (self.socket, self.data / "valkey.pid"):
            stale.unlink(missing_ok=True)
        options = {
            "--port": "0",
            "--unixsocket": str(self.socket),
            "--unixsocketperm": "700",
            "--dir": str(self.data),
            "--pidfile": str(self.data / "valkey.pid"),
            "--logfile": str(self.log),
            "--daemonize": "yes",
            "--save": "",
            "--appendonly": "no",
            "--maxmemory": "256mb",
            # Cached values carry an expiry and may be evicted; the broker's queues carry none and never are.
            "--maxmemory-policy": "volatile-lru",
        }
        command = [str(valkey_program()), *(part for pair in options.items() for part in pair)]
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=False,
        )
        deadline = time.monotonic() + START_TIMEOUT
        while not (self.answers() and self.pid()):
            if result.returncode != 0 or time.monotonic() > deadline:
                lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
                raise Unavailable("Valkey did not start:\n" + "\n".join(lines[-8:]), where=str(self.data))
            time.sleep(0.02)
        return True

    def stop(self) -> None:
        """Stop the server. Nothing happens if it is not running."""
        pid = self.pid()
        if pid is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            process.terminate()
            if not wait_for_end(process, timeout=STOP_TIMEOUT):
                process.kill()
