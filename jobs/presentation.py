"""A job in words and pictures: what its page shows of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from jobs.core.registry import subject_of
from jobs.core.states import State
from jobs.models import Job, JobLog, JobProgress

# state: (tone, icon) of its chip
CHIPS = {
    State.QUEUED: ("dashed", "clock"),
    State.RUNNING: ("info", "refresh"),
    State.SUCCEEDED: ("good", "circle-check"),
    State.FAILED: ("bad", "alert-triangle"),
    State.DEAD: ("bad", "circle-x"),
    State.CANCELLED: ("warn", "ban"),
}
_STAGE_STATES = {"done": "done", "running": "now", "stopped": "failed"}
_LINE_CLASSES = {"warning": "w", "error": "e"}


@dataclass(frozen=True)
class Look:
    """What the page of a job says at one moment.

    Attributes:
        done, total, unit: of the stage that runs, or of the last one.
        stages: as the tag `stages` takes them.
        elapsed: seconds since the attempt began, until now or the end.
        waited: seconds in the queue before it.
        about: label and address of the page of what the job is about.
    """

    job: Job
    chip: tuple[str, str]
    stage: str
    done: int | None
    total: int | None
    unit: str
    fraction: float | None
    rate: float | None
    eta: float | None
    done_at: datetime | None
    elapsed: float | None
    waited: float | None
    stages: list[dict[str, str]]
    chart: dict[str, Any] | None
    result: list[tuple[str, Any]]
    inputs: list[tuple[str, Any]]
    about: tuple[str, str] | None

    @property
    def is_open(self) -> bool:
        return not self.job.is_final


def look_at(job: Job) -> Look:
    """What there is to see of a job."""
    progress: JobProgress | None = getattr(job, "progress", None)
    stages = progress.stages if progress else []
    running = [stage for stage in stages if stage["status"] == "running"]
    current = running[-1] if running else stages[-1] if stages else None
    eta = progress.eta_seconds if progress and not job.is_final else None
    total = current["total"] if current else None
    return Look(
        job=job,
        chip=CHIPS[State(job.state)],
        stage=current["name"] if current else "",
        done=current["done"] if current else None,
        total=total,
        unit=current["unit"] if current else "",
        fraction=current["done"] / total if current and total else None,
        rate=progress.rate if progress else None,
        eta=eta,
        done_at=timezone.now() + timedelta(seconds=eta) if eta is not None else None,
        elapsed=_elapsed(job),
        waited=_seconds(job.created_at, job.started_at) if job.started_at and job.attempt <= 1 else None,
        stages=[_stage(stage) for stage in stages],
        chart=rate_chart(progress, current["unit"]) if progress and current else None,
        result=_pairs(job.result),
        inputs=_pairs(job.params),
        about=_about(job.subject),
    )


def _about(subject: str) -> tuple[str, str] | None:
    """Label and address of the page of what a job is about, where its app has one."""
    known = subject_of(subject)
    if known is None:
        return None
    try:
        return known[0].label, reverse(known[0].url_name, args=[UUID(known[1])])
    except (ValueError, NoReverseMatch):
        return None


def rate_chart(progress: JobProgress, unit: str) -> dict[str, Any] | None:
    """The spec of the chart of the rate; None before there is a course to show."""
    if len(progress.samples) < 3:
        return None
    rates = [rate for _, rate in progress.samples]
    line = {
        "type": "line",
        "name": f"{unit} a second",
        "showSymbol": False,
        "data": progress.samples,
        "itemStyle": {"color": "$focus"},
        "lineStyle": {"color": "$focus", "width": 2},
        "areaStyle": {"color": "$focus/10"},
    }
    return {
        "alt": f"Rate: from {min(rates):,.0f} to {max(rates):,.0f} {unit} a second, now {rates[-1]:,.0f}.",
        "option": {
            "grid": {"right": 24, "top": 14},
            "xAxis": {"type": "value", "min": 0, "axisLabel": {"formatter": "{value} s"}, "splitLine": {"show": False}},
            "yAxis": {"type": "value", "min": 0},
            "series": [line],
        },
    }


def log_lines(lines: Iterable[JobLog]) -> list[dict[str, str]]:
    """Lines as the page shows them."""
    return [
        {
            "time": f"{line.time:%H:%M:%S}.{line.time.microsecond // 1000:03d}",
            "css": _LINE_CLASSES.get(line.level, ""),
            "text": as_text(line),
        }
        for line in lines
    ]


def as_text(line: JobLog) -> str:
    """One line as plain text."""
    words = [line.level.upper()] if line.level != "info" else []
    words += [line.message, *(f"{name}={value}" for name, value in line.fields.items())]
    return "  ".join(words)


def _stage(stage: dict[str, Any]) -> dict[str, str]:
    unit = stage["unit"].removesuffix("s") if stage["done"] == 1 else stage["unit"]
    amount = f"{stage['done']:,} {unit}"
    return {
        "state": _STAGE_STATES[stage["status"]],
        "label": stage["name"],
        "note": f"{amount}, {stage['seconds']:.1f} s" + (", stopped" if stage["status"] == "stopped" else ""),
    }


def _elapsed(job: Job) -> float | None:
    if job.started_at is None or job.state == State.QUEUED:
        return None
    return _seconds(job.started_at, job.finished_at or timezone.now())


def _seconds(earlier: datetime, later: datetime) -> float:
    return max(0.0, (later - earlier).total_seconds())


def _pairs(values: dict[str, Any] | None) -> list[tuple[str, Any]]:
    """Plain values of a mapping, to be listed; what is nested is the business of the page that made the job."""
    return [
        (name.replace("_", " "), value)
        for name, value in (values or {}).items()
        if isinstance(value, str | int | float | bool) or value is None
    ]
