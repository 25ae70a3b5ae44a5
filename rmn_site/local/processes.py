"""Child processes with a log each, in process groups of their own, and how they are ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

# Every process of one run inherits this variable, so that even a grandchild that left its process group is found.
# Not an RMN_ name: it is no setting.
MARKER_VARIABLE = "_RMN_RUN"


@dataclass(frozen=True)
class ProcessSpec:
    """A process that runs for as long as the platform does.

    Args:
        name: names its log file, too.
        command: the program and its arguments.
        grace: seconds it may take to end after SIGTERM before it is killed.
        stop_stage: stages are stopped in ascending order; processes of one stage at the same time.
    """

    name: str
    command: tuple[str, ...]
    grace: float = 10.0
    stop_stage: int = 0


class ManagedProcess:
    """One running `ProcessSpec`.

    Args:
        logs: the folder of its log, `<name>.log`.
        split: whether standard error gets a log of its own, `<name>.errors.log`.
    """

    def __init__(
        self, spec: ProcessSpec, *, cwd: Path, env: Mapping[str, str], logs: Path, split: bool = False
    ) -> None:
        self.spec = spec
        self.log = rotated_log(logs, spec.name)
        self.errors = rotated_log(logs, f"{spec.name}.errors") if split else self.log
        with self.log.open("ab") as output, self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                spec.command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,  # the terminal's Ctrl-C reaches the supervisor only, who stops them in order
            )

    @property
    def exit_code(self) -> int | None:
        return self.process.poll()

    def ask_to_stop(self) -> None:
        if self.exit_code is None:
            self.process.terminate()

    def kill_group(self) -> None:
        """Kill whatever is left of the process and of those it started."""
        # The group's number cannot have been given to others: either its leader is our child, or members remain.
        if self.exit_code is None or group_alive(self.process.pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def stop_in_order(processes: Iterable[ManagedProcess], *, hurry: Callable[[], bool] = lambda: False) -> list[str]:
    """Stop processes stage by stage and return the names of those that had to be killed.

    Args:
        processes: running or already ended ones.
        hurry: asked again and again; once it is true, every grace period is over.
    """
    killed: list[str] = []
    stages: dict[int, list[ManagedProcess]] = {}
    for process in processes:
        stages.setdefault(process.spec.stop_stage, []).append(process)
    for _, stage in sorted(stages.items()):
        for process in stage:
            process.ask_to_stop()
        asked = time.monotonic()
        for process in stage:
            while process.exit_code is None and time.monotonic() < asked + process.spec.grace and not hurry():
                time.sleep(0.02)
            if process.exit_code is None:
                killed.append(process.spec.name)
            process.kill_group()
    return killed


def rotated_log(logs: Path, name: str) -> Path:
    """The path of a fresh log; the one of the run before is kept as `<name>.log.1`."""
    log = logs / f"{name}.log"
    if log.exists():
        log.replace(logs / f"{name}.log.1")
    log.touch(mode=0o600)
    return log


def last_lines(log: Path, count: int = 15) -> list[str]:
    """The end of a log, read from its last 16 kB."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return []


def wait_for_end(process: psutil.Process, *, timeout: float) -> bool:
    """Wait until a process that is not our child has ended. Return False after `timeout` seconds.

    A zombie has ended: in a container its adoptive parent may take seconds to collect it, or never do so.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)


def group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def marked(marker: str) -> list[psutil.Process]:
    """Every live process that inherited `marker`, except this one."""
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARKER_VARIABLE) == marker and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def end_marked(marker: str, *, grace: float) -> None:
    """Ask every process that inherited `marker` to end, and kill what remains after `grace` seconds."""
    _signal_all(marked(marker), signal.SIGTERM)
    deadline = time.monotonic() + grace
    while remaining := marked(marker):
        if time.monotonic() > deadline:
            _signal_all(remaining, signal.SIGKILL)
        time.sleep(0.05)


def _signal_all(processes: Sequence[psutil.Process], number: int) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
