"""The embedded PostgreSQL: one cluster in the data home, reached through a socket in its own 0700 data folder."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import psycopg

from rmn_site.local import paths
from rmn_site.local.binaries import RunAs, postgres_programs, unprivileged_user
from rmn_site.local.processes import wait_for_end
from tenants.core.problems import Conflict, Unavailable

START_TIMEOUT = 60  # seconds; crash recovery replays the write-ahead log first
STOP_TIMEOUT = 60

# `.` is the data folder, PostgreSQL's working directory: a path never has to be quoted for its configuration parser.
SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_directories": "'.'",
    "port": str(paths.POSTGRES_PORT),
    "max_connections": "200",
    "max_locks_per_transaction": "512",  # creating or dropping one tenant locks every table of its schema
    "shared_buffers": "'128MB'",
    "max_parallel_workers_per_gather": "0",  # containers give /dev/shm 64 MB, less than parallel hash joins ask for
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "lc_messages": "'C'",
    "log_line_prefix": "'%m [%p] %d '",
    "log_min_messages": "warning",
}
# Losing the last transactions in a power cut is fine where every database is made anew, and nowhere else.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """Start, stop and look at the cluster of one data home. Callers serialise starts and stops (see `servers`).

    Args:
        home: a data home made by `paths.prepare_home`.
        durable: False turns fsync off, for tests only.
    """

    name = "PostgreSQL"

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home
        self.data = paths.postgres_data(home)
        self.log = paths.logs_folder(home) / "postgres.log"
        self.durable = durable
        self.run_as: RunAs = unprivileged_user()

    @property
    def url(self) -> str:
        return paths.embedded_database_url(self.home)

    def pid(self) -> int | None:
        """The process id of the running server, or None.

        A pid file outlives a crash, and its number may by then be another program's: it counts only if that process
        works in this data folder, where a PostgreSQL server has its working directory.
        """
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            alive = process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == self.data.resolve()
        except (OSError, ValueError, psutil.Error):
            return None
        return pid if alive else None

    def start(self) -> bool:
        """Make the cluster if there is none and start it. Return False if it was running already.

        Raises:
            Conflict: the data were written by another major version of PostgreSQL.
            Unavailable: the server did not come up; the message ends with its log.
        """
        if self.pid() is not None:
            return False
        programs = postgres_programs(self.home, self.run_as)
        if not (self.data / "PG_VERSION").exists():
            self._create_cluster(programs)
        self._check_version(programs)
        self._write_settings()
        self._start(programs)
        self._create_database()
        return True

    def stop(self) -> None:
        """Stop the server in order: sessions are ended, everything is written. Nothing happens if it is not running.

        Raises:
            Unavailable: it did not end in time, and was killed (the next start recovers from its log).
        """
        pid = self.pid()
        if pid is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            process.send_signal(signal.SIGINT)  # PostgreSQL's "fast" shutdown
            if not wait_for_end(process, timeout=STOP_TIMEOUT):
                process.send_signal(signal.SIGQUIT)  # "immediate": every process of the server ends at once
                raise Unavailable(
                    f"PostgreSQL did not stop within {STOP_TIMEOUT} s and was ended at once.",
                    where=str(self.data),
                    fix="Nothing is lost: the next start recovers from the write-ahead log.",
                )

    def _create_cluster(self, programs: Path) -> None:
        # Made aside and renamed, so that an interrupted initdb leaves no folder that looks like a cluster.
        unfinished = self.home / "pgdata.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self.run_as.give(unfinished)
        command: list[Path | str] = [programs / "initdb", "-U", paths.DATABASE_SUPERUSER, "-A", "trust", "-E", "UTF8"]
        # The built-in provider sorts and folds alike on every machine, whichever locales are installed there.
        command += ["--no-instructions", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if not self.durable:
            command.append("--no-sync")
        result = self._run(command, cwd=unfinished, data=unfinished)
        if result.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise Unavailable(f"initdb failed: {result.stdout.strip()}", where=str(self.data))
        unfinished.rename(self.data)

    def _check_version(self, programs: Path) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        answer = self._run([programs / "postgres", "--version"], cwd=self.home, data=self.data).stdout
        version = re.search(r"(\d+)\.\d+", answer)
        if version is None:
            raise Unavailable(f"The PostgreSQL program does not run: {answer.strip()}", where=str(programs))
        if version[1] != found:
            raise Conflict(
                f"These data were written by PostgreSQL {found}; the installed {version[1]} cannot read them.",
                where=str(self.data),
                fix=f"Dump them with PostgreSQL {found} (docs/operations.md) or drop them: `make reset-demo`.",
            )

    def _write_settings(self) -> None:
        settings = SETTINGS if self.durable else SETTINGS | NOT_DURABLE
        text = "# Written anew at every start.\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())
        target = self.data / "postgresql.conf"
        target.write_text(text)
        self.run_as.give(target)

    def _start(self, programs: Path) -> None:
        # Every path that pg_ctl would put on a shell's command line is relative or in the environment: it quotes with
        # double quotes only, which a `$` in a folder's name would break.
        server_log = self.data / "server.log"
        command: list[Path | str] = [
            programs / "pg_ctl",
            "start",
            "-w",
            "-s",
            "-t",
            str(START_TIMEOUT),
            "-l",
            server_log.name,
        ]
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            server_log.unlink(missing_ok=True)
            self._remove_stale_locks()
            result = self._run(command, cwd=self.data, data=self.data)
            report = server_log.read_text(errors="replace") if server_log.exists() else ""
            with self.log.open("a") as log:
                log.write(report)
            if result.returncode == 0:
                return
            # After kill -9 of the server its sessions need a moment to notice and to let go of the shared memory.
            if "shared memory block" not in report or time.monotonic() > deadline:
                tail = "\n".join((report or result.stdout).strip().splitlines()[-8:])
                raise Unavailable(f"PostgreSQL did not start:\n{tail}", where=str(self.data))
            time.sleep(0.2)

    def _remove_stale_locks(self) -> None:
        # PostgreSQL refuses to start while any process of this user has the number in its old lock files, be it a text
        # editor. `pid` has established that no server works in this folder.
        for name in ("postmaster.pid", f".s.PGSQL.{paths.POSTGRES_PORT}.lock"):
            if self.pid() is None:
                (self.data / name).unlink(missing_ok=True)

    def _create_database(self) -> None:
        with psycopg.connect(
            host=str(self.data), user=paths.DATABASE_SUPERUSER, dbname="postgres", autocommit=True
        ) as connection:
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [paths.DATABASE_NAME]).fetchone()
            if row is None:
                connection.execute(f"CREATE DATABASE {paths.DATABASE_NAME}")

    def _run(self, command: Sequence[Path | str], *, cwd: Path, data: Path) -> subprocess.CompletedProcess[str]:
        """Run one program of PostgreSQL to its end; `stdout` of the result holds both streams.

        Its own session keeps it away from the Ctrl-C of the terminal: a start that was begun is finished, then undone.
        """
        environment = {"PATH": os.defpath, "PGDATA": str(data), "LC_ALL": "C", "HOME": str(self.home)}
        # A file and not a pipe, which the server would inherit and keep open.
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            process = subprocess.run(
                [str(part) for part in command],
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
                check=False,
                **self.run_as.as_popen_arguments(),
            )
            output.seek(0)
            return subprocess.CompletedProcess(process.args, process.returncode, output.read())
