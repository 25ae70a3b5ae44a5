"""Embedded servers for a test run, in a temporary folder that is gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from rmn_site.local import paths
from rmn_site.local.servers import Servers


@dataclass(frozen=True)
class TestServers:
    """Running servers of one test run.

    Attributes:
        database_url, redis_url: as `DATABASE_URL` and `REDIS_URL` take them.
    """

    __test__ = False

    home: Path
    database_url: str
    redis_url: str
    servers: Servers = field(repr=False)

    def stop(self) -> None:
        """Stop the servers and delete their folder."""
        self.servers.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def start_test_servers(home: Path | None = None) -> TestServers:
    """Start PostgreSQL (fsync off) and Valkey for this process and return their addresses.

    Should this process be killed, the servers stop and the folder goes all the same.

    Args:
        home: a folder to be made; by default one with a short name among the temporary files.
    """
    home = home or temporary_home()
    servers = Servers(home, durable=False)
    try:
        servers.start(remove_home=True)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise
    return TestServers(home, servers.urls["DATABASE_URL"], servers.urls["REDIS_URL"], servers)


def temporary_home() -> Path:
    """A new empty folder in which the embedded servers can work, also for root and where TMPDIR is private or deep."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - mkdtemp makes it safely
        home = Path(tempfile.mkdtemp(prefix="rmn-test-", dir=parent)).resolve()
        if paths.socket_paths_fit(home) and paths.parents_traversable(home):
            return home
        home.rmdir()
    raise RuntimeError("no temporary folder is short enough for Unix sockets and open to other users")
