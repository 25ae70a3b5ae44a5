"""Checks of published figures: anomalies, open quarantine, reports that disagree. After each load, and on demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl
import structlog
from django.db import transaction
from django.utils import timezone

from accounts import services as people
from accounts.models import User
from harmonization import selectors
from harmonization.core.anomalies import KINDS, FileFacts, Surroundings, find_anomalies
from harmonization.core.contract import Contract
from harmonization.core.day_statistics import summarise
from harmonization.core.findings import Found
from harmonization.core.reconciliation import Compared, Side, compare, finding_of, spans_of
from harmonization.models import Account, EventTable, Load, Reconciliation
from harmonization.services.contracts import check_contract
from harmonization.services.crosswalk import UNKNOWN_KIND, resolve_products
from harmonization.services.findings import Recorded, record_findings
from jobs import services as jobs
from jobs.core.registry import JobContext
from jobs.models import Job
from tenants.core.problems import Problem

CHECK_KIND = "harmonization.check"
MANAGE = "quality.manage"
#: What is looked at before the days of a new load: enough to know what is usual.
HISTORY = timedelta(days=120)
_FURTHEST_AHEAD = timedelta(hours=14)
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Checked:
    """What a check of an account came to."""

    reports: int
    opened: int
    seen_again: int
    resolved: int
    compared: int
    flagged: int


def start_check(*, actor: User, account: Account | None = None) -> Job:
    """Check the whole history of an account, or of all of them, as a job."""
    people.require(user=actor, permission=MANAGE, brand=account.brand_id if account else None)
    return jobs.submit_job(
        kind=CHECK_KIND,
        params={"account_id": str(account.pk) if account else None},
        actor=actor,
        brand=account.brand if account else None,
        title=f"Check the data of {account.name}" if account else "Check the data of all accounts",
        subject=f"account:{account.pk}" if account else "",
    )


def run_check(*, context: JobContext) -> dict[str, Any]:
    """The job: every account that has figures, or the one that was asked for, or those of the job's brand."""
    accounts = Account.objects.filter(uploads__loads__status=Load.Status.PUBLISHED).distinct()
    if wanted := context.params.get("account_id"):
        accounts = accounts.filter(pk=wanted)
    if context.brand_id:
        accounts = accounts.filter(brand_id=context.brand_id)
    chosen = list(accounts.select_related("retailer"))
    total = dict.fromkeys(("reports", "opened", "seen_again", "resolved", "compared", "flagged"), 0)
    for done, account in enumerate(chosen):
        context.raise_if_cancelled()
        context.progress("check", done, len(chosen), "accounts")
        checked = asdict(check_account(account=account))
        total = {name: count + checked[name] for name, count in total.items()}
        context.log("info", f"{account}: {checked['opened']} new findings, {checked['resolved']} resolved", **checked)
    context.progress("check", len(chosen), len(chosen), "accounts")
    return {"accounts": len(chosen), **total}


def require_check(*, actor: User) -> list[Account]:
    """Accounts with figures whose data a person may check: of all brands, or of theirs.

    Raises:
        NotAllowed: they may check none.
    """
    people.require_somewhere(user=actor, permission=MANAGE)
    accounts = selectors.accounts_visible(user=actor, permission=MANAGE)
    return list(accounts.filter(uploads__loads__status=Load.Status.PUBLISHED).distinct())


def check_account(*, account: Account, load: Load | None = None) -> Checked:
    """Look for anomalies in every report of an account and compare its reports, and store what is found.

    Args:
        load: only its report, and only its days with what is needed to judge them; None means all.
    """
    version = EventTable.objects.filter(name=selectors.EVENTS).values_list("version", flat=True).first()
    by_report = _standing_loads(account)
    recorded: list[Recorded] = []
    if version is not None:
        for report, loads in by_report.items():
            if load is None or load.report.get("report") == report:
                recorded.append(_check_report(account, report, loads, version, load))
    compared = _reconcile(account, by_report, version) if version is not None else []
    found = [finding for one in compared if (finding := finding_of(one))]
    if version is not None:
        standing = [one for loads in by_report.values() for one in loads]
        found += resolve_products(account=account, events=_events(standing, version))
    flagged = sum(one.kind == "reconciliation" for one in found)
    recorded.append(record_findings(found=found, account=account, load=load, checked=["reconciliation", UNKNOWN_KIND]))
    return Checked(
        reports=len(by_report),
        opened=sum(one.opened for one in recorded),
        seen_again=sum(one.seen_again for one in recorded),
        resolved=sum(one.resolved for one in recorded),
        compared=len(compared),
        flagged=flagged,
    )


