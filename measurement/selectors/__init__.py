"""Reads of experiments, as a person may see them, and of when one may be read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from accounts import selectors as people
from accounts.models import User
from accounts.services import require_somewhere
from jobs.models import Job
from measurement.core.words import count_of, period_text
from measurement.models import UNDER_PLAN, Calibration, Experiment, PanelRemoval, PanelVersion, Reading
from tenants.core.problems import NotFound
from tenants.selectors import tenant_folder

VIEW = "experiments.view"
MANAGE = "experiments.manage"
#: Kinds whose units are markets or SKUs. Periods and arms have the same names in every test.
OVER_UNITS = (Experiment.Kind.GEO, Experiment.Kind.SKU)
Person = User | AnonymousUser
_NOTHING = "There is nothing here under that id."


@dataclass(frozen=True, kw_only=True)
class Readability:
    """Whether an experiment may be read now.

    Attributes:
        final: the planned end and the cool-down are over, by the clock and by the data.
        interim: its plan allows a look now, before the end.
        due: first day on which it can be read by the clock; None without an end.
        last_needed: last day that the data must reach; None likewise.
        reasons: what is still to wait for, each a sentence; empty when `final`.
    """

    final: bool
    interim: bool
    due: date | None
    last_needed: date | None
    reasons: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.final or self.interim


def experiments_visible(*, user: Person) -> QuerySet[Experiment]:
    """Experiments of the brands a person may see, those of all brands for tenant-wide roles; newest first."""
    rows = Experiment.objects.select_related("brand", "retailer", "created_by").defer("design", "analysis_plan")
    if people.may(user=user, permission=VIEW):
        return rows
    return rows.filter(brand__in=people.brands_for(user=user, permission=VIEW))


def experiments_listed(*, user: Person) -> QuerySet[Experiment]:
    """As `experiments_visible`, for a door that lists them.

    Raises:
        NotAllowed: there is no brand whose experiments this person may see.
    """
    require_somewhere(user=user, permission=VIEW)
    return experiments_visible(user=user)


def with_candidates(rows: Iterable[Experiment]) -> set[UUID]:
    """Ids of those whose design holds candidates, in one query."""
    found = Experiment.objects.filter(pk__in=[one.pk for one in rows], design__has_key="kind")
    return set(found.values_list("pk", flat=True))


def experiment_visible(*, user: Person, experiment_id: UUID) -> Experiment:
    """One experiment with all that belongs to it, or `NotFound` in the words of a nonexistent one."""
    rows = experiments_visible(user=user).defer(None).select_related("registered_by", "started_by", "cancelled_by")
    found = rows.filter(pk=experiment_id).first()
    if found is None:
        raise NotFound(_NOTHING)
    return found


def experiment_named(*, user: Person, reference: str) -> Experiment:
    """As `experiment_visible`, by id or by label: EX-0001."""
    return experiment_visible(user=user, experiment_id=_key_of(experiments_visible(user=user), reference))


def experiment_for_operator(*, reference: str) -> Experiment:
    """An experiment of the running tenant by id or label, for whoever runs the server."""
    key = _key_of(Experiment.objects.all(), reference)
    found = Experiment.objects.select_related("brand", "retailer").filter(pk=key).first()
    if found is None:
        raise NotFound(f"There is no experiment {reference!r}.", fix="`manage.py experiments ... list` shows them.")
    return found


def _key_of(rows: QuerySet[Experiment], reference: str) -> UUID:
    try:
        return UUID(reference)
    except ValueError:
        pass
    number = reference.upper().removeprefix("EX-")
    if number.isascii() and number.isdecimal() and len(number) < 10:
        key = rows.filter(number=int(number)).values_list("pk", flat=True).first()
        if key is not None:
            return key
    raise NotFound(f"There is no experiment {reference[:40]!r}.", fix="Use its label, such as EX-0001, or its id.")


def newest_of(rows: Iterable[Experiment]) -> dict[UUID, tuple[PanelVersion | None, Reading | None, Calibration | None]]:
    """The newest data, reading and calibration of each of some experiments, in as many queries as of one."""
    keys = [one.pk for one in rows]
    panels = (
        PanelVersion.objects.filter(experiment__in=keys).order_by("experiment_id", "-number").distinct("experiment_id")
    )
    readings = (
        Reading.objects.filter(experiment__in=keys).order_by("experiment_id", "-number").distinct("experiment_id")
    )
    used = Calibration.objects.select_related("factor_set", "curve_version", "reading").filter(
        reading__experiment__in=keys
    )
    by_panel = {one.experiment_id: one for one in panels}
    by_reading = {one.experiment_id: one for one in readings}
    by_use: dict[UUID, Calibration] = {}
    for one in used:
        by_use.setdefault(one.reading.experiment_id, one)
    return {key: (by_panel.get(key), by_reading.get(key), by_use.get(key)) for key in keys}


def panels_of(experiment: Experiment) -> QuerySet[PanelVersion]:
    """The data of an experiment, newest first."""
    return experiment.panels.select_related("created_by").order_by("-number")


def latest_panel(experiment: Experiment) -> PanelVersion | None:
    """The newest data; None before there are any."""
    return experiment.panels.order_by("-number").first()


def stored_panel(panel: PanelVersion) -> Path:
    """Where the file of some data lies, under the tenant's folder and its own hash."""
    return panel_path(panel.sha256)


