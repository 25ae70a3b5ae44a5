"""The two embedded servers of a data home, shared by every process that uses them.

Any process may call `start`, also two at once. Each that did counts as a user until it calls `stop` or dies; the last
user's `stop` stops the servers. A user that is killed cannot do that, so every user has a watchdog: a small process
that waits for its user to disappear and then stops what nobody else uses (`watchdog`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from rmn_site.local import paths
from rmn_site.local.locks import FileLock, exclusive
from rmn_site.local.postgres import Postgres
from rmn_site.local.valkey import Valkey
from rmn_site.local.watchdog import Watchdog

# Longer than one start or stop of both servers may take.
TRANSITION_PATIENCE = 150.0


class Servers:
    """The embedded servers that one process uses.

    Args:
        home: the data home; created when missing.
        database, broker: which of the two are wanted; the other is somebody else's (`DATABASE_URL`, `REDIS_URL`).
        durable: False turns PostgreSQL's fsync off, for tests only.
    """

    def __init__(self, home: Path, *, database: bool = True, broker: bool = True, durable: bool = True) -> None:
        self.home = home
        self.postgres = Postgres(home, durable=durable) if database else None
        self.valkey = Valkey(home) if broker else None
        self._users = FileLock(home / "servers.users")
        self._watchdog = Watchdog(home)

    @property
    def urls(self) -> dict[str, str]:
        """`DATABASE_URL` and `REDIS_URL` of those servers that are embedded."""
        urls = {}
        if self.postgres is not None:
            urls["DATABASE_URL"] = self.postgres.url
        if self.valkey is not None:
            urls["REDIS_URL"] = self.valkey.url
        return urls

    @property
    def in_use(self) -> bool:
        """Whether this object's `start` was called and its `stop` was not."""
        return self._users.held

    def start(self, *, marker: str = "", remove_home: bool = False) -> list[str]:
        """Start what is wanted and not running, and return the names of what was started.

        Args:
            marker: after this process's death the watchdog also ends every process that carries this value in its
                environment (`processes.MARKER_VARIABLE`).
            remove_home: the watchdog then also deletes the data home.

        Raises:
            Problem: a server cannot be started; those that this call started are stopped again.
        """
        paths.prepare_home(self.home)
        if not self._users.held:
            self._watchdog.start(marker=marker, remove_home=remove_home)
        try:
            with exclusive(self.home / "servers.lock", patience=TRANSITION_PATIENCE):
                if not self._users.held:
                    self._users.acquire(shared=True)
                servers = (self.postgres, self.valkey)
                return [server.name for server in servers if server is not None and server.start()]
        except BaseException:
            self.stop()
            raise

    def stop(self) -> bool:
        """Give the servers up; the last user stops them. Return whether nothing runs any more."""
        if not self.home.is_dir():
            return True
        self._users.release()
        stopped = stop_unused(self.home)
        self._watchdog.dismiss()
        return stopped

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def is_given(variable: str, environ: Mapping[str, str]) -> bool:
    """Whether the environment names a server of somebody else, directly or by a file."""
    return bool(environ.get(variable) or environ.get(f"{variable}_FILE"))


def servers_for(home: Path, environ: Mapping[str, str]) -> Servers:
    """The embedded servers that this environment leaves to us."""
    return Servers(home, database=not is_given("DATABASE_URL", environ), broker=not is_given("REDIS_URL", environ))


def stop_unused(home: Path) -> bool:
    """Stop the servers of a data home unless some process uses them. Return whether they are stopped."""
    with exclusive(home / "servers.lock", patience=TRANSITION_PATIENCE):
        users = FileLock(home / "servers.users")
        if not users.acquire():
            return False
        with users:
            Valkey(home).stop()
            Postgres(home).stop()
    return True


def status(home: Path) -> Mapping[str, int | None]:
    """The process id of each embedded server, None for one that does not run."""
    return {server.name: server.pid() for server in (Postgres(home), Valkey(home))}
