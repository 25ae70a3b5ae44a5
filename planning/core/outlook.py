"""How sure a proposal is: the same draws of what the curves may truly be, under the current spend and the proposed.

Each line's errors are drawn as the fit left them: the level of its return at its usual spend, and the scale that bends
the curve around it. The two spends of one draw share one truth, so what is uncertain in both does not blur their
difference. Lines err independently of each other, but for what the weeks of the horizon do to all lines of a retailer,
a season or a shock: no spreading over lines averages that out. It widens what is sold in all, and hardly what one
allocation sells more than another. Curves that were imported with draws of a posterior are drawn from those. The
scatter of each line's own weeks, which does average out, is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimization.core.curve_risk import shared_weeks
from optimization.core.problem import Curve
from optimization.core.stored_curves import StoredCurve
from planning.core.draws import posterior_factor

DRAWS = 400
SEED = 20261123
#: How often a least ROAS should be reached.
CONFIDENCE = 0.8
_QUANTILES = (0.1, 0.9)


def outlook(
    curves: Sequence[StoredCurve],
    weeks: float,
    *,
    now: Mapping[str, float],
    proposed: Mapping[str, float],
    unsellable: frozenset[str],
    min_roas: float | None = None,
    by_week: Mapping[str, Sequence[float]] | None = None,
    season: Sequence[float] = (),
    tail_fraction: float | None = None,
    imported: Mapping[str, Sequence[Curve]] | None = None,
) -> dict[str, Any]:
    """Intervals of sales and gain, 80 %, and the chance of a gain; money over the horizon.

    Args:
        now, proposed: spend by cell id.
        unsellable: ids of cells out of stock, whose spend sells nothing.
        min_roas: told with the chance that the proposal reaches it, and `roas_factor`: how many times as high a least
            ROAS to ask for so that it is reached with `CONFIDENCE`.
        by_week: what of `proposed` each week spends, by cell id, where that is not the same in all `weeks`.
        season: how many times as much each week sells; none is once.
        imported: draws of a posterior by cell id, per week, of curves that came with them; they are taken in turn, the
            same for all lines, so that what is uncertain in many lines at once stays so.
        tail_fraction: the mean of that part of the draws, the worst, is told too: `tail_now`, `tail_proposed`.
    """
    random = np.random.default_rng(SEED)
    # Of a generator of its own: the draws of lines are the same whatever they share.
    shared = shared_weeks(curves, weeks, DRAWS, np.random.default_rng(SEED + 1))
    spent = sum(now.values())
    # The current mix with the proposed money: what the allocation alone, and not the size of the budget, is worth.
    plans = {name: (amount,) for name, amount in proposed.items()} if by_week is None else by_week
    span = weeks if by_week is None else 1.0
    usual = sum(season) / len(season) if season else 1.0
    times = tuple(season) if season and by_week is not None else ()
    money_of = [sum(amounts) for amounts in zip(*plans.values(), strict=True)]
    stretch = [amount / spent if spent > 0.0 else 0.0 for amount in money_of]
    before, same_mix, after = np.zeros(DRAWS), np.zeros(DRAWS), np.zeros(DRAWS)
    expected_same_mix = expected = 0.0
    of_lines: dict[str, list[float]] = {}
    for curve, factor in zip(curves, shared, strict=True):
        # Drawn for every line, so that a line's truth does not depend on which others have money.
        level = random.standard_normal(DRAWS) * curve.reference_relative_se
        scale = random.standard_normal(DRAWS) * curve.log_scale_sd
        name = curve.key.id
        if name in unsellable:
            continue
        x = now.get(name, 0.0)
        mix, plan = [x * part for part in stretch], plans.get(name, ())
        low, stretched, high = (
            factor * _sold(curve, spends, each, level, scale, weights, (imported or {}).get(name, ()))
            for spends, each, weights in (
                ([x], weeks, (usual,)),
                (mix, span, times or (usual,) * len(mix)),
                (plan, span, times or (usual,) * len(plan)),
            )
        )
        before += low
        same_mix += stretched
        after += high
        for at, spend in enumerate(mix):
            expected_same_mix += (times[at] if times else usual) * float(curve.revenue(spend, span))
        for at, spend in enumerate(plan):
            expected += (times[at] if times else usual) * float(curve.revenue(spend, span))
        of_lines[name] = _interval(high - low)
    gain = after - before
    money = sum(proposed.values())
    reached: dict[str, Any] = {}
    if min_roas and money > 0.0:
        unlucky = float(np.quantile(after, 1.0 - CONFIDENCE))
        reached = {
            "chance_roas": float(np.mean(after >= min_roas * money)),
            "roas_factor": expected / unlucky if unlucky > 0.0 else 1.0,
        }
    if tail_fraction:
        reached |= {"tail_now": _tail(before, tail_fraction), "tail_proposed": _tail(after, tail_fraction)}
    return reached | {
        "draws": DRAWS,
        "seed": SEED,
        "sales_now": _interval(before),
        "sales_proposed": _interval(after),
        "gain": _interval(gain),
        "chance": float(np.mean(gain > 0.0)),
        "expected_same_mix": expected_same_mix,
        "chance_same_mix": float(np.mean(after > same_mix)),
        "worst_5": float(np.quantile(gain, 0.05)),
        "gain_of_lines": of_lines,
    }


def _sold(
    curve: StoredCurve,
    spends: Sequence[float],
    weeks: float,
    level: NDArray[np.float64],
    scale: NDArray[np.float64],
    season: Sequence[float],
    held: Sequence[Curve],
) -> NDArray[np.float64]:
    """Draws of the sales of some amounts, each over so many weeks and times its season, added up; shape (draws,)."""
    found = np.zeros(DRAWS)
    for spend, times in zip(spends, season, strict=True):
        if held:
            known = posterior_factor(held, spend / weeks)
            found += times * float(curve.revenue(spend, weeks)) * np.resize(known, DRAWS)
        else:
            found += times * curve.drawn(np.full(DRAWS, spend), weeks, level=level, scale=scale)
    return found


def _tail(values: NDArray[np.float64], part: float) -> float:
    """The mean of the lowest part of the draws."""
    return float(np.sort(values)[: max(1, round(part * values.size))].mean())


def _interval(values: NDArray[np.float64]) -> list[float]:
    low, high = np.quantile(values, _QUANTILES)
    return [float(low), float(high)]