def panel_path(sha256: str) -> Path:
    """Where data of an experiment with that hash lie."""
    return panel_folder() / sha256[:2] / sha256


def removals_of(panels: Iterable[PanelVersion]) -> dict[UUID, PanelRemoval]:
    """The last removal of each of these data whose file does not lie there, by the id of the data."""
    gone = [one.pk for one in panels if not stored_panel(one).exists()]
    rows = PanelRemoval.objects.select_related("removed_by").filter(panel__in=gone)
    return {one.panel_id: one for one in rows.order_by("panel_id", "-created_at").distinct("panel_id")}


@dataclass(frozen=True)
class Erasable:
    """How many files of an experiment that was given up can go, and how many stay, for another experiment has them."""

    files: int = 0
    shared: int = 0


def erasable(experiment: Experiment) -> Erasable:
    """What `services.erase_panels` would remove; nothing of one that was not given up, or was read."""
    if experiment.state != Experiment.State.CANCELLED or experiment.readings.exists():
        return Erasable()
    hashes = experiment.panels.order_by().values_list("sha256", flat=True).distinct()
    there = [one for one in hashes if panel_path(one).exists()]
    shared = sum(is_shared(experiment, one) for one in there)
    return Erasable(len(there) - shared, shared)


def is_shared(experiment: Experiment, sha256: str) -> bool:
    """Whether another experiment has the same file, of whatever brand and whether it needs it or not."""
    return PanelVersion.objects.filter(sha256=sha256).exclude(experiment=experiment).exists()


def panel_bytes() -> int:
    """Bytes of the data of all experiments as they lie there: one file may be of several, and one may be erased."""
    return sum(told.st_size for _, told in panel_files())


def panel_files() -> Iterator[tuple[Path, os.stat_result]]:
    """Those data with their size and time. One that is removed while they are listed is none of them."""
    for path in sorted(panel_folder().glob("*/*")):
        with suppress(FileNotFoundError):
            told = path.stat()
            if stat.S_ISREG(told.st_mode):
                yield path, told


def panel_folder() -> Path:
    """Where the data of the running tenant's experiments lie."""
    return tenant_folder() / "experiments"


def latest_reading(experiment: Experiment) -> Reading | None:
    """The newest reading, with the data it was read from; none while results are hidden."""
    return experiment.readings.select_related("panel", "created_by").order_by("-number").first()


def readings_of(experiment: Experiment) -> QuerySet[Reading]:
    """All readings, newest first, without their curves."""
    return experiment.readings.select_related("panel", "created_by").defer("result").order_by("-number")


def reading_visible(*, user: Person, experiment_id: UUID, reading_id: UUID | None = None) -> Reading:
    """A reading of an experiment that a person may see, the newest where none is named; `NotFound` else."""
    experiment = experiment_visible(user=user, experiment_id=experiment_id)
    rows = Reading.objects.select_related("panel", "created_by").filter(experiment=experiment)
    found = rows.order_by("-number").first() if reading_id is None else rows.filter(pk=reading_id).first()
    if found is None:
        raise NotFound("This experiment has no such reading.", fix="It is read once it has ended and its data are in.")
    found.experiment = experiment
    return found


def calibrations_of(experiment: Experiment) -> QuerySet[Calibration]:
    """What was published because of its readings, newest first."""
    rows = Calibration.objects.select_related("factor_set", "curve_version", "published_by", "reading")
    return rows.filter(reading__experiment=experiment)


def job_of(experiment: Experiment) -> Job | None:
    """The newest job of it."""
    if experiment.job_id is None:
        return None
    return Job.objects.select_related("progress").filter(pk=experiment.job_id).first()


def locked(experiment: Experiment) -> Experiment:
    """An experiment as it is now; until the transaction ends nobody else changes it."""
    rows = Experiment.objects.select_for_update(of=("self",)).select_related("brand", "retailer")
    return rows.get(pk=experiment.pk)


def today() -> date:
    """The tenant's day. All clocks of a tenant run in UTC."""
    return timezone.now().date()


