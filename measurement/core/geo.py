"""The analysis of a test on markets (or any units): from a panel to a reading, by the method that suits the design."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from measurement.core.answers import PanelReading, Sensitivity
from measurement.core.arrays import Ints
from measurement.core.conformal import conformal_p_value
from measurement.core.geo_choice import WEIGHED_BY, choose_method, without_dead_controls
from measurement.core.geo_methods import (
    INDEXED,
    Progress,
    augmented_control,
    differences,
    indexed_control,
    synthetic_control,
    synthetic_did,
)
from measurement.core.geo_pairs import ENOUGH_PAIRS, analyze_paired
from measurement.core.geo_question import InvalidTest, admissible_rows, read_question
from measurement.core.geo_reading import incremental_of, lift_of, reading_of
from measurement.core.geo_warnings import test_warnings
from measurement.core.log_did import log_differences
from measurement.core.panel import Panel
from measurement.core.placebo import PLACEBOS, placebo_sets
from measurement.core.sc_ttest import control_t_test
from measurement.core.tbr import time_based_regression
from measurement.core.treated_panel import Finding, TreatedPanel
from tenants.core.problems import Problem

#: Methods that the command line and the product know, in the order in which they are told.
METHODS: Final = ("auto", "sc_indexed", "sc", "asc", "sdid", "did", "log_did", "tbr", "sc_t", "pairs", "trimmed_match")
_PAIRED: Final = ("pairs", "trimmed_match")
ASKED: Final = "It was asked for."
#: Asked beside the chosen one, so that a reader sees what hangs on the method.
_BESIDE: Final = ("sc_indexed", "sc", "sdid", "asc", "log_did")
#: Placebo sets of the methods asked beside the chosen one.
_FEWER: Final = 120


def analyze_geo(
    panel: Panel,
    *,
    treated: Sequence[str] | None = None,
    assignment: Mapping[str, str] | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    start: int | dt.date | str,
    end: int | dt.date | str | None = None,
    cooldown: int = 0,
    method: str = "auto",
    alpha: float = 0.05,
    seed: int = 1,
    placebos: int = PLACEBOS,
    admissible: Sequence[Sequence[str]] | None = None,
    randomised: bool = False,
    exclude: Sequence[str] = (),
    unit_effects: bool = True,
    sensitivity: bool = True,
    weighed_by: str = WEIGHED_BY,
    progress: Progress | None = None,
) -> PanelReading:
    """The effect of a test on the treated units of a panel.

    Args:
        treated: names of the treated units; all others are controls. assignment: instead, unit -> `treated` or
            `control`; units of another group, or of none, take no part.
        pairs: (treated, control) names within which the treated ones were drawn.
        start, end: first and last period of the test, inclusive, counted from 1 or named; end of the data if None.
        cooldown: periods after `end` whose effect is counted to the test, in every figure.
        method: see `METHODS`; `auto` chooses by the design.
        alpha: two-sided.
        placebos: sets drawn for placebo in space. admissible: sets of treated units that the design could have drawn.
        randomised: whether the treated units were drawn at random (among `admissible` where given): the reading is
            then of an experiment.
        exclude: units that take no part, such as those in another test at the time.
        unit_effects: whether synthetic control fits outcomes about each unit's mean; without, `auto` is `sc`.
        sensitivity: whether to ask other methods too.
        weighed_by: what `auto` takes where controls are to be weighed; a plan may name what it was registered with.
        progress: called with placebo sets done and all sets.

    Raises:
        UnknownUnits, NotYetReadable, InvalidTest: naming what does not fit.
        InvalidInput: what the method cannot take, such as a treated unit that sold nothing before.
    """
    if not 0.0 < alpha < 0.5:
        raise InvalidTest(f"alpha is {alpha}.", where="alpha", fix="Give a two-sided level such as 0.05.")
    if method not in METHODS:
        raise InvalidTest(f"There is no method {method!r}.", where="method", fix=f"Use {', '.join(METHODS)}.")
    if placebos < 1:
        raise InvalidTest(f"{placebos} placebo sets are asked for.", where="placebos", fix="Ask for 19 or more.")
    test, notes = read_question(
        panel, treated=treated, assignment=assignment, start=start, end=end, cooldown=cooldown, exclude=exclude
    )
    paired = method in _PAIRED or (method == "auto" and len(pairs or ()) >= ENOUGH_PAIRS)
    if paired:
        chosen = "pairs" if method == "auto" else method
        why = (
            f"{len(pairs or ())} pairs were randomised, {ENOUGH_PAIRS} or more: log difference in differences of pairs "
            "with the sign-flip test, whose reassignments are those of the design."
            if method == "auto"
            else ASKED
        )
        return analyze_paired(panel, test, pairs, method=chosen, why=why, alpha=alpha, seed=seed, warnings=notes)
    weighed = weighed_by if unit_effects else "sc"
    if method == "auto" and weighed == INDEXED:
        test, dead = without_dead_controls(test)
        notes += dead
    rows = admissible_rows(test, admissible)
    sets = placebo_sets(len(test.names), test.treated.tolist(), count=placebos, seed=seed, admissible=rows)
    chosen, why = choose_method(test, sets, alpha, weighed_by=weighed) if method == "auto" else (method, ASKED)
    finding = _ask(chosen, test, sets, alpha, unit_effects, progress)
    others = _others(chosen, test, sets, alpha, seed, unit_effects) if sensitivity else []
    return reading_of(
        panel,
        test,
        finding,
        method=chosen,
        why=why,
        alpha=alpha,
        evidence="experiment" if randomised and finding.evidence == "counterfactual" else finding.evidence,
        sensitivity=others,
        warnings=[*notes, *test_warnings(panel, test, finding, chosen, alpha, drawn=randomised)],
    )


def _ask(
    method: str, test: TreatedPanel, sets: Ints, alpha: float, unit_effects: bool, progress: Progress | None
) -> Finding:
    asked: dict[str, Callable[[], Finding]] = {
        "sc_indexed": lambda: indexed_control(test, sets, alpha=alpha, progress=progress),
        "sc": lambda: synthetic_control(test, sets, alpha=alpha, unit_effects=unit_effects, progress=progress),
        "asc": lambda: augmented_control(test, sets, alpha=alpha, progress=progress),
        "sdid": lambda: synthetic_did(test, sets, alpha=alpha, progress=progress),
        "did": lambda: differences(test, sets, alpha=alpha),
        "log_did": lambda: log_differences(test, sets, alpha=alpha),
        "tbr": lambda: time_based_regression(test, alpha=alpha),
        "sc_t": lambda: control_t_test(test, alpha=alpha, unit_effects=unit_effects),
    }
    return asked[method]()


def _others(
    chosen: str, test: TreatedPanel, sets: Ints, alpha: float, seed: int, unit_effects: bool
) -> list[Sensitivity]:
    """Other methods on the same data, and what the popular conformal tests would say."""
    found = []
    for method in _BESIDE:
        if method == chosen:
            continue
        try:
            finding = _ask(method, test, sets[: _FEWER + 1], alpha, unit_effects, None)
        except Problem as problem:
            found.append(Sensitivity(method, None, None, str(problem)))
            continue
        lift = lift_of(test, incremental_of(test, finding))
        undefined = "" if np.isfinite(lift.value) else "no lift: nothing would have been sold by this method"
        found.append(Sensitivity(method, None if undefined else lift, finding.p_value, undefined))
    note = "p-value only; alternative of other tools, takes days as independent or has few blocks"
    found.append(
        Sensitivity("conformal_iid", None, conformal_p_value(test, effect=0.0, permutations="iid", seed=seed), note)
    )
    found.append(
        Sensitivity("conformal_block", None, conformal_p_value(test, effect=0.0, permutations="block", seed=seed), note)
    )
    return found
