"""Interval of a ratio of two estimates (Fieller 1954)."""

from __future__ import annotations

import math

from measurement.core.treated_panel import Span


def fieller(
    above: float, below: float, *, variance_above: float, variance_below: float, covariance: float, quantile: float
) -> Span:
    """The ratios r for which |above - r below| <= quantile times its standard error.

    Where the spend below is not clearly different from zero the data do not bound the ratio: one or both ends are
    infinite. (Two separate rays then are not rejected; the whole line is told.)

    Args:
        quantile: of the t or normal distribution, of the two-sided level.
    """
    q2 = quantile**2
    a = below**2 - q2 * variance_below
    b = above * below - q2 * covariance
    c = above**2 - q2 * variance_above
    if a <= 0.0:
        return Span(-math.inf, math.inf)
    root = math.sqrt(max(b * b - a * c, 0.0))
    return Span((b - root) / a, (b + root) / a)
