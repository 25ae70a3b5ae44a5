"""Reads of quarantine, and of what loads took from each other."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl
from django.db.models import QuerySet

from harmonization import selectors
from harmonization.core.restatement import added
from harmonization.core.returning import Missing
from harmonization.models import Load, Restatement
from harmonization.selectors import Person
from harmonization.services.returns import missing_rows
from tenants.selectors import tenant_folder

#: Most rows of a quarantine that one file holds.
MOST_ROWS = 100_000


@dataclass(frozen=True)
class BrokenRule:
    """A rule with what it keeps back, over several loads."""

    rule: str
    loads: int
    rows: int
    spend: dict[str, Decimal]


@dataclass(frozen=True)
class QuarantinedRow:
    """A source row that was kept back.

    Attributes:
        raw: header to cell, as the file has it.
        findings: rule, column and value of each thing that is wrong with it.
    """

    source_row: int
    rules: list[str]
    findings: list[dict[str, str | None]]
    raw: dict[str, str | None]
    spend: Decimal | None
    currency: str | None


def quarantined_loads(
    *, user: Person, account: UUID | None = None, contract: str = "", rule: str = ""
) -> QuerySet[Load]:
    """Loads in force with rows in quarantine, of what a person may see, the newest first."""
    loads = selectors.loads_visible(user=user).filter(status=Load.Status.PUBLISHED, rows_quarantined__gt=0)
    if account is not None:
        loads = loads.filter(upload__account=account)
    if contract:
        loads = loads.filter(contract_version__contract__name=contract)
    if rule:
        loads = loads.filter(report__quarantine__contains=[{"rule": rule}])
    return loads.select_related("contract_version__contract__published").order_by("-published_at")


def broken_rules(loads: Iterable[Load]) -> list[BrokenRule]:
    """What each rule keeps back in these loads, the most rows first. A row that breaks several counts under each."""
    found: dict[str, BrokenRule] = {}
    for load in loads:
        for told in load.report.get("quarantine", []):
            before = found.get(told["rule"], BrokenRule(told["rule"], 0, 0, {}))
            spend = {code: Decimal(str(amount)) for code, amount in told.get("spend", {}).items()}
            found[told["rule"]] = BrokenRule(
                told["rule"], before.loads + 1, before.rows + told["rows"], added(before.spend, spend)
            )
    return sorted(found.values(), key=lambda one: (-one.rows, one.rule))


def quarantine_of(
    load: Load, *, rule: str = "", source_row: int | None = None, offset: int = 0, limit: int = 100
) -> tuple[int, list[QuarantinedRow]]:
    """How many rows a load kept back (by one rule, or of one number), and some of them in the file's order."""
    if not load.quarantine_path:
        return 0, []
    rows = pl.scan_parquet(tenant_folder() / load.quarantine_path)
    if source_row is not None:
        rows = rows.filter(pl.col("source_row") == source_row)
    if rule:
        rows = rows.filter(pl.col("rule_ids").list.contains(rule))
    count = int(rows.select(pl.len()).collect(engine="streaming").item())
    found = rows.slice(offset, limit).collect(engine="streaming")
    return count, [
        QuarantinedRow(
            source_row=row["source_row"],
            rules=list(row["rule_ids"] or []),
            findings=list(row["findings"] or []),
            raw=json.loads(row["raw"]),
            spend=row["spend"],
            currency=row["currency"],
        )
        for row in found.iter_rows(named=True)
    ]


@dataclass(frozen=True)
class LoadHistory:
    """What a load took from others, and what others took from it.

    Attributes:
        standing: rows of it that are in force.
        gave_back: what an earlier reading of its file had taken and others have again since.
        missing: what it lacks and no load in force tells.
    """

    standing: int
    restated: list[Restatement]
    restated_by: list[Restatement]
    gave_back: list[Restatement]
    missing: Missing


def history_of(load: Load) -> LoadHistory:
    """The history of one load, the newest first."""
    others = Restatement.objects.select_related("earlier__upload", "later__upload")
    taken = list(others.filter(later=load))
    lost = list(others.filter(earlier=load))
    back = list(others.filter(ended_by=load, returned_rows__gt=0))
    in_force = load.status == Load.Status.PUBLISHED
    away = sum(one.rows for one in lost if one.ended_at is None)
    return LoadHistory(load.rows_out - away if in_force else 0, taken, lost, back, missing_rows(load))


@dataclass(frozen=True)
class Replayed:
    """What became of the quarantine of an upload when it was read anew.

    Attributes:
        before, now: rows in quarantine.
        rescued: rows that were in quarantine and are published.
        skipped: rows that were in quarantine and are no data, as the contract sees it now.
        newly: rows that were published and are in quarantine.
    """

    contract: str
    before: int
    now: int
    rescued: int
    skipped: int
    newly: int
    rescued_spend: dict[str, str] = field(default_factory=dict)


def replay_of(load: Load) -> Replayed | None:
    """The outcome of the replay that made a load; None where it was no replay."""
    told: dict[str, Any] | None = load.report.get("replay")
    return Replayed(**{name: value for name, value in told.items() if name != "load"}) if told else None
