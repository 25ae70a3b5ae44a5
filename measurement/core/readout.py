"""What a reading says, in words and key figures: one text for the page, the files, the command line and the planner."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

import numpy as np

from measurement.core.answers import EVIDENCE, Estimate, PanelReading
from measurement.core.geo_methods import INDEXED
from measurement.core.placebo_words import as_extreme, beyond_words, placebo_how
from measurement.core.words import (
    MISSING,
    between,
    count_of,
    method_name,
    money,
    money_range,
    p_text,
    percent,
    percent_range,
    period_text,
    plural,
    ratio,
    ratio_range,
    short_money,
)

Tone = Literal["good", "bad", "warn", "flat"]
POWER: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentFacts:
    """What surrounds a reading: names, the plan, and what a report has to disclose.

    Attributes:
        reference: short name that people quote. design: "geo heavy-up", "matched pairs" and the like.
        unit: singular noun of the units (state, city, SKU). outcome: noun of what is counted (sales, orders).
        currency: of outcome and cost; empty where the outcome is no money.
        plan_sha256: of the registered analysis plan, empty where there is none. registered: about when, in words.
        registered_late: the plan was written down after the test had begun.
        power, mde: as planned, fractions; None where no power was worked out before.
        left_out: units in neither group. why_left_out: in words.
        taken_away: the treated had less spend, not more: ads that work show as a fall.
        attribution: model and windows of the attributed figures that the test is compared with.
        viewability, invalid_traffic: what a reader of the figures is told of them.
    """

    name: str
    reference: str = ""
    brand: str = ""
    retailer: str = ""
    placement: str = ""
    design: str = ""
    unit: str = "unit"
    outcome: str = "sales"
    currency: str = ""
    plan_sha256: str = ""
    registered: str = ""
    registered_late: bool = False
    power: float | None = None
    mde: float | None = None
    left_out: tuple[str, ...] = ()
    why_left_out: str = ""
    taken_away: bool = False
    attribution: str = ""
    viewability: str = "Not used: all outcomes of the units were counted, not those after an impression or a click"
    invalid_traffic: str = "As filtered by the network; no credit depends on it, for all outcomes of the units count"

    @property
    def units(self) -> str:
        """The noun for several of them."""
        return plural(self.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFigure:
    """A figure with its interval and what it means in plain words. `how`: how it is computed."""

    label: str
    value: str
    interval: str
    verdict: str
    tone: Tone
    how: str


def level(reading: PanelReading) -> str:
    """95% for an alpha of .05."""
    return f"{100 * (1 - reading.alpha):g}%"


def side(estimate: Estimate, border: float = 0.0) -> int:
    """1 where the whole interval lies above the border, -1 where below, 0 where the border is inside."""
    if estimate.low is not None and estimate.low > border:
        return 1
    if estimate.high is not None and estimate.high < border:
        return -1
    return 0


def key_figures(reading: PanelReading, facts: ExperimentFacts) -> tuple[KeyFigure, ...]:
    """Lift, incremental outcome, iROAS, p and power: five figures, each with interval and verdict."""
    return (
        _lift(reading, facts),
        _incremental(reading, facts),
        _iroas(reading),
        _p(reading, facts),
        _power(reading, facts),
    )


#: Tests that have no units: what is treated in them.
_WHOLE: Final = {"ab": "the treated users", "switchback": "the treated periods"}


def groups_words(reading: PanelReading, facts: ExperimentFacts) -> str:
    """9 treated and 39 control states; of tests without units, how many users or periods."""
    if reading.method in _WHOLE:
        return " against ".join((*reading.treated, *reading.controls))
    if not reading.controls:
        return count_of(len(reading.treated), f"treated {facts.unit}")
    return f"{len(reading.treated)} treated and {count_of(len(reading.controls), f'control {facts.unit}')}"


def effect_side(reading: PanelReading) -> int:
    """1 where the test finds a rise, -1 where a fall, 0 where p does not tell the effect from none."""
    return int(np.sign(reading.incremental.value)) if reading.p_value < reading.alpha else 0


def headline(reading: PanelReading, facts: ExperimentFacts) -> str:
    """The reading as a sentence or two."""
    at = effect_side(reading)
    groups = _WHOLE.get(reading.method) or count_of(len(reading.treated), f"treated {facts.unit}")
    if np.isfinite(reading.lift.value):
        size, ends = percent(abs(reading.lift.value)), percent_range(reading.lift)
        signed = percent(reading.lift.value, signed=True)
        zero_inside, no_lift = side(reading.lift) == 0, ""
    else:
        size, ends = (
            money(abs(reading.incremental.value), facts.currency),
            money_range(reading.incremental, facts.currency),
        )
        signed = money(reading.incremental.value, facts.currency)
        zero_inside, no_lift = side(reading.incremental) == 0, f" {NO_LIFT}"
    if at == 0:
        because = "holds 0" if zero_inside else f"does not count at p = {reading.p_value:.2g}"
        told = (
            f"No effect on the {facts.outcome} of {groups} is shown: the estimate is {signed}, and the "
            f"{level(reading)} interval, {ends}, {because}.{no_lift}"
        )
    else:
        way = f"{'rose' if at > 0 else 'fell'} by {size} ({level(reading)} interval {ends})"
        told = (
            f"With less spend on ads, {facts.outcome} of {groups} {way}.{no_lift}"
            if facts.taken_away
            else f"{facts.outcome.capitalize()} of {groups} {way} because of the test.{no_lift}"
        )
    if reading.iroas is None:
        return told
    spend = "spend that was taken away had" if facts.taken_away else "extra spend"
    if not facts.currency:
        return f"{told} Each unit of {spend} brought {ratio(reading.iroas.value)} ({ratio_range(reading.iroas)})."
    value, low, high = (
        money(one, facts.currency, digits=2) for one in (reading.iroas.value, reading.iroas.low, reading.iroas.high)
    )
    return f"{told} Each {money(1.0, facts.currency)} of {spend} brought {value} ({between(low, high)})."


#: Where a share of nothing is asked for.
NO_LIFT: Final = "It is no share of anything: without the test nothing would have been sold."


def tone_of(reading: PanelReading, facts: ExperimentFacts) -> Tone:
    """Whether the lift speaks for the ads, against them, or not at all."""
    return _VERDICTS[effect_side(reading) * (-1 if facts.taken_away else 1)][1]


def _lift(reading: PanelReading, facts: ExperimentFacts) -> KeyFigure:
    known, at = bool(np.isfinite(reading.lift.value)), effect_side(reading)
    if not known:
        verdict = "no lift: nothing would have been sold without the test"
    elif at == side(reading.lift):
        verdict = _VERDICTS[at][0].format(level=level(reading), border="0")
    else:
        verdict = f"p {'below' if at else 'not below'} {reading.alpha:g}"
    return KeyFigure(
        label="Lift",
        value=percent(reading.lift.value, signed=True),
        interval=percent_range(reading.lift) if known else "",
        verdict=verdict,
        tone=tone_of(reading, facts),
        how="Observed over counterfactual, less one, over the treated units and the test with its cool-down. "
        f"Interval from {reading.procedure}: the same procedure that gives p.",
    )


_VERDICTS: Final[dict[int, tuple[str, Tone]]] = {
    1: ("{level} interval above {border}", "good"),
    -1: ("{level} interval below {border}", "bad"),
    0: ("{level} interval holds {border}", "warn"),
}


def _incremental(reading: PanelReading, facts: ExperimentFacts) -> KeyFigure:
    without = float(reading.counterfactual[reading.start : reading.cooldown_end + 1].sum())
    return KeyFigure(
        label=f"Incremental {facts.outcome}",
        value=short_money(reading.incremental.value, facts.currency),
        interval=money_range(reading.incremental, facts.currency),
        verdict=f"on {short_money(without, facts.currency)} without the test",
        tone="flat",
        how="Observed less counterfactual, summed over treated units and periods from the first of the test to the "
        f"last of the cool-down: {money(reading.incremental.value, facts.currency)} in full.",
    )


def _iroas(reading: PanelReading) -> KeyFigure:
    how = "Incremental outcome over extra spend; the interval divides the ends that the test does not reject."
    if reading.iroas is None:
        return KeyFigure(
            label="iROAS", value=MISSING, interval="", verdict="no extra spend is known", tone="flat", how=how
        )
    at = side(reading.iroas, 1.0)
    verdict, tone = _VERDICTS[at]
    return KeyFigure(
        label="iROAS",
        value=ratio(reading.iroas.value),
        interval=ratio_range(reading.iroas),
        verdict=verdict.format(level=level(reading), border="1.0"),
        tone=tone,
        how=f"{how} At 1.0 the extra spend came back as sales, before any cost of goods.",
    )


def _p(reading: PanelReading, facts: ExperimentFacts) -> KeyFigure:
    found = reading.p_value < reading.alpha
    counts = as_extreme(reading)
    return KeyFigure(
        label="Placebo p" if counts else "p-value",
        value=p_text(reading.p_value),
        interval=count_of(counts[1], "placebo") if counts else "",
        verdict=f"{'below' if found else 'not below'} {reading.alpha:g}"
        + (f", {counts[0]} of {counts[1]} as extreme" if counts else ""),
        tone="good" if found else "warn",
        how=f"Two-sided, from {reading.procedure}." + (f" {beyond_words(reading)}." if counts else ""),
    )


def _power(reading: PanelReading, facts: ExperimentFacts) -> KeyFigure:
    if facts.power is not None:
        above = None if facts.mde is None else abs(reading.lift.value) >= facts.mde
        return KeyFigure(
            label="Power at planning",
            value=percent(facts.power, 0),
            interval="" if facts.mde is None else f"MDE {percent(facts.mde)}",
            verdict="" if above is None else "lift above the MDE" if above else "lift below the MDE",
            tone="good" if above else "flat",
            how="Chance to find the least detectable effect (MDE), from the errors of placebo tests in earlier weeks, "
            "worked out before the start.",
        )
    least = detectable(reading)
    return KeyFigure(
        label="Detectable lift",
        value=percent(least),
        interval=f"at {POWER:.0%} power",
        verdict="no power was planned",
        tone="flat",
        how="What such a test finds four times of five, from the spread of its placebos or the width of its interval. "
        "Worked out with the reading, not before the start.",
    )


def detectable(reading: PanelReading) -> float | None:
    """The lift that a test like this one finds at 80 % power: (z(1 - alpha/2) + z(.8)) times its standard error.

    The standard error is that of the placebos where there are enough, else read off the interval; None without both.
    """
    normal = NormalDist()
    sure = normal.inv_cdf(1 - reading.alpha / 2)
    if len(reading.placebos) >= 10:
        error = float(np.sqrt(np.mean(np.square(reading.placebos))))
    elif reading.lift.low is not None and reading.lift.high is not None:
        error = (reading.lift.high - reading.lift.low) / 2 / sure
    else:
        return None
    return (sure + normal.inv_cdf(POWER)) * error


def fit_error(reading: PanelReading) -> float | None:
    """Mean absolute misfit before the test, as a share of what was observed (MAPE); None without such periods."""
    observed = reading.observed[: reading.start]
    fitted = reading.counterfactual[: reading.start]
    known = (observed > 0) & np.isfinite(fitted)
    if not known.any():
        return None
    return float(np.mean(np.abs(observed[known] - fitted[known]) / observed[known]))


def passed_cost(reading: PanelReading) -> dt.date | int | None:
    """From which period on the cumulative effect stays at or beyond the extra spend; None where it never does.

    Where spend was taken away it is the loss of sales that is held against what was saved.
    """
    if not reading.cost or not len(reading.cumulative):
        return None
    gained = reading.cumulative * np.sign(reading.cost)
    if gained[-1] < abs(reading.cost):
        return None
    below = np.flatnonzero(gained < abs(reading.cost))
    return reading.periods[reading.start + (int(below[-1]) + 1 if len(below) else 0)]


def passed_words(reading: PanelReading, facts: ExperimentFacts) -> str:
    """Whether and when the cumulative effect passed the spend; empty where no change of spend is known."""
    if not reading.cost:
        return ""
    at = passed_cost(reading)
    path, spend = ("", "the extra spend") if reading.cost > 0 else ("the loss ", "the spend that was saved")
    told = (
        f"{path}stays below {spend}{' of' if reading.cost > 0 else ','} {money(abs(reading.cost), facts.currency)}"
        if at is None
        else f"{path}passes {spend} on {period_text(at)}"
    )
    return told[0].upper() + told[1:]


def cooldown_share(reading: PanelReading) -> float | None:
    """Which share of the effect came in the cool-down; None where there is none."""
    if reading.cooldown_end == reading.end or not reading.incremental.value:
        return None
    total = float(reading.cumulative[-1])
    return (total - float(reading.cumulative[reading.end - reading.start])) / total if total else None


def evidence_words(reading: PanelReading) -> str:
    """Class of evidence in the words of the guidelines."""
    return EVIDENCE[reading.evidence]


def span(reading: PanelReading) -> str:
    """28 periods from 14 Sep 2026 to 11 Oct 2026, 14 of cool-down after them."""
    first, last = reading.periods[reading.start], reading.periods[reading.end]
    noun = "day" if isinstance(first, dt.date) and _step(reading) == 1 else "period"
    cool = reading.cooldown_end - reading.end
    after = f", {cool} of cool-down after them" if cool else ""
    return f"{count_of(reading.end - reading.start + 1, noun)} from {period_text(first)} to {period_text(last)}{after}"


def _step(reading: PanelReading) -> int:
    first, second = reading.periods[:2] if len(reading.periods) > 1 else (0, 1)
    if isinstance(first, dt.date) and isinstance(second, dt.date):
        return (second - first).days
    return 1


def disclosure(reading: PanelReading, facts: ExperimentFacts) -> tuple[tuple[str, str], ...]:
    """What the IAB/MRC retail-media guidelines ask to be told with such figures: (title, text)."""
    lift = f"lift {percent(reading.lift.value, signed=True)} ({percent_range(reading.lift)})"
    iroas = "" if reading.iroas is None else f", iROAS {ratio(reading.iroas.value)} ({ratio_range(reading.iroas)})"
    return (
        ("Attribution", facts.attribution or "None: the effect is measured on all sales, not on attributed ones"),
        ("Viewability", facts.viewability),
        ("Invalid traffic", facts.invalid_traffic),
        (
            "Incrementality",
            f"{method_name(reading.method)}; {reading.procedure}; {level(reading)} intervals: {lift}{iroas}",
        ),
        ("Class of evidence", evidence_words(reading)),
    )


def how_texts(reading: PanelReading, facts: ExperimentFacts) -> dict[str, str]:
    """How each part of the page is computed."""
    name = method_name(reading.method)
    fit = fit_error(reading)
    before = count_of(reading.start, "period")
    return {
        "counterfactual": f"{name}: what the treated {facts.units} would have sold without the test, from "
        f"{count_of(len(reading.controls), f'control {facts.unit}')} and {before} before the start"
        + ("" if fit is None else f", which it misses by {percent(fit)} on average")
        + f". {reading.why_method} The interval is that of {reading.procedure}.",
        "placebo": placebo_how(reading),
        "cumulative": "Observed less counterfactual, added up from the first period of the test to the end of the "
        "cool-down, so that sales brought forward from later weeks are taken off again.",
        "where": f"Treated: where spend was changed. Control: {facts.units} that the counterfactual may use. "
        f"Left out: in neither group{f' ({facts.why_left_out})' if facts.why_left_out else ''}.",
        "units": f"Each treated {facts.unit} against its own counterfactual by the same method. A single {facts.unit} "
        "is noisy; the intervals are of all together.",
        "groups": "Users were drawn into the groups one by one; the lift is the treated mean over the control mean, "
        f"less one. p and interval are of one procedure: {reading.procedure}.",
        "switchback": "Treatment was switched on and off by lot; only stretches that are long enough for the effect of "
        f"the one before to have gone count. p and interval are of one procedure: {reading.procedure}.",
        "sensitivity": "Other methods on the same data. They are no second chance: the one above was fixed by the "
        "design, and where the others disagree the answer hangs on assumptions.",
        "weights": "Share of each control in the counterfactual"
        f"{', by its sales over their mean before the test' if reading.method == INDEXED else ''}; they are at least 0 "
        "and add up to 1 unless the method says otherwise. The misfit is the root of the summed squared differences "
        "before the test.",
        "plan": "What would be measured, how and when it may be read is written down and hashed before the start; the "
        "same plan gives the same hash.",
    }  # fmt: skip
