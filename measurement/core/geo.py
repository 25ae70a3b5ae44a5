"""The analysis of a test on markets (or any units): from a panel to a reading, by the method that suits the design."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

import numpy as np

from measurement.core.answers import Estimate, PanelReading, UnitEffect
from measurement.core.geo_methods import Progress, synthetic_control
from measurement.core.panel import Panel
from measurement.core.placebo import PLACEBOS, placebo_sets
from measurement.core.synthetic_control import demeaned, simplex_weights
from measurement.core.treated_panel import Finding, TreatedPanel
from tenants.core.problems import InvalidInput

Method = Literal["auto", "sc"]
METHODS: Final[tuple[str, ...]] = get_args(Method)

_LEAST_PRE: Final = 4


class InvalidTest(InvalidInput):
    """A test that the panel cannot answer."""

    code = "invalid-test"
    title = "The test cannot be analysed"


class UnknownUnits(InvalidTest):
    """Units that the panel does not have."""

    code = "unknown-units"


class NotYetReadable(InvalidTest):
    """The test has not begun, or not ended, in these data."""

    code = "not-yet-readable"


def analyze_geo(
    panel: Panel,
    *,
    treated: Sequence[str] | None = None,
    assignment: Mapping[str, str] | None = None,
    start: int | dt.date | str,
    end: int | dt.date | str | None = None,
    cooldown: int = 0,
    method: str = "auto",
    alpha: float = 0.05,
    seed: int = 1,
    placebos: int = PLACEBOS,
    admissible: Sequence[Sequence[str]] | None = None,
    exclude: Sequence[str] = (),
    unit_effects: bool = True,
    sensitivity: bool = True,
    progress: Progress | None = None,
) -> PanelReading:
    """The effect of a test on the treated units of a panel.

    Args:
        treated: names of the treated units; all others are controls. assignment: instead, unit -> `treated` or
            `control`; units of another group, or of none, take no part.
        start, end: first and last period of the test, inclusive, counted from 1 or named; end of the data if None.
        cooldown: periods after `end` whose effect is counted to the test.
        method: see `METHODS`; `auto` chooses by the design.
        alpha: two-sided.
        placebos: sets drawn for placebo in space. admissible: sets of treated units that the design could have drawn.
        exclude: units that take no part, those in another test at the time.
        unit_effects: whether synthetic control fits outcomes about each unit's mean.
        sensitivity: whether to ask the other methods too.
        progress: called with sets done and all sets.

    Raises:
        UnknownUnits, NotYetReadable, InvalidTest: naming what does not fit.
    """
    if not 0.0 < alpha < 0.5:
        raise InvalidTest(f"alpha is {alpha}.", where="alpha", fix="Give a two-sided level such as 0.05.")
    if method not in METHODS:
        raise InvalidTest(f"There is no method {method!r}.", where="method", fix=f"Use {', '.join(METHODS)}.")
    names, chosen, notes = _units(panel, treated, assignment, exclude)
    test = _test(panel, names, chosen, start, end, cooldown)
    sets = placebo_sets(
        len(test.names), test.treated.tolist(), count=placebos, seed=seed, admissible=_rows(test, admissible)
    )
    finding = synthetic_control(test, sets, alpha=alpha, unit_effects=unit_effects, progress=progress)
    return _reading(panel, test, finding, "sc", "asked for", alpha, notes)


def _units(
    panel: Panel, treated: Sequence[str] | None, assignment: Mapping[str, str] | None, exclude: Sequence[str]
) -> tuple[list[str], set[str], list[str]]:
    """Names of all units of the test in the panel's order, casefolded names of the treated, and what was left out."""
    if (treated is None) == (assignment is None):
        raise InvalidTest(
            "The treated units are told neither by a list nor by an assignment, or by both.",
            where="treated",
            fix="Name the treated units, or give an assignment.",
        )
    if assignment is not None:
        groups = {name.strip().casefold(): group for name, group in assignment.items()}
        chosen = {name for name, group in groups.items() if group == "treated"}
        members = chosen | {name for name, group in groups.items() if group == "control"}
        absent = sorted(members - set(panel.place))
    else:
        wanted = [name.strip() for name in treated or () if name.strip()]
        chosen = {name.casefold() for name in wanted}
        members = set(panel.place)
        absent = [name for name in wanted if name.casefold() not in panel.place]
    if absent:
        told = " ".join(note for note in panel.notes if any(name.casefold() in note.casefold() for name in absent))
        raise UnknownUnits(
            f"The panel has no unit {', '.join(map(repr, absent))}. {told}".strip(),
            where="treated units",
            fix=f"It has {', '.join(panel.units[:5])}{' and more' if len(panel.units) > 5 else ''}.",
        )
    if not chosen:
        raise InvalidTest("No unit is treated.", where="treated units", fix="Name at least one.")
    barred = {name.strip().casefold() for name in exclude}
    both = sorted(barred & chosen)
    if both:
        raise InvalidTest(
            f"{both[0]!r} is treated here and excluded for another test.", where="exclude", fix="Leave one of them."
        )
    names = [name for name in panel.units if name.casefold() in members - barred]
    out = [name for name in panel.units if name.casefold() not in members - barred]
    notes = (
        [f"{len(out)} units take no part: {', '.join(out[:5])}{' and more' if len(out) > 5 else ''}."] if out else []
    )
    if len(names) - len(chosen) < 2:
        raise InvalidTest(
            f"There are {len(names) - len(chosen)} controls.",
            where="controls",
            fix="Leave at least two units untreated.",
        )
    return names, chosen, notes


