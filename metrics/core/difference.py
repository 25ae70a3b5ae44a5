"""How a figure differs from the one it is compared with."""

from __future__ import annotations

from decimal import Decimal

from metrics.core.definitions import METRICS

Figure = int | float | Decimal | None


def difference(metric: str, now: Figure, before: Figure) -> float | None:
    """As the metric's `change` says: a fraction of the earlier figure, or the difference of two ratios.

    None where either is not told, or where a fraction of 0 would be needed.
    """
    if now is None or before is None:
        return None
    if METRICS[metric].change != "percent":
        return float(now) - float(before)
    return float(now) / float(before) - 1 if before else None
