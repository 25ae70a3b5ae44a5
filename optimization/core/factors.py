"""Incrementality factors of cells: which share of their attributed sales the ads caused.

They are published in the metrics layer, where incremental figures rest on them; a solve reads the same ones, so that
a plan and the report on it cannot disagree about what was incremental. For a cell the most specific factor counts:
its retailer and placement, then its retailer, then none, which leaves its sales as attributed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final, Literal

Source = Literal["experiment", "person", "import"]
#: Who says so, by the evidence a factor was published with.
SOURCES: Final[dict[str, Source]] = {
    "experiment": "experiment",
    "judgement": "person",
    "counterfactual": "import",
    "econometric": "import",
    "proxy": "import",
}
#: In how many of ten cases a factor is above its cautious value: eight.
_SURE: Final = NormalDist().inv_cdf(0.8)
#: Sides of an interval that differ by more than this many times are read as if they differed by as much.
_MOST_SKEWED: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """What one unit of attributed sales is worth.

    Attributes:
        mean: incremental per attributed unit of sales. Halo can lift it above 1, cannibalised sales below 0.
        low, high: ends of its central interval, low <= mean <= high. level: of that, in (0, 1), 0.8 for 80 %.
        source: experiment, person (judged, with a reason) or import (found outside, or taken over from elsewhere).
        retailer, placement: names of what it holds for; empty is any.
        id, version: of the published factor, and of the set it is of.
        method: how it was found, or a person's reason.
    """

    mean: float
    low: float
    high: float
    level: float
    source: Source
    retailer: str = ""
    placement: str = ""
    id: str = ""
    version: int = 0
    method: str = ""

    @property
    def multiplier(self) -> float:
        """What attributed sales are multiplied with: ads that cost sales are worth nothing, not less."""
        return max(self.mean, 0.0)

    @property
    def sd(self) -> float:
        """Standard error, as if the interval were that of a normal distribution."""
        return standard_error(self.low, self.high, self.level)

    @property
    def cautious(self) -> float:
        """What it is at least in four of five cases, and no less than nothing: its lower quantile.

        Of the distribution that has `mean` in its middle and both ends where they were published, lognormal but for a
        shift: where the sides of the interval are equally long that is a normal, where they are in proportion a
        lognormal.
        """
        below, above = self.mean - self.low, self.high - self.mean
        if self.multiplier <= 0.0 or below <= 0.0:
            return self.multiplier
        skew = math.log(min(max(above / below, 1.0 / _MOST_SKEWED), _MOST_SKEWED))
        part = _SURE / NormalDist().inv_cdf(0.5 + self.level / 2.0)
        share = part if abs(skew) < 1e-6 else math.expm1(-skew * part) / math.expm1(-skew)
        return max(self.mean - share * below, 0.0)

    @property
    def placement_words(self) -> str:
        """The placement in words; empty is any."""
        return self.placement.replace("_", " ")

    def as_dict(self) -> dict[str, object]:
        """What a solve keeps of it."""
        return {
            "id": self.id, "version": self.version, "retailer": self.retailer, "placement": self.placement,
            "mean": self.mean, "sd": self.sd, "source": self.source,
        }  # fmt: skip


class Factors(Mapping[tuple[str, str], Factor]):
    """Factors in force, by (retailer, placement); an empty name is any.

    Args:
        order: the one that counts first comes first, as the metrics layer ranks them.
    """

    def __init__(self, order: Sequence[Factor] = ()) -> None:
        self._order = tuple(order)
        self._known = dict.fromkeys((one.retailer, one.placement) for one in order)

    def __getitem__(self, key: tuple[str, str]) -> Factor:
        if key not in self._known:
            raise KeyError(key)
        found = self.for_cell(*key)
        if found is None:
            raise AssertionError("a key is the scope of a factor")
        return found

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def for_cell(self, retailer: str, placement: str) -> Factor | None:
        """The factor of a cell; None where nothing says what its ads caused."""
        for one in self._order:
            if one.retailer in ("", retailer) and one.placement in ("", placement):
                return one
        return None

    def as_list(self) -> list[dict[str, object]]:
        """Those that can count, as JSON."""
        return [self[key].as_dict() for key in sorted(self)]

    @property
    def sha256(self) -> str:
        """Of everything a solve could take from them; empty where there are none."""
        if not self._known:
            return ""
        return hashlib.sha256(json.dumps(self.as_list(), sort_keys=True).encode()).hexdigest()


def with_factors(records: Sequence[Mapping[str, Any]], factors: Factors) -> list[dict[str, Any]]:
    """Curves as a version keeps them, each with the factor its attributed sales count with (`incrementality`).

    The curve itself stays that of attributed sales: one that is asked for incremental sales is that times the factor.
    A cell that nothing speaks of has none.
    """
    out = []
    for record in records:
        plain = {name: value for name, value in record.items() if name != "incrementality"}
        found = factors.for_cell(str(record["retailer"]), str(record["placement"]))
        out.append(plain if found is None else plain | {"incrementality": found.as_dict()})
    return out


def standard_error(low: float, high: float, level: float) -> float:
    """From the ends of a central interval of a normal distribution; `level` in (0, 1), 0.8 for 80 %."""
    return (high - low) / (2.0 * NormalDist().inv_cdf(0.5 + level / 2.0))