def _test(
    panel: Panel,
    names: list[str],
    chosen: set[str],
    start: int | dt.date | str,
    end: int | dt.date | str | None,
    cooldown: int,
) -> TreatedPanel:
    rows = [panel.place[name.casefold()] for name in names]
    count = len(panel.periods)
    first = position(panel, start, "start")
    last = count - 1 - cooldown if end is None else position(panel, end, "end")
    if cooldown < 0 or last < first or last + cooldown >= count:
        raise NotYetReadable(
            f"The test of periods {first + 1} to {last + 1} with a cool-down of {cooldown} does not lie in the data, "
            f"which have {count} periods.",
            where="end",
            fix="Wait for the data, or correct start, end and cool-down.",
        )
    if first < _LEAST_PRE:
        raise InvalidTest(
            f"{first} periods lie before the start.",
            where="start",
            fix=f"Give at least {_LEAST_PRE}, better 50 or more.",
        )
    return TreatedPanel(
        names=tuple(names),
        outcome=panel.outcome[rows],
        cost=None if panel.cost is None else panel.cost[rows],
        treated=np.array([place for place, name in enumerate(names) if name.casefold() in chosen], dtype=np.int64),
        start=first,
        end=last,
        cooldown_end=last + cooldown,
    )


def position(panel: Panel, given: int | dt.date | str, where: str) -> int:
    """Position from 0 of a period given by its number from 1, its date, or its label where labels are numbers.

    Raises:
        NotYetReadable: it lies after the data. InvalidTest: it lies before them, in a gap, or is no period.
    """
    wanted: int | dt.date
    if isinstance(given, str):
        try:
            wanted = int(given) if given.strip().lstrip("-").isdigit() else dt.date.fromisoformat(given.strip())
        except ValueError as error:
            raise InvalidTest(
                f"{given!r} is no period.", where=where, fix="Give its number, counted from 1, or a date as 2021-04-15."
            ) from error
    else:
        wanted = given
    if isinstance(wanted, int) and 1 <= wanted <= len(panel.periods):
        return wanted - 1
    if wanted in panel.periods:
        return panel.periods.index(wanted)
    last = panel.periods[-1]
    numbered = isinstance(wanted, int)
    if (numbered and wanted > len(panel.periods)) or (type(wanted) is type(last) and wanted > last):  # type: ignore[operator]
        raise NotYetReadable(
            f"The period {wanted} lies after the data, which end with {last}, period {len(panel.periods)}.",
            where=where,
            fix="Wait until the data hold the test.",
        )
    raise InvalidTest(
        f"The panel has no period {wanted}: it runs from {panel.periods[0]} to {last}.",
        where=where,
        fix="Give a period of the panel.",
    )