def check_after_load(result: Mapping[str, Any]) -> Checked | None:
    """Check what a load has changed. It is published already, so nothing that goes wrong here may fail it.

    What goes wrong is tried again as a job of its own, where people see how it ends.

    Args:
        result: of the load's job.
    """
    if result.get("already_loaded") or not result.get("load_id"):
        return None
    load = Load.objects.select_related("upload__account__retailer").filter(pk=UUID(str(result["load_id"]))).first()
    if load is None:
        return None
    try:
        assert load.upload.account is not None, "a report has an account: the database checks it"
        # Rows that came back are of days that the load itself may not tell.
        return check_account(account=load.upload.account, load=None if result.get("rows_returned") else load)
    except Exception:
        log.exception("check_after_load_failed", load_id=result.get("load_id"))
        _check_later(load)
        return None


def _check_later(load: Load) -> None:
    """Ask for the check that failed once more."""
    account = load.upload.account
    assert account is not None, "a report has an account: the database checks it"
    try:
        jobs.submit_job(
            kind=CHECK_KIND,
            params={"account_id": str(account.pk)},
            actor=None,
            brand=account.brand,
            title=f"Check the data of {account.name} again: the check after a load failed",
            idempotency_key=f"check after load {load.pk}",
            subject=f"account:{account.pk}",
        )
    except Exception:
        log.exception("check_after_load_not_repeated", load_id=str(load.pk))


def contract_of(load: Load) -> Contract | None:
    """The contract that a load was read under; None where its text is of another time and no longer valid."""
    if load.contract_version is None:
        return None
    try:
        return check_contract(text=load.contract_version.text)
    except Problem:
        return None


def _standing_loads(account: Account) -> dict[str, list[Load]]:
    published = Load.objects.filter(upload__account=account, status=Load.Status.PUBLISHED)
    by_report: dict[str, list[Load]] = {}
    for load in published.select_related("upload", "contract_version").order_by("upload__created_at"):
        by_report.setdefault(load.report.get("report", ""), []).append(load)
    return by_report


def _events(loads: Iterable[Load], version: int) -> pl.LazyFrame:
    ids = [str(load.pk) for load in loads]
    return selectors.events_folder().scan(version).filter(pl.col("load_id").is_in(ids))


def _check_report(account: Account, report: str, loads: list[Load], version: int, load: Load | None) -> Recorded:
    since = load.period_start - HISTORY if load is not None and load.period_start is not None else None
    looked_at = [one for one in loads if since is None or one.period_end is None or one.period_end >= since]
    events = _events(looked_at, version)
    if since is not None:
        events = events.filter(pl.col("period_start") >= since)
    statistics = summarise(events, headline=loads[-1].report.get("headline", {}))
    surroundings = Surroundings(
        today=today_at_its_latest(),
        currency=account.currency,
        files=[_file_facts(one) for one in looked_at],
    )
    found = [*find_anomalies(statistics, surroundings), *_quarantined(looked_at)]
    # Days before those of the load are looked at to know what is usual; they were judged with more of their own past.
    judged_from = load.period_start if load is not None else None
    if judged_from is not None:
        found = [one for one in found if one.last_day is None or one.last_day >= judged_from]
    return record_findings(
        found=found,
        account=account,
        load=load or loads[-1],
        report=report,
        checked=[*KINDS, "quarantined_rows"],
        since=judged_from,
    )


def _file_facts(load: Load) -> FileFacts:
    contract = contract_of(load)
    return FileFacts(
        name=load.upload.file_name,
        rows=load.rows_in,
        first_day=load.period_start,
        last_day=load.period_end,
        row_limit=contract.source.row_limit if contract else None,
        day_limit=contract.source.day_limit if contract else None,
    )


