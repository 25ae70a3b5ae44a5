"""Which columns the outcomes of each load are read from, for one period of a request."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from metrics.core.attribution import NOTHING, Choice, Reading, as_reported, parsed, under
from metrics.core.coverage import Coverage
from metrics.core.parts import CELL, Sources, basis_of, outcomes_of, reading_key
from metrics.core.request import MetricRequest
from metrics.core.table import AttributionUsed


class Outcomes(Protocol):
    """What loads tell of outcomes: per load its headline columns by outcome, and all attribution columns it has."""

    @property
    def headline(self) -> Mapping[str, Mapping[str, str]]: ...
    @property
    def outcomes(self) -> Mapping[str, Collection[str]]: ...


def sources_of(events: Outcomes, request: MetricRequest, coverage: Coverage, known: frozenset[str]) -> Sources:
    """The readings of every outcome that a request needs, over the loads that are read."""
    readings = {}
    # Loads of one contract have the same columns: what is chosen for one serves the others.
    chosen: dict[tuple[object, ...], Choice] = {}
    for metric in outcomes_of(request):
        key = reading_key(metric, request)
        if key in readings:
            continue
        choices = {}
        for load in coverage.networks:
            headline = events.headline.get(load, {})
            columns = frozenset(events.outcomes.get(load) or headline.values()) & known
            same = (key, columns, frozenset(headline.items()))
            if same not in chosen:
                chosen[same] = (
                    as_reported(metric, headline, columns)
                    if key[0] == "as_reported"
                    else under(request.rule, metric, columns)
                )
            choices[load] = chosen[same]
        readings[key] = Reading(choices)
    return Sources(known=known, readings=readings)


def attributions_used(request: MetricRequest, coverage: Coverage, sources: Sources) -> tuple[AttributionUsed, ...]:
    """By network and figure, the rules that its loads are read under."""
    found = set()
    for metric in outcomes_of(request):
        if metric is CELL:
            continue
        for load, choice in sources.reading(metric, request).choices.items():
            if choice is not NOTHING or basis_of(metric, request) == "common_window":
                found.add((coverage.networks[load], metric.name, choice))
    return tuple(
        AttributionUsed(
            network=network,
            metric=name,
            column=choice.column or "",
            label=parsed(choice.column).label if choice.column else "",
            fit=choice.fit,
            difference=choice.difference,
        )
        for network, name, choice in sorted(found, key=lambda item: (item[0], item[1], item[2].column or ""))
    )
