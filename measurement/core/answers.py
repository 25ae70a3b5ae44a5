"""What an analysis of an experiment says, whatever its design and method.

Every reading carries its p-value and its intervals from one procedure, named in `procedure`: an effect whose interval
leaves out zero has p below alpha, and the other way round.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final, Literal

from measurement.core.arrays import Floats

#: Class of evidence, in the words of the IAB / IAB Europe commerce-media measurement guidelines (November 2025).
EVIDENCE: Final = {
    "experiment": "randomised experiment",
    "counterfactual": "model-based counterfactual",
    "econometric": "econometric model",
    "proxy": "hybrid proxy",
}
Evidence = Literal["experiment", "counterfactual", "econometric", "proxy"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval; an end that the data do not bound is None."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The same question asked of another method."""

    method: str
    lift: Estimate | None
    p_value: float | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitEffect:
    """One treated unit (a market, a SKU, a pair) in the test: shape [periods] each."""

    unit: str
    lift: float | None
    observed: Floats
    counterfactual: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelReading:
    """The reading of a test on a panel of units (markets, SKUs) by periods.

    Attributes:
        method: the key asked for on the command line (`sc_indexed`, `sc`, `asc`, `sdid`, `did`, `log_did`, `tbr`,
            `sc_t`, `pairs`, `trimmed_match`).
        why_method: why it is the one for this design, or that it was asked for.
        procedure: the one procedure that p-value and intervals come from.
        evidence: a key of `EVIDENCE`.
        alpha: two-sided; intervals are of level 1 - alpha.
        att: mean effect per treated unit and test period, in units of the outcome.
        lift: effect over counterfactual, a fraction.
        incremental: summed over treated units and test periods, cool-down included where there is one.
        iroas: incremental outcome per unit of extra spend; None where no cost is known.
        cost: extra spend of the test; None where unknown.
        weights: unit -> weight of the counterfactual (`sc_indexed`: of its index), positive ones only.
        l2_imbalance: root of the summed squared misfit before the test; None where the method has no fit.
        scaled_l2: that over the same of equal weights, 0 is a perfect fit; None likewise.
        periods: labels of all periods shown. start, end: first and last test period, positions from 0, both inclusive.
            cooldown_end: last period of the cool-down, equal to `end` where there is none.
        observed, counterfactual, low, high: summed over treated units, shape [periods]; `low` and `high` are the ends
            of the counterfactual's interval, NaN where the procedure says nothing of single periods.
        cumulative, cumulative_low, cumulative_high: from `start` on, shape [cooldown_end - start + 1].
        placebos: lifts that the same method found where nothing had been done; empty where the procedure has none.
        by_unit: the treated units, largest first.
        sensitivity: other methods on the same data. warnings: what a reader must know, in words.
    """

    method: str
    why_method: str
    procedure: str
    evidence: Evidence
    alpha: float
    p_value: float
    att: Estimate
    lift: Estimate
    incremental: Estimate
    iroas: Estimate | None
    cost: float | None
    weights: dict[str, float]
    l2_imbalance: float | None
    scaled_l2: float | None
    periods: tuple[dt.date | int, ...]
    start: int
    end: int
    cooldown_end: int
    treated: tuple[str, ...]
    controls: tuple[str, ...]
    observed: Floats
    counterfactual: Floats
    low: Floats
    high: Floats
    cumulative: Floats
    cumulative_low: Floats
    cumulative_high: Floats
    placebos: Floats
    by_unit: tuple[UnitEffect, ...]
    sensitivity: tuple[Sensitivity, ...] = ()
    warnings: tuple[str, ...] = ()
    details: dict[str, float | int | str] = field(default_factory=dict)
