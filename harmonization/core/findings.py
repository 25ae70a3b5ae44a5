"""What a check of the data says: the value that checks return and services store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

Severity = Literal["info", "warn", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warn", "critical")
LONGEST_SUBJECT: Final = 400
LONGEST_TITLE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding.

    Attributes:
        kind: the check, a slug such as `level_shift`.
        subject: what exactly it is about within the account: `campaign 9001, 2026-10-04`. The same subject of the same
            kind is the same finding when it is met again, so nothing that changes from run to run belongs in it.
        severity: info (to know), warn (figures may mislead), critical (figures are wrong, or rows were refused).
        title: one sentence.
        detail: what was compared with what, and what to do next.
        rows: rows at stake.
        money: money at stake by currency code, never negative.
        evidence: JSON-able figures that show it; long lists are cut by whoever makes them.
        first_day, last_day: days of the figures concerned.
    """

    kind: str
    subject: str
    severity: Severity
    title: str
    detail: str = ""
    rows: int = 0
    money: Mapping[str, Decimal] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    first_day: date | None = None
    last_day: date | None = None


def finding_key(*, account: str, report: str, kind: str, subject: str) -> str:
    """SHA-256 (hex) that names a cause: same account (its id, or nothing), report, kind and subject, same key."""
    return hashlib.sha256("\x1f".join((account, report, kind, subject)).encode()).hexdigest()


def worse(a: Severity, b: Severity) -> Severity:
    """The graver of two."""
    return max(a, b, key=SEVERITIES.index)