def _rows(test: TreatedPanel, admissible: Sequence[Sequence[str]] | None) -> list[list[int]] | None:
    if admissible is None:
        return None
    place = {name.casefold(): row for row, name in enumerate(test.names)}
    known = [[place[name.casefold()] for name in members if name.casefold() in place] for members in admissible]
    return [rows for rows in known if len(rows) == len(test.treated)]


def _reading(
    panel: Panel, test: TreatedPanel, finding: Finding, method: str, why: str, alpha: float, notes: list[str]
) -> PanelReading:
    """The finding in the units of the product: sums over treated units, fractions, labels."""
    size = len(test.treated)
    window = test.window
    observed, counterfactual = size * test.observed, size * finding.counterfactual
    effect = observed[window] - counterfactual[window]
    incremental = Estimate(float(effect.sum()), _end(size * finding.total.low), _end(size * finding.total.high))
    cells = size * test.length
    low, high = np.full(len(observed), np.nan), np.full(len(observed), np.nan)
    low[window] = observed[window] - size * finding.period_high
    high[window] = observed[window] - size * finding.period_low
    iroas = None
    if finding.iroas is not None:
        value, span = finding.iroas
        iroas = Estimate(value, _end(span.low), _end(span.high))
    return PanelReading(
        method=method,
        why_method=why,
        procedure=finding.procedure,
        evidence=finding.evidence,
        alpha=alpha,
        p_value=finding.p_value,
        att=_scaled(incremental, 1.0 / cells),
        lift=_lift(incremental, float(observed[window].sum())),
        incremental=incremental,
        iroas=iroas,
        cost=finding.extra_cost,
        weights={
            test.names[row]: float(finding.weights[row])
            for row in np.argsort(-finding.weights, kind="stable")
            if finding.weights[row] > 1e-6
        },
        l2_imbalance=finding.l2,
        scaled_l2=finding.scaled_l2,
        periods=panel.periods,
        start=test.start,
        end=test.end,
        cooldown_end=test.cooldown_end,
        treated=tuple(test.names[row] for row in test.treated),
        controls=tuple(test.names[row] for row in test.controls),
        observed=observed,
        counterfactual=counterfactual,
        low=low,
        high=high,
        cumulative=effect.cumsum(),
        cumulative_low=size * finding.cumulative_low,
        cumulative_high=size * finding.cumulative_high,
        placebos=finding.placebos,
        by_unit=_by_unit(test),
        warnings=(*panel.notes, *notes, *finding.warnings),
        details=finding.details,
    )


def _by_unit(test: TreatedPanel) -> tuple[UnitEffect, ...]:
    """Each treated unit against its own synthetic control, largest first: shown, not tested."""
    centred = demeaned(test.outcome, slice(0, test.start))
    fitted = centred[:, : test.start]
    shares = np.zeros((len(test.treated), len(test.outcome)))
    shares[np.arange(len(test.treated)), test.treated] = 1.0
    donors = np.ones_like(shares, dtype=bool)
    donors[:, test.treated] = False
    weights = simplex_weights(fitted @ fitted.T, shares, donors).weights
    paths = test.outcome[test.treated] - (shares - weights) @ centred
    effects = []
    for place in np.argsort(-test.pre[test.treated].mean(axis=1), kind="stable"):
        observed, path = test.outcome[test.treated[place]], paths[place]
        base = float(path[test.window].sum())
        lift = float(observed[test.window].sum()) / base - 1.0 if base > 0.0 else None
        effects.append(
            UnitEffect(unit=test.names[test.treated[place]], lift=lift, observed=observed, counterfactual=path)
        )
    return tuple(effects)


def _end(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _scaled(estimate: Estimate, factor: float) -> Estimate:
    low, high = estimate.low, estimate.high
    return Estimate(
        estimate.value * factor, None if low is None else low * factor, None if high is None else high * factor
    )


def _lift(incremental: Estimate, observed: float) -> Estimate:
    """Effect over counterfactual, rising in the effect as long as the counterfactual is positive."""

    def share(effect: float | None) -> float | None:
        if effect is None or observed - effect <= 0.0:
            return None
        return effect / (observed - effect)

    value = share(incremental.value)
    return Estimate(float("nan") if value is None else value, share(incremental.low), share(incremental.high))
