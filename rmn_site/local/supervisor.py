"""Brings the platform up on this machine, watches it, and takes it down again, whatever happens."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import socket
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rmn_site.local import paths
from rmn_site.local.console import say
from rmn_site.local.plan import Plan, Step
from rmn_site.local.processes import (
    MARKER_VARIABLE,
    ManagedProcess,
    ProcessSpec,
    end_marked,
    last_lines,
    stop_in_order,
)
from rmn_site.local.runfile import Run, RunFile
from rmn_site.local.servers import servers_for
from tenants.core.problems import Conflict, Problem, Unavailable

HEALTH_TIMEOUT = 60.0  # seconds for web to answer
LOGINS_TIMEOUT = 30.0
TICK = 0.05


class Interrupted(Exception):  # noqa: N818 - not an error: somebody asked to stop
    """A signal arrived."""


class Supervisor:
    """One run of a plan.

    Args:
        home: the data home; created when missing.
        plan: what to run; `web` is the process whose health is awaited.
        bind, port: where web listens.
        environ: the environment of everything started. `DATABASE_URL` and `REDIS_URL` (or their `_FILE` forms) in it
            stand for servers of somebody else; those that are absent are embedded.
    """

    def __init__(self, home: Path, plan: Plan, *, bind: str, port: int, environ: Mapping[str, str]) -> None:
        self.home = home
        self.plan = plan
        self.bind, self.port = bind, port
        self.servers = servers_for(home, environ)
        self._marker = uuid.uuid4().hex
        self._environ = dict(environ) | self._child_environ()
        self._runfile = RunFile(home)
        self._processes: list[ManagedProcess] = []
        self._logins: ManagedProcess | None = None
        self._asked_to_stop: float | None = None
        self._hurry = False
        self._terminal: select.poll | None = None

    @property
    def address(self) -> str:
        host = "localhost" if self.bind in ("127.0.0.1", "0.0.0.0", "::", "::1") else self.bind  # noqa: S104
        return f"http://{host}:{self.port}/"

    def run(self) -> int:
        """Start everything, wait for a signal, stop everything. Return the exit code: 0 unless something failed."""
        paths.prepare_home(self.home)
        me = Run(os.getpid(), self.plan.mode)
        if not self._runfile.claim(me):
            raise Conflict("Another start of this data folder was quicker.", where=str(self.home))
        self._listen_to_signals()
        started = time.monotonic()
        code = 0
        try:
            self._start()
            self._runfile.announce(me, self.address)
            say(f"\nReady after {time.monotonic() - started:.1f} s: {self.address}")
            if self._logins is not None:
                self._show_logins(self._logins)
            say(f"Logs: {paths.logs_folder(self.home)}. Ctrl-C stops everything.")
            self._watch()
        except Interrupted:
            say()
        except Problem as problem:
            say(f"\n{problem}")
            code = 1
        finally:
            self._stop()
            self._runfile.release()
        return code

    def _start(self) -> None:
        say(f"RMN {self.plan.mode}, data in {self.home}")
        names = [server.name for server in (self.servers.postgres, self.servers.valkey) if server is not None]
        with self._timed(f"Servers: {', '.join(names) or 'none of our own'}"):
            self.servers.start(marker=self._marker)
        for step in self.plan.prepare:
            self._run_step(step)
        with self._timed("Start " + ", ".join(spec.name for spec in self.plan.processes)):
            for spec in self.plan.processes:
                self._processes.append(self._launch(spec))
        for step in self.plan.fill:
            self._run_step(step)
        # Asked for while web starts, for each of the two takes seconds to load Django.
        if self.plan.logins:
            self._logins = self._launch(ProcessSpec("logins", self.plan.logins, grace=1), split=True)
        with self._timed("Web answers"):
            self._await_health()

    def _run_step(self, step: Step) -> None:
        """Run a command to its end.

        Raises:
            Unavailable: it failed, or a process it may depend on ended meanwhile.
            Interrupted: a signal arrived; the command was stopped.
        """
        with self._timed(step.title, lines_follow=step.shown):
            process = self._launch(ProcessSpec(step.name, step.command, grace=5), split=True)
            shown = 0
            try:
                while True:
                    code = process.exit_code
                    if step.shown:
                        shown = _pass_on(process.log, shown)
                    if code is not None:
                        break
                    self._tick()
            finally:
                stop_in_order([process], hurry=lambda: self._hurry)
            if code != 0:
                raise _failure(f"`{' '.join(step.command[1:])}` failed with exit code {code}.", process)

    def _await_health(self) -> None:
        web = next((process for process in self._processes if process.spec.name == "web"), None)
        if web is None:
            return
        deadline = time.monotonic() + HEALTH_TIMEOUT
        status = "no answer"
        while (status := self._health()) != "200":
            if time.monotonic() > deadline:
                raise _failure(f"{self.plan.health} did not answer with 200 but with {status}.", web)
            self._tick()

    def _health(self) -> str:
        host = "127.0.0.1" if self.bind == "0.0.0.0" else self.bind  # noqa: S104
        connection = http.client.HTTPConnection(host, self.port, timeout=5)
        try:
            connection.request("GET", self.plan.health, headers={"Host": f"localhost:{self.port}"})
            return str(connection.getresponse().status)
        except (OSError, http.client.HTTPException) as error:
            return f"no answer ({error})"
        finally:
            connection.close()

    def _show_logins(self, process: ManagedProcess) -> None:
        """Print the demo logins, if there are any. They are a courtesy: not to have them stops nothing."""
        deadline = time.monotonic() + LOGINS_TIMEOUT
        while process.exit_code is None and time.monotonic() < deadline:
            self._tick()
        try:
            logins = json.loads(process.log.read_text()) if process.exit_code == 0 else []
        except ValueError:
            logins = []
        for login in logins:
            # Who prints them knows the host of each tenant, and not the port that was free.
            there = {"host": f"http://{login['host']}:{self.port}/"} if "host" in login else {}
            say("  " + "  ".join(str(value) for value in (login | there).values()))

    def _watch(self) -> None:
        while True:
            self._tick(0.3)

    def _tick(self, seconds: float = TICK) -> None:
        """Let a moment pass.

        Raises:
            Interrupted: a signal arrived.
            Unavailable: a process ended that should run.
        """
        if self._asked_to_stop is not None or self._terminal_closed():
            raise Interrupted
        for process in self._processes:
            if process.exit_code is not None:
                raise _failure(f"{process.spec.name} ended by itself (exit code {process.exit_code}).", process)
        time.sleep(seconds)

    def _stop(self) -> None:
        if not self.servers.in_use:
            return
        began = time.monotonic()
        say("Stopping ...")
        short_lived = [self._logins] if self._logins is not None else []
        killed = stop_in_order([*self._processes, *short_lived], hurry=lambda: self._hurry)
        end_marked(self._marker, grace=1.0)
        try:
            stopped = self.servers.stop()
        except Problem as problem:
            say(str(problem))
        else:
            if not stopped:
                say("The servers keep running: another process uses them.")
        if killed:
            say(f"Killed after their grace period: {', '.join(killed)}.")
        say(f"Stopped after {time.monotonic() - began:.1f} s.")

    def _launch(self, spec: ProcessSpec, *, split: bool = False) -> ManagedProcess:
        logs = paths.logs_folder(self.home)
        return ManagedProcess(spec, cwd=paths.project_root(), env=self._environ, logs=logs, split=split)

    def _child_environ(self) -> dict[str, str]:
        # One thread per process: two cores are shared by four processes and both servers.
        threads = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
        place = {"RMN_DATA_HOME": str(self.home), "RMN_PORT": str(self.port), "RMN_BIND": self.bind}
        return (
            {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1", MARKER_VARIABLE: self._marker}
            | threads
            | place
            | self.servers.urls
        )

    def _listen_to_signals(self) -> None:
        def note(number: int, frame: FrameType | None) -> None:
            now = time.monotonic()
            if self._asked_to_stop is None:
                self._asked_to_stop = now
            # `make` passes on what the terminal has sent to both: only a later signal is a second request.
            elif now - self._asked_to_stop > 1.0:
                self._hurry = True

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # `nohup make demo` ignores SIGHUP on purpose. SIGINT is ignored by mere accident in every `make demo &`.
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue
            signal.signal(number, note)
        if os.isatty(0) and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            self._terminal = select.poll()
            self._terminal.register(0, 0)  # a hang-up is reported without being asked for

    def _terminal_closed(self) -> bool:
        # The kernel sends SIGHUP to the session's leader alone. A shell passes it on; `make`, which leads the session
        # of `ssh -t host make demo`, does not.
        return self._terminal is not None and any(event & select.POLLHUP for _, event in self._terminal.poll(0))

    @contextmanager
    def _timed(self, title: str, *, lines_follow: bool = False) -> Iterator[None]:
        say(f"  {title} ...", end="\n" if lines_follow else " ")
        began = time.monotonic()
        yield
        say(f"{'  ... done in ' if lines_follow else ''}{time.monotonic() - began:.1f} s")
        if self._asked_to_stop is not None:
            raise Interrupted


def free_port(bind: str, wanted: int, *, tries: int = 50) -> int:
    """The wanted port, or the next one that nobody listens on.

    Raises:
        Unavailable: none of the next ports is free, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    reason = ""
    for port in range(wanted, min(wanted + tries, 65536)):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((bind, port))
            except OSError as error:
                reason = error.strerror or str(error)
            else:
                return port
    raise Unavailable(
        f"No port from {wanted} on can be listened on: {reason}.",
        where=f"RMN_BIND={bind}",
        fix="Set RMN_PORT to a free port.",
    )


def _pass_on(log: Path, position: int) -> int:
    """Print the complete lines that a log gained after `position`; return the new position."""
    with log.open("rb") as file:
        file.seek(position)
        gained = file.read()
    complete = gained[: gained.rfind(b"\n") + 1]
    for line in complete.decode(errors="replace").splitlines():
        say(f"    {line}")
    return position + len(complete)


def _failure(what: str, process: ManagedProcess) -> Unavailable:
    log = process.errors if last_lines(process.errors, 1) else process.log
    tail = "\n".join(f"  | {line}" for line in last_lines(log))
    return Unavailable(f"{what}\nThe end of {log}:\n{tail or '  | (nothing)'}")
