"""Loads: an upload under a contract becomes published events, once."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import services as people
from accounts.models import User
from harmonization import selectors
from harmonization.core.contract import Contract, parse_contract
from harmonization.core.engine import harmonize_file
from harmonization.core.event_table import Committed
from harmonization.core.load_context import LoadContext
from harmonization.core.report import HarmonizeReport
from harmonization.models import Campaign, ContractVersion, EventTable, Load, Placement, Upload
from harmonization.services.contracts import ensure_shipped_contracts
from jobs import services as jobs
from jobs.core.registry import JobCancelled, JobContext
from jobs.models import Job
from tenants.core.problems import Conflict, InvalidInput, Problem
from tenants.selectors import tenant_folder

KIND = "harmonization.load"
_FURTHEST_AHEAD = timedelta(hours=14)


def start_load(*, actor: User, upload: Upload, contract: str = "auto", idempotency_key: str | None = None) -> Job:
    """Harmonise an upload as a job. The same upload under the same contract text is one job.

    Args:
        contract: name of a contract, or `auto` for the one that fits the file's headers.

    Raises:
        InvalidInput: the upload is a catalogue.
        NotFound: no contract of that name.
    """
    people.require(user=actor, permission="uploads.create", brand=upload.brand_id)
    if upload.kind != Upload.Kind.REPORT:
        raise InvalidInput("This upload is a catalogue; there is nothing to harmonise in it.", where="upload")
    ensure_shipped_contracts()
    if contract != "auto":
        selectors.contract_named(name=contract)
    versions = selectors.published_versions()
    if contract != "auto":
        versions = versions.filter(contract__name=contract)
    params = {
        "upload_id": str(upload.pk),
        "contract": contract,
        # The texts in force now: a later version of a contract makes another job, the same ones the same job.
        "contract_versions": sorted(str(pk) for pk in versions.values_list("pk", flat=True)),
    }
    return jobs.submit_job(
        kind=KIND,
        params=params,
        actor=actor,
        brand=upload.brand,
        title=f"Harmonise {upload.file_name}",
        idempotency_key=idempotency_key or f"{KIND}:{_digest(params)}",
        subject=f"upload:{upload.pk}",
    )


def harmonize_upload(*, context: JobContext) -> dict[str, Any]:
    """The job: read the upload, stage its rows, publish them as one version of the event table.

    Returns:
        what the job's page shows. The report of a problem is kept on the load too, so both tell the same story.
    """
    upload = Upload.objects.select_related("account__retailer", "brand").get(pk=context.params["upload_id"])
    known = {
        version.contract.name: version
        for version in ContractVersion.objects.filter(pk__in=context.params["contract_versions"]).select_related(
            "contract"
        )
    }
    load = Load.objects.filter(job_id=context.job_id).first() or Load(upload=upload, job_id=context.job_id)
    load.status, load.problem = Load.Status.RUNNING, None
    load.save()
    try:
        report = _harmonize(context, upload, load, [parse_contract(version.text) for version in known.values()])
        version = known[report.contract]
        earlier = Load.objects.filter(upload=upload, contract_version=version, status=Load.Status.PUBLISHED).first()
        if earlier is not None:
            load.delete()
            context.log("info", "This file was loaded under this contract before; nothing was added.")
            return {"load_id": str(earlier.pk), "already_loaded": True, **_figures(earlier)}
        _log_findings(context, report)
        context.progress("publish", 0, report.rows_out)
        context.raise_if_cancelled()
        result: dict[str, Any] = {}
        with context.publish(result=result):
            publish_load(load=load, version=version, report=report, attempt=context.attempt)
            result |= {"load_id": str(load.pk), "already_loaded": False, **_figures(load)}
            # Before the block ends: the job's success is written with it, and nothing after that.
            context.progress("publish", report.rows_out, report.rows_out)
    except Problem as problem:
        Load.objects.filter(pk=load.pk).update(status=Load.Status.FAILED, problem=problem.as_dict())
        raise
    except JobCancelled:
        stopped = Conflict("The job was cancelled; nothing of the file was published.", fix="Retry the job.")
        Load.objects.filter(pk=load.pk).update(status=Load.Status.FAILED, problem=stopped.as_dict())
        raise
    return result


def publish_load(*, load: Load, version: ContractVersion, report: HarmonizeReport, attempt: int) -> Committed:
    """Make a staged load visible: Delta commit and database in one step as seen by readers.

    Runs inside the caller's transaction. Readers open the version named in `EventTable`; should the transaction fail
    after the Delta commit, that version was never named and the next publisher takes it back.
    """
    EventTable.objects.get_or_create(name=selectors.EVENTS)
    table = EventTable.objects.select_for_update().get(name=selectors.EVENTS)
    folder = selectors.events_folder()
    folder.restore(table.version)
    assert report.events_path is not None, "a load is harmonised into a folder"
    overlapping = _overlapping(load, report)
    committed = folder.commit(
        [report.events_path],
        network=report.network,
        load_id=str(load.pk),
        supersedes=_ids(overlapping.filter(upload__created_at__lte=load.upload.created_at)),
        yields_to=_ids(overlapping.filter(upload__created_at__gt=load.upload.created_at)),
        # The same file read anew, under another version of its contract: its rows may have had other keys.
        replaces=_ids(_published().filter(upload_id=load.upload_id).exclude(pk=load.pk)),
        properties={"job": str(load.job_id), "attempt": str(attempt), "load": str(load.pk)},
    )
    table.version = committed.version
    table.save()
    load.quarantine_path = _keep_quarantine(load, report)
    load.contract_version = version
    load.status = Load.Status.PUBLISHED
    load.rows_in, load.rows_out = report.rows_in, report.rows_out
    load.rows_quarantined, load.rows_skipped = report.rows_quarantined, report.rows_skipped
    load.period_start, load.period_end = report.period_start, report.period_end
    load.delta_version = committed.version
    load.published_at = timezone.now()
    load.report = _kept_report(report, parse_contract(version.text), committed)
    load.save()
    _note_campaigns(load)
    _note_placements(load, report)
    return committed


def _digest(params: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()


def _harmonize(context: JobContext, upload: Upload, load: Load, contracts: list[Contract]) -> HarmonizeReport:
    account = upload.account
    assert account is not None, "a report has an account: the database checks it"
    stored = selectors.stored_file(upload)
    # Errors name the file as its sender knows it, so the engine sees it under that name.
    named = context.staging / "source" / upload.file_name
    named.parent.mkdir(parents=True, exist_ok=True)
    named.hardlink_to(stored)
    context.log("info", f"read {upload.file_name}, {upload.size:,} bytes, sha256 {upload.sha256[:12]}…")

    def progress(stage: str, done: int, total: int) -> None:
        context.raise_if_cancelled()
        context.progress(stage, done, total, "steps")

    return harmonize_file(
        named,
        contracts if len(contracts) > 1 else contracts[0],
        out_dir=context.staging / "out",
        context=LoadContext(
            load_id=str(load.pk),
            account_id=account.external_id,
            account_name=account.name,
            brand_id=str(upload.brand_id) if upload.brand_id else None,
            brand_name=str(upload.brand) if upload.brand else None,
            retailer_id=account.retailer.slug,
            currency=account.currency,
            # The day it is where it is latest: a network's today may have begun hours before that of UTC.
            as_of=(timezone.now() + _FURTHEST_AHEAD).date(),
        ),
        progress=progress,
    )


def _overlapping(load: Load, report: HarmonizeReport) -> QuerySet[Load]:
    """Published loads of other files of the same account and report whose period meets this one's.

    Of a row that several of them tell, the file that arrived last is right, whichever was published last: an attempt
    may be repeated, and an old file may be read anew.
    """
    if report.period_start is None or report.period_end is None:
        return Load.objects.none()
    return (
        _published()
        .filter(
            upload__account=load.upload.account,
            report__report=report.report,
            period_start__lte=report.period_end,
            period_end__gte=report.period_start,
        )
        .exclude(upload_id=load.upload_id)
    )


def _published() -> QuerySet[Load]:
    return Load.objects.filter(status=Load.Status.PUBLISHED)


def _ids(loads: QuerySet[Load]) -> list[str]:
    return [str(pk) for pk in loads.values_list("pk", flat=True)]


def _keep_quarantine(load: Load, report: HarmonizeReport) -> str:
    if not report.rows_quarantined or report.quarantine_path is None:
        return ""
    relative = Path("quarantine") / f"{load.pk}.parquet"
    kept = tenant_folder() / relative
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(report.quarantine_path, kept)
    return relative.as_posix()


def _kept_report(report: HarmonizeReport, contract: Contract, committed: Committed) -> dict[str, Any]:
    document = report.as_dict()
    for path in ("events_path", "quarantine_path", "skipped_path"):
        document.pop(path, None)
    document["headline"] = dict(report.default_attribution)
    document["coverage"] = {"rank": report.coverage_rank, "impressions": report.coverage_impressions}
    document["restatement_days"] = contract.restatement_days
    document["superseded"], document["yielded"] = committed.superseded, committed.yielded
    plain: dict[str, Any] = json.loads(json.dumps(document, default=str))
    return plain


def _events_of(load: Load) -> pl.LazyFrame:
    version = load.delta_version
    assert version is not None, "a published load has a version"
    return selectors.events_folder().scan(version).filter(pl.col("load_id") == str(load.pk))


def _note_campaigns(load: Load) -> None:
    """Remember the campaigns a load brought, with the days they were seen."""
    key = pl.coalesce(pl.col("campaign_id"), pl.col("campaign_name"))
    seen = (
        _events_of(load)
        .select(
            key.alias("key"),
            pl.coalesce("campaign_name", "campaign_id").alias("name"),
            "ad_product",
            "period_start",
            "period_end",
        )
        .drop_nulls("key")
        .group_by("key")
        .agg(
            pl.col("name").last(),
            pl.col("ad_product").first(),
            pl.col("period_start").min().alias("first"),
            pl.col("period_end").max().alias("last"),
        )
        .collect(engine="streaming")
    )
    account = load.upload.account
    assert account is not None, "a report has an account: the database checks it"
    known = {row.key: row for row in Campaign.objects.filter(account=account)}
    rows = []
    for record in seen.iter_rows(named=True):
        old = known.get(record["key"][:255])
        rows.append(
            Campaign(
                account=account,
                key=record["key"][:255],
                name=record["name"][:255],
                campaign_type=record["ad_product"] or "",
                first_day=_least(record["first"], old.first_day if old else None),
                last_day=_greatest(record["last"], old.last_day if old else None),
            )
        )
    Campaign.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["account", "key"],
        update_fields=["name", "campaign_type", "first_day", "last_day"],
    )


def _note_placements(load: Load, report: HarmonizeReport) -> None:
    """Remember how each raw placement was read, so that people see and question it."""
    pairs = _events_of(load).select("placement_raw", "placement").drop_nulls().unique().collect(engine="streaming")
    with transaction.atomic():
        for raw, placement in sorted(pairs.iter_rows()):
            Placement.objects.get_or_create(
                network=report.network, raw_name=raw[:160], defaults={"placement": placement}
            )


def _least(a: date | None, b: date | None) -> date | None:
    return min((day for day in (a, b) if day), default=None)


def _greatest(a: date | None, b: date | None) -> date | None:
    return max((day for day in (a, b) if day), default=None)


def _figures(load: Load) -> dict[str, Any]:
    return {
        "contract": str(load.contract_version),
        "rows_in": load.rows_in,
        "rows_out": load.rows_out,
        "rows_quarantined": load.rows_quarantined,
        "rows_skipped": load.rows_skipped,
        "period": [str(load.period_start), str(load.period_end)],
        "totals": load.report.get("totals", []),
    }


def _log_findings(context: JobContext, report: HarmonizeReport) -> None:
    context.log(
        "info",
        f"{report.rows_out:,} of {report.rows_in:,} rows published, {report.rows_quarantined:,} in quarantine, "
        f"{report.rows_skipped:,} skipped",
        contract=report.contract,
    )
    for finding in report.quarantine:
        context.log("warning", f"rule {finding.rule}: {finding.rows:,} rows in quarantine")
    for warned in report.warnings:
        context.log("warning", warned.detail)
    if report.unknown_headers:
        context.log("warning", f"columns the contract does not read: {', '.join(report.unknown_headers)}")
