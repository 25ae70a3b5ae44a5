"""How far a job is: stages, rate, time left. Pure: the caller tells the time."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

# Seconds over which the rate is taken: long enough to be readable, short enough to show a stall.
WINDOW = 5.0
# Points kept for the chart. When they are full every second one goes, so a long job keeps its whole course.
MOST_SAMPLES = 120


@dataclass
class Stage:
    """One stage. `seconds` is the time between its first and its last report."""

    name: str
    began: float
    done: int = 0
    total: int | None = None
    unit: str = "rows"
    status: str = "running"
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        shown = asdict(self)
        del shown["began"]
        shown["seconds"] = round(self.seconds, 3)
        return shown


@dataclass
class Progress:
    """The stages of one attempt, in the order in which they were first reported.

    Stages may take turns. One with a known total is done when it gets there; one without is done when another begins.
    """

    stages: list[Stage] = field(default_factory=list)
    samples: list[list[float]] = field(default_factory=list)
    _recent: list[tuple[float, int]] = field(default_factory=list)
    _current: Stage | None = None
    _stride: int = 1
    _skipped: int = 0

    def report(self, name: str, done: int, total: int | None, unit: str, now: float) -> bool:
        """Take in a report made `now` seconds after the attempt began; True if a stage began or ended by it."""
        stage = next((stage for stage in self.stages if stage.name == name), None)
        before = [(stage.name, stage.status) for stage in self.stages]
        if stage is None:
            stage = Stage(name=name, began=now)
            self.stages.append(stage)
        for other in self.stages:
            if other is not stage and other.total is None:
                other.status = "done"
        if stage is not self._current:
            self._current, self._recent = stage, []
        stage.done, stage.total, stage.unit = done, total, unit
        stage.seconds = now - stage.began
        stage.status = "done" if total is not None and done >= total else "running"
        self._recent = [(at, count) for at, count in self._recent if now - at <= WINDOW]
        self._recent.append((now, done))
        return before != [(stage.name, stage.status) for stage in self.stages]

    @property
    def rate(self) -> float | None:
        """Units a second of the stage last reported, over the last seconds; None before two reports."""
        if self._current is None or not self._recent:
            return None
        (first, count), (last, latest) = self._recent[0], self._recent[-1]
        if last - first < 0.05:
            return None
        return max(0.0, (latest - count) / (last - first))

    @property
    def eta_seconds(self) -> float | None:
        """Seconds until the stage last reported reaches its total, at the present rate."""
        rate, stage = self.rate, self._current
        if not rate or stage is None or stage.total is None:
            return None
        return max(0, stage.total - stage.done) / rate

    def sample(self, now: float) -> None:
        """Keep the present rate for the chart."""
        rate = self.rate
        if rate is None:
            return
        self._skipped += 1
        if self._skipped < self._stride:
            return
        self._skipped = 0
        self.samples.append([round(now, 2), round(rate, 2)])
        if len(self.samples) > MOST_SAMPLES:
            self.samples = self.samples[::2]
            self._stride *= 2


def ended(stages: list[dict[str, Any]], status: str) -> list[dict[str, Any]]:
    """The stages of an attempt that is over: what still ran becomes `status` (`done` or `stopped`)."""
    return [{**stage, "status": status} if stage["status"] == "running" else stage for stage in stages]
