"""`python -m rmn_site.local demo|serve|stop|status|reset|with`: what the Makefile's targets call."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from rmn_site.config import ConfigurationError, effective_environment
from rmn_site.local import paths
from rmn_site.local.console import say
from rmn_site.local.plan import Mode, platform_plan
from rmn_site.local.runfile import Run, RunFile
from rmn_site.local.servers import is_given, servers_for, status, stop_unused
from rmn_site.local.supervisor import Supervisor, free_port
from tenants.core.problems import Conflict, InvalidInput, Problem

STOP_TIMEOUT = 120.0  # seconds; longer than all grace periods together
NOT_RUNNING = 3  # the exit code of `status`, as service managers use it


def start(mode: Mode, home: Path, environ: Mapping[str, str]) -> int:
    """Run the platform until a signal arrives; say so if it runs already."""
    if run := RunFile(home).current():
        return report_running(run, mode)
    if (
        not (is_given("DATABASE_URL", environ) and is_given("REDIS_URL", environ))
        and environ.get("RMN_ENV") == "production"
    ):
        raise InvalidInput(
            "The embedded servers are for development and demonstrations.",
            where="RMN_ENV=production",
            fix="Set DATABASE_URL and REDIS_URL to servers that are backed up (docs/operations.md).",
        )
    bind = environ.get("RMN_BIND", "127.0.0.1")
    wanted = _port(environ.get("RMN_PORT", "8000"))
    port = free_port(bind, wanted)
    if port != wanted:
        say(f"Port {wanted} is taken; using {port}.")
    defaults = {"RMN_LOG_FORMAT": "console"} | ({"RMN_ENV": "demo"} if mode == "demo" else {})
    plan = platform_plan(mode, bind=bind, port=port)
    return Supervisor(home, plan, bind=bind, port=port, environ=defaults | dict(environ)).run()


def report_running(run: Run, wanted: str) -> int:
    """Say where the running platform answers.

    Raises:
        Conflict: it runs in the other mode.
    """
    if run.mode != wanted:
        raise Conflict(
            f"`make {run.mode}` runs on this data folder (process {run.pid}) {_place(run)}.",
            fix=f"Run `make stop` first, then `make {wanted}`.",
        )
    say(f"Already running (process {run.pid}) {_place(run)}. `make stop` stops it.")
    return 0


def stop(home: Path) -> int:
    """Stop the running platform of this data home, and servers that nobody uses."""
    if not home.is_dir():
        say("Nothing is running.")
        return 0
    run = RunFile(home).current()
    if run is not None:
        say(f"Stopping `make {run.mode}` (process {run.pid}) ...")
        os.kill(run.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT
        while RunFile(home).current() is not None:
            if time.monotonic() > deadline:
                raise Conflict(
                    f"Process {run.pid} has not ended within {STOP_TIMEOUT:.0f} s.",
                    fix="Look into its terminal, or kill it: its watchdog then ends all that it started.",
                )
            time.sleep(0.1)
    left = [name for name, pid in status(home).items() if pid is not None]
    if not stop_unused(home):
        say(f"Still used by another process of yours, and left running: {', '.join(left)}.")
    elif run is not None or left:
        say("Stopped.")
    else:
        say("Nothing is running.")
    return 0


def show_status(home: Path) -> int:
    """Print what runs on this data home."""
    run = RunFile(home).current() if home.is_dir() else None
    say(f"Data        {home}")
    say(f"Platform    {f'{run.mode}, process {run.pid}, {_place(run)}' if run else 'not running'}")
    for name, pid in status(home).items():
        say(f"{name:<12}{f'process {pid}' if pid else 'not running'}")
    return 0 if run else NOT_RUNNING


def reset(home: Path, environ: Mapping[str, str]) -> int:
    """Delete the data home: embedded databases, files, logs.

    Raises:
        Conflict: something uses it, or it is not one.
        InvalidInput: the data are in a database of somebody else.
    """
    if is_given("DATABASE_URL", environ):
        raise InvalidInput(
            "DATABASE_URL is set, and only the embedded database is ever deleted.",
            fix="Unset it, or drop that database yourself.",
        )
    if not home.exists():
        say(f"Nothing to delete: {home} does not exist.")
        return 0
    if not paths.is_data_home(home):
        raise Conflict("This folder was not made by RMN and is not deleted.", where=str(home))
    stop(home)
    if any(status(home).values()):
        raise Conflict("Another process still uses these data.", where=str(home), fix="End it and try again.")
    shutil.rmtree(home)
    say(f"Deleted {home}.")
    return 0


def with_servers(command: Sequence[str], home: Path, environ: Mapping[str, str]) -> int:
    """Run a command while the embedded servers run. Return its exit code."""
    with servers_for(home, environ) as servers:
        child = subprocess.Popen(command, env=dict(environ) | {"RMN_DATA_HOME": str(home)} | servers.urls)
        # The terminal sends its Ctrl-C to the command as well; what counts is when that ends.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, frame: child.send_signal(number))
        return child.wait()


def _place(run: Run) -> str:
    return f"at {run.address}" if run.address else "and is still starting"


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise InvalidInput(f"{text!r} is no port number.", where="RMN_PORT", fix="Give a number from 1 to 65535.")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m rmn_site.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="the platform with demo data, until Ctrl-C")
    commands.add_parser("serve", help="the platform with the data it has, until Ctrl-C")
    commands.add_parser("stop", help="stop what runs on this checkout's data")
    commands.add_parser("status", help="show what runs; exit code 3 if the platform does not")
    commands.add_parser("reset", help="delete this checkout's data")
    within = commands.add_parser("with", help="run a command while the servers run")
    within.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND ...")
    given = parser.parse_args(arguments)
    try:
        environ = effective_environment()
        home = paths.data_home(environ)
        match given.command:
            case "demo" | "serve" as mode:
                return start(mode, home, environ)
            case "stop":
                return stop(home)
            case "status":
                return show_status(home)
            case "reset":
                return reset(home, environ)
            case _:
                return with_servers(given.argv or parser.error("which command?"), home, environ)
    except (Problem, ConfigurationError, psutil.AccessDenied) as problem:
        say(str(problem))
        return 1


if __name__ == "__main__":
    sys.exit(main())
