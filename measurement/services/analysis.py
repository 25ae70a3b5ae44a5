"""Which core function reads an experiment: its kind and assignment decide, and the method that its plan names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from measurement.core.answers import PanelReading
from measurement.core.geo import analyze_geo
from measurement.core.geo_choice import WEIGHED_BY
from measurement.core.multi_cell import cell_alpha
from measurement.core.pair_panel import unpaired
from measurement.core.pairs import analyze_pairs
from measurement.core.panel import Panel, last_days
from measurement.core.reading_json import reading_as_dict
from measurement.core.strata_reading import analyze_strata
from measurement.core.trimmed_match_reading import analyze_trimmed_match
from measurement.core.words import count_of
from measurement.models import Experiment, ExperimentUnit, PanelVersion
from measurement.services.changed_data import by_plan, changes_of
from measurement.services.looks import Look
from measurement.services.panels import log_data, panel_data, summary_data
from measurement.services.user_readings import read_switchback, read_users
from tenants.core.problems import Conflict

Progress = Callable[[int, int], None]
#: With fewer pairs the sign-flip test has hardly any reassignments; measured in docs/measurement.md.
LEAST_PAIRS: Final = 8
#: Assignments drawn as the design could have drawn them; as many as placebo tests use.
DRAWS: Final = 400
_DRAWN: Final = ("pairs", "stratified", "cells", "sku")
#: Methods whose p rests on the draw alone.
BY_LOT: Final = ("pairs", "trimmed_match", "strata")
_LATE: Final = "Units were drawn after the test had begun: they are read as if a person had chosen them."


@dataclass(frozen=True)
class Window:
    """The test in periods of the data, positions from 0, both inclusive; `cooldown` in periods."""

    start: int
    end: int
    cooldown: int


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """The reading, and of several cells each one's own at a level that holds the chance of any false one."""

    reading: PanelReading
    cells: dict[str, PanelReading]

    def as_dict(self) -> dict[str, Any]:
        """For storage: the reading, with those of the cells beside it."""
        document = reading_as_dict(self.reading)
        if self.cells:
            document["cells"] = {cell: reading_as_dict(one) for cell, one in self.cells.items()}
        return document


def analyze(
    experiment: Experiment, panel: PanelVersion, *, look: Look, progress: Progress = lambda done, total: None
) -> Analysis:
    """Read an experiment from some data under its plan.

    Args:
        look: its level, and how far it looks.

    Raises:
        Problem: the data do not let the plan be carried out; names what is missing.
    """
    groups = {one.unit: one for one in experiment.units.all() if one.group != "excluded"}
    over_units = panel.format == PanelVersion.Format.PANEL
    # Parsed once: a file may have a million rows.
    data = by_plan(experiment, panel_data(panel, required=groups)) if over_units else None
    found = _analyzed(experiment, panel, data, groups, look, progress)
    words = [look.note] if look.note else []
    by_lot = (experiment.design.get("assignment") or {}).get("seed") is not None
    if by_lot and experiment.design.get("kind") in (*_DRAWN, "switchback") and drawn_late(experiment):
        words.append(_LATE)
    if data is not None:
        words += changes_of(experiment, panel, data)
    return replace(found, reading=noted(found.reading, *words))


def noted(reading: PanelReading, *words: str) -> PanelReading:
    """The reading with more to know, first."""
    return replace(reading, warnings=(*words, *reading.warnings))


def _analyzed(
    experiment: Experiment,
    panel: PanelVersion,
    data: Panel | None,
    groups: dict[str, ExperimentUnit],
    look: Look,
    progress: Progress,
) -> Analysis:
    kind, alpha = Experiment.Kind(experiment.kind), look.alpha
    if kind == Experiment.Kind.AB:
        return Analysis(reading=read_users(experiment, summary_data(panel), alpha=alpha), cells={})
    if kind == Experiment.Kind.SWITCHBACK:
        read = read_switchback(experiment, log_data(panel), alpha=alpha)
        return Analysis(reading=replace(read, evidence="counterfactual") if drawn_late(experiment) else read, cells={})
    if data is None:
        raise AssertionError("a test of units is read from a panel")
    window = window_of(data, experiment, until=look.until)
    cells = sorted({one.cell for one in groups.values() if one.group == "treated" and one.cell})
    if len(cells) < 2:
        return Analysis(reading=_read(experiment, data, groups, window, alpha, progress), cells={})
    level = cell_alpha(alpha, len(cells))
    found = {}
    for place, cell in enumerate(cells):
        inside = {unit: one for unit, one in groups.items() if one.group == "control" or one.cell == cell}
        found[cell] = _read(
            experiment, data, inside, window, level,
            lambda done, total, place=place: progress(place * total + done, (len(cells) + 1) * total),  # type: ignore[misc]
        )  # fmt: skip
    whole = _read(experiment, data, groups, window, alpha, progress)
    words = f"All {len(cells)} cells together; each by itself is read at level {level:.4g}."
    return Analysis(reading=noted(whole, words), cells=found)


def window_of(panel: Panel, experiment: Experiment, *, until: date | None = None) -> Window:
    """The test of an experiment in the periods of a panel: whole periods within its days.

    Raises:
        Conflict: no period of the panel lies in the test, or none before it.
    """
    first, last = experiment.start_date, experiment.end_date
    if first is None or last is None:
        raise Conflict(f"{experiment.label} has no dates.", fix="Give its start and end.")
    cooled = last + timedelta(days=experiment.cooldown_days)
    if until is not None and until < last:
        last = cooled = until
    days = [one for one in panel.periods if isinstance(one, date)]
    ends = last_days(days)
    inside = [at for at, one in enumerate(days) if one >= first and ends[at] <= last]
    after = [at for at, one in enumerate(days) if one >= first and ends[at] <= cooled]
    if not inside or inside[0] == 0:
        raise Conflict(
            f"The data hold no whole period from {first:%-d %b %Y} to {last:%-d %b %Y}."
            if not inside
            else "The data have no history.",
            where="panel",
            fix="Send the history and the whole test in one file.",
        )
    return Window(inside[0], inside[-1], after[-1] - inside[-1])


