"""Real worker processes on a database and a Valkey of the test's own, with leases of seconds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil
from django.conf import settings
from django.db import connection

from accounts.core.permissions import Role
from accounts.models import User
from jobs.models import Job
from jobs.services import submit_job
from rmn_site.celery import app
from rmn_site.local.paths import prepare_home
from rmn_site.local.testing import temporary_home
from rmn_site.local.valkey import Valkey
from rmn_site.queues import celery_url
from tenants.models import Tenant
from tests import factories

T = TypeVar("T")
LEASE, HEARTBEAT, GRACE = 3, 0.5, 2


@dataclass
class Site:
    """The servers of one fault test, and its workers."""

    database_url: str
    valkey: Valkey
    folder: Path
    lease: int = LEASE
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def out(self) -> Path:
        """Where handlers of tests write a line for each thing they do."""
        return self.folder / "out.txt"

    def lines(self, word: str) -> list[str]:
        """Lines of `out` that begin with a word."""
        text = self.out.read_text() if self.out.exists() else ""
        return [line for line in text.splitlines() if line.startswith(word)]

    def alice(self) -> User:
        """The owner of acme, made at the first call; acme is active afterwards."""
        connection.set_tenant(Tenant.objects.get(schema_name="acme"))
        return User.objects.filter(name="alice").first() or factories.person("alice", Role.OWNER)

    def submit(self, kind: str, *, key: str | None = None, **params: Any) -> Job:
        """A job of kind `test.<kind>` by alice."""
        return submit_job(
            kind=f"test.{kind}", params={"out": str(self.out), **params}, actor=self.alice(), idempotency_key=key
        )

    def start_worker(
        self, *, pool: str = "threads", queues: str = "default,harmonize,solve"
    ) -> subprocess.Popen[bytes]:
        """A Celery worker in a process of its own, ready to take messages."""
        options = ["worker", "-P", pool, "-c", "2", "-Q", queues, "--without-gossip", "--without-mingle"]
        worker = self._start(options)

        def is_ready() -> bool:
            assert worker.poll() is None, self.log_of(worker)[-2000:]
            return "ready." in self.log_of(worker)

        until(is_ready, what="the worker to be ready", seconds=60)
        return worker

    def start_beat(self) -> subprocess.Popen[bytes]:
        """A scheduler in a process of its own."""
        return self._start(["beat", "--pidfile", ""])

    def log_of(self, process: subprocess.Popen[bytes]) -> str:
        """What a process wrote so far."""
        return (self.folder / f"process{self.workers.index(process)}.log").read_text()

    def job_after(self, job: Job, condition: Callable[[Job], bool], *, seconds: float = 30) -> Job:
        """The job, as soon as it meets a condition."""

        def found() -> Job | None:
            fresh = Job.objects.select_related("progress").get(pk=job.pk)
            return fresh if condition(fresh) else None

        return until(found, what=f"{job.kind} to get there", seconds=seconds)

    def ended(self, job: Job, *, seconds: float = 30) -> Job:
        """The job, as soon as it has ended."""
        return self.job_after(job, lambda fresh: fresh.is_final, seconds=seconds)

    def children(self) -> list[psutil.Process]:
        """Job processes of all workers."""
        found = []
        for worker in self.workers:
            if worker.poll() is None:
                found += [child for child in psutil.Process(worker.pid).children() if _runs_a_job(child)]
        return found

    def stop(self) -> None:
        """End every worker and the broker."""
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGKILL)
            worker.wait()
        self.valkey.stop()

    def _start(self, options: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"process{len(self.workers)}.log").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "rmn_site.celery", *options, "--loglevel", "INFO"],
                cwd=settings.BASE_DIR,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.workers.append(process)
        return process

    def _environment(self) -> dict[str, str]:
        ours = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.valkey.url,
            "RMN_ENV": "test",
            "RMN_STORAGE_ROOT": str(self.folder / "storage"),
            "RMN_JOB_LEASE_SECONDS": str(self.lease),
            "RMN_JOB_HEARTBEAT_SECONDS": str(HEARTBEAT),
            "RMN_JOB_GRACE_SECONDS": str(GRACE),
        }
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in ("RMN_TEST_DATABASE", "DJANGO_SETTINGS_MODULE")
        }
        return {**inherited, **ours}


@contextmanager
def running_site(database_url: str, folder: Path, *, lease: int = LEASE) -> Iterator[Site]:
    """A site for one test, and this process talking to its broker meanwhile."""
    home = temporary_home()
    prepare_home(home)
    site = Site(database_url, Valkey(home), folder, lease)
    site.valkey.start()
    usual = app.conf.broker_url
    _use_broker(celery_url(site.valkey.url))
    try:
        yield site
    finally:
        _use_broker(usual)
        site.stop()


def until(look: Callable[[], T], *, what: str, seconds: float = 30) -> T:
    """What `look` returns, as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s for {what}")
        time.sleep(0.1)
    return found


def _runs_a_job(process: psutil.Process) -> bool:
    try:
        return "jobs.child" in process.cmdline()
    except psutil.Error:
        return False  # it has just ended


def _use_broker(url: str) -> None:
    app.conf.broker_url = app.conf.broker_write_url = app.conf.broker_read_url = url
    # Pools are looked up by address when they are next asked for.
    app._pool = None
    app.amqp._producer_pool = None