def _quarantined(loads: Iterable[Load]) -> list[Found]:
    found = []
    for load in loads:
        if not load.rows_quarantined:
            continue
        share = load.rows_quarantined / max(load.rows_in, 1)
        rules = {rule["rule"]: rule["rows"] for rule in load.report.get("quarantine", [])}
        worst = max(rules, key=lambda rule: rules[rule], default="")
        money = {code: Decimal(str(sum_)) for code, sum_ in load.report.get("spend_quarantined", {}).items()}
        found.append(
            Found(
                kind="quarantined_rows",
                subject=f"load {load.pk}",
                severity="critical" if share >= 0.05 else "warn",
                title=f"{_rows(load.rows_quarantined)} of {load.upload.file_name} in quarantine",
                detail=f"Most of them broke {worst}. Correct the mapping and harmonise the file again, or correct the "
                "file: these rows are in no figure.",
                rows=load.rows_quarantined,
                money={code: abs(amount) for code, amount in money.items() if amount},
                evidence={"rules": rules, "upload": str(load.upload_id), "share": round(share, 4)},
                first_day=load.period_start,
                last_day=load.period_end,
            )
        )
    return found


def _reconcile(account: Account, by_report: Mapping[str, list[Load]], version: int) -> list[Compared]:
    """Compare every two reports of an account, and keep the comparisons in place of the former ones."""
    # A report alone is compared with nothing, so its rows need not be read.
    several = sorted(by_report.items()) if len(by_report) > 1 else []
    sides = [_side(report, loads, version) for report, loads in several]
    tolerances = _tolerances(by_report)
    compared = [
        one
        for place, a in enumerate(sides)
        for b in sides[place + 1 :]
        for one in compare(a, b, tolerances=tolerances.get(frozenset((a.report, b.report))))
    ]
    now = timezone.now()
    with transaction.atomic():
        Reconciliation.objects.filter(account=account).delete()
        Reconciliation.objects.bulk_create(
            Reconciliation(
                account=account, report_a=one.report_a, report_b=one.report_b, metric=one.metric,
                currency=one.currency or "", first_day=one.first_day, last_day=one.last_day, total_a=one.total_a,
                total_b=one.total_b, verdict=one.verdict, explanation=one.explanation, detail=one.detail,
                rows=one.rows, evidence=dict(one.evidence), checked_at=now,
            )
            for one in compared
        )  # fmt: skip
    return compared


def _side(report: str, loads: list[Load], version: int) -> Side:
    outcomes = dict(loads[-1].report.get("headline", {}))
    contract = contract_of(loads[-1])
    return Side(
        report=report,
        spans=spans_of(_events(loads, version), outcomes=outcomes),
        outcomes=outcomes,
        clicked_only=loads[-1].report.get("coverage", {}).get("impressions") == "clicked_only",
        timezone=contract.source.timezone if contract else "",
        exported_at=max(load.upload.created_at for load in loads),
        restatement_days=int(loads[-1].report.get("restatement_days", 0)),
    )


def _tolerances(by_report: Mapping[str, list[Load]]) -> dict[frozenset[str], dict[str, Decimal]]:
    """What the contracts' `reconciles_with` rules allow, by pair of reports and metric; the wider of two counts."""
    allowed: dict[frozenset[str], dict[str, Decimal]] = {}
    for report, loads in by_report.items():
        contract = contract_of(loads[-1])
        for rule in contract.rules if contract else ():
            if rule.kind != "reconciles_with":
                continue
            pair = allowed.setdefault(frozenset((report, rule.report)), {})
            metrics = {one.id: str(one.metric) for one in contract.attributions} if contract else {}
            for column in rule.columns:
                metric = metrics.get(column, column)
                pair[metric] = max(rule.tolerance, pair.get(metric, Decimal(0)))
    return allowed


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def today_at_its_latest() -> date:
    """The day it is where it is latest: a network's today may have begun hours before that of UTC."""
    return (timezone.now() + _FURTHEST_AHEAD).date()
