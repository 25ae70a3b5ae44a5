"""A randomised test told by one row per unit (user, store, market): the reading by regression or by the draw.

Where single units were drawn, Lin's regression takes out covariates from before the test; CUPED is the same with one
slope. Where groups of units were drawn (stores of a chain, users of a market), errors that count units are too small,
and the groups are drawn again instead, or their errors are taken by a wild bootstrap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

import numpy as np
import polars as pl
from scipy import stats

from measurement.core.answers import Estimate
from measurement.core.arrays import Floats, Ints
from measurement.core.few_clusters import (
    LEAST_FOR_BOOTSTRAP,
    ClusterReading,
    randomisation_inference,
    wild_cluster_bootstrap,
)
from measurement.core.panel import require_amounts
from measurement.core.panel_values import lines_text, numbers_of
from measurement.core.reading_assignments import arms_of
from measurement.core.reading_panels import read_text_table
from measurement.core.regression import adjusted_effect, cuped
from measurement.core.sample_ratio import check_sample_ratio
from measurement.core.words import count_of
from tenants.core.problems import InvalidInput, Problem

Method = Literal["auto", "lin", "cuped", "randomisation", "bootstrap"]
METHODS: Final = ("auto", "lin", "cuped", "randomisation", "bootstrap")
Errors = Literal["hc2", "hc3"]
_OF_GROUPS: Final = ("randomisation", "bootstrap")
#: A covariate that differs more was hardly there before the draw; as far out as a group size that alarms.
_UNBALANCED: Final = 0.001


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UnitOutcomes:
    """Units of a test, shape [units] each; `covariates` is [units, k], `names` their k columns.

    Attributes:
        treated: 0 or 1. clusters: the group that was drawn with the unit, strata: within which units or groups were
            drawn; None where there are none.
    """

    outcome: Floats
    treated: Ints
    covariates: Floats
    names: tuple[str, ...] = ()
    clusters: tuple[str, ...] | None = None
    strata: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherAnswer:
    """The same question asked of another method; `note` says why where there is no answer."""

    method: str
    effect: float | None
    ci: tuple[float | None, float | None]
    p_value: float | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitReading:
    """The effect on a unit, in units of the outcome; p and interval are of one procedure.

    Attributes:
        lift: over the mean of the untreated, by the delta method; None where there is none.
        variance_ratio: variance of the effect over that of the plain difference; what covariates leave of it.
        treated, untreated: units. groups: of those drawn, in both arms; None where units were drawn.
    """

    method: str
    why_method: str
    procedure: str
    alpha: float
    effect: Estimate
    p_value: float
    lift: Estimate | None
    control_mean: float
    variance_ratio: float | None
    treated: int
    untreated: int
    groups: tuple[int, int] | None
    sensitivity: tuple[OtherAnswer, ...]
    warnings: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "method": self.method,
            "why_method": self.why_method,
            "procedure": self.procedure,
            "alpha": self.alpha,
            "effect": self.effect.value,
            "ci": [self.effect.low, self.effect.high],
            "p_value": self.p_value,
            "lift": None if self.lift is None else self.lift.value,
            "lift_ci": None if self.lift is None else [self.lift.low, self.lift.high],
            "control_mean": self.control_mean,
            "variance_ratio": self.variance_ratio,
            "units": {"treated": self.treated, "control": self.untreated},
            "groups": None if self.groups is None else dict(zip(("treated", "control"), self.groups, strict=True)),
            "sensitivity": [asdict(other) for other in self.sensitivity],
            "warnings": list(self.warnings),
        }


def read_unit_outcomes(
    content: bytes,
    *,
    outcome: str,
    treated: str,
    covariates: Sequence[str] = (),
    cluster: str | None = None,
    stratum: str | None = None,
) -> UnitOutcomes:
    """Units of a CSV file, by the names of its columns.

    Raises:
        InvalidInput: no table, a column that is not there or is named twice, a cell that is empty or says nothing; with
            its line.
    """
    frame, separator = read_text_table(content)
    wanted = [outcome, treated, *covariates, *(name for name in (cluster, stratum) if name is not None)]
    for name in wanted:
        if name not in frame.columns:
            raise InvalidInput(
                f"There is no column {name!r}.",
                where="header",
                fix=f"The columns are {', '.join(map(repr, frame.columns[:40]))}.",
            )
        if wanted.count(name) > 1:
            raise InvalidInput(f"{name!r} is named twice.", where="columns", fix="Name a column of its own for each.")
    if frame.is_empty():
        raise InvalidInput("The file has a header and no rows.", where="file", fix="Give one row per unit.")
    amounts = [frame[name] for name in (outcome, *covariates)]
    read = {}
    for name in (outcome, *covariates):
        values, _ = numbers_of(frame[name], column=name, comma_file=separator == ",", beside=amounts)
        _require_all(values.is_null(), name)
        read[name] = values.to_numpy().astype(np.float64)
    return UnitOutcomes(
        outcome=read[outcome],
        treated=arms_of(frame[treated], column=treated),
        covariates=np.column_stack([read[name] for name in covariates]) if covariates else np.zeros((len(frame), 0)),
        names=tuple(covariates),
        clusters=_labels(frame, cluster),
        strata=_labels(frame, stratum),
    )


def analyze_units(
    units: UnitOutcomes,
    *,
    method: str = "auto",
    errors: Errors = "hc2",
    alpha: float = 0.05,
    seed: int = 1,
    treated_share: float | None = None,
) -> UnitReading:
    """The effect of treatment on the units of a test.

    Args:
        method: `lin` and `cuped` where units were drawn; `randomisation` and `bootstrap` where groups of them were;
            `auto` is `lin` or `randomisation`.
        errors: of `lin`; `hc3` is refused for few units.
        treated_share: of the draw; sizes of the arms, in groups where those were drawn, are checked against it.

    Raises:
        InvalidInput: a method that does not fit the data, naming what would.
    """
    if method not in METHODS:
        raise InvalidInput(f"There is no method {method!r}.", where="method", fix=f"Use {', '.join(METHODS)}.")
    if not 0.0 < alpha < 0.5:
        raise InvalidInput(f"alpha is {alpha:g}.", where="alpha", fix="Give a two-sided level such as 0.05.")
    if treated_share is not None and not 0.0 < treated_share < 1.0:
        raise InvalidInput(
            f"The share is {treated_share:g}.", where="treated_share", fix="Give a number between 0 and 1."
        )
    require_amounts(units.outcome, "outcome")
    for place, name in enumerate(units.names):
        require_amounts(units.covariates[:, place], name)
    grouped = units.clusters is not None
    chosen = ("randomisation" if grouped or units.strata is not None else "lin") if method == "auto" else method
    _require_fit(units, chosen)
    if grouped:
        why = "Groups of units were drawn: they are drawn again, which holds its level whatever their number."
    elif chosen == "randomisation":
        why = "Units were drawn within strata: they are drawn again within them."
    else:
        why = "Units were drawn one by one: regression on treatment and covariates, never less precise than without."
    found = _asked(units, chosen, errors, alpha, seed)
    treated, untreated = int(units.treated.sum()), int((1 - units.treated).sum())
    return UnitReading(
        method=chosen,
        why_method=why if method == "auto" else "It was asked for.",
        alpha=alpha,
        treated=treated,
        untreated=untreated,
        sensitivity=tuple(_other(units, name, errors, alpha, seed) for name in _beside(units, chosen)),
        warnings=tuple(_warnings(units, found, alpha, treated_share)),
        **found,
    )


def _asked(units: UnitOutcomes, method: str, errors: Errors, alpha: float, seed: int) -> dict[str, Any]:
    """Fields of the reading that the method gives."""
    x = units.covariates if units.names else None
    mean = float(units.outcome[units.treated == 0].mean()) if (units.treated == 0).any() else math.nan
    if method == "lin":
        lin = adjusted_effect(units.outcome, units.treated, x, alpha=alpha, errors=errors)
        return {
            "procedure": lin.procedure, "effect": lin.effect, "p_value": lin.p_value, "lift": lin.lift,
            "control_mean": lin.control_mean, "variance_ratio": lin.variance_ratio, "groups": None,
        }  # fmt: skip
    if method == "cuped":
        one = cuped(units.outcome, units.treated, units.covariates[:, 0], alpha=alpha)
        return {
            "procedure": f"CUPED, slope {one.slope:.4g} and correlation {one.rho:.3f} within arms, Welch's t",
            "effect": one.effect, "p_value": one.p_value, "lift": None, "control_mean": mean,
            "variance_ratio": one.variance_ratio, "groups": None,
        }  # fmt: skip
    read = _of_groups(units, method, alpha, seed)
    return {
        "procedure": read.procedure, "effect": read.effect, "p_value": read.p_value, "lift": None,
        "control_mean": mean, "variance_ratio": None,
        "groups": None if units.clusters is None else (read.treated, read.untreated),
    }  # fmt: skip


def _of_groups(units: UnitOutcomes, method: str, alpha: float, seed: int) -> ClusterReading:
    drawn = units.clusters or tuple(str(place) for place in range(len(units.outcome)))
    if method == "bootstrap":
        x = units.covariates if units.names else None
        return wild_cluster_bootstrap(
            units.outcome, units.treated, drawn, covariates=x, alpha=alpha, seed=seed
        )  # fmt: skip
    return randomisation_inference(
        units.outcome, units.treated, drawn, strata=units.strata,
        before=units.covariates[:, 0] if units.names else None, alpha=alpha, seed=seed,
    )  # fmt: skip


def _require_fit(units: UnitOutcomes, method: str) -> None:
    """Raises InvalidInput where the method would leave out what the data say of the draw, or needs what they lack."""
    grouped = units.clusters is not None
    if grouped and method not in _OF_GROUPS:
        raise InvalidInput(
            f"{method} counts units, but groups of them were drawn: its errors would be too small.",
            where="method",
            fix="Use randomisation or bootstrap, or leave the cluster out if single units were drawn.",
        )
    if method == "bootstrap" and not grouped:
        raise InvalidInput(
            "The bootstrap is of groups, and none are named.", where="cluster", fix="Name the column of the groups."
        )
    if units.strata is not None and method != "randomisation":
        raise InvalidInput(
            f"{method} does not know strata.",
            where="stratum",
            fix="Use randomisation, or leave the stratum out: then intervals are wider than need be.",
        )
    if method == "cuped" and len(units.names) != 1:
        raise InvalidInput(
            f"CUPED takes one covariate, and {len(units.names)} are named.",
            where="covariate",
            fix="Name one, or use lin.",
        )
    if method == "randomisation" and len(units.names) > 1:
        raise InvalidInput(
            f"Randomisation inference takes off one covariate, and {len(units.names)} are named.",
            where="covariate",
            fix="Name the one that says most, such as the outcome before.",
        )


def _beside(units: UnitOutcomes, chosen: str) -> list[str]:
    if units.strata is not None:
        return []
    if units.clusters is not None:
        return [
            name for name in _OF_GROUPS if name != chosen and not (name == "randomisation" and len(units.names) > 1)
        ]
    others = ["difference"] if units.names else []
    return [*others, *(name for name in ("lin", "cuped") if name != chosen and len(units.names) == 1)]


def _other(units: UnitOutcomes, method: str, errors: Errors, alpha: float, seed: int) -> OtherAnswer:
    plain = UnitOutcomes(outcome=units.outcome, treated=units.treated, covariates=np.zeros((len(units.outcome), 0)))
    try:
        found = (
            _asked(plain, "lin", errors, alpha, seed)
            if method == "difference"
            else _asked(units, method, errors, alpha, seed)
        )
    except Problem as problem:
        return OtherAnswer(method=method, effect=None, ci=(None, None), p_value=None, note=str(problem))
    effect: Estimate = found["effect"]
    return OtherAnswer(method=method, effect=effect.value, ci=(effect.low, effect.high), p_value=found["p_value"])


def _warnings(units: UnitOutcomes, found: dict[str, Any], alpha: float, treated_share: float | None) -> list[str]:
    said = []
    treated, untreated = int(units.treated.sum()), int((1 - units.treated).sum())
    if treated_share is not None:
        # What was drawn is counted: groups where there are any.
        drawn = found["groups"] or (treated, untreated)
        sizes = check_sample_ratio(
            dict(zip(("treated", "control"), drawn, strict=True)),
            {"treated": treated_share, "control": 1.0 - treated_share},
        )
        said += [sizes.text] if sizes.mismatch else []
    said += [
        f"{name} differs between the arms by more than chance does (p below {_UNBALANCED:g}): check that it was known "
        "before the draw."
        for place, name in enumerate(units.names)
        if units.clusters is None and _differs(units.covariates[:, place], units.treated)
    ]
    lift: Estimate | None = found["lift"]
    if lift is not None and lift.low is not None and lift.high is not None:
        ruled_out = lift.low > 0.0 or lift.high < 0.0
        if ruled_out != (found["p_value"] < alpha):
            said.append("Effect and lift decide differently: the lift also carries the error of the mean it is over.")
    if found["effect"].low is None or found["effect"].high is None:
        said.append(f"So few groups do not bound the effect at {alpha:g} on one side or both.")
    if found["groups"] is not None and min(found["groups"]) < LEAST_FOR_BOOTSTRAP:
        said.append(f"Only {count_of(min(found['groups']), 'group')} in an arm: a true effect is easily missed.")
    return said


def _differs(values: Floats, treated: Ints) -> bool:
    arms = values[treated == 1], values[treated == 0]
    error = math.sqrt(sum(float(arm.var(ddof=1)) / len(arm) for arm in arms))
    apart = abs(float(arms[0].mean() - arms[1].mean()))
    degrees = min(len(arm) for arm in arms) - 1
    return error > 0.0 and float(2.0 * stats.t.sf(apart / error, degrees)) < _UNBALANCED


def _labels(frame: pl.DataFrame, column: str | None) -> tuple[str, ...] | None:
    if column is None:
        return None
    text = frame[column].str.strip_chars().fill_null("")
    _require_all(text == "", column)
    return tuple(text.to_list())


def _require_all(empty: pl.Series, column: str) -> None:
    rows = np.flatnonzero(empty.to_numpy())
    if len(rows):
        raise InvalidInput(
            f"{count_of(len(rows), 'empty cell')} in {column!r}.",
            where=lines_text(rows),
            fix="Complete them: a unit without one cannot be left out, for treatment may be why it has none.",
        )
