"""Rows that come back when a load that took them is replaced, and what is missing where they cannot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet

from harmonization import selectors
from harmonization.core.findings import Found
from harmonization.core.restatement import Coverage, added
from harmonization.core.returning import Freed, Missing, Returned, Told
from harmonization.models import DataFinding, Load, Restatement, TableVersion, Upload
from harmonization.services.findings import record_findings

ROWS_RETURNED = "rows_returned"
ROWS_MISSING = "rows_missing"


def coverage_of(load: Load) -> Coverage | None:
    """What a published load covers, and how it restates; None replaces by key, as loads did before they said."""
    if load.period_start is None or load.period_end is None or "restates" not in load.report:
        return None
    return Coverage(load.period_start, load.period_end, load.report["restates"], load.whole)


def freed_rows(
    *, load: Load, report: str, covers: Coverage | None, replaced: Sequence[Load]
) -> list[tuple[Restatement, Freed]]:
    """What loads of the account took from others and let go of, as `replaced` give way to `load`.

    Also what earlier readings took that were replaced before this was looked at. Of rows that were deleted meanwhile
    nothing is told here. The earlier loads that arrived last come first, for they are heirs to those before them.
    """
    going = [one.pk for one in replaced]
    entries = (
        _open_entries()
        .filter(earlier__upload__account=load.upload.account)
        .filter(Q(later__in=going) | Q(later__status=Load.Status.REPLACED))
        .exclude(earlier__in=going)
        .select_related("earlier__upload", "later")
        .order_by("-earlier__upload__created_at", "created_at")
    )
    found = []
    for entry in entries:
        heirs = {str(one.pk): (one.upload.created_at, coverage_of(one)) for one in _heirs(entry.earlier, without=going)}
        if _inherits(load, report, covers, entry.earlier):
            heirs[str(load.pk)] = (load.upload.created_at, covers)
        in_order = sorted(heirs.items(), key=lambda item: item[1][0], reverse=True)
        freed = Freed(
            earlier=str(entry.earlier_id),
            later=str(entry.later_id),
            heirs={pk: theirs for pk, (_, theirs) in in_order},
            went=_went(entry),
            asides=tuple(entry.asides),
        )
        if (freed.went or freed.asides) and selectors.events_folder().holds(freed):
            found.append((entry, freed))
    return found


def told_by(loads: Iterable[str]) -> dict[str, Told]:
    """Where to find what these loads told when they were published."""
    found = {
        str(load.pk): Told(load.delta_version)
        for load in Load.objects.filter(pk__in=set(loads)).only("pk", "delta_version")
    }
    at_first = Restatement.objects.filter(earlier__in=list(found), version=F("earlier__delta_version"))
    for pk, asides in at_first.exclude(asides=[]).values_list("earlier", "asides"):
        before = found[str(pk)]
        found[str(pk)] = Told(before.version, (*before.asides, *asides))
    return found


def end_entries(*, ended: Sequence[tuple[Restatement, Returned]], load: Load, at: datetime) -> None:
    """Write down which rows are in force again, and by which load."""
    for entry, returned in ended:
        entry.ended_at, entry.ended_by, entry.returned_rows = at, load, returned.rows
        entry.returned_spend = {currency: str(amount) for currency, amount in returned.spend.items()}
    Restatement.objects.bulk_update(
        [entry for entry, _ in ended], ["ended_at", "ended_by", "returned_rows", "returned_spend"]
    )


def returned_findings(load: Load, ended: Sequence[tuple[Restatement, Returned]]) -> list[Found]:
    """That rows of earlier files count again, file by file."""
    by_file: dict[Load, list[Returned]] = {}
    for entry, returned in ended:
        if returned.rows:
            by_file.setdefault(entry.earlier, []).append(returned)
    found = []
    for earlier, parts in by_file.items():
        rows = sum(part.rows for part in parts)
        spend = added({}, {})
        for part in parts:
            spend = added(spend, part.spend)
        found.append(
            Found(
                kind=ROWS_RETURNED,
                subject=f"load {load.pk} gave back to {earlier.pk}",
                severity="info",
                title=f"{_short(earlier)}: {_rows(rows)} in force again",
                detail=f"{load.upload.file_name} had replaced them. It was read anew, and as it is read now neither "
                "it nor another file in force tells them.",
                rows=rows,
                money=spend,
                evidence={"upload": str(earlier.upload_id), "file": earlier.upload.file_name},
                first_day=min(part.first for part in parts if part.first),
                last_day=max(part.last for part in parts if part.last),
            )
        )
    return found


def note_missing(*, load: Load) -> None:
    """Record, for the account of a load, what files in force lack that nothing tells; close what is told by now."""
    account = load.upload.account
    standing = DataFinding.objects.filter(account=account, kind=ROWS_MISSING).exclude(state="resolved")
    by_report: dict[str, list[Found]] = {report: [] for report in standing.values_list("report", flat=True)}
    owed = Load.objects.filter(upload__account=account, restated_by__in=_unsettled()).distinct()
    for earlier in owed.select_related("upload", "contract_version__contract"):
        missing = _missing(earlier)
        if missing.rows:
            by_report.setdefault(earlier.report.get("report", ""), []).append(_missing_finding(earlier, missing))
    for report, found in by_report.items():
        record_findings(found=found, account=account, load=load, report=report, checked=[ROWS_MISSING])


def missing_rows(load: Load) -> Missing:
    """What a load in force lacks, because another took it that is replaced, and its rows were deleted meanwhile."""
    return _missing(load) if _unsettled().filter(earlier=load).exists() else Missing()


def unsettled_count(upload: Upload) -> int:
    """How many entries of an upload's loads in force did not end with the load that took their rows."""
    return _unsettled().filter(earlier__upload=upload).count()


