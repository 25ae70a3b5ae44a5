"""`python -m tests.beside_servers COMMAND ...`: run a command beside servers for tests that all its processes share.

Every pytest below it finds `DATABASE_URL` and `REDIS_URL`; the first one migrates the database that the others copy.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from rmn_site.local.testing import start_test_servers


def main(command: list[str]) -> int:
    """The exit status of the command; the servers are gone when it has ended, however it ended."""
    if "DATABASE_URL" in os.environ and "REDIS_URL" in os.environ:
        return subprocess.run(command, check=False).returncode
    servers = start_test_servers()
    try:
        urls = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
        child = subprocess.Popen(command, env=urls | dict(os.environ))
        # Ctrl-C reaches the command too: it tells what it did, and ends by itself.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return child.wait()
    finally:
        servers.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
