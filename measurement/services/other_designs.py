"""Designs of tests that have no panel: users by sums, and periods of one whole by coins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

import numpy as np

from measurement.core.assignment import Assigned, Assignment, InvalidDesign, ordered
from measurement.core.power import power_for_means, size_for_means, size_for_proportions
from measurement.core.switchback_design import SwitchbackDesign, design_switchback, draw_assignment
from measurement.models import Experiment
from measurement.services.designed import Designed

_EFFECTS: Final = (0.02, 0.05, 0.1, 0.15, 0.2)
_POWER: Final = 0.8


def design_periods(experiment: Experiment) -> Designed:
    """When the coin is tossed: the design of least worst-case risk under the carry-over.

    Raises:
        InvalidDesign: neither periods nor dates say how long it lasts.
    """
    design, days = _switchback(experiment)
    candidate = {
        "treated": [], "duration": design.periods, "days": days, "mde": None, "power": None, "investment": None,
        "risk": design.risk, "tosses": len(design.randomise_at), "carryover": design.carryover,
    }  # fmt: skip
    return Designed(
        kind="switchback",
        candidates=[candidate],
        notes=list(design.notes),
        periods_needed=design.periods,
        randomise_at=list(design.randomise_at),
    )


def assign_periods(experiment: Experiment, designed: Designed) -> Assignment:
    """The coins, tossed with the experiment's seed and even over weekdays: one row for each stretch between tosses."""
    design, _ = _switchback(experiment)
    labels = weekdays_of(experiment, design.periods)
    treated = draw_assignment(design, seed=experiment.seed, labels=labels)
    blocks = design.block_of()
    width = len(str(design.periods))
    rows = []
    for _, members in groupby(range(design.periods), key=lambda at: int(blocks[at])):
        inside = list(members)
        name = f"periods {inside[0] + 1:0{width}d} to {inside[-1] + 1:0{width}d}"
        rows.append(Assigned(unit=name, group="treated" if treated[inside[0]] else "control"))
    notes = ("Weekdays are treated about as often as not.",) if labels else ()
    return ordered(rows, seed=experiment.seed, notes=notes)


def weekdays_of(experiment: Experiment, periods: int) -> list[str] | None:
    """Weekday of each period where periods are the days of the test: the draw is even over them, and read as such."""
    start, end = experiment.start_date, experiment.end_date
    # A test without an end lasts as many days as it has periods.
    if start is None or (end is not None and (end - start).days + 1 != periods):
        return None
    return [f"{start + timedelta(days=n):%A}" for n in range(periods)]


def _switchback(experiment: Experiment) -> tuple[SwitchbackDesign, int]:
    """The design, and how many days it lasts."""
    settings = experiment.settings
    days = None
    if experiment.start_date is not None and experiment.end_date is not None:
        days = (experiment.end_date - experiment.start_date).days + 1
    periods = settings.get("periods", days)
    if periods is None:
        raise InvalidDesign(
            "How many periods it has is not told.", where="settings.periods", fix="Give periods, or start and end."
        )
    return design_switchback(periods=int(periods), carryover=int(settings.get("carryover", 0))), days or int(periods)


def assign_users(experiment: Experiment) -> Assignment:
    """The two arms; users are drawn where they are served."""
    share = experiment.settings.get("expected_share", 0.5)
    notes = (f"{share:.0%} of users are to be treated, by a fair draw at the network.",)
    return ordered(
        [Assigned(unit="treated", group="treated"), Assigned(unit="control", group="control")], seed=None, notes=notes
    )


def design_users(experiment: Experiment) -> Designed:
    """Users per arm for each effect, from what the settings say of a user."""
    settings = experiment.settings
    power, alpha = settings.get("power", _POWER), experiment.alpha
    rate, mean, deviation = (settings.get(name) for name in ("baseline_rate", "baseline_mean", "baseline_sd"))
    if rate is None and (mean is None or deviation is None):
        raise InvalidDesign(
            "What users do without the test is not told.",
            where="settings.baseline_rate",
            fix="Give baseline_rate, or baseline_mean with baseline_sd.",
        )
    effects = [abs(one) for one in settings.get("effects", _EFFECTS) if one]
    share = settings.get("expected_share", 0.5)
    ratio = share / (1.0 - share)
    daily = settings.get("daily_users")
    candidates: list[dict[str, Any]] = []
    for effect in sorted(effects):
        if rate is not None:
            if not 0.0 < rate * (1.0 + effect) < 1.0:
                continue
            size = size_for_proportions(rate, rate * (1.0 + effect), alpha=alpha, power=power, ratio=ratio)
        else:
            size = size_for_means(effect * mean, sd=deviation, alpha=alpha, power=power, ratio=ratio)
        days = None if not daily else max(1, -(-size.n_total // daily))
        candidates.append(
            {"treated": ["treated"], "duration": days, "days": days, "mde": effect, "power": power, "effect": effect,
             "n_per_group": size.n_per_group, "n_total": size.n_total, "investment": None}
        )  # fmt: skip
    if not candidates:
        raise InvalidDesign("No effect can be sized.", where="settings.effects", fix="Give lifts such as 0.05.")
    for one in candidates:
        one["power_curve"] = _users_curve(one, rate, mean, deviation, alpha, ratio)
    return Designed(
        kind="ab",
        candidates=candidates,
        power_curve=candidates[0]["power_curve"],
        mde_by_duration=[{"duration": one["days"], "mde": one["mde"]} for one in candidates if one["days"]],
        notes=[] if daily else ["Without daily_users the length of the test is not known."],
    )


def _users_curve(
    chosen: Mapping[str, Any],
    rate: float | None,
    mean: float | None,
    deviation: float | None,
    alpha: float,
    ratio: float,
) -> list[dict[str, float]]:
    size, found = float(chosen["n_per_group"]), []
    spread = (rate * (1.0 - rate)) ** 0.5 if rate is not None else float(deviation or 1.0)
    level = rate if rate is not None else float(mean or 1.0)
    for effect in np.linspace(0.0, 2.0 * chosen["effect"], 21):
        chance = alpha if effect == 0 else power_for_means(effect * level, size, sd=spread, alpha=alpha, ratio=ratio)
        found.append({"effect": round(float(effect), 5), "power": float(chance)})
    return found
