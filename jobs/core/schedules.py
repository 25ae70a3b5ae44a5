"""When a job is submitted by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tenants.core.problems import InvalidInput

SHORTEST_SECONDS = 60
LONGEST_SECONDS = 365 * 86_400


@dataclass(frozen=True)
class Timing:
    """Either every so many seconds or at the times of a crontab line, in UTC: minute, hour, day, month, weekday."""

    every_seconds: int | None = None
    crontab: str = ""

    def __post_init__(self) -> None:
        if bool(self.crontab) == (self.every_seconds is not None):
            raise InvalidInput(
                "A schedule needs either every_seconds or crontab, and not both.",
                where="every_seconds",
                fix='Send every_seconds, such as 3600, or crontab, such as "15 6 * * *".',
            )
        if self.every_seconds is not None and self.every_seconds < SHORTEST_SECONDS:
            raise InvalidInput(
                f"{self.every_seconds} s is too often.", where="every_seconds", fix=f"Use at least {SHORTEST_SECONDS}."
            )
        if self.every_seconds is not None and self.every_seconds > LONGEST_SECONDS:
            raise InvalidInput(
                f"{self.every_seconds} s is more than a year.",
                where="every_seconds",
                fix=f"Use at most {LONGEST_SECONDS}, or a crontab line.",
            )
        if self.crontab and len(self.crontab.split()) != 5:
            raise InvalidInput(
                f"{self.crontab!r} is no crontab line.",
                where="crontab",
                fix='Give five fields: minute, hour, day of month, month, day of week, such as "15 6 * * *".',
            )

    @property
    def period_seconds(self) -> int:
        """Two firings lie at least this far apart."""
        return self.every_seconds or SHORTEST_SECONDS

    def __str__(self) -> str:
        return f"crontab {self.crontab} UTC" if self.crontab else f"every {self.every_seconds} s"


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A job that the platform submits for its `actor`, with what they may do at that time."""

    id: UUID
    title: str
    kind: str
    params: dict[str, Any]
    timing: Timing
    brand_id: UUID | None
    actor_id: UUID
    enabled: bool
    last_run_at: datetime | None
