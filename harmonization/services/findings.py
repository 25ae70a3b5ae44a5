"""Findings: recorded by checks, decided by people, resolved when their cause is gone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import services as people
from accounts.models import User
from harmonization.core.findings import LONGEST_SUBJECT, LONGEST_TITLE, SEVERITIES, Found, finding_key
from harmonization.models import Account, DataFinding, Load
from tenants.core.problems import Conflict, InvalidInput

_BATCH = 500
_TOLD = ["load", "report", "severity", "title", "detail", "evidence", "rows", "money", "first_day", "last_day"]
_DECIDED = ["state", "reason", "decided_by", "decided_at"]
LONGEST_REASON = 400


@dataclass(frozen=True)
class Recorded:
    """What a check changed: findings that are new or back, those met again, and those whose cause is gone."""

    opened: int
    seen_again: int
    resolved: int


def record_findings(
    *,
    found: Iterable[Found],
    account: Account | None,
    load: Load | None = None,
    report: str = "",
    checked: Collection[str] = (),
    since: date | None = None,
) -> Recorded:
    """Store what a check found; called by jobs, so no actor is asked for.

    A finding that is met again keeps its state; one that was resolved is open again, and so is an acknowledged one
    that got graver, for what was accepted was something less.

    Args:
        load: the load that showed it.
        report: the network's report that was checked.
        checked: kinds that were checked in full for this account and report. Findings of them that are not in `found`
            are resolved: their cause is gone. Empty: nothing is resolved.
        since: only days from here on were looked at, so older findings are left as they are.
    """
    owner = str(account.pk) if account else ""
    by_key = {finding_key(account=owner, report=report, kind=one.kind, subject=one.subject): one for one in found}
    now = timezone.now()
    with transaction.atomic():
        known = {row.key: row for row in DataFinding.objects.select_for_update().filter(key__in=by_key)}
        fresh, again, opened = [], [], 0
        for key, one in by_key.items():
            row = known.get(key)
            if row is None:
                fresh.append(_told(DataFinding(key=key, account=account, kind=one.kind, first_seen=now), one))
                continue
            graver = SEVERITIES.index(one.severity) > SEVERITIES.index(row.severity)
            if row.state == DataFinding.State.RESOLVED or (row.state == DataFinding.State.ACKNOWLEDGED and graver):
                row.state, row.reason, row.decided_by, row.decided_at = DataFinding.State.OPEN, "", None, None
                opened += 1
            again.append(_told(row, one))
        for row in (*fresh, *again):
            row.load, row.report, row.last_seen = load, report, now
        DataFinding.objects.bulk_create(fresh, batch_size=_BATCH)
        DataFinding.objects.bulk_update(again, [*_TOLD, *_DECIDED, "last_seen"], batch_size=_BATCH)
        gone = DataFinding.objects.none()
        if checked:
            gone = _standing().filter(account=account, report=report, kind__in=checked).exclude(key__in=by_key)
            if since is not None:
                gone = gone.exclude(last_day__lt=since)
        resolved = _resolve(gone, "The check no longer finds it.")
    return Recorded(opened=len(fresh) + opened, seen_again=len(again) - opened, resolved=resolved)


def resolve_findings(*, account: Account | None, kinds: Collection[str], reason: str, load: Load | None = None) -> int:
    """Close findings whose cause somebody's act has removed, and say what that was.

    Args:
        load: only findings that this load showed.

    Returns:
        how many were closed.
    """
    standing = _standing().filter(account=account, kind__in=kinds)
    return _resolve(standing.filter(load=load) if load else standing, reason)


def acknowledge_finding(*, actor: User, finding: DataFinding, reason: str) -> DataFinding:
    """A person accepts a finding: it no longer asks for attention, and stays on record with the reason.

    Raises:
        InvalidInput: no reason was given, or it is too long.
        Conflict: the finding is resolved.
    """
    _require(actor, finding)
    if not reason.strip():
        raise InvalidInput("Why may it stand?", where="reason", fix="Give a reason in a few words.")
    if len(reason) > LONGEST_REASON:
        raise InvalidInput(f"The reason is longer than {LONGEST_REASON} characters.", where="reason", fix="Shorten it.")
    with transaction.atomic():
        row = DataFinding.objects.select_for_update().get(pk=finding.pk)
        if row.state == DataFinding.State.RESOLVED:
            raise Conflict("This finding is resolved already.", fix="There is nothing to do.")
        row.state, row.reason = DataFinding.State.ACKNOWLEDGED, reason.strip()
        row.decided_by, row.decided_at = actor, timezone.now()
        row.save(update_fields=_DECIDED)
    return row


def reopen_finding(*, actor: User, finding: DataFinding) -> DataFinding:
    """Take an acknowledgement back."""
    _require(actor, finding)
    with transaction.atomic():
        row = DataFinding.objects.select_for_update().get(pk=finding.pk)
        if row.state == DataFinding.State.RESOLVED:
            raise Conflict("This finding is resolved.", fix="Check the data again: what is still wrong opens anew.")
        row.state, row.reason, row.decided_by, row.decided_at = DataFinding.State.OPEN, "", None, None
        row.save(update_fields=_DECIDED)
    return row


def _require(actor: User, finding: DataFinding) -> None:
    people.require(user=actor, permission="quality.manage", brand=finding.account.brand_id if finding.account else None)


def _standing() -> QuerySet[DataFinding]:
    return DataFinding.objects.exclude(state=DataFinding.State.RESOLVED)


def _resolve(rows: QuerySet[DataFinding], reason: str) -> int:
    return rows.update(
        state=DataFinding.State.RESOLVED, reason=reason[:LONGEST_REASON], decided_by=None, decided_at=timezone.now()
    )


def _told(row: DataFinding, one: Found) -> DataFinding:
    row.subject, row.severity = one.subject[:LONGEST_SUBJECT], one.severity
    row.title, row.detail = one.title[:LONGEST_TITLE], one.detail
    evidence: dict[str, Any] = json.loads(json.dumps(dict(one.evidence), default=str))
    row.evidence, row.rows = evidence, max(one.rows, 0)
    row.money = {currency: f"{amount:.2f}" for currency, amount in sorted(one.money.items())}
    row.first_day, row.last_day = one.first_day, one.last_day
    return row