def readability(experiment: Experiment, panel: PanelVersion | None, *, on: date) -> Readability:
    """Whether an experiment may be read on a day, from data that are there.

    A day counts once it is over. Data whose periods are numbers say by their number of periods that they are whole,
    sums of two arms by the day they came in.
    """
    last, due, end = experiment.cooled_on, experiment.due_on, experiment.end_date
    if last is None or due is None or end is None or experiment.start_date is None:
        return Readability(
            final=False, interim=False, due=None, last_needed=None, reasons=("It has no start and end yet.",)
        )
    reasons: list[str] = []
    state = Experiment.State(experiment.state)
    if state == Experiment.State.CANCELLED:
        reasons.append("It was cancelled.")
    elif not experiment.is_registered:
        reasons.append("Its plan is not registered.")
    elif experiment.started_at is None:
        reasons.append("It was not started.")
    started = not reasons
    if on < due:
        cooling = f", and cools down until {period_text(last)}" if experiment.cooldown_days else ""
        reasons.append(f"It runs until {period_text(end)}{cooling}.")
    if panel is None:
        reasons.append("It has no data.")
    elif (lacking := _lacking(panel, experiment, last)) is not None:
        reasons.append(lacking)
    return Readability(
        final=not reasons,
        interim=bool(reasons) and started and panel is not None and _may_look(experiment, panel, on),
        due=due,
        last_needed=last,
        reasons=tuple(reasons),
    )


def _lacking(panel: PanelVersion, experiment: Experiment, last: date) -> str | None:
    if panel.last_day is not None:
        if panel.last_day >= last:
            return None
        return f"Its data end on {period_text(panel.last_day)}; the last day needed is {period_text(last)}."
    if panel.format == PanelVersion.Format.SUMMARY:
        arrived = panel.created_at.date()
        return (
            None
            if arrived > last
            else f"Its sums are of {period_text(arrived)}, before its end on {period_text(last)}."
        )
    needed = int(experiment.design.get("periods_needed", 0))
    if panel.period_count >= needed:
        return None
    return f"Its data have {count_of(panel.period_count, 'period')}, the plan needs {needed}."


def _may_look(experiment: Experiment, panel: PanelVersion, on: date) -> bool:
    """Whether the registered plan allows a look at the data as they are."""
    if experiment.start_date is None or on <= experiment.start_date:
        return False
    if experiment.looks == Experiment.Looks.ALWAYS_VALID:
        return panel.last_day is None or panel.last_day >= experiment.start_date
    if experiment.looks == Experiment.Looks.GROUP_SEQUENTIAL:
        return look_reached(experiment, panel) > max(looks_taken(experiment), default=0)
    return False


def look_reached(experiment: Experiment, panel: PanelVersion) -> int:
    """How many of the planned looks the data reach; the end is none of them."""
    days = experiment.settings.get("look_at", [])
    if experiment.start_date is None or experiment.end_date is None or panel.last_day is None:
        return 0
    inside = (panel.last_day - experiment.start_date).days + 1
    whole = (experiment.end_date - experiment.start_date).days + 1
    return sum(1 for day in days if day <= inside and day < whole)


def looks_taken(experiment: Experiment) -> list[int]:
    """Which of the planned looks were taken, ascending; one that was passed over cannot be taken later."""
    rows = experiment.readings.filter(look__isnull=False).order_by("look")
    return [look for look in rows.values_list("look", flat=True) if look is not None]


def others_in_the_way(experiment: Experiment, units: Iterable[str] = ()) -> QuerySet[Experiment]:
    """Registered experiments of the tenant that run while this one does, on ads that are the same or contain them."""
    if experiment.start_date is None or experiment.cooled_on is None:
        return Experiment.objects.none()
    since = experiment.start_date - min(timedelta(days=366), experiment.start_date - date.min)
    same = Q(state__in=UNDER_PLAN, start_date__lte=experiment.cooled_on, end_date__gte=since)
    for name, value in (("retailer_id", experiment.retailer_id), ("brand_id", experiment.brand_id)):
        if value is not None:
            same &= Q(**{name: value}) | Q(**{f"{name}__isnull": True})
    if experiment.placement:
        same &= Q(placement__in=["", experiment.placement])
    return Experiment.objects.filter(same).exclude(pk=experiment.pk).prefetch_related("units")


def on_the_same_figures(experiment: Experiment) -> QuerySet[Experiment]:
    """Other experiments on a file of this one's, and of units also those of the same brand and retailer, or of one that
    contains them. Whatever they call their outcome: the name is free, and what sells more has more orders, too."""
    same = Q(panels__sha256__in=experiment.panels.values("sha256"))
    kinds = [experiment.kind]
    if experiment.kind in OVER_UNITS:
        around = Q(pk__isnull=False)
        for name, value in (("retailer_id", experiment.retailer_id), ("brand_id", experiment.brand_id)):
            if value is not None:
                around &= Q(**{name: value}) | Q(**{f"{name}__isnull": True})
        same, kinds = same | around, list(OVER_UNITS)
    rows = Experiment.objects.filter(same, kind__in=kinds)
    return rows.exclude(pk=experiment.pk).distinct().prefetch_related("units")


def treated_keys(experiment: Experiment) -> set[str]:
    """Its treated units, in lower case."""
    return {one.unit.casefold() for one in experiment.units.all() if one.group == "treated"}


def states_counted(rows: QuerySet[Experiment]) -> dict[str, int]:
    """How many experiments are in each state."""
    return dict(rows.order_by().values_list("state").annotate(count=Count("pk")))
