"""The sign-flip test of paired differences, and the interval that inverts it over the same reassignments.

A pair whose two units were assigned by a coin could as well have been assigned the other way round, which turns the
sign of its difference. With an effect `theta` common to all pairs the differences `d - theta` are symmetric under such
turns (Fisher 1935; Lehmann and Romano, Testing Statistical Hypotheses, 5.8-5.11). Turning the pairs of a set F makes
the sum at least as large as observed exactly where the mean of F is at most theta. The means of all sets F are
therefore the thresholds that `inversion` reads p and interval from.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from measurement.core.arrays import Floats
from measurement.core.inversion import Reassigned
from measurement.core.words import count_of
from tenants.core.problems import InvalidInput

#: Up to so many pairs every reassignment is looked at.
EXACT_PAIRS: Final = 16
#: Reassignments drawn where there are more.
DRAWS: Final = 19_999
_BLOCK: Final = 4_096


def least_p(pairs: int) -> float:
    """The smallest two-sided p that so many pairs can show."""
    return 2.0 / 2.0**pairs


def sign_flip(differences: Floats, *, seed: int = 1, draws: int = DRAWS) -> Reassigned:
    """Test of differences, shape [pairs], at least two.

    Args:
        seed: of the drawn reassignments; of no consequence up to `EXACT_PAIRS` pairs. The same seed and number of pairs
            draw the same reassignments, so that windows of one test are comparable.

    Raises:
        InvalidInput: fewer than two differences, or one that is no finite number.
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < 2:
        raise InvalidInput(
            f"A test of {count_of(len(values), 'pair')} has nothing to compare.",
            where="pairs",
            fix="Give at least two pairs.",
        )
    if not np.isfinite(values).all():
        raise InvalidInput("A difference is no finite number.", where="pairs", fix="Leave out units without sales.")
    if len(values) <= EXACT_PAIRS:
        sums, sizes = np.zeros(1), np.zeros(1)
        for value in values:
            sums, sizes = np.concatenate([sums, sums + value]), np.concatenate([sizes, sizes + 1.0])
        means = sums[1:] / sizes[1:]
        # The set of all pairs is the estimate itself, to the last bit.
        return Reassigned(float(means[-1]), np.sort(means), up=0, down=0, count=2 ** len(values), exact=True)
    averages, idle = _drawn(seed, draws, len(values))
    # A drawn set that turns no pair shows what was observed, whatever the effect.
    means = np.sort(averages @ values)
    return Reassigned(float(values.mean()), means, up=idle, down=idle, count=draws + 1, exact=False)


@lru_cache(maxsize=2)
def _drawn(seed: int, draws: int, pairs: int) -> tuple[Floats, int]:
    """Rows that average the turned pairs of each drawn set, and how many sets turn none.

    Kept, because a reading asks for every window of a test with the same sets.
    """
    rng = np.random.default_rng(seed)
    turned = [
        rng.integers(0, 2, size=(min(_BLOCK, draws - begin), pairs), dtype=np.int8) for begin in range(0, draws, _BLOCK)
    ]
    averages = np.concatenate(turned).astype(np.float64)
    sizes = averages.sum(axis=1)
    averages = averages[sizes > 0] / sizes[sizes > 0, None]
    averages.setflags(write=False)
    return averages, int((sizes == 0).sum())
