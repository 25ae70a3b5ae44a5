"""Kinds of jobs for tests. Loaded by every process of a test run, and only there."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.core.registry import Handler, JobContext, register_handler
from tenants.core.problems import InvalidInput

_KEPT: list[bytearray] = []


def count(context: JobContext) -> Mapping[str, Any]:
    """Count to `to`, in steps of `step` seconds, then publish one line in the file `out`."""
    to = int(context.params.get("to", 3))
    for done in range(1, to + 1):
        context.raise_if_cancelled()
        time.sleep(float(context.params.get("step", 0)))
        context.progress("count", done, to)
    result = {"counted": to, "attempt": context.attempt}
    with context.publish(result=result):
        _line(context, "published")
    return result


def refuse(context: JobContext) -> Mapping[str, Any]:
    raise InvalidInput("Column Spend is missing.", where="line 1", fix="Export the report with Spend.")


def crash(context: JobContext) -> Mapping[str, Any]:
    _line(context, "began")
    raise ValueError("a mistake in the code")


def die(context: JobContext) -> Mapping[str, Any]:
    """Be killed, as by the kernel when memory runs out; on attempt `until` and later, live."""
    _line(context, "began")
    if context.attempt < int(context.params.get("until", 99)):
        os.kill(os.getpid(), signal.SIGKILL)
    return {"attempt": context.attempt}


def hog(context: JobContext) -> Mapping[str, Any]:
    """Take more memory than allowed."""
    for _ in range(100):
        _KEPT.append(bytearray(os.urandom(1)) * (16 * 2**20))
        time.sleep(0.1)
    return {}


def deaf(context: JobContext) -> Mapping[str, Any]:
    """Never ask whether it was cancelled."""
    _line(context, "began")
    time.sleep(float(context.params.get("seconds", 60)))
    return {}


def stage(context: JobContext) -> Mapping[str, Any]:
    """Write a file in the staging folder and tell where."""
    (context.staging / "part.txt").write_text("half")
    context.log("info", "staged", path=str(context.staging))
    if context.params.get("fail"):
        raise InvalidInput("It does not fit.")
    return {"path": str(context.staging)}


def _line(context: JobContext, word: str) -> None:
    out = context.params.get("out")
    if out:
        with Path(out).open("a") as file:
            file.write(f"{word} {context.attempt} {os.getpid()}\n")


def _kind(kind: str, run: Any, **options: Any) -> None:
    register_handler(
        Handler(
            kind=f"test.{kind}",
            run=run,
            **{"queue": "default", "title": f"Test {kind}", "permission": "uploads.create", **options},
        )
    )


_kind("count", count)
_kind("refuse", refuse)
_kind("crash", crash)
_kind("die", die)
_kind("hog", hog, memory_mb=300)
_kind("deaf", deaf)
_kind("slow", deaf, timeout_seconds=1)
_kind("stage", stage)
_kind("solve", count, queue="solve")
