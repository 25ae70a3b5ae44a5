"""How the pages word findings, comparisons and the freshness of sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse

from harmonization.models import DataFinding, Reconciliation
from harmonization.quality.selectors import SourceReport
from harmonization.services.returns import ROWS_MISSING

#: Kind of a finding -> what people call it. A kind that is not here is called by its name.
KINDS: Final = {
    "null_rate": "Emptying column",
    "negative_cost": "Negative cost",
    "future_dates": "Future dates",
    "missing_days": "Missing days",
    "zero_spend": "Days without spend",
    "level_shift": "Level shift",
    "ctr_change": "Click rate",
    "cpc_change": "Cost per click",
    "duplicated_day": "Repeated day",
    "truncated": "Cut-off file",
    "currency_change": "Currency",
    "ratio_mismatch": "Stated ratios",
    "quarantined_rows": "Quarantine",
    "reconciliation": "Reports disagree",
    "unknown_products": "Unknown products",
    "looks_filtered": "Filtered export",
    "rows_vanished": "Rows no longer told",
    "drift_added": "New column",
    "drift_removed": "Column gone",
    "drift_renamed": "Renamed column",
    "drift_retyped": "Other type",
    "drift_unit_changed": "Other unit",
    "rows_returned": "Rows that came back",
    "rows_missing": "Rows in no figure",
}
SEVERITY_ICONS: Final = {
    "critical": ("bad", "alert-triangle"),
    "warn": ("warn", "alert-circle"),
    "info": ("info", "info-circle"),
}
#: Of a list of days or campaigns, what a line shows.
_SHOWN: Final = 8
_VERDICTS: Final = {
    "agrees": ("agrees", "good", "circle-check"),
    "explained": ("explained", "info", "info-circle"),
    "flagged": ("not explained", "bad", "alert-triangle"),
    "not_comparable": ("not comparable", "dashed", "circle-dashed"),
}
_EXPLANATIONS: Final = {
    "clicked_only": "clicked items only",
    "rounding": "rounding of rows",
    "time_zone": "time zone",
    "restatement": "still restating",
    "tolerance": "within tolerance",
    "no_common_days": "no common days",
}


@dataclass(frozen=True)
class Action:
    """What a person can do about it: a label and where. With `fields` it is a form that sends them."""

    label: str
    url: str
    fields: Mapping[str, str] | None = None


@dataclass(frozen=True)
class FindingRow:
    """A finding as a line of the page."""

    finding: DataFinding
    kind: str
    tone: str
    icon: str
    money: list[tuple[Decimal, str]]
    action: Action | None

    @property
    def severity(self) -> str:
        """As a chip says it."""
        return {"warn": "warning"}.get(self.finding.severity, self.finding.severity)

    @property
    def scope(self) -> str:
        """Account and report, in words."""
        account = self.finding.account
        return account.name if account else "the whole tenant"


def kind_name(kind: str) -> str:
    """What people call a kind of finding."""
    return KINDS.get(kind) or kind.replace("_", " ").capitalize()


def finding_row(finding: DataFinding, *, may_load: bool = False, may_map: bool = False) -> FindingRow:
    """Arrange a finding for a line or a page of its own.

    Args:
        may_load: whether who looks at it may harmonise files of its account.
        may_map: whether they may change mappings.
    """
    tone, icon = SEVERITY_ICONS[finding.severity]
    money = [(Decimal(amount), currency) for currency, amount in finding.money.items()]
    return FindingRow(finding, kind_name(finding.kind), tone, icon, money, _action(finding, may_load, may_map))


def _action(finding: DataFinding, may_load: bool, may_map: bool) -> Action | None:
    load = finding.load
    if finding.evidence.get("suggestion") and load is not None and load.contract_version and may_map:
        edit = reverse("mapping-edit", args=[load.contract_version.contract.name])
        return Action("Map the column", edit, {"finding": str(finding.pk)})
    if finding.kind == ROWS_MISSING and finding.state != DataFinding.State.RESOLVED and may_load:
        # It was in force, so whatever it differs in from other files was accepted.
        fields = {"contract": finding.evidence["mapping"], "accept_drift": "1"}
        return Action("Load it again", reverse("upload-harmonize", args=[finding.evidence["upload"]]), fields)
    if finding.kind in ("reconciliation",):
        return Action("Compare", f"{reverse('quality')}?{urlencode({'view': 'reports'})}")
    if finding.kind == "unknown_products":
        return Action("Decide", f"{reverse('catalogue')}?{urlencode({'view': 'crosswalk'})}")
    if load is None:
        return None
    if finding.kind in ("ratio_mismatch", "future_dates", "null_rate") and load.contract_version:
        return Action("Open mapping", reverse("mapping-detail", args=[load.contract_version.contract.name]))
    upload = finding.evidence.get("upload") or load.upload_id
    return Action("Open file", reverse("upload-detail", args=[upload]))


def evidence_facts(finding: DataFinding) -> list[tuple[str, str]]:
    """The evidence as pairs of words; lists and figures of drawings aside."""
    facts = []
    for name, value in finding.evidence.items():
        if name in ("spend", "upload", "suggestion") or value in (None, "", [], {}):
            continue
        label = name.replace("_", " ").capitalize()
        if isinstance(value, Mapping):
            facts.append((label, ", ".join(f"{key}: {one}" for key, one in value.items())))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            shown = ", ".join(_told(one) for one in value[:_SHOWN])
            facts.append((label, f"{shown} and {len(value) - _SHOWN} more" if len(value) > _SHOWN else shown))
        else:
            facts.append((label, str(value)))
    return facts


def _told(one: Any) -> str:
    if not isinstance(one, Mapping):
        return str(one)
    name = one.get("stretch") or one.get("campaign") or ""
    return f"{name}: {_short(one.get('a'))} against {_short(one.get('b'))}"


def _short(amount: object) -> str:
    text = f"{Decimal(str(amount or 0)):,.2f}"
    return text.removesuffix(".00")


@dataclass(frozen=True)
class ComparedReports:
    """Two reports of an account with the comparison of each metric."""

    account: str
    report_a: str
    report_b: str
    first_day: date | None
    last_day: date | None
    lines: list[ComparedLine]


@dataclass(frozen=True)
class ComparedLine:
    """One metric of two reports."""

    row: Reconciliation
    verdict: str
    tone: str
    icon: str
    explanation: str
    is_money: bool


def compared_reports(rows: Iterable[Reconciliation]) -> list[ComparedReports]:
    """Comparisons by account and pair of reports, in the order of the rows."""
    groups: dict[tuple[Any, str, str, str], ComparedReports] = {}
    for row in rows:
        key = (row.account_id, row.report_a, row.report_b, row.currency)
        group = groups.setdefault(
            key, ComparedReports(str(row.account), row.report_a, row.report_b, row.first_day, row.last_day, [])
        )
        verdict, tone, icon = _VERDICTS[row.verdict]
        explanation = _EXPLANATIONS.get(row.explanation, row.explanation)
        group.lines.append(ComparedLine(row, verdict, tone, icon, explanation, row.metric in ("spend", "sales")))
    return list(groups.values())


@dataclass(frozen=True)
class SourceLine:
    """A report of an account as a line of the page: chips of its state and of how final it is."""

    source: SourceReport
    state: str
    tone: str
    icon: str
    state_note: str
    finality: str
    until: date | None

    @property
    def expectation(self) -> str:
        """How often it comes, and when it is due next."""
        every = self.source.freshness.cadence.every_days
        words = {1: "daily", 7: "weekly", 14: "every two weeks"}.get(every, f"every {every} days")
        return words if self.source.freshness.cadence.is_known else f"{words}, a guess"


def source_lines(sources: Iterable[SourceReport], *, today: date) -> list[SourceLine]:
    """Sources with how they stand. One that reaches less far than others is said to lag, whatever its rhythm."""
    found = list(sources)
    furthest = max((one.freshness.last_day for one in found if one.freshness.last_day), default=None)
    return [_line(one, furthest, today) for one in found]


def _line(source: SourceReport, furthest: date | None, today: date) -> SourceLine:
    fresh = source.freshness
    behind = (furthest - fresh.last_day).days if furthest and fresh.last_day else 0
    due = f"next file due {fresh.expected_by:%-d %b}" if fresh.expected_by else ""
    if fresh.standing == "stopped":
        state, tone, icon = f"stopped, {fresh.late_days} days late", "bad", "plug-connected-x"
    elif fresh.standing == "late":
        state, tone, icon = f"{fresh.late_days} day{'s' if fresh.late_days != 1 else ''} late", "bad", "clock"
    elif behind > 2 and not fresh.cadence.is_known:
        state, tone, icon = f"{behind} days behind", "bad", "plug-connected-x"
        due = "other sources reach further"
    else:
        state, tone, icon = "on time", "good", "circle-check"
    if fresh.is_restating(today):
        return SourceLine(source, state, tone, icon, due, "restating", fresh.restating_until)
    return SourceLine(source, state, tone, icon, due, "final", None)
