"""How the pages arrange quarantine and history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from harmonization.core.restatement import added
from harmonization.loads.selectors import QuarantinedRow, history_of
from harmonization.models import Load, Restatement


@dataclass(frozen=True)
class WaitingLoad:
    """A load with rows in quarantine; `fixed` where another version of its mapping is in force by now."""

    load: Load
    rules: list[dict[str, Any]]
    spend: dict[str, Decimal]
    fixed: bool


def waiting_load(load: Load) -> WaitingLoad:
    """Arrange one load."""
    return WaitingLoad(load, load.report.get("quarantine", []), spend_waiting([load]), is_fixed(load))


def is_fixed(load: Load) -> bool:
    """Whether a replay would read the load under another version."""
    version = load.contract_version
    return version is not None and version.contract.published_id not in (None, version.pk)


def spend_waiting(loads: Iterable[Load]) -> dict[str, Decimal]:
    """Spend in quarantine by currency."""
    found: dict[str, Decimal] = {}
    for load in loads:
        told = load.report.get("spend_quarantined", {})
        found = added(found, {code: Decimal(str(amount)) for code, amount in told.items()})
    return found


def contracts_of(loads: Iterable[Load], *, fixed: bool = False) -> list[str]:
    """Names of the mappings of loads, or of those that were put right since."""
    return sorted(
        {
            load.contract_version.contract.name
            for load in loads
            if load.contract_version and (not fixed or is_fixed(load))
        }
    )


@dataclass(frozen=True)
class RowShown:
    """A quarantined row: its cells in the order of the columns, each with whether a finding names it."""

    row: QuarantinedRow
    cells: list[tuple[str | None, bool]]


def rows_shown(load: Load, rows: list[QuarantinedRow]) -> tuple[list[str], list[RowShown]]:
    """The headers, and the rows under them."""
    headers = list(dict.fromkeys(header for row in rows for header in row.raw))
    targets = {match.get("target"): match.get("header", "").strip() for match in load.report.get("headers", [])}
    shown = []
    for row in rows:
        blamed = {targets.get(one["column"]) for one in row.findings}
        shown.append(RowShown(row, [(row.raw.get(header), header in blamed) for header in headers]))
    return headers, shown


_WORDS = {"period": "all rows of its days", "rows": "rows of the same key", "anew": "the earlier reading"}


@dataclass(frozen=True)
class MoveLine:
    """A restatement as one side sees it: the other load, what happened in words, and the money.

    `side`: `took` and `lost` are in force; `regained` came back from the other load, `gave_back` went back to it.
    """

    other: Load
    side: str
    words: str
    rows: int
    straddling: int
    spend: dict[str, Decimal]
    at: datetime


def move_line(entry: Restatement, *, of: Load) -> MoveLine:
    """One line of a load's history."""
    if entry.ended_at is not None:
        regained = entry.earlier_id == of.pk
        words = "it was read anew, and nothing tells them now" if regained else "this reading does not tell them"
        other = entry.later if regained else entry.earlier
        side = "regained" if regained else "gave_back"
        return MoveLine(other, side, words, entry.returned_rows, 0, _amounts(entry.returned_spend), entry.ended_at)
    took = entry.later_id == of.pk
    words = _WORDS[entry.mode]
    if entry.looks_filtered:
        words = "rows of the same key only: the export looks filtered"
    other = entry.earlier if took else entry.later
    side = "took" if took else "lost"
    return MoveLine(other, side, words, entry.rows, entry.straddling_rows, _amounts(entry.spend), entry.created_at)


def load_history(load: Load | None) -> dict[str, Any]:
    """What the page of an upload says of how its load and others restated each other."""
    if load is None or load.status != Load.Status.PUBLISHED:
        return {}
    history = history_of(load)
    # Of what went on to a third load, that one's entry tells.
    entries = [entry for entry in history.restated_by if entry.ended_at is None or entry.returned_rows]
    moves = [move_line(entry, of=load) for entry in (*history.gave_back, *history.restated, *entries)]
    return {"moves": moves, "standing": history.standing, "missing": history.missing}


def _amounts(told: dict[str, str]) -> dict[str, Decimal]:
    return {code: Decimal(amount) for code, amount in told.items()}
