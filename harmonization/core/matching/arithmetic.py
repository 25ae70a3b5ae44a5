"""What columns say about each other: a rate that equals clicks over impressions is the click-through rate, in per cent
where it is a hundred times that, whatever it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from harmonization.core.matching.evidence import Numbers

#: Quotients: numerator, denominator, factor.
QUOTIENTS: Final[dict[str, tuple[str, str, float]]] = {
    "reported_ctr": ("clicks", "impressions", 1.0),
    "reported_cpc": ("spend", "clicks", 1.0),
    "reported_cpm": ("spend", "impressions", 1000.0),
    "reported_acos": ("spend", "sales", 1.0),
    "reported_roas": ("sales", "spend", 1.0),
    "reported_cvr": ("orders", "clicks", 1.0),
    "reported_cpa": ("spend", "orders", 1.0),
}
Scale = Literal["as is", "percent", "micros"]
_SCALES: Final[tuple[tuple[Scale, float], ...]] = (("as is", 1.0), ("percent", 100.0))
#: A quotient in the export was rounded to a few digits.
_TOLERANCE: Final = 0.012
_ENOUGH: Final = 0.8


@dataclass(frozen=True, slots=True)
class Agreement:
    """`target` equals its quotient, times 100 where `scale` is percent, in `hits` of `rows` rows."""

    target: str
    scale: Scale
    hits: int
    rows: int

    @property
    def words(self) -> str:
        above, below, factor = QUOTIENTS[self.target]
        what = f"{above} / {below}" + (" x 1000" if factor == 1000.0 else "")
        return f"equals {what}{' in per cent' if self.scale == 'percent' else ''} in {self.hits} of {self.rows} rows"


def agreement(
    target: str, values: Numbers, known: Mapping[str, list[Numbers]], *, named: bool = False
) -> Agreement | None:
    """Whether `values` are the quotient `target` of columns that are known; None where not, or too few tell.

    One quotient in all rows tells nothing, unless the column is `named` so.
    """
    above, below, factor = QUOTIENTS[target]
    best: Agreement | None = None
    for top in known.get(above, []):
        for bottom in known.get(below, []):
            if not len(values) == len(top) == len(bottom):
                continue
            with np.errstate(divide="ignore", invalid="ignore"):
                expected = factor * top / bottom
            usable = np.isfinite(expected) & np.isfinite(values) & (np.abs(expected) > 0) & (values != 0)
            rows = int(usable.sum())
            if rows < 2 or (not named and len(np.unique(np.round(expected[usable], 9))) < 2):
                continue
            for scale, times in _SCALES:
                if scale == "percent" and target in ("reported_cpc", "reported_cpm", "reported_cpa"):
                    continue
                close = np.abs(values[usable] - times * expected[usable]) <= np.maximum(
                    _TOLERANCE * np.abs(times * expected[usable]), 0.0051 if scale == "percent" else 0.0
                )
                hits = int(close.sum())
                if hits >= _ENOUGH * rows and (best is None or hits > best.hits):
                    best = Agreement(target, scale, hits, rows)
    return best


def looks_like_micros(spend: Numbers, clicks: list[Numbers], impressions: list[Numbers]) -> bool:
    """Whether cost is so large for its clicks and impressions that it can only be counted in millionths.

    A click of 5,000 units of money, or a thousand impressions of 50,000, is in no currency a plausible median.
    """
    known = spend[np.isfinite(spend)]
    if not len(known) or np.any(known != np.round(known)):
        return False
    for counts, limit in [(column, 5000.0) for column in clicks] + [(column, 50.0) for column in impressions]:
        if len(counts) != len(spend):
            continue
        usable = np.isfinite(spend) & np.isfinite(counts) & (counts > 0) & (spend > 0)
        if usable.sum() >= 2 and float(np.median(spend[usable] / counts[usable])) > limit:
            return True
    return False
