"""How the pages word what a load found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harmonization.models import Load, Upload


@dataclass(frozen=True)
class State:
    """A chip: its word, tone and icon, and the load it speaks of."""

    text: str
    tone: str
    icon: str
    load: Load | None = None


_STATES = {
    Load.Status.PUBLISHED: ("published", "good", "circle-check"),
    Load.Status.REPLACED: ("replaced", "", "history"),
    Load.Status.RUNNING: ("running", "info", "refresh"),
    Load.Status.WAITING: ("waiting", "", "clock"),
    Load.Status.FAILED: ("failed", "bad", "alert-triangle"),
}


def upload_state(upload: Upload) -> State:
    """What became of an upload: its published load if it has one, else the latest attempt."""
    if upload.kind != Upload.Kind.REPORT:
        return State(upload.get_kind_display(), "", "package")
    loads = sorted(upload.loads.all(), key=lambda load: load.created_at, reverse=True)
    load = next((one for one in loads if one.status == Load.Status.PUBLISHED), loads[0] if loads else None)
    if load is None:
        return State("not harmonised", "dashed", "circle-dashed")
    text, tone, icon = _STATES[Load.Status(load.status)]
    if load.status == Load.Status.PUBLISHED and load.rows_quarantined:
        return State("partial", "warn", "alert-triangle", load)
    return State(text, tone, icon, load)


@dataclass(frozen=True)
class LoadFacts:
    """The report of a load, arranged for its page."""

    totals: list[dict[str, Any]]
    attributed: list[dict[str, Any]]
    headers: list[dict[str, Any]]
    unknown_headers: list[str]
    quarantine: list[dict[str, Any]]
    warnings: list[dict[str, Any]]


def load_facts(load: Load) -> LoadFacts:
    """Arrange a stored report."""
    report = load.report
    labels = report.get("attribution_columns", [])
    attributed = [
        {**total, "label": labels[place]["label"] if place < len(labels) else "", "own": _own(labels, place)}
        for place, total in enumerate(report.get("attributed", []))
    ]
    return LoadFacts(
        totals=report.get("totals", []),
        attributed=attributed,
        headers=report.get("headers", []),
        unknown_headers=report.get("unknown_headers", []),
        quarantine=report.get("quarantine", []),
        warnings=report.get("warnings", []),
    )


def _own(labels: list[dict[str, Any]], place: int) -> bool:
    return bool(place < len(labels) and labels[place].get("is_default"))
