"""How noisy a line's weekly sales are: what the simulator draws by, and what a learner weighs its readings by."""

from __future__ import annotations

import numpy as np

from optimization.core.responses import Floats

#: Relative standard deviation of the weekly sales of a line that spends enough.
NOISE = 0.35
#: Share of a mean line's budget below which sales are so few orders that their noise grows as counts do.
FULL_SHARE = 0.25


def noise_variance(spend: Floats, mean_line: float, noise: float = NOISE) -> Floats:
    """Relative variance of weekly sales, shape like `spend`.

    Args:
        spend: money of the week.
        mean_line: budget per line, money.
        noise: relative standard deviation at `FULL_SHARE` of it or more.
    """
    full = FULL_SHARE * mean_line
    return noise**2 * np.maximum(1.0, full / np.maximum(spend, 1e-6 * full))
