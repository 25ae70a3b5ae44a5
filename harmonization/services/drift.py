"""Drift: each file of a report is compared with the one that arrived before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harmonization import selectors
from harmonization.core.contract import Contract
from harmonization.core.drift import (
    DEFAULT_POLICY,
    DRIFTS,
    SAMPLE,
    Action,
    ColumnProfile,
    Drift,
    Drifted,
    compare_files,
    profile_columns,
)
from harmonization.core.findings import Found, Severity
from harmonization.core.raw_rows import raw_rows
from harmonization.core.report import HarmonizeReport
from harmonization.models import ContractVersion, DriftRule, Load, MappingContract
from harmonization.services.findings import record_findings, resolve_findings
from harmonization.services.suggesting import SUGGESTED, suggest_columns, words_of
from tenants.core.problems import Conflict

_SEVERITIES: dict[Action, Severity] = {"block": "critical", "warn": "warn", "propose": "info"}
_NEXT = {
    "block": "The file was refused: harmonise it with the change accepted, or put the mapping right first.",
    "warn": "The file was loaded. Look whether the figures still mean the same.",
    "propose": "The file was loaded. Map the column if its figures are wanted.",
}


class DriftBlocked(Conflict):
    """The file differs from the one before it in a way that would falsify figures in silence."""

    code = "drift-blocked"
    title = "The file is not like the one before it"


def policy_of(contract: MappingContract) -> dict[Drift, Action]:
    """What each class of drift means for a mapping: its own rules, then those for all, then the product's."""
    policy = dict(DEFAULT_POLICY)
    rules = DriftRule.objects.filter(contract=None) | DriftRule.objects.filter(contract=contract)
    for rule in sorted(rules, key=lambda one: one.contract_id is not None):
        policy[rule.drift] = rule.action  # type: ignore[index,assignment]
    return policy


def check_drift(
    *, load: Load, version: ContractVersion, contract: Contract, report: HarmonizeReport, accepted: bool
) -> list[Drifted]:
    """Compare a file with the one of the same account and mapping before it, and note both on the load.

    Args:
        accepted: a person has seen what would block the file and takes it all the same.

    Raises:
        DriftBlocked: something differs that the policy blocks. Findings are recorded before that.
    """
    columns = _profile(load, contract, report)
    before = _profile_before(load, version)
    found = compare_files(before, columns, policy_of(version.contract)) if before and columns else []
    load.report = {"profile": [column.as_dict() for column in columns], "drift": [one.as_dict() for one in found]}
    account = load.upload.account
    proposed = {one.header for one in found if one.action == "propose" and one.drift in SUGGESTED and not one.target}
    told = suggest_columns(load.upload, proposed) if proposed else {}
    taken = {match.target for match in report.headers if match.target}
    told = {header: one for header, one in told.items() if one["target"] not in taken}
    record_findings(
        found=[_finding(one, load, accepted=accepted, suggestion=told.get(one.header)) for one in found],
        account=account, load=load, report=report.report,
    )  # fmt: skip
    blocking = [one for one in found if one.action == "block"]
    if blocking and not accepted:
        raise DriftBlocked(
            " ".join(one.detail for one in blocking),
            where=load.upload.file_name,
            fix="If that is right, harmonise the file with the change accepted; else put the mapping right first.",
            errors=[{"detail": one.detail, "column": one.header, "drift": one.drift} for one in blocking],
        )
    if blocking:
        kinds = sorted({f"drift_{one.drift}" for one in blocking})
        resolve_findings(account=account, kinds=kinds, load=load, reason="A person accepted the change.")
    return found


def _profile(load: Load, contract: Contract, report: HarmonizeReport) -> list[ColumnProfile]:
    targets: dict[str, str | None] = {}
    with raw_rows(selectors.stored_file(load.upload), contract) as raw:
        cells = raw.first(SAMPLE)
        matches = {match.position: match.target for match in report.headers}
        targets = {name: matches.get(position) for position, name in enumerate(raw.names)}
    return profile_columns(cells, targets)


def _profile_before(load: Load, version: ContractVersion) -> Sequence[ColumnProfile]:
    """Of the file that arrived last before this one, for the same account and mapping."""
    before = (
        Load.objects.filter(
            status=Load.Status.PUBLISHED,
            upload__account=load.upload.account,
            upload__created_at__lt=load.upload.created_at,
            contract_version__contract_id=version.contract_id,
            report__has_key="profile",
        )
        .order_by("-upload__created_at")
        .first()
    )
    told: list[dict[str, Any]] = before.report["profile"] if before else []
    return [ColumnProfile.of_dict(one) for one in told]


def _finding(one: Drifted, load: Load, *, accepted: bool, suggestion: dict[str, Any] | None) -> Found:
    assert one.drift in DRIFTS
    words = [words_of(suggestion)] if suggestion else []
    follows: Action = "warn" if one.action == "block" and accepted else one.action
    return Found(
        kind=f"drift_{one.drift}",
        subject=f"column {one.header}",
        severity=_SEVERITIES[one.action],
        title=one.detail[:200],
        detail=" ".join([f"{load.upload.file_name}: {one.detail}", *words, _NEXT[follows]]),
        rows=load.rows_in,
        evidence=one.as_dict() | {"upload": str(load.upload_id)} | ({"suggestion": suggestion} if suggestion else {}),
    )
