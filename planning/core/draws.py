"""What sales may truly be, as one multiplier per line and draw, for the mean of the worst cases.

A draw is one possible truth of all lines. Those of an imported version are the posterior's own, joint over the lines.
Of fitted curves each line errs by itself, in the level of its return and in the scale that bends it, and the weeks of
the horizon hit all lines of a retailer alike; as `planning.core.outlook` draws them.

A multiplier is what a line sells in a draw over what its curve says, at the amount it spends now, or at its usual one
where it spends nothing. That the error may be another at another amount is left to the outlook, which values the
answer by whole curves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from optimization.core.curve_risk import shared_weeks
from optimization.core.problem import Curve
from optimization.core.responses import Floats, Responses
from optimization.core.stored_curves import StoredCurve

DRAWS: Final = 200
SEED: Final = 20261126
#: Of a multiplier, so that a stored problem stays short.
_PLACES: Final = 6


def sales_draws(
    curves: Sequence[StoredCurve],
    weeks: float,
    *,
    now: Mapping[str, float],
    imported: Mapping[str, Sequence[Curve]],
) -> Floats:
    """Multipliers of expected sales, shape (draws, lines), in the order of the curves.

    Args:
        weeks: length of the horizon.
        now: spend over the horizon by cell id.
        imported: draws of a posterior by cell id, per week, as `optimization.selectors.posterior_draws`; empty for
            curves fitted here.
    """
    count = min((len(imported[one.key.id]) for one in curves if one.key.id in imported), default=DRAWS)
    random = np.random.default_rng(SEED)
    shared = shared_weeks(curves, weeks, count, np.random.default_rng(SEED + 1))
    columns = []
    for curve, factor in zip(curves, shared, strict=True):
        # Drawn for every line, so that a line's truth does not depend on what is known of others.
        level = random.standard_normal(count) * curve.reference_relative_se
        scale = random.standard_normal(count) * curve.log_scale_sd
        spend = now.get(curve.key.id, 0.0) / weeks or curve.reference_spend
        held = imported.get(curve.key.id)
        if held is not None:
            columns.append(posterior_factor(held[:count], spend))
            continue
        expected = float(curve.revenue(spend))
        drawn = curve.drawn(np.full(count, spend), 1.0, level=level, scale=scale)
        columns.append(factor * (drawn / expected if expected > 0.0 else np.exp(level)))
    return np.asarray(np.round(np.column_stack(columns), _PLACES), dtype=np.float64)


def posterior_factor(draws: Sequence[Curve], spend: float) -> Floats:
    """What each draw sells at a weekly spend over what they sell on average, shape (draws,).

    Over their own average, for an override of the curve moves its level, and not what is uncertain about it.
    """
    sold = Responses.of(
        [one.family for one in draws], [one.a for one in draws], [one.k for one in draws],
        [one.exponent for one in draws],
    ).value(np.full(len(draws), spend))  # fmt: skip
    mean = float(sold.mean())
    return np.asarray(sold / mean if mean > 0.0 else np.ones(len(draws)), dtype=np.float64)
