"""Tests that are read from the same figures: reading one shows what the other does, whatever ads either is of.

They are known by the names of their units where the scopes of both meet or both have the same file, and by the figures
themselves everywhere else: names, brands and the order of rows are whatever somebody writes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.db.models import Q, QuerySet

from measurement import selectors
from measurement.core.figure_prints import FigurePrint, share_figures
from measurement.models import UNDER_PLAN, Experiment, PanelVersion
from measurement.services.panels import FORMATS, figures_of


@dataclass(frozen=True, eq=False)
class Twin:
    """Another test that may be on the same figures as this one.

    Attributes:
        by_name: units of the same name are the same ones. figures: of this test; None where it has no data.
    """

    this: Experiment
    other: Experiment
    by_name: bool
    figures: FigurePrint | None

    def treats(self, units: Collection[str]) -> bool:
        """Whether the other treats some of this one's units, case-folded, under whatever name."""
        treated = selectors.treated_keys(self.other)
        if self.by_name and not treated.isdisjoint(units):
            return True
        return self._shared(units, treated)

    def uses(self, treated: Collection[str]) -> bool:
        """Whether the other treats or compares with some of this one's treated units, under whatever name."""
        used = used_keys(self.other)
        return (self.by_name and not used.isdisjoint(treated)) or self._shared(treated, used)

    def _shared(self, mine: Collection[str], theirs: Collection[str]) -> bool:
        # Periods and arms have the same names in every test: all of a log is one unit, and an arm is known by its name.
        whole = self.this.kind == Experiment.Kind.SWITCHBACK
        return self.figures is not None and any(
            share_figures(self.figures, one, units=None if whole else mine, of_other=None if whole else theirs)
            for one in self._of_other
        )

    @cached_property
    def _of_other(self) -> list[FigurePrint]:
        """Of the data of its plan, and of the newest."""
        planned = (self.other.analysis_plan.get("data") or {}).get("sha256")
        newest = selectors.latest_panel(self.other)
        versions = {one.pk: one for one in self.other.panels.filter(sha256=planned)} if planned else {}
        if newest is not None:
            versions[newest.pk] = newest
        return [found for one in versions.values() if (found := figures_of(one)) is not None]


def used_keys(experiment: Experiment) -> set[str]:
    """Its treated units and those they are compared with, in lower case."""
    return {one.unit.casefold() for one in experiment.units.all() if one.group != "excluded"}


def twins_unread(experiment: Experiment, *, on: date, figures: FigurePrint | None = None) -> list[Twin]:
    """Registered tests whose result is not to be seen yet and that may be on the same figures.

    One that was cancelled after it had begun is among them until its planned end: else whoever would look early has
    only to give it up and copy it.

    Args:
        figures: of the data in question; the newest of this experiment by default.
    """
    waiting = Q(state__in=[state for state in UNDER_PLAN if state != Experiment.State.READ])
    waiting |= Q(state=Experiment.State.CANCELLED, registered_at__isnull=False)
    return [
        one
        for one in _twins(experiment, _others(experiment).filter(waiting), figures)
        if one.other.begun and one.other.cooled_on is not None and on <= one.other.cooled_on
    ]


def given_up_before(experiment: Experiment) -> bool:
    """Whether a test of some of the same treated units in days of this one had begun, and was given up before this one
    was registered: its data may have been seen."""
    if experiment.start_date is None or experiment.cooled_on is None or experiment.registered_at is None:
        return False
    rows = _others(experiment).filter(
        state=Experiment.State.CANCELLED, registered_at__isnull=False, cancelled_at__lte=experiment.registered_at,
        start_date__lte=experiment.cooled_on, end_date__gte=experiment.start_date,
    )  # fmt: skip
    treated = selectors.treated_keys(experiment)
    return any(one.other.begun and one.treats(treated) for one in _twins(experiment, rows, None))


def _others(experiment: Experiment) -> QuerySet[Experiment]:
    """Tests of the tenant that are read from data of the same form."""
    kinds = [kind for kind, layout in FORMATS.items() if layout == FORMATS[experiment.kind]]
    return Experiment.objects.filter(kind__in=kinds).exclude(pk=experiment.pk).prefetch_related("units")


def _twins(experiment: Experiment, rows: QuerySet[Experiment], figures: FigurePrint | None) -> list[Twin]:
    found = list(rows)
    if not found:
        return []
    named = set(selectors.on_the_same_figures(experiment).values_list("pk", flat=True))
    newest: PanelVersion | None = None if figures is not None else selectors.latest_panel(experiment)
    mine = figures if newest is None else figures_of(newest)
    return [Twin(experiment, one, one.pk in named, mine) for one in found]
