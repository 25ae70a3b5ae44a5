"""Loads: an upload under a contract becomes published events, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from accounts import services as people
from accounts.models import User
from harmonization import selectors
from harmonization.core.contract import Contract, parse_contract
from harmonization.core.drift import Drifted
from harmonization.core.engine import harmonize_file
from harmonization.core.report import HarmonizeReport
from harmonization.models import ContractVersion, Load, Upload
from harmonization.services.contracts import ensure_shipped_contracts
from harmonization.services.drift import check_drift
from harmonization.services.findings import resolve_findings
from harmonization.services.load_context import build_context
from harmonization.services.publishing import LOOKS_FILTERED, publish_load, restate_whole
from harmonization.services.returns import missing_rows, unsettled_count
from jobs import services as jobs
from jobs.core.registry import JobCancelled, JobContext
from jobs.models import Job
from tenants.core.problems import Conflict, InvalidInput, Problem

KIND = "harmonization.load"
WHOLE_KIND = "harmonization.restate_whole"


def start_load(
    *, actor: User, upload: Upload, contract: str = "auto", whole: bool = False, accept_drift: bool = False,
    parameters: Mapping[str, str] | None = None, idempotency_key: str | None = None,
) -> Job:  # fmt: skip
    """Harmonise an upload as a job. The same upload under the same contract text is one job.

    Args:
        contract: name of a contract, or `auto` for the one that fits the file's headers.
        whole: the sender knows that the export is not filtered: it is not compared with what was there before.
        accept_drift: a person has seen how the file differs from the one before it, and takes it all the same.
        parameters: answers to the contract's parameters, which the file does not tell.

    Raises:
        InvalidInput: the upload is a catalogue.
        NotFound: no contract of that name.
    """
    people.require(user=actor, permission="uploads.create", brand=upload.brand_id)
    if upload.kind != Upload.Kind.REPORT:
        raise InvalidInput(
            f"This upload holds {upload.get_kind_display()}; there is nothing to harmonise in it.", where="upload"
        )
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
        **({"whole": True} if whole else {}),
        **({"accept_drift": True} if accept_drift else {}),
        **({"parameters": dict(parameters)} if parameters else {}),
    }
    # A reading that was replaced by another can be asked for again: going back to an earlier text is no repetition.
    replaced = upload.loads.filter(status=Load.Status.REPLACED).count()
    # So can one that lacks rows which another load took and tells no more.
    unsettled = unsettled_count(upload)
    again = (f":{replaced}" if replaced or unsettled else "") + (f"+{unsettled}" if unsettled else "")
    return jobs.submit_job(
        kind=KIND,
        params=params,
        actor=actor,
        brand=upload.brand,
        title=f"Harmonise {upload.file_name}",
        idempotency_key=idempotency_key or f"{KIND}:{_digest(params)}{again}",
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
    load.status, load.problem, load.whole = Load.Status.RUNNING, None, bool(context.params.get("whole"))
    load.save()
    try:
        report = _harmonize(context, upload, load, [parse_contract(version.text) for version in known.values()])
        version = known[report.contract]
        earlier = Load.objects.filter(upload=upload, contract_version=version, status=Load.Status.PUBLISHED).first()
        # Under other answers to its parameters the same file says something else.
        same = earlier is not None and selectors.answers_of(load=earlier) == context.params.get("parameters", {})
        if earlier is not None and same and not missing_rows(earlier).rows:
            return _already_loaded(context, load, earlier)
        drifted = check_drift(
            load=load,
            version=version,
            contract=parse_contract(version.text),
            report=report,
            accepted=bool(context.params.get("accept_drift")),
        )
        _log_findings(context, report, drifted)
        context.progress("publish", 0, report.rows_out)
        context.raise_if_cancelled()
        result: dict[str, Any] = {}
        with context.publish(result=result):
            committed = publish_load(load=load, version=version, report=report, attempt=context.attempt)
            returned = sum(one.rows for one in committed.returned)
            result |= {"load_id": str(load.pk), "already_loaded": False, **_figures(load), "rows_returned": returned}
            if returned:
                context.log("info", f"{returned:,} rows of earlier files, which this one had replaced, count again")
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


def confirm_whole(*, actor: User, load: Load) -> Job:
    """Say that a load's export is whole, as a job: rows of earlier loads in its days that it does not tell are gone.

    Raises:
        Conflict: the load is not in force.
        InvalidInput: its report replaces rows of the same key, so there is nothing to confirm.
    """
    people.require(user=actor, permission="uploads.create", brand=load.upload.brand_id)
    if load.status != Load.Status.PUBLISHED:
        raise Conflict(f"The load is {load.get_status_display()}; only one that is published restates others.")
    if load.report.get("restates") != "period":
        raise InvalidInput(
            "This report replaces rows of the same key; whether the file is whole changes nothing.",
            where="load",
            fix="Write `restates: period` in the contract and harmonise the file again, if it tells whole days.",
        )
    return jobs.submit_job(
        kind=WHOLE_KIND,
        params={"load_id": str(load.pk)},
        actor=actor,
        brand=load.upload.brand,
        title=f"Restate the days of {load.upload.file_name}",
        idempotency_key=f"{WHOLE_KIND}:{load.pk}:{load.delta_version}",
        subject=f"upload:{load.upload_id}",
    )


def restate_days(*, context: JobContext) -> dict[str, Any]:
    """The job of `confirm_whole`."""
    load = Load.objects.select_related("upload__account").get(pk=context.params["load_id"])
    if load.status != Load.Status.PUBLISHED:
        raise Conflict(f"The load is {load.get_status_display()} by now.", fix="Look at the upload's newest load.")
    result: dict[str, Any] = {"load_id": str(load.pk)}
    with context.publish(result=result):
        result |= _taken_whole(context, load)
    return result


def _taken_whole(context: JobContext, load: Load) -> dict[str, Any]:
    taken = restate_whole(load=load).superseded
    resolve_findings(
        account=load.upload.account, kinds=[LOOKS_FILTERED], load=load, reason="A person confirmed the export is whole."
    )
    context.log("info", f"{taken:,} rows of earlier loads that the export does not tell were taken out")
    return {"superseded": taken}


def _already_loaded(context: JobContext, load: Load, earlier: Load) -> dict[str, Any]:
    context.log("info", "This file was loaded under this contract before; nothing was added.")
    result: dict[str, Any] = {"load_id": str(earlier.pk), "already_loaded": True, **_figures(earlier)}
    load.delete()
    if load.whole and not earlier.whole:
        with context.publish(result=result):
            result |= _taken_whole(context, earlier)
    return result


def _digest(params: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()


def _harmonize(context: JobContext, upload: Upload, load: Load, contracts: list[Contract]) -> HarmonizeReport:
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
        context=build_context(upload=upload, load=load, parameters=context.params.get("parameters", {})),
        progress=progress,
    )


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


def _log_findings(context: JobContext, report: HarmonizeReport, drifted: list[Drifted]) -> None:
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
    for one in drifted:
        context.log("warning", f"differs from the file before ({one.drift}): {one.detail}")
    if report.unknown_headers:
        context.log("warning", f"columns the contract does not read: {', '.join(report.unknown_headers)}")
