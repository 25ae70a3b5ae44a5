"""Publishing: staged rows become a version of the event table, and what gives way to them is written down."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from harmonization import selectors
from harmonization.core.contract import Contract, parse_contract
from harmonization.core.event_table import Committed
from harmonization.core.findings import Found
from harmonization.core.replay import compare_readings
from harmonization.core.report import HarmonizeReport
from harmonization.core.restatement import Coverage, Move, total
from harmonization.models import ContractVersion, EventTable, Load, Restatement, TableVersion
from harmonization.services.findings import record_findings, resolve_findings
from harmonization.services.noticing import note_campaigns, note_placements
from harmonization.services.returns import (
    coverage_of,
    end_entries,
    freed_rows,
    note_missing,
    returned_findings,
    told_by,
)
from tenants.selectors import tenant_folder

LOOKS_FILTERED = "looks_filtered"
TOLD_TWICE = "days_told_twice"
ROWS_VANISHED = "rows_vanished"
_OF_A_READING = (LOOKS_FILTERED, TOLD_TWICE, ROWS_VANISHED)


def publish_load(*, load: Load, version: ContractVersion, report: HarmonizeReport, attempt: int) -> Committed:
    """Make a staged load visible: Delta commit and database in one step as seen by readers.

    Runs inside the caller's transaction. Readers open the version named in `EventTable`; should the transaction fail
    after the Delta commit, that version was never named and the next publisher takes it back.
    """
    assert report.events_path is not None, "a load is harmonised into a folder"
    table = hold_table()
    contract = parse_contract(version.text)
    restates = contract.restates
    covers = None
    if report.period_start is not None and report.period_end is not None:
        covers = Coverage(report.period_start, report.period_end, restates, load.whole)
    overlapping = _overlapping(load, covers, report.report)
    # The same file read anew, under another version of its contract: its rows may have had other keys.
    replaced = list(_published().filter(upload_id=load.upload_id).exclude(pk=load.pk))
    freed = freed_rows(load=load, report=report.report, covers=covers, replaced=replaced)
    replay = _replay(load, report)  # before the staged rows are moved away
    yields_to = {
        str(other.pk): coverage_of(other)
        for other in overlapping.filter(upload__created_at__gt=load.upload.created_at).order_by("-upload__created_at")
    }
    committed = selectors.events_folder().commit(
        [report.events_path],
        network=report.network,
        load_id=str(load.pk),
        covers=covers,
        supersedes=_ids(overlapping.filter(upload__created_at__lte=load.upload.created_at)),
        yields_to=yields_to,
        replaces=[str(one.pk) for one in replaced],
        frees=[rows for _, rows in freed],
        told=told_by({*yields_to, *(heir for _, rows in freed for heir in rows.heirs)}),
        properties={"job": str(load.job_id), "attempt": str(attempt), "load": str(load.pk)},
    )
    load.quarantine_path = _keep_quarantine(load, report)
    load.contract_version = version
    load.status = Load.Status.PUBLISHED
    load.rows_in, load.rows_out = report.rows_in, report.rows_out
    load.rows_quarantined, load.rows_skipped = report.rows_quarantined, report.rows_skipped
    load.period_start, load.period_end = report.period_start, report.period_end
    load.delta_version = committed.version
    load.published_at = _name_version(table, committed.version, load=load, act=TableVersion.Act.LOAD)
    load.report = _kept_report(report, contract, restates, committed, load) | replay | load.report
    Load.objects.filter(pk__in=[one.pk for one in replaced]).update(status=Load.Status.REPLACED)
    load.save()
    _write_down(load, committed, load.published_at)
    ended = list(zip([entry for entry, _ in freed], committed.returned, strict=True))
    end_entries(ended=ended, load=load, at=load.published_at)
    _record(load, committed.moves, replaced, returned_findings(load, ended))
    note_missing(load=load)
    note_campaigns(load)
    note_placements(load, report.network)
    return committed


def restate_whole(*, load: Load) -> Committed:
    """Let the rows of earlier loads go that a load does not tell, for a person said that its export is whole.

    Runs inside the caller's transaction, as `publish_load` does. A second time nothing is left to do.
    """
    table = hold_table()
    load = Load.objects.select_for_update(of=("self",)).select_related("upload__account").get(pk=load.pk)
    load.whole = True
    covers = coverage_of(load)
    overlapping = _overlapping(load, covers, load.report.get("report", ""))
    assert covers is not None, "a published load has a period"
    committed = selectors.events_folder().restate(
        str(load.pk),
        network=load.report.get("network", "unknown"),
        covers=Coverage(covers.first, covers.last, "period", confirmed=True),
        supersedes=_ids(overlapping.filter(upload__created_at__lte=load.upload.created_at)),
        told=told_by([str(load.pk)]),
        properties={"whole": str(load.pk)},
    )
    if committed.version != table.version:
        at = _name_version(table, committed.version, load=load, act=TableVersion.Act.WHOLE)
        _write_down(load, committed, at)
        load.report["superseded"] = load.report.get("superseded", 0) + committed.superseded
    load.report["looks_filtered"] = False
    load.save(update_fields=["whole", "report"])
    return committed


def hold_table() -> EventTable:
    """The row of the event table, locked until the caller's transaction ends, and the table as that row says.

    What a publisher left that died before its version was named is taken back.
    """
    EventTable.objects.get_or_create(name=selectors.EVENTS)
    table = EventTable.objects.select_for_update().get(name=selectors.EVENTS)
    selectors.events_folder().restore(table.version)
    return table


def measure(table: EventTable) -> None:
    """Note how much storage the events take, with former versions and quarantine."""
    kept = tenant_folder() / "quarantine"
    aside = sum(path.stat().st_size for path in kept.glob("*.parquet")) if kept.is_dir() else 0
    table.size = selectors.events_folder().size + aside


def _name_version(table: EventTable, version: int, *, load: Load, act: TableVersion.Act) -> datetime:
    """Put a version in force; the instant at which that was."""
    now = timezone.now()
    table.version = version
    measure(table)
    table.save()
    TableVersion.objects.create(table=table.name, version=version, act=act, load=load, published_at=now)
    return now


def _write_down(load: Load, committed: Committed, at: datetime) -> None:
    Restatement.objects.bulk_create(
        Restatement(
            later_id=move.later,
            earlier_id=move.earlier,
            mode=move.mode,
            looks_filtered=move.looks_filtered,
            rows=move.rows,
            spend=_texts(move.spend),
            vanished_rows=move.vanished_rows,
            vanished_spend=_texts(move.vanished_spend),
            straddling_rows=move.straddling_rows,
            straddling_spend=_texts(move.straddling_spend),
            version=committed.version,
            asides=list(move.asides),
            created_at=at,
        )
        for move in committed.moves
        # What two other loads are to each other was written down when they met; here only what one took anew.
        if move.rows or (str(load.pk) in (move.later, move.earlier) and (move.looks_filtered or move.straddling_rows))
    )


def _record(load: Load, moves: tuple[Move, ...], replaced: list[Load], found: list[Found]) -> None:
    """What a person should know of a publication, under the load whose file it is about.

    A load may be published after one that arrived later, and rows may come back beside one that was there all along:
    then what that one leaves out is first seen now.
    """
    account = load.upload.account
    report = load.report.get("report", "")
    found = [
        *found,
        *_restatement_findings(load, [move for move in moves if str(load.pk) in (move.later, move.earlier)]),
    ]
    record_findings(found=found, account=account, load=load, report=report)
    others = {move.later for move in moves} - {str(load.pk)}
    for other in Load.objects.filter(pk__in=others).select_related("upload__account"):
        theirs = [move for move in moves if move.later == str(other.pk)]
        apart = [move for move in theirs if move.earlier != str(load.pk)]
        told = [one for one in _restatement_findings(other, theirs) if one.kind != TOLD_TWICE or apart]
        record_findings(found=told, account=account, load=other, report=other.report.get("report", ""))
        if any(move.looks_filtered for move in theirs) and not other.report.get("looks_filtered"):
            other.report["looks_filtered"] = True
            other.save(update_fields=["report"])
    for one in replaced:
        # What the earlier reading showed and this one does not; what both show is this one's by now.
        resolve_findings(account=account, kinds=_OF_A_READING, load=one, reason="The file was read anew.")


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: str(amount) for currency, amount in amounts.items()}


def _restatement_findings(load: Load, moves: Sequence[Move]) -> list[Found]:
    """What a person should know of how a load restated others."""
    found = []
    name, days = load.upload.file_name, f"{load.period_start} to {load.period_end}"
    subject = f"{load.upload.sha256[:16]}, {days}"
    if filtered := [move for move in moves if move.looks_filtered and move.later == str(load.pk)]:
        rows = sum(move.vanished_rows for move in filtered)
        found.append(
            Found(
                kind=LOOKS_FILTERED,
                subject=subject,
                severity="warn",
                title=f"{name} looks filtered: it leaves out {rows:,} rows of earlier exports of these days",
                detail="So it replaced rows of the same key only. If it is the whole report, confirm that, and the "
                "rows it does not tell are taken out; if not, export the report without a filter.",
                rows=rows,
                money=total(filtered, "vanished_spend"),
                evidence={"loads": [move.earlier for move in filtered]},
                first_day=load.period_start,
                last_day=load.period_end,
            )
        )
    gone = [move for move in moves if move.mode == "period" and move.vanished_rows and move.later == str(load.pk)]
    if gone and not load.whole:
        rows = sum(move.vanished_rows for move in gone)
        found.append(
            Found(
                kind=ROWS_VANISHED,
                subject=subject,
                # Rows that a rule kept back may be the very ones that earlier exports told rightly.
                severity="warn" if load.rows_quarantined else "info",
                title=f"{name} no longer tells {rows:,} rows of earlier exports of these days",
                detail="An export of these days replaces what was told of them before, so those rows are not counted "
                "any more. Look into the quarantine of this file, and whether it was exported with a filter.",
                rows=rows,
                money=total(gone, "vanished_spend"),
                evidence={"loads": [move.earlier for move in gone]},
                first_day=load.period_start,
                last_day=load.period_end,
            )
        )
    if straddling := [move for move in moves if move.straddling_rows and move.mode != "rows"]:
        rows = sum(move.straddling_rows for move in straddling)
        found.append(
            Found(
                kind=TOLD_TWICE,
                subject=subject,
                severity="warn",
                title=f"{rows:,} rows of several days reach over the border of {name}",
                detail="They stay, for nothing else tells their other days; on the days that both tell, figures count "
                "twice. Upload an export by day, or one that covers all of their days.",
                rows=rows,
                money=total(straddling, "straddling_spend"),
                evidence={"loads": sorted({one for move in straddling for one in (move.earlier, move.later)})},
                first_day=load.period_start,
                last_day=load.period_end,
            )
        )
    return found


def _overlapping(load: Load, covers: Coverage | None, report: str) -> QuerySet[Load]:
    """Published loads of other files of the same account and report whose period meets this one's.

    Of a day that several of them tell, the file that arrived last is right, whichever was published last: an attempt
    may be repeated, and an old file may be read anew.
    """
    if covers is None:
        return Load.objects.none()
    return (
        _published()
        .filter(
            upload__account=load.upload.account,
            report__report=report,
            period_start__lte=covers.last,
            period_end__gte=covers.first,
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


def _kept_report(
    report: HarmonizeReport, contract: Contract, restates: str, committed: Committed, load: Load
) -> dict[str, Any]:
    document = report.as_dict()
    for path in ("events_path", "quarantine_path", "skipped_path"):
        document.pop(path, None)
    document["headline"] = dict(report.default_attribution)
    document["coverage"] = {"rank": report.coverage_rank, "impressions": report.coverage_impressions}
    document["restatement_days"] = contract.restatement_days
    document["restates"] = restates
    ours = [move for move in committed.moves if move.later == str(load.pk)]
    others = [move for move in ours if move.mode != "anew"]
    document["superseded"] = sum(move.rows for move in others)
    document["superseded_spend"] = _texts(total(others, "spend"))
    document["replaced"] = sum(move.rows for move in ours if move.mode == "anew")
    document["yielded"] = committed.yielded
    document["looks_filtered"] = any(move.looks_filtered for move in ours)
    document["straddling"] = sum(
        move.straddling_rows for move in committed.moves if str(load.pk) in (move.later, move.earlier)
    )
    document["returned"] = sum(one.rows for one in committed.returned)
    plain: dict[str, Any] = json.loads(json.dumps(document, default=str))
    return plain


def _replay(load: Load, report: HarmonizeReport) -> dict[str, Any]:
    """What became of the quarantine of the reading that this one replaces."""
    before = _published().filter(upload_id=load.upload_id).exclude(pk=load.pk).first()
    if before is None or report.events_path is None:
        return {}
    kept = tenant_folder() / before.quarantine_path if before.quarantine_path else None
    outcome = compare_readings(kept, events=[report.events_path], quarantine=report.quarantine_path)
    told = asdict(outcome) | {"rescued_spend": _texts(outcome.rescued_spend)}
    return {"replay": {"load": str(before.pk), "contract": str(before.contract_version), **told}}