def _read(
    experiment: Experiment,
    data: Panel,
    groups: dict[str, Any],
    window: Window,
    alpha: float,
    progress: Progress,
) -> PanelReading:
    pairs, drawn = _pairs(groups), is_drawn(experiment)
    # Methods that rest on the coin alone need one that was tossed before the test.
    method = experiment.method if drawn or experiment.method not in BY_LOT else "auto"
    randomised = drawn and len(pairs) >= LEAST_PAIRS
    if method == "trimmed_match":
        read = analyze_trimmed_match(
            data, pairs=pairs, start=window.start, end=window.end, cooldown=window.cooldown, alpha=alpha
        )
        return noted(read, *filter(None, [unpaired(groups, pairs)]))
    if method == "pairs" or (method == "auto" and randomised):
        read = analyze_pairs(
            data, pairs=pairs, start=window.start, end=window.end, cooldown=window.cooldown, alpha=alpha,
            seed=experiment.seed,
        )  # fmt: skip
        return noted(read, *filter(None, [unpaired(groups, pairs)]))
    strata = strata_of(groups) if drawn else []
    if method == "strata" or (method == "auto" and strata and experiment.kind == Experiment.Kind.SKU):
        read = analyze_strata(
            data, strata=strata, start=window.start, end=window.end, cooldown=window.cooldown, alpha=alpha,
            seed=experiment.seed,
        )  # fmt: skip
        return noted(read, *filter(None, [unread(groups, strata)]))
    return analyze_geo(
        data,
        assignment={unit: one.group for unit, one in groups.items()},
        start=window.start + 1,
        end=window.end + 1,
        cooldown=window.cooldown,
        method=method,
        alpha=alpha,
        seed=experiment.seed,
        admissible=admissible_sets(groups, seed=experiment.seed) if drawn else None,
        randomised=drawn,
        weighed_by=weighed_by(experiment),
        progress=progress,
    )


def weighed_by(experiment: Experiment) -> str:
    """What `auto` takes where controls are to be weighed; plans without a word on it had sales as they are."""
    plan = experiment.analysis_plan
    return str(plan.get("weighed_by", "sc")) if plan else WEIGHED_BY


def strata_of(groups: Mapping[str, ExperimentUnit]) -> list[tuple[list[str], list[str]]]:
    """(treated, controls) of every stratum that holds both; one that holds a single arm tells nothing."""
    arms: dict[str, tuple[list[str], list[str]]] = {}
    for unit, one in groups.items():
        if one.stratum:
            arms.setdefault(one.stratum, ([], []))[one.group != "treated"].append(unit)
    return [arm for _, arm in sorted(arms.items()) if arm[0] and arm[1]]


def unread(groups: Mapping[str, ExperimentUnit], strata: list[tuple[list[str], list[str]]]) -> str:
    """A sentence on units of the test whose stratum holds one arm alone; empty where there are none."""
    held = {unit for arms in strata for arm in arms for unit in arm}
    out = [unit for unit in groups if unit not in held]
    if not out:
        return ""
    more = f" and {len(out) - 5} more" if len(out) > 5 else ""
    return (
        f"{count_of(len(out), 'unit')} of the test in no stratum with both arms, not read: {', '.join(out[:5])}{more}."
    )


def is_drawn(experiment: Experiment) -> bool:
    """Whether its units were assigned by lot before the test, and not chosen by a search, by a person or afterwards."""
    assignment = experiment.design.get("assignment") or {}
    by_lot = experiment.design.get("kind") in _DRAWN and assignment.get("seed") is not None
    return by_lot and not drawn_late(experiment)


def drawn_late(experiment: Experiment) -> bool:
    """Whether units were assigned after the test had begun: whoever draws then can draw until it suits."""
    drawn_at = (experiment.design.get("assignment") or {}).get("drawn_at")
    return experiment.start_date is not None and (drawn_at is None or str(experiment.start_date) < drawn_at)


def admissible_sets(groups: Mapping[str, ExperimentUnit], *, seed: int) -> list[list[str]] | None:
    """Treated units as the draw could have given them: as many in each pair or stratum; `DRAWS` of them by seed.

    None where no unit has a pair or stratum: then any units could have been treated.
    """
    blocks: dict[str, list[ExperimentUnit]] = {}
    for one in groups.values():
        blocks.setdefault(one.pair or one.stratum, []).append(one)
    if set(blocks) <= {""}:
        return None
    rng = np.random.default_rng(seed)
    drawn: dict[tuple[str, ...], None] = {}
    for _ in range(DRAWS):
        members: list[str] = []
        for _, block in sorted(blocks.items()):
            treated = sum(one.group == "treated" for one in block)
            chosen = rng.choice(len(block), treated, replace=False)
            members += [block[at].unit for at in chosen]
        drawn[tuple(sorted(members))] = None
    return [list(one) for one in drawn]


def _pairs(groups: dict[str, Any]) -> list[tuple[str, str]]:
    arms: dict[str, dict[str, str]] = {}
    for unit, one in groups.items():
        if one.pair:
            arms.setdefault(one.pair, {})[one.group] = unit
    return [(arm["treated"], arm["control"]) for _, arm in sorted(arms.items()) if len(arm) == 2]
