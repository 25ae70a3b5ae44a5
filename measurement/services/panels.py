"""Data of experiments: files that are sent or fetched, or figures of the harmonised events; each kept as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db import models, transaction

from accounts.models import User
from accounts.services import require
from harmonization.services.uploads import clean_file_name
from measurement import selectors
from measurement.core.analysis_plan import PlanChanged
from measurement.core.figure_prints import FigurePrint, print_of_log, print_of_panel, print_of_sums, unpacked
from measurement.core.panel import Panel, last_days
from measurement.core.panel_columns import READING, columns_of
from measurement.core.reading_panels import read_panel
from measurement.core.test_data import SwitchbackLog, TwoArms, read_log, read_summary, refuse_further_keys
from measurement.core.words import period_text
from measurement.models import Experiment, PanelFigures, PanelVersion
from measurement.selectors import MANAGE
from measurement.services.panel_files import bytes_of, content_of, keep_file, refuse_personal_data
from tenants.core.problems import Conflict, InvalidInput, Problem
from tenants.services.storage import require_room

FORMATS: Final[Mapping[str, str]] = {
    Experiment.Kind.GEO: PanelVersion.Format.PANEL,
    Experiment.Kind.SKU: PanelVersion.Format.PANEL,
    Experiment.Kind.SWITCHBACK: PanelVersion.Format.LOG,
    Experiment.Kind.AB: PanelVersion.Format.SUMMARY,
}
#: Some units of a refusal are named, the others counted.
_NAMED: Final = 5


@dataclass(frozen=True, kw_only=True)
class _Read:
    """What a file turned out to hold."""

    columns: dict[str, str]
    units: tuple[str, ...]
    period_count: int
    first_day: date | None
    last_day: date | None
    currency: str
    notes: tuple[str, ...]
    figures: FigurePrint


def add_panel(
    *,
    actor: User | None,
    experiment: Experiment,
    chunks: Iterable[bytes],
    file_name: str,
    columns: Mapping[str, str] | None = None,
    origin: str = PanelVersion.Origin.FILE,
    data_version: int | None = None,
    notes: Iterable[str] = (),
    job_id: UUID | None = None,
) -> PanelVersion:
    """Keep data of an experiment, once they can be read whole. The same file read in the same way is kept once.

    Of a registered experiment new data must hold every unit of its plan, and its history.

    Args:
        actor: None means the platform itself, in a job of somebody who was asked for it.
        notes: what was done to the figures before they became this file.
        columns: part -> column of the file; what is not named is as in the data before, or as the header says.

    Raises:
        InvalidInput: the file cannot be read, holds personal data, its currency is another, or a unit of the plan is
            absent.
        PlanChanged: another column is to be the outcome, the cost or the like than in the registered plan.
        TooLarge: over the limit of a file. QuotaExceeded: the tenant's storage is full.
        Conflict: the experiment was cancelled.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.manage.
    """
    if actor is not None:
        require(user=actor, permission=MANAGE, brand=experiment.brand)
    require_room()
    content = content_of(chunks)
    refuse_personal_data(content)
    name = clean_file_name(file_name)
    before = selectors.latest_panel(experiment)
    layout = FORMATS[experiment.kind]
    told = columns if columns or before is None else before.columns
    if layout == PanelVersion.Format.SUMMARY:
        refuse_further_keys(content)
    read = _read(content, layout, told)
    with transaction.atomic():
        held = selectors.locked(experiment)
        if held.state == Experiment.State.CANCELLED:
            raise Conflict(f"{held.label} is cancelled.", fix="Duplicate it, and send the data to the copy.")
        _check_currency(held, read)
        if held.is_registered:
            added = _parts_added(held, read, before)
            if layout == PanelVersion.Format.PANEL:
                _check_against_plan(held, read, before)
        else:
            added = ()
        digest = hashlib.sha256(content).hexdigest()
        # The same file again brings back one that was removed.
        keep_file(content, digest)
        same = held.panels.filter(sha256=digest, columns=read.columns).first()
        if same is not None:
            return same
        number = (held.panels.aggregate(top=models.Max("number"))["top"] or 0) + 1
        made = PanelVersion.objects.create(
            experiment=held, number=number, format=layout, origin=origin, file_name=name, sha256=digest,
            size=len(content), columns=read.columns, currency=read.currency, unit_count=len(read.units),
            period_count=read.period_count, first_day=read.first_day, last_day=read.last_day,
            notes=[*notes, *added, *read.notes], data_version=data_version, job_id=job_id, created_by=actor,
        )  # fmt: skip
        PanelFigures.objects.create(panel=made, content=read.figures.packed())
        if read.currency and not held.currency and not held.is_registered:
            held.currency = read.currency
            held.save(update_fields=["currency", "updated_at"])
    return made


def panel_data(panel: PanelVersion, *, required: Iterable[str] = ()) -> Panel:
    """The panel of stored data.

    Args:
        required: units that must not have been left out.

    Raises:
        InvalidInput: these data are no panel, or a required unit is not in them.
    """
    if panel.format != PanelVersion.Format.PANEL:
        raise InvalidInput(
            f"{panel} is no panel of units by periods.", where="panel", fix="Send one row per unit and day."
        )
    return read_panel(bytes_of(panel), **_parts(panel.columns), required=tuple(required))


def log_data(panel: PanelVersion) -> SwitchbackLog:
    """The periods of a stored log."""
    return read_log(bytes_of(panel), **panel.columns)


def summary_data(panel: PanelVersion) -> TwoArms:
    """The sums of two arms that were stored."""
    return read_summary(bytes_of(panel))


def figures_of(panel: PanelVersion) -> FigurePrint | None:
    """The print of stored data; of data of earlier releases it is made now. None where their file is gone."""
    kept = PanelFigures.objects.filter(panel=panel).first()
    if kept is not None:
        return unpacked(bytes(kept.content))
    try:
        made = _read(bytes_of(panel), panel.format, panel.columns).figures
    except Problem:
        return None
    PanelFigures.objects.get_or_create(panel=panel, defaults={"content": made.packed()})
    return made


def _parts(columns: Mapping[str, str]) -> dict[str, Any]:
    return dict(columns)


def _read(content: bytes, layout: str, told: Mapping[str, str] | None) -> _Read:
    if layout == PanelVersion.Format.SUMMARY:
        arms = read_summary(content)
        return _Read(
            columns={}, units=arms.names, period_count=1, first_day=None, last_day=arms.until, currency=arms.currency,
            notes=(), figures=print_of_sums(arms),
        )  # fmt: skip
    columns = columns_of(content, layout, told)
    if layout == PanelVersion.Format.LOG:
        log = read_log(content, **columns)
        days = log.days
        return _Read(
            columns=columns, units=("all",), period_count=len(log.treated), first_day=days[0] if days else None,
            last_day=days[-1] if days else None, currency="", notes=log.notes,
            figures=print_of_log(log),
        )  # fmt: skip
    panel = read_panel(content, **_parts(columns))
    first, ends = panel.periods[0], last_days(panel.periods)
    return _Read(
        columns=columns,
        units=panel.units,
        period_count=len(panel.periods),
        first_day=first if isinstance(first, date) else None,
        last_day=ends[-1] if ends else None,
        currency=panel.currency,
        notes=panel.notes,
        figures=print_of_panel(panel),
    )


def _check_currency(experiment: Experiment, read: _Read) -> None:
    if read.currency and experiment.currency and read.currency != experiment.currency:
        raise InvalidInput(
            f"The data are in {read.currency}, the experiment in {experiment.currency}; they are never mixed.",
            where="currency",
            fix="Convert the data, or change the currency of the experiment before it is registered.",
        )


def _parts_added(experiment: Experiment, read: _Read, before: PanelVersion | None) -> tuple[str, ...]:
    """A note of columns that the plan did not have.

    Raises:
        PlanChanged: a column, or the way rows are read, is another than the plan's: that would be another test.
    """
    data = experiment.analysis_plan.get("data") or {}
    planned = data.get("columns") or (before.columns if before else None)
    if planned is None:
        return ()
    differing = sorted(part for part, name in planned.items() if read.columns.get(part) != name)
    # How rows are read has a usual way: naming another one later is a change, too.
    differing += sorted(part for part in READING if part in read.columns and part not in planned)
    if differing:
        part = differing[0]
        raise PlanChanged(
            f"The plan reads {planned.get(part, 'rows as usual')!r} as {part}, these data "
            f"{read.columns.get(part, 'nothing')!r}.",
            where=f"columns.{part}",
            fix="Name the columns as the registered plan does; to measure something else, plan another test.",
            errors=[{"detail": f"{part} is not that of the plan.", "where": f"columns.{part}"} for part in differing],
        )
    new = sorted(set(read.columns) - set(planned))
    return tuple(f"The plan named no column for {part}; {read.columns[part]!r} is read as it." for part in new)


def _check_against_plan(experiment: Experiment, read: _Read, before: PanelVersion | None) -> None:
    """New data must let the plan be carried out: every unit, and the history that it was made on."""
    present = {unit.casefold() for unit in read.units}
    assigned = experiment.units.exclude(group="excluded").values_list("unit", flat=True)
    absent = sorted(unit for unit in assigned if unit.casefold() not in present)
    if absent:
        more = f" and {len(absent) - _NAMED} more" if len(absent) > _NAMED else ""
        raise InvalidInput(
            f"Units of the plan are absent, or lack periods: {', '.join(absent[:_NAMED])}{more}.",
            where="units",
            fix="Send all treated and control units with every period.",
            errors=[{"detail": f"{unit} is absent.", "where": "units"} for unit in absent[:100]],
        )
    planned = experiment.analysis_plan.get("data", {}).get("first_day") or (before and str(before.first_day)) or ""
    if planned and read.first_day is not None and str(read.first_day) > planned:
        raise InvalidInput(
            f"The data begin on {period_text(read.first_day)}, those of the plan on "
            f"{period_text(date.fromisoformat(planned))}.",
            where="date",
            fix="Send the history together with the new days.",
        )