def asides_needed() -> set[str]:
    """Files of rows set aside that can still come back."""
    return {aside for asides in _open_entries().values_list("asides", flat=True) for aside in asides}


def _open_entries() -> QuerySet[Restatement]:
    return Restatement.objects.filter(
        ended_at=None, rows__gt=0, mode__in=["period", "rows"], earlier__status=Load.Status.PUBLISHED
    )


def _unsettled() -> QuerySet[Restatement]:
    return _open_entries().filter(later__status=Load.Status.REPLACED)


def _missing(load: Load) -> Missing:
    heirs = {str(one.pk): coverage_of(one) for one in _heirs(load)}
    return selectors.events_folder().missing(str(load.pk), heirs)


def _missing_finding(load: Load, missing: Missing) -> Found:
    return Found(
        kind=ROWS_MISSING,
        subject=f"load {load.pk}",
        severity="critical",
        title=f"{_rows(missing.rows)} of {_short(load)} in no figure",
        detail="A later file had replaced them and was read anew since; as it is read now it does not tell them, and "
        "the replaced rows were deleted with old versions of the events. Load the file again: it is kept.",
        rows=missing.rows,
        money=missing.spend,
        evidence={
            "upload": str(load.upload_id),
            "file": load.upload.file_name,
            "mapping": load.contract_version.contract.name if load.contract_version else "",
        },
        first_day=missing.first,
        last_day=missing.last,
    )


def _heirs(earlier: Load, without: Sequence[UUID] = ()) -> QuerySet[Load]:
    """Loads in force that would restate `earlier`, those that arrived last first."""
    if earlier.period_start is None or earlier.period_end is None:
        return Load.objects.none()  # nothing of it was published
    return (
        Load.objects.filter(
            status=Load.Status.PUBLISHED,
            upload__account=earlier.upload.account_id,
            report__report=earlier.report.get("report", ""),
            period_start__lte=earlier.period_end,
            period_end__gte=earlier.period_start,
            upload__created_at__gt=earlier.upload.created_at,
        )
        .exclude(pk__in=without)
        .exclude(upload=earlier.upload_id)
        .select_related("upload")
        .order_by("-upload__created_at")
    )


def _inherits(load: Load, report: str, covers: Coverage | None, earlier: Load) -> bool:
    if covers is None or earlier.period_start is None or earlier.period_end is None:
        return False
    return (
        report == earlier.report.get("report", "")
        and load.upload.created_at > earlier.upload.created_at
        and covers.first <= earlier.period_end
        and covers.last >= earlier.period_start
    )


def _went(entry: Restatement) -> tuple[int, int] | None:
    """The versions between which the rows went, where it was the later load's own act that took them."""
    versions = TableVersion.objects.filter(table=selectors.EVENTS, readable=True)
    act = versions.filter(version=entry.version, load=entry.later_id).first()
    before = TableVersion.objects.filter(table=selectors.EVENTS, version__lt=entry.version).order_by("-version").first()
    if act is None or before is None or not before.readable:
        return None
    return before.version, act.version


def _short(load: Load) -> str:
    name = load.upload.file_name
    return name if len(name) <= 100 else f"{name[:99]}…"


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
