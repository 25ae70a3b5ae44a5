"""Watching over the child process of one attempt: its lease, its memory, its time, and requests to stop."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from enum import StrEnum

import psutil
import structlog
from django.conf import settings
from django.db import Error, close_old_connections
from django_tenants.utils import schema_context

from jobs import attempts
from jobs.core.registry import Handler, LostLease, handler_for
from jobs.dispatch import leases
from jobs.dispatch.leases import Claim
from jobs.staging import remove_staging
from tenants.core.problems import InvalidInput

log = structlog.get_logger(__name__)

# Set when the worker was told to end (see `jobs.worker`).
stopping = threading.Event()

_LOOK_EVERY = 0.1  # seconds between two looks at the process
_ASK_EVERY = 1.0  # between two looks at the database for a cancellation
_WEIGH_EVERY = 0.5  # between two weighings of its memory


class Verdict(StrEnum):
    """Why the supervisor ended a child."""

    MEMORY = "memory"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    LOST = "lost"


def supervise(*, claim: Claim) -> None:
    """Run a claimed job in a child process and see to it that its ending is written down."""
    child = _Child(claim)
    try:
        verdict = child.watch()
    finally:
        child.kill()
    with schema_context(claim.tenant_schema):
        remove_staging(job_id=claim.job_id, token=claim.token)
    try:
        _write_ending(claim, child, verdict)
    except LostLease:
        return  # the ordinary case: the child wrote its own ending
    except Error as error:
        log.warning("ending_not_written", job_id=str(claim.job_id), error=str(error))  # the lease will run out
    finally:
        close_old_connections()


def _write_ending(claim: Claim, child: _Child, verdict: Verdict | None) -> None:
    close_old_connections()
    if verdict is Verdict.LOST:
        return
    if verdict is Verdict.CANCELLED:
        attempts.cancel(claim=claim)
    elif verdict is Verdict.STOPPED:
        attempts.give_back(claim=claim)
    elif verdict is Verdict.MEMORY:
        attempts.crash(claim=claim, reason=f"its process used more than {child.memory_mb} MiB of memory")
    elif verdict is Verdict.TIMEOUT:
        attempts.crash(claim=claim, reason=f"it took longer than {child.timeout_seconds} s")
    else:
        attempts.crash(claim=claim, reason=_exit_reason(child.process.returncode))


def _exit_reason(returncode: int) -> str:
    if returncode >= 0:
        return f"its process ended with exit code {returncode}"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = f"signal {-returncode}"
    return f"its process was killed ({name})"


class _Child:
    """One child process. Times here are this machine's monotonic clock; the lease itself is the database's matter."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        handler = _limits(claim.kind)
        self.memory_mb = (handler.memory_mb if handler else None) or settings.JOB_MEMORY_MB
        self.timeout_seconds = handler.timeout_seconds if handler else 60
        self.began = self.renewed = time.monotonic()
        self._stop_by: float | None = None
        self._cancel_by: float | None = None
        self._asked_at = self._weighed_at = self._tried_at = self.began
        # A session of its own keeps the terminal's Ctrl-C from it: the worker decides when it ends.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jobs.child"],
            stdin=subprocess.PIPE,
            cwd=settings.BASE_DIR,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": settings.JOB_CHILD_SETTINGS},
            start_new_session=True,
            text=True,
        )
        self._say(json.dumps(asdict(claim), default=str))

    def watch(self) -> Verdict | None:
        """Wait for the end of the process; the reason why it has to be ended, or None if it ended by itself."""
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=_LOOK_EVERY)
                return None
            verdict = self._look(time.monotonic())
            if verdict is not None:
                return verdict

    def kill(self) -> None:
        """End the process and what it started, and collect it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            if self.process.stdin:
                self.process.stdin.close()
        self.process.wait()

    def _look(self, now: float) -> Verdict | None:
        if now - self._weighed_at >= _WEIGH_EVERY:
            self._weighed_at = now
            if self._resident_mb() > self.memory_mb:
                return Verdict.MEMORY
        if now - self.began > self.timeout_seconds:
            return Verdict.TIMEOUT
        if stopping.is_set():
            self._stop_by = self._stop_by or now + settings.JOB_GRACE_SECONDS
            if now >= self._stop_by:
                return Verdict.STOPPED
        if self._cancel_by is not None and now >= self._cancel_by:
            return Verdict.CANCELLED
        return self._ask_database(now)

    def _ask_database(self, now: float) -> Verdict | None:
        try:
            if now - self._tried_at >= settings.JOB_HEARTBEAT_SECONDS:
                self._tried_at = now
                if not leases.renew(
                    job_id=self.claim.job_id, token=self.claim.token, lease_seconds=settings.JOB_LEASE_SECONDS
                ):
                    return self._superseded()
                self.renewed = now
            elif now - self._asked_at >= _ASK_EVERY and self._cancel_by is None:
                self._asked_at = now
                if leases.cancel_requested(job_id=self.claim.job_id, token=self.claim.token):
                    self._cancel_by = now + settings.JOB_GRACE_SECONDS
                    self._say("cancel")
        except Error as error:
            close_old_connections()
            log.warning("heartbeat_failed", job_id=str(self.claim.job_id), error=str(error))
            if now - self.renewed > settings.JOB_LEASE_SECONDS:
                return Verdict.LOST
        return None

    def _superseded(self) -> Verdict | None:
        """No lease to renew: either the child has just written its ending, or another attempt took over."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=2)
            return None
        log.warning("lease_lost", job_id=str(self.claim.job_id), token=self.claim.token)
        return Verdict.LOST

    def _resident_mb(self) -> float:
        try:
            process = psutil.Process(self.process.pid)
            family = [process, *process.children(recursive=True)]
            return float(sum(member.memory_info().rss for member in family)) / 2**20
        except psutil.Error:
            return 0.0  # it is ending

    def _say(self, line: str) -> None:
        with contextlib.suppress(OSError):
            if self.process.stdin:
                self.process.stdin.write(line + "\n")
                self.process.stdin.flush()


def _limits(kind: str) -> Handler | None:
    try:
        return handler_for(kind)
    except InvalidInput:
        return None  # the child will fail the job with these words
