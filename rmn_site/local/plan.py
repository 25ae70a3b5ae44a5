"""What runs on one machine: the steps before, the processes, the steps that need them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal

from rmn_site.local.processes import ProcessSpec

Mode = Literal["demo", "serve"]

WEB, BEAT, WORKERS = 0, 1, 2  # the order in which they stop: first no new requests, then no new jobs, then the workers


@dataclass(frozen=True)
class Step:
    """A command that runs to its end.

    Args:
        name: names its log file.
        title: what people read while it runs.
        shown: whether its standard output is passed on, line by line.
    """

    name: str
    title: str
    command: tuple[str, ...]
    shown: bool = False


@dataclass(frozen=True)
class Plan:
    """Everything a supervisor has to do, in this order.

    Args:
        prepare: steps before any process runs.
        processes: kept running together; one that ends by itself ends all.
        fill: steps that need running workers.
        health: the path that `web` answers with 200 once it can serve.
        logins: a command that prints the demo logins as a JSON list of objects, or nothing.
    """

    mode: Mode
    prepare: tuple[Step, ...]
    processes: tuple[ProcessSpec, ...]
    fill: tuple[Step, ...] = ()
    health: str = "/health"
    logins: tuple[str, ...] = ()


def platform_plan(mode: Mode, *, bind: str, port: int) -> Plan:
    """The platform on one machine of two cores: one web process, two workers, beat."""
    return Plan(
        mode=mode,
        prepare=(Step("prepare", "Database schemas, public tenant, static files", _manage("prepare_platform")),),
        processes=(
            ProcessSpec("web", web_command(bind, port), grace=10, stop_stage=WEB),
            ProcessSpec("beat", beat_command(), grace=10, stop_stage=BEAT),
            ProcessSpec(
                "worker", worker_command("work", "default,harmonize,solve", threads=2), grace=20, stop_stage=WORKERS
            ),
            # Training and inference share one slot: torch is loaded once, and its memory is needed once.
            ProcessSpec("worker-gpu", worker_command("gpu", "train,gpu", threads=0), grace=20, stop_stage=WORKERS),
        ),
        fill=(
            Step("demo", "Demo tenants: real exports through the whole pipeline", _manage("create_demo"), shown=True),
        )
        if mode == "demo"
        else (),
        logins=_manage("demo_logins", "--json") if mode == "demo" else (),
    )


def web_command(bind: str, port: int) -> tuple[str, ...]:
    options = ("--interface", "wsgi", "--host", bind, "--port", str(port), "--workers", "1", "--blocking-threads", "4")
    # A request that hangs must not keep the process from ending.
    return _module("granian", *options, "--no-ws", "--workers-kill-timeout", "8", "rmn_site.wsgi:application")


def worker_command(name: str, queues: str, *, threads: int) -> tuple[str, ...]:
    """A worker with that many slots, or with 0 one that works in its own main thread."""
    pool = ("--pool", "threads", "--concurrency", str(threads)) if threads else ("--pool", "solo")
    # Gossip and mingle make workers wait for each other at start; nothing here depends on either.
    quiet = ("--without-gossip", "--without-mingle", "--loglevel", "INFO")
    return _module("celery", "-A", "rmn_site", "worker", "-n", f"{name}@%h", "--queues", queues, *pool, *quiet)


def beat_command() -> tuple[str, ...]:
    scheduler = "rmn_site.beat:TenantDatabaseScheduler"
    return _module("celery", "-A", "rmn_site", "beat", "--scheduler", scheduler, "--pidfile", "", "--loglevel", "INFO")


def _manage(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "manage.py", *arguments)


def _module(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *arguments)
